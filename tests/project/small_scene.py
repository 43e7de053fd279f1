"""A stack of two moving blocks over a gradient, made by hand: its truth is known everywhere."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np

from polytempo.camera.path import static_path
from polytempo.layers.stack import Background, Layer, LayerStack
from polytempo.objects.cast import Cast, LayerPlan, Subject
from polytempo.video.clip import Clip, ColourTags

SIZE = (64, 48)
N = 6


def small_stack(*, hole: bool = False) -> tuple[LayerStack, np.ndarray, Cast]:
    """Give a stack, the clip's pictures that it composites to, and its cast."""
    width, height = SIZE
    ramp = np.linspace(40, 200, width, dtype=np.uint8)
    plate = np.repeat(np.repeat(ramp[None, :, None], height, axis=0), 3, axis=2)
    coverage = np.full((height, width), N, np.uint16)
    if hole:
        coverage[10:30, 5:25] = 0
    pictures = np.repeat(plate[None], N, axis=0)
    layers, subjects = [], []
    for k, (name, colour) in enumerate([("girl", (220, 30, 40)), ("boy", (20, 60, 230))]):
        rgba = np.zeros((N, height, width, 4), np.uint8)
        for t in range(N):
            left = 4 + 6 * t if k == 0 else 44 - 6 * t
            rgba[t, 10 + 8 * k : 32 + 8 * k, left : left + 14] = (*colour, 255)
        mask = rgba[..., 3] > 0
        for t in range(N):
            pictures[t][mask[t]] = colour
        layers.append(Layer(layer_id=k + 1, name=name, subject_ids=(k + 1,), pictures=rgba))
        subjects.append(Subject(subject_id=k + 1, name=name, mask=mask, amodal=mask, visibility=np.ones(N, np.float32)))
    stack = LayerStack(
        background=Background(colour=plate, coverage=coverage),
        layers=tuple(layers),
        order=((1, 2),) * N,
        camera=static_path(N, SIZE),
    )
    cast = Cast(
        subjects=tuple(subjects),
        layers=tuple(LayerPlan(layer_id=k, name=name, subject_ids=(k,)) for k, name in [(1, "girl"), (2, "boy")]),
        order=((1, 2),) * N,
    )
    return stack, pictures, cast


def small_clip(path: Path = Path("small.mp4")) -> Clip:
    """Give the facts of a clip of that scene."""
    return Clip(
        path=path,
        width=SIZE[0],
        height=SIZE[1],
        n_frames=N,
        frame_rate=Fraction(24),
        time_base=Fraction(1, 24),
        pts=tuple(range(N)),
        rotation=0,
        bit_depth=8,
        colour=ColourTags(matrix="bt709", primaries="bt709", transfer="bt709", full_range=False, assumed=True),
        audio_codecs=(),
    )
