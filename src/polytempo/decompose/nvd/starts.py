"""What is known of each layer's motion before anything is learned: the camera's path, and where the subjects are."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool
from numpy.typing import NDArray

from polytempo.camera.path import CameraPath
from polytempo.decompose.nvd.config import NvdConfig
from polytempo.decompose.nvd.extent import Extent
from polytempo.decompose.nvd.footage import Footage
from polytempo.decompose.nvd.model import LayerStart

ROOM = 0.9
"""Part of an atlas that a layer may fill before training."""


def layer_starts(footage: Footage, camera: CameraPath, config: NvdConfig) -> list[LayerStart]:
    """Where pixels lie in the atlases before training; objects in their order, then the background.

    ``paper`` knows nothing: every layer's atlas starts as the frame, the same at all times. Otherwise the background
    follows the camera on its canvas and an object the middle of its mask: as large as its atlas can hold it, or where a
    network must map the whole frame into the atlas, half as large as the frame.

    Args:
        footage: The clip.
        camera: At its size.
        config: See ``NvdConfig``.
    """
    extent = footage.extent
    if not (config.pretrain_on_motion or config.mapping == "warp"):
        still = np.tile(np.eye(3), (extent.n_frames, 1, 1))
        scales = [config.uv_scale] * len(footage.layer_ids) + [config.uv_scale_background]
        return [_start(still, np.array([extent.half, extent.half]), one, extent) for one in scales]
    starts = [_object_start(mask.numpy() > 0, config, extent) for mask in footage.masks]
    canvas = np.array(camera.canvas_size, float)
    scale = min(config.uv_scale_background, ROOM * 2 * extent.half / canvas.max())
    return [*starts, _start(camera.canvas_from_frame, (canvas - 1) / 2, scale, extent)]


def _object_start(mask: Bool[np.ndarray, "T H W"], config: NvdConfig, extent: Extent) -> LayerStart:
    middles = np.full((len(mask), 2), np.nan)
    reach = 1.0
    for t in np.flatnonzero(mask.any((1, 2))):
        rows, columns = np.nonzero(mask[t])
        middles[t] = columns.mean(), rows.mean()
        reach = max(reach, float(np.abs([columns - middles[t, 0], rows - middles[t, 1]]).max()))
    seen = np.flatnonzero(~np.isnan(middles[:, 0]))
    if len(seen) == 0:  # a layer without a subject lies still
        middles[:] = extent.half
        reach = extent.half
    else:
        reach = 2 * extent.half if config.mapping == "network" else reach
        for axis in range(2):
            middles[:, axis] = np.interp(np.arange(len(mask)), seen, middles[seen, axis])
    motion = np.tile(np.eye(3), (len(mask), 1, 1))
    motion[:, :2, 2] = -middles
    return _start(motion, np.zeros(2), config.uv_scale * extent.half / reach, extent)


def _start(motion: NDArray[np.float64], middle: NDArray[np.float64], scale: float, extent: Extent) -> LayerStart:
    """UV from pixels: where ``motion`` takes them, about ``middle``, ``scale`` UV units to half the longer side."""
    factor = scale / extent.half
    to_uv = np.array([[factor, 0, -factor * middle[0]], [0, factor, -factor * middle[1]], [0, 0, 1]])
    return LayerStart(uv_from_pixel=torch.from_numpy(to_uv @ motion), uv_scale=scale)
