"""Options that say what an edit looks like: its light, its paint, its camera, whose layers."""

from __future__ import annotations

from typing import Annotated

import typer

LightOf = Annotated[
    list[str] | None,
    typer.Option(
        "--light",
        metavar="WHO=HOW",
        help="Light on somebody, or on the background: girl=output (that of the output's moment), girl=time:2s, "
        "girl=gain:1.5, girl=off; girl=output,background takes it from the background around.",
    ),
]
Paint = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=FILE|none",
        help="Paint on a layer, for --method nvd; it goes with the layer in all frames, under its light, and stays "
        "with the project until `none` is said. NAME=FILE: an atlas painted on; NAME=FILE@40f: RGBA drawn on a frame; "
        "NAME=FILE:X,Y,WIDTH@40f or NAME=text:WORDS:X,Y,HEIGHT@40f: a sticker in a frame (without @40f in the atlas); "
        "NAME=recolour:hue:120,saturation:0.5,brightness:1.2.",
    ),
]
Camera = Annotated[
    list[str] | None,
    typer.Option(
        "--camera",
        metavar="HOW",
        help="original, locked@1s, whole (stands still and takes in the whole scene), or a name whose framing is kept: "
        "girl. Moved: whole:scale:1.2,x:-40,y:10,rotate:5; along a path: original:x:0@0s;x:90@2s, or "
        "original:path:FILE.",
    ),
]
Take = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=PROJECT|none",
        help="Take a layer from another project of the same clip (girl=other.polytempo), so that layers of both "
        "methods are in one edit. It stays with the project until `none` is said.",
    ),
]
