"""Paint on an atlas, in every frame: it follows the motion and lies under the light."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from numpy.typing import NDArray

from polytempo.atlas.picture import AtlasPicture, atlas_sampled
from polytempo.core.errors import InputError, ShapeError
from polytempo.core.pictures import Pictures
from polytempo.decompose.nvd.export import FrameOfModel, frame_of_model
from polytempo.decompose.nvd.model import AtlasModel
from polytempo.layers.stack import LayerStack

log = logging.getLogger(__name__)
SEEN = 26
"""Coverage, of 255, from which a place of an atlas counts as seen: a tenth."""
BACKGROUND = 0
"""Layer id of the background in edits."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class AtlasEdit:
    """What is done to one layer."""

    change: Float32[np.ndarray, "S S 3"] | None = None
    """Edited texture minus the texture, −1…1; None where it is not painted on."""
    light_gain: float = 1.0
    """How strong its light is: 0 flat, 1 as filmed, above 1 stronger. Of its departure from 1."""
    light_from: int | None = None
    """Frame whose light falls on it at all times; its own moment's where None."""


def overlay_edit(picture: AtlasPicture, overlay: UInt8[np.ndarray, "S S 4"]) -> AtlasEdit:
    """Paint laid over an atlas.

    Args:
        picture: The atlas.
        overlay: Straight RGBA of its size.

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
    return _change(picture, overlay[..., :3], overlay[..., 3] / np.float32(255))


def repainted_edit(picture: AtlasPicture, painted: UInt8[np.ndarray, "S S 3"]) -> AtlasEdit:
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
    return _change(picture, painted, (painted != picture.colour).any(-1).astype(np.float32))


def edited_stack(stack: LayerStack, model: AtlasModel, edits: Mapping[int, AtlasEdit]) -> LayerStack:
    """A layer stack with its layers edited; pictures are made when they are asked for.

    To what a layer shows is added what the edit changes of it, under its light: all other detail of the clip stays. The
    result is retimed, rendered and exported like any other.

    Args:
        stack: Made from ``model``, of any size with its aspect.
        model: Trained.
        edits: By layer id, the background's being 0.

    Raises:
        InputError: an edit names a layer or a frame that is not there, or the background is not lit by atlases.

    Source: paper B, Section 4.3 and Eq. 6; adding the difference to the frame as its released system does.
    """
    place_of = {one.layer_id: place for place, one in enumerate(stack.layers)}
    for layer_id, edit in edits.items():
        if layer_id != BACKGROUND and layer_id not in place_of:
            raise InputError("atlas.edit", "an edit must be of a layer that is there", got=f"layer id {layer_id}")
        if edit.light_gain < 0:
            raise InputError("atlas.edit", "light_gain must be 0 or more", got=str(edit.light_gain))
        if edit.light_from is not None and not 0 <= edit.light_from < stack.n_frames:
            raise InputError(
                "atlas.edit",
                f"light must be borrowed from frame 0 to {stack.n_frames - 1}",
                got=f"frame {edit.light_from}",
            )
    size = stack.size

    @lru_cache(maxsize=8)
    def said(t: int) -> FrameOfModel:
        return frame_of_model(model, t, size=size)

    layers = tuple(
        replace(one, pictures=_Edited(one.pictures, model, said, edits[one.layer_id], place_of[one.layer_id]))
        if one.layer_id in edits
        else one
        for one in stack.layers
    )
    background = stack.background
    if BACKGROUND in edits:
        if background.live is None:
            raise InputError("atlas.edit", "the background must be lit by atlases", got="a still one")
        live = _Edited(background.live, model, said, edits[BACKGROUND], model.n_layers - 1)
        background = replace(background, live=live)
    return replace(stack, layers=layers, background=background)


class _Edited:
    """Pictures of a layer with an edit on them."""

    def __init__(
        self, pictures: Pictures, model: AtlasModel, said: Callable[[int], FrameOfModel], edit: AtlasEdit, place: int
    ) -> None:
        self._pictures, self._model, self._edit, self._place = pictures, model, edit, place
        self._said = said

    def __len__(self) -> int:
        return len(self._pictures)

    def __getitem__(self, index: int, /) -> NDArray[np.uint8]:
        rgba = np.asarray(self._pictures[index])
        edit, n = self._edit, self._place
        said = self._said(index)
        light = said.residual[n].numpy()
        lit = light
        if edit.light_from is not None:
            lit = borrowed_light(self._model, said, n, edit.light_from)
        lit = np.maximum(1 + edit.light_gain * (lit - 1), np.float32(0))
        colour = said.colour[n].numpy()
        painted = colour if edit.change is None else colour + atlas_sampled(edit.change, said.uv[n].numpy())
        share = rgba[..., 3:].astype(np.float32)
        changed = rgba[..., :3] + share * (painted * lit - colour * light)
        out = rgba.copy()
        out[..., :3] = np.clip(changed + 0.5, 0, 255).astype(np.uint8)
        out[rgba[..., 3] == 0] = 0
        return out


def borrowed_light(model: AtlasModel, said: FrameOfModel, layer: int, frame: int) -> Float32[np.ndarray, "H W 3"]:
    """The light that falls at another time on what a frame shows of a layer."""
    uv = said.uv[layer].reshape(-1, 2).to(next(model.parameters()).device)
    with torch.no_grad():
        light = model.light(uv, torch.full_like(uv[:, 0], frame), layer)
    return light.cpu().numpy().reshape(said.residual[layer].shape)


def _change(picture: AtlasPicture, painted: UInt8[np.ndarray, "S S 3"], alpha: NDArray[np.floating]) -> AtlasEdit:
    touched, shown = alpha > 0, picture.coverage >= SEEN
    if touched.any() and not (touched & shown).any():
        raise InputError(
            "atlas.edit",
            "an edit must lie where the layer is seen",
            got="paint on transparent places alone",
            todo="Paint where the atlas picture is opaque",
        )
    if (missed := float((touched & ~shown).sum() / max(touched.sum(), 1))) > 0.5:
        log.warning("%.0f %% of the paint lies where the clip never shows the layer", 100 * missed)
    change = alpha[..., None] * (painted.astype(np.float32) - picture.colour) / 255
    return AtlasEdit(change=change.astype(np.float32))
