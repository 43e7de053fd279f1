"""Paint on an atlas, in every frame: it follows the motion and lies under the light."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32, UInt8
from numpy.typing import NDArray

from polytempo.atlas.paint import Paint, painted_crop
from polytempo.atlas.picture import AtlasPicture
from polytempo.atlas.recolour import Recolour, recoloured
from polytempo.core.errors import InputError, ShapeError
from polytempo.core.pictures import Pictures
from polytempo.layers.shading import Shading, atlas_sampled
from polytempo.layers.sparse import Crop, crop_of
from polytempo.layers.stack import LayerStack

SEEN = 26
"""Coverage, of 255, from which a place of an atlas counts as seen: a tenth."""
BACKGROUND = 0
"""Layer id of the background in edits."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class AtlasEdit:
    """What is done to the look of one layer; the light on it is the edit decision list's (``edit.light``)."""

    change: Float32[np.ndarray, "S S 3"]
    """Edited texture minus the texture, −1…1."""
    unseen: float = 0.0
    """Share of the paint that lies where the clip never shows the layer."""


def overlay_edit(
    picture: AtlasPicture, overlay: UInt8[np.ndarray, "S S 4"], *, before: AtlasEdit | None = None
) -> AtlasEdit:
    """Paint laid over an atlas.

    Args:
        picture: The atlas.
        overlay: Straight RGBA of its size.
        before: What was done to it already, beneath the paint.

    Raises:
        ShapeError: the overlay has another size or no alpha.
        InputError: nothing of it lies where the clip ever shows the layer.

    Source: paper B, Section 4.3.
    """
    if overlay.shape != (*picture.coverage.shape, 4) or overlay.dtype != np.uint8:
        side = len(picture.coverage)
        raise ShapeError(
            "atlas.edit",
            f"an overlay must be {side}x{side} pixels of 8-bit RGBA",
            got=f"{overlay.dtype} {overlay.shape}",
            todo="Paint on the picture that was written, and keep its size",
        )
    return _change(picture, overlay[..., :3], overlay[..., 3] / np.float32(255), before)


def repainted_edit(
    picture: AtlasPicture, painted: UInt8[np.ndarray, "S S 3"], *, before: AtlasEdit | None = None
) -> AtlasEdit:
    """An atlas painted anew; what equals the picture is left alone.

    Raises:
        ShapeError: it has another size.
        InputError: nothing that differs lies where the clip ever shows the layer.
    """
    if painted.shape != picture.colour.shape or painted.dtype != np.uint8:
        raise ShapeError(
            "atlas.edit",
            f"a repainted atlas must be 8-bit RGB of shape {picture.colour.shape}",
            got=f"{painted.dtype} {painted.shape}",
            todo="Paint on the picture that was written, and keep its size",
        )
    return _change(picture, painted, (painted != picture.colour).any(-1).astype(np.float32), before)


def recoloured_edit(picture: AtlasPicture, how: Recolour, *, before: AtlasEdit | None = None) -> AtlasEdit:
    """A layer in other colours, paint that was laid on it before included."""
    colour = picture.colour.astype(np.float32) / 255
    beneath = colour if before is None else np.clip(colour + before.change, 0, 1)
    unseen = 0.0 if before is None else before.unseen
    return AtlasEdit(change=recoloured(beneath, how) - colour, unseen=unseen)


def edited_stack(stack: LayerStack, edits: Mapping[int, AtlasEdit]) -> LayerStack:
    """A layer stack with its layers edited; pictures are made when they are asked for.

    To what a layer shows is added what the edit changes of it, under its light: all other detail of the clip stays. The
    result is retimed, rendered and exported like any other, and can be edited again.

    Args:
        stack: Of atlases: its layers know their UV and light.
        edits: By layer id, the background's being 0.

    Raises:
        InputError: an edit names a layer that is not there, or one that has no atlas.

    Source: paper B, Section 4.3 and Eq. 6; adding the difference to the frame as its released system does.
    """
    there = {BACKGROUND: stack.background.shading} | {one.layer_id: one.shading for one in stack.layers}
    for layer_id in edits:
        if layer_id not in there:
            raise InputError("atlas.edit", "an edit must be of a layer that is there", got=f"layer id {layer_id}")
        if there[layer_id] is None or (layer_id == BACKGROUND and stack.background.live is None):
            raise InputError(
                "atlas.edit",
                "an edit must be of a layer that has an atlas",
                got=f"layer id {layer_id}",
                todo="Decompose the clip with --method nvd",
            )

    def made(pictures: Pictures, layer_id: int) -> Pictures:
        shading = there[layer_id]
        assert shading is not None
        return _Edited(pictures, shading, edits[layer_id], stack.size)

    layers = tuple(
        replace(one, pictures=made(one.pictures, one.layer_id)) if one.layer_id in edits else one
        for one in stack.layers
    )
    background = stack.background
    if BACKGROUND in edits and background.live is not None:
        background = replace(background, live=made(background.live, BACKGROUND))
    return replace(stack, layers=layers, background=background)


class _Edited:
    """Pictures of a layer with an edit on them."""

    def __init__(self, pictures: Pictures, shading: Shading, edit: AtlasEdit, size: tuple[int, int]) -> None:
        self._pictures, self._shading, self._size = pictures, shading, size
        self._paint = Paint.of(edit.change)

    def __len__(self) -> int:
        return len(self._pictures)

    def __getitem__(self, index: int, /) -> NDArray[np.uint8]:
        crop = self.crop(index)
        rows, columns = crop.picture.shape[:2]
        picture = np.zeros((self._size[1], self._size[0], 4), np.uint8)
        picture[crop.y : crop.y + rows, crop.x : crop.x + columns] = crop.picture
        return picture

    def crop(self, index: int, /) -> Crop:
        """Frame ``index`` without the empty space around it."""
        uv = np.asarray(self._shading.uv[index], np.float32)
        light = atlas_sampled(np.asarray(self._shading.light[index], np.float32), uv)
        return painted_crop(crop_of(self._pictures, index), self._paint, uv=uv, light=light, size=self._size)


def _change(
    picture: AtlasPicture, painted: UInt8[np.ndarray, "S S 3"], alpha: NDArray[np.floating], before: AtlasEdit | None
) -> AtlasEdit:
    touched, shown = alpha > 0, picture.coverage >= SEEN
    if touched.any() and not (touched & shown).any():
        raise InputError(
            "atlas.edit",
            "an edit must lie where the layer is seen",
            got="paint on transparent places alone",
            todo="Paint where the atlas picture is opaque",
        )
    unseen = float((touched & ~shown).sum() / max(touched.sum(), 1))
    beneath = np.zeros(picture.colour.shape, np.float32) if before is None else before.change
    to_paint = painted.astype(np.float32) / 255 - (picture.colour.astype(np.float32) / 255 + beneath)
    change = beneath + alpha[..., None] * to_paint
    return AtlasEdit(change=change.astype(np.float32), unseen=unseen)
