"""OpenEXR: every layer of a frame in one file, as channels of one part or as parts of their own.

Premultiplied, as the format asks. Our layers are solved in coded sRGB, and *over* is right for them there, not in
linear light; so the numbers are the coded ones, and the header says so (``polytempo:composite_space``). A program that
composites them as they are gets our composite to a half float's accuracy.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import UInt8
from numpy.typing import NDArray

from polytempo.core.errors import InputError, ResourceError, ShapeError
from polytempo.core.files import atomic_path

WHERE = "exchange.exr"
SPACE = "polytempo:composite_space"
Arrangement = Literal["layers", "parts"]
"""Channels ``girl.R`` … of one part, or a part named ``girl`` with channels ``R`` …."""


def write_exr(
    path: Path,
    layers: Mapping[str, UInt8[np.ndarray, "H W 4"]],
    *,
    arrangement: Arrangement = "layers",
    composite_space: str = "srgb-coded",
) -> None:
    """Write one frame's layers, back to front, as half floats with ZIP compression.

    Args:
        path: Ending in ``.exr``.
        layers: Premultiplied, by name, all of one size; the first is the background.
        arrangement: One part with named channels, or a part a layer.
        composite_space: What the numbers are.

    Raises:
        InputError: OpenEXR is not installed, there are no layers, a name has a full stop, or another ending.
        ShapeError: sizes differ.
        ResourceError: the file cannot be written.
    """
    exr = _library()
    if path.suffix.lower() != ".exr":
        raise InputError(WHERE, "the file must end in .exr", got=repr(path.suffix), path=path)
    if not layers:
        raise InputError(WHERE, "there must be layers to write", got="none", path=path)
    if any("." in name for name in layers):
        raise InputError(
            WHERE, "names of layers must have no full stop, which parts channel names", got=", ".join(layers)
        )
    if len({one.shape for one in layers.values()}) > 1:
        raise ShapeError(WHERE, "all layers must have one size", got=str([one.shape for one in layers.values()]))
    header: dict[str, Any] = {
        "compression": exr.ZIP_COMPRESSION,
        "type": exr.scanlineimage,
        SPACE: composite_space,
        "polytempo:order": ",".join(layers),
    }
    channels = {name: _halves(picture) for name, picture in layers.items()}
    if arrangement == "layers":
        parts = [
            exr.Part(header, {f"{name}.{c}": v for name, own in channels.items() for c, v in own.items()}, "layers")
        ]
    else:
        parts = [exr.Part(dict(header), own, name) for name, own in channels.items()]
    with atomic_path(path) as partial:
        try:
            exr.File(parts).write(str(partial))
        except RuntimeError as error:
            raise ResourceError(WHERE, "the file must be written wholly", got=str(error), path=path) from error


def read_exr(path: Path) -> dict[str, NDArray[np.uint8]]:
    """Layers of a file that was written here or elsewhere, premultiplied ``[H, W, 4]``, in the order of the file.

    Values are taken as coded; those outside 0…1 are cut off.

    Raises:
        InputError: OpenEXR is not installed, or the file cannot be read or has no RGBA.
    """
    exr = _library()
    try:
        with exr.File(str(path), separate_channels=True) as file:
            found: dict[str, dict[str, NDArray[Any]]] = {}
            order: list[str] = []
            for part in file.parts:
                order = order or str(part.header.get("polytempo:order", "")).split(",")
                for name, channel in part.channels.items():
                    layer, _, letter = name.rpartition(".")
                    found.setdefault(layer or str(part.name()), {})[letter.upper()] = np.array(channel.pixels)
    except (RuntimeError, OSError, ValueError) as error:
        raise InputError(WHERE, "the file must be an OpenEXR file", got=str(error)[:120], path=path) from error
    whole = {name: own for name, own in found.items() if {"R", "G", "B"} <= set(own)}
    if not whole:
        raise InputError(WHERE, "the file must have channels R, G and B", got=", ".join(found) or "none", path=path)
    names = [name for name in order if name in whole] or list(whole)
    return {name: _bytes(whole[name]) for name in names}


def _halves(picture: UInt8[np.ndarray, "H W 4"]) -> dict[str, NDArray[np.float16]]:
    return {
        letter: np.ascontiguousarray(picture[..., k] / np.float32(255)).astype(np.float16)
        for k, letter in enumerate("RGBA")
    }


def _bytes(channels: dict[str, NDArray[Any]]) -> NDArray[np.uint8]:
    alpha = channels.get("A", np.ones_like(channels["R"]))
    stacked = np.stack([channels["R"], channels["G"], channels["B"], alpha], axis=2).astype(np.float32)
    return np.rint(np.clip(np.nan_to_num(stacked), 0, 1) * 255).astype(np.uint8)


def _library() -> Any:
    try:
        return importlib.import_module("OpenEXR")
    except ImportError as error:
        raise InputError(
            WHERE, "OpenEXR must be installed", got="no such package", todo="Run pip install 'polytempo[exchange]'"
        ) from error
