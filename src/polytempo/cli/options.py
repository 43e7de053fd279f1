"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="One JSON object a line instead of text.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show where an error came from, and what the program logs.")]
ClipOrProject = Annotated[Path, typer.Argument(help="A video file, or a project folder (NAME.polytempo).")]
ProjectFolder = Annotated[
    Path | None,
    typer.Option("--project", help="Project folder of the clip. Left out: NAME.polytempo in the working directory."),
]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="TOML file with settings; they stay with the project.")
]
Sets = Annotated[list[str] | None, typer.Option("--set", help="One setting, e.g. work_side_px=320. May be repeated.")]
Output = Annotated[Path, typer.Option("--output", "-o", help="Video file to write: .mp4, .mov or .mkv.")]

SubjectsFile = Annotated[
    Path | None,
    typer.Option("--subjects", help="Prompts (JSON), or ready masks: a folder of PNG files or COCO-RLE JSON."),
]
Boxes = Annotated[
    list[str] | None, typer.Option("--box", help="A loose box, e.g. girl=312,0,515,387@0 (x0,y0,x1,y1@frame).")
]
Points = Annotated[list[str] | None, typer.Option("--point", help="A point on a subject, e.g. girl=400,120@12.")]
OtherPrompts = Annotated[
    list[str] | None,
    typer.Option("--prompt", help="Any prompt: girl=scribble:400,80;410,200@40, girl=not:300,200@12, girl=absent@150."),
]
Pick = Annotated[str | None, typer.Option("--pick", help="Which of the proposed subjects, e.g. 1,3 or girl=1,boy=3.")]
Groups = Annotated[
    list[str] | None, typer.Option("--group", help="Subjects that share a layer, e.g. pair=girl,boy. May be repeated.")
]
Order = Annotated[str | None, typer.Option("--order", help="Layers back to front, e.g. boy,girl; guessed if left out.")]
Dynamic = Annotated[
    list[str] | None, typer.Option("--dynamic", help="Name of a layer without a subject (moving background).")
]

Freeze = Annotated[
    list[str] | None, typer.Option("--freeze", help="Stand still: girl@1.2s all along, girl@1.2s-3s for a while.")
]
Remove = Annotated[list[str] | None, typer.Option("--remove", help="Take away, with shadow and reflection: boy.")]
Delay = Annotated[list[str] | None, typer.Option("--delay", help="Later or earlier: girl+10f, boy-0.5s.")]
Speed = Annotated[list[str] | None, typer.Option("--speed", help="Another speed: boy=50%, boy@1s-2s=200%.")]
Duplicate = Annotated[
    list[str] | None, typer.Option("--duplicate", help="Copies, each behind the one before: girl*3+5f:40,0.")
]
Solo = Annotated[list[str] | None, typer.Option("--solo", help="Show only these: girl or girl,boy.")]
EdlFile = Annotated[Path | None, typer.Option("--edl", help="Start from an edit decision list (JSON).")]
