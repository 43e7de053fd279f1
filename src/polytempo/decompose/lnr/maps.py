"""What the neural model sees: per layer and frame the tile, the place on it, the person's number, and the trimap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Float, Float16, Int16, Int64, UInt8
from numpy.typing import NDArray
from torch import Tensor

from polytempo.bodies.rasterise import BodyMap
from polytempo.bodies.sprite import sprite_map
from polytempo.camera.path import CameraPath
from polytempo.core.errors import InputError
from polytempo.decompose.lnr.texture import N_PARTS, tile_of
from polytempo.objects.cast import Cast
from polytempo.objects.trimap import trimap_from_mask

WHERE = "decompose.lnr.maps"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class LayerMaps:
    """Inputs of all layers. Axis ``M`` is the background (0), then the cast's layers in their order."""

    tile: Int16[np.ndarray, "T M H W"]
    """Tile of the atlas that each pixel samples."""
    uv: Float16[np.ndarray, "T M 2 H W"]
    """Place on it, 0…1."""
    person: UInt8[np.ndarray, "T M H W"]
    """Raw number of the person, 0 on the background."""
    trimap: UInt8[np.ndarray, "T L H W"]
    """Twice the trimap: 0 surely not the layer, 1 unknown, 2 surely; without the background."""
    order: Int64[np.ndarray, "T L"]
    """Layers back to front, as indices into ``M``."""
    n_people: int
    """People, sprites and dynamic layers with tiles of their own."""

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return len(self.tile)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Batch:
    """Some frames, ready for the network."""

    frames: Float[Tensor, "B 3 H W"]
    """0…1."""
    tile: Int64[Tensor, "B M H W"]
    uv: Float[Tensor, "B M 2 H W"]
    person: Float[Tensor, "B M H W"]
    trimap: Float[Tensor, "B L H W"]
    plate: Float[Tensor, "B 3 H W"]
    """Clean plate as the frame's camera shows it, 0…1; nought where none was given."""
    order: Int64[Tensor, "B L"]


def layer_maps(
    cast: Cast, camera: CameraPath, body_maps: Mapping[int, BodyMap], *, band_px: float | None = None
) -> LayerMaps:
    """Inputs from the cast and the bodies of its subjects.

    A subject with a body shows its parts, every other one a sprite over its amodal mask. Behind a layer's subjects lies
    the background's own map, for context. Of several subjects on a layer, the one named last lies on top. A layer
    without a subject sees the background's places on tiles of its own, one tile after the other in time, so that it
    may hold what changes by itself. Trimaps come from the amodal masks and the bodies together.

    Args:
        cast: At working size.
        camera: At working size.
        body_maps: By subject id.
        band_px: Width of the trimap's unknown band; the paper's, scaled to the width, when left out.

    Raises:
        InputError: a map of another size or number of frames than the cast.

    Source: LNR, Section 4.1 (texture over background texture), 4.5, 4.6 (background under the homography).
    """
    n_frames, height, width = cast.subjects[0].mask.shape
    number = {subject.subject_id: i + 1 for i, subject in enumerate(cast.subjects)}
    maps: dict[int, BodyMap] = {}
    for subject in cast.subjects:
        given = body_maps.get(subject.subject_id)
        maps[subject.subject_id] = given if given is not None else sprite_map(subject.amodal)
        if maps[subject.subject_id].part.shape != (n_frames, height, width):
            raise InputError(
                WHERE, f"body maps must be of the clip's frames and size, {n_frames} of {width}x{height}",
                got=f"{maps[subject.subject_id].part.shape} for {subject.name!r}",
            )  # fmt: skip
    n_layers = len(cast.layers)
    tile = np.zeros((n_frames, n_layers + 1, height, width), np.int16)
    uv = np.empty((n_frames, n_layers + 1, 2, height, width), np.float16)
    uv[:] = background_uv(camera)[:, None]
    person = np.zeros((n_frames, n_layers + 1, height, width), np.uint8)
    trimap = np.ones((n_frames, n_layers, height, width), np.uint8)
    n_people = len(cast.subjects)
    for m, plan in enumerate(cast.layers, start=1):
        if not plan.subject_ids:
            n_people += 1
            moment = 1 + np.arange(n_frames) * N_PARTS // n_frames
            tile[:, m] = (tile_of(n_people, 0) + moment)[:, None, None]
            person[:, m] = n_people
            continue
        body = cast.layer_mask(plan.layer_id, amodal=True).copy()
        for subject in plan.subject_ids:
            shown = maps[subject].silhouette
            tile[:, m][shown] = tile_of(number[subject], 0) + maps[subject].part[shown]
            np.copyto(uv[:, m], maps[subject].uv.transpose(0, 3, 1, 2), where=shown[:, None])
            person[:, m][shown] = number[subject]
            body |= shown
        band = 9.5 * width / 448 if band_px is None else band_px
        trimap[:, m - 1] = (2 * trimap_from_mask(body, band_px=band)).astype(np.uint8)
    index = {plan.layer_id: m for m, plan in enumerate(cast.layers, start=1)}
    order = np.array([[index[one] for one in layers] for layers in cast.order], np.int64)
    return LayerMaps(tile=tile, uv=uv, person=person, trimap=trimap, order=order, n_people=n_people)


def background_uv(camera: CameraPath) -> NDArray[np.float16]:
    """Place ``[T, 2, H, W]`` of every frame pixel on the canvas, 0 at its first column or row and 1 at its last."""
    width, height = camera.frame_size
    x, y = np.meshgrid(np.arange(width, dtype=np.float64), np.arange(height, dtype=np.float64))
    grid = np.stack([x, y], -1)
    last = np.maximum(np.array(camera.canvas_size, np.float64) - 1, 1)
    out = np.empty((len(camera.canvas_from_frame), 2, height, width), np.float16)
    for t, homography in enumerate(camera.canvas_from_frame):
        moved = cv2.perspectiveTransform(grid, homography) / last
        out[t] = np.clip(moved, 0, 1).transpose(2, 0, 1)
    return out


def make_batch(
    maps: LayerMaps,
    frames: NDArray[np.uint8],
    chosen: NDArray[np.int64],
    *,
    plates: NDArray[np.uint8] | None = None,
) -> Batch:
    """Frames by number, on the CPU, with their clean plates where they are known."""
    plates = np.zeros_like(frames) if plates is None else plates
    return Batch(
        plate=torch.tensor(plates).permute(0, 3, 1, 2).float() / 255,
        frames=torch.tensor(frames).permute(0, 3, 1, 2).float() / 255,
        tile=torch.from_numpy(maps.tile[chosen]).long(),
        uv=torch.from_numpy(maps.uv[chosen]).float(),
        person=torch.from_numpy(maps.person[chosen]).float(),
        trimap=torch.from_numpy(maps.trimap[chosen]).float() / 2,
        order=torch.from_numpy(maps.order[chosen]),
    )
