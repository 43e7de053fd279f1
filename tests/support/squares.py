"""Two squares that walk past each other: a stack whose every composite can be worked out by hand."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from polytempo.camera.path import CameraPath, static_path
from polytempo.edit.edl import Edl, identity_edl
from polytempo.layers.stack import Background, Layer, LayerStack
from polytempo.video.clip import Clip, ColourTags

N_FRAMES, WIDTH, HEIGHT = 6, 48, 32


def drawn_clip(n_frames: int = N_FRAMES, *, time_base: Fraction = Fraction(1, 30)) -> Clip:
    pts = tuple(round(n / 30 / time_base) for n in range(n_frames))
    return Clip(
        path=Path("drawn.mp4"),
        width=WIDTH,
        height=HEIGHT,
        n_frames=n_frames,
        frame_rate=Fraction(30),
        time_base=time_base,
        pts=pts,
        rotation=0,
        bit_depth=8,
        colour=ColourTags(
            matrix="smpte170m", primaries="smpte170m", transfer="smpte170m", full_range=False, assumed=True
        ),
        audio_codecs=(),
    )


def drawn_stack(camera: CameraPath | None = None) -> LayerStack:
    """A red and a half-transparent green square that walk past each other; red is in front until frame 3."""
    camera = camera or static_path(N_FRAMES, (WIDTH, HEIGHT))
    width, height = camera.canvas_size
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    plate = np.stack([x * 3 % 200, y * 5 % 200, np.full_like(x, 90)], axis=2).astype(np.uint8)
    pictures = np.zeros((2, N_FRAMES, HEIGHT, WIDTH, 4), np.uint8)
    for t in range(N_FRAMES):
        pictures[0, t, 10:20, 4 + 5 * t : 14 + 5 * t] = (200, 20, 20, 255)
        pictures[1, t, 12:24, 30 - 4 * t : 40 - 4 * t] = (0, 100, 0, 128)
    return LayerStack(
        background=Background(colour=plate, coverage=np.ones(plate.shape[:2], np.uint16)),
        layers=tuple(
            Layer(layer_id=n + 1, name=name, subject_ids=(n + 1,), pictures=pictures[n])
            for n, name in enumerate(("red", "green"))
        ),
        order=tuple((2, 1) if t < 3 else (1, 2) for t in range(N_FRAMES)),
        camera=camera,
    )


def panning_path() -> CameraPath:
    matrices = np.tile(np.eye(3), (N_FRAMES, 1, 1))
    matrices[:, 0, 2] = 3 * np.arange(N_FRAMES)
    return CameraPath(
        canvas_from_frame=matrices,
        canvas_size=(WIDTH + 3 * N_FRAMES, HEIGHT),
        frame_size=(WIDTH, HEIGHT),
        kind="panning",
        residual_px=np.zeros(N_FRAMES),
    )


def plain_frame(stack: LayerStack, frame: int, sources: dict[int, int]) -> np.ndarray:
    """The slow reference: floats, whole pictures; ``sources`` back to front."""
    matrix = np.linalg.inv(stack.camera.canvas_from_frame[frame])
    out = cv2.warpPerspective(
        stack.background.colour.astype(np.float32), matrix, stack.size, borderMode=cv2.BORDER_REPLICATE
    )
    for layer_id, source in sources.items():
        rgba = stack.layer(layer_id).pictures[source].astype(np.float32)
        rgba = cv2.warpPerspective(rgba, stack.camera.frame_from_frame(frame, source), stack.size)
        out = rgba[..., :3] + (1 - rgba[..., 3:] / 255) * out
    return out


def edit_of(stack: LayerStack) -> Edl:
    return identity_edl([one.name for one in stack.layers], Fraction(N_FRAMES, 30))
