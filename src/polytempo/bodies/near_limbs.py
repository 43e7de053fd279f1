"""Limbs of prompted subjects, for following them: which limb is nearest to a pixel, and how near."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from polytempo.bodies.assign import keypoints_by_subject
from polytempo.bodies.complete import Corrections, completed_track
from polytempo.bodies.keypoints import Detection
from polytempo.bodies.limbs import LIMBS, Pose, poses
from polytempo.bodies.rasterise import limb_distance, limb_radius
from polytempo.camera.path import CameraPath
from polytempo.core.errors import InputError
from polytempo.objects.limb_reach import Limbs, NearestLimb
from polytempo.objects.prompt_cost import prompt_region
from polytempo.objects.prompts import Prompts

_SIDELESS = [limb.name.removeprefix("left_").removeprefix("right_") for limb in LIMBS]
KINDS = tuple(dict.fromkeys(_SIDELESS))
"""Kinds of limbs; both sides are one kind."""
KEPT = 600
"""Frames whose limbs are kept for the next time that they are asked for; one takes about half a megabyte."""
_KIND = np.array([KINDS.index(name) for name in _SIDELESS], np.uint8)


def limbs_of_prompted(
    found: Sequence[Detection],
    prompts: Prompts,
    camera: CameraPath,
    *,
    corrections: Mapping[str, Corrections] | None = None,
) -> dict[str, Limbs]:
    """Limbs by subject name, of all whose keypoints lie where prompts say that they are; nothing where none do.

    Boxes and masks say where somebody is; points and strokes are too small for it.

    Args:
        found: Detections at the camera's size.
        prompts: At any size of the same aspect.
        camera: At the size that limbs are wanted at.
        corrections: Keypoints put right by hand, by subject name.
    """
    size, n_frames = camera.frame_size, len(camera.canvas_from_frame)
    here = prompts.scaled(size)
    where: dict[int, NDArray[np.bool_]] = {}
    for i, subject in enumerate(here.subjects):
        where[i] = np.zeros((n_frames, size[1], size[0]), bool)
        for one in subject.prompts:
            if one.box is not None or one.mask is not None:
                where[i][one.frame] |= prompt_region(one, size)
    try:
        by_subject = keypoints_by_subject(found, where)
    except InputError:
        return {}
    out: dict[str, Limbs] = {}
    for i, points in by_subject.items():
        name = here.subjects[i].name
        track = completed_track(points, n_frames=n_frames, camera=camera, corrections=(corrections or {}).get(name))
        out[name] = nearest_limbs(poses(track), size=size)
    return out


def nearest_limbs(body: Mapping[int, Pose], *, size: tuple[int, int]) -> Limbs:
    """Give the nearest limb on any frame that has a pose.

    Args:
        body: Poses by frame.
        size: ``(width, height)`` that they are in.
    """

    @lru_cache(maxsize=KEPT)
    def nearest(t: int, wanted: tuple[int, int]) -> NearestLimb | None:
        pose = body.get(t)
        if pose is None:
            return None
        coarse = (-(-wanted[0] // 2), -(-wanted[1] // 2))  # distances are smooth
        y, x = np.mgrid[0 : coarse[1], 0 : coarse[0]].astype(np.float64)
        x, y = ((at + 0.5) * whole / few - 0.5 for at, whole, few in zip((x, y), size, coarse, strict=True))
        there = [i for i in range(len(LIMBS)) if not np.isnan(pose.ends[i]).any()]
        far = np.stack([limb_distance(pose.ends[i], limb_radius(LIMBS[i], pose), x, y) for i in there])
        which = far.argmin(0)
        distance = np.take_along_axis(far, which[None], 0)[0].astype(np.float32) / np.float32(pose.unit)
        return NearestLimb(
            kind=cv2.resize(_KIND[there][which], wanted, interpolation=cv2.INTER_NEAREST),
            distance=cv2.resize(distance, wanted, interpolation=cv2.INTER_LINEAR),
        )

    return nearest
