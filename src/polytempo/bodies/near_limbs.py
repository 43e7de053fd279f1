"""Limbs of prompted subjects, for following them: which limb is nearest to a pixel, and how near."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from polytempo.bodies.assign import keypoints_by_subject, linked
from polytempo.bodies.complete import Corrections, completed_track
from polytempo.bodies.keypoints import Detection, Keypoints, KeypointTrack
from polytempo.bodies.limbs import LIMBS, Pose, poses
from polytempo.bodies.rasterise import limb_distance, limb_radius
from polytempo.camera.path import CameraPath
from polytempo.core.errors import InputError
from polytempo.objects.limb_reach import Limbs, NearestLimb
from polytempo.objects.prompt_cost import prompt_region
from polytempo.objects.prompts import Prompt, Prompts

_SIDELESS = [limb.name.removeprefix("left_").removeprefix("right_") for limb in LIMBS]
KINDS = tuple(dict.fromkeys(_SIDELESS))
"""Kinds of limbs; both sides are one kind."""
ON_BODY = 0.3
"""A point is on the body whose limbs are within so many trunk lengths: clothes and hair are wider than limbs."""
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

    Boxes and masks say where somebody is. Of who has neither, points and strokes are too small for that, but each is on
    somebody: that body's track is the subject's, unless another subject's prompts have it.

    Args:
        found: Detections at the camera's size.
        prompts: At any size of the same aspect.
        camera: At the size that limbs are wanted at.
        corrections: Keypoints put right by hand, by subject name.
    """
    size, n_frames = camera.frame_size, len(camera.canvas_from_frame)
    here = prompts.scaled(size)
    tracked = linked(found)
    where: dict[int, NDArray[np.bool_]] = {}
    for i, subject in enumerate(here.subjects):
        where[i] = np.zeros((n_frames, size[1], size[0]), bool)
        for one in subject.prompts:
            if one.box is not None or one.mask is not None:
                where[i][one.frame] |= prompt_region(one, size)
    try:
        by_subject = keypoints_by_subject(tracked, where)
    except InputError:
        by_subject = {}
    claimed = {id(points) for frames in by_subject.values() for points in frames.values()}
    theirs = {one.track for one in tracked if id(one.points) in claimed}
    free = [one for one in tracked if one.track not in theirs]
    pointed = {i: subject.prompts for i, subject in enumerate(here.subjects) if not where[i].any()}
    by_subject |= _pointed_at(free, pointed)
    out: dict[str, Limbs] = {}
    for i, points in by_subject.items():
        name = here.subjects[i].name
        track = completed_track(points, n_frames=n_frames, camera=camera, corrections=(corrections or {}).get(name))
        out[name] = nearest_limbs(poses(track), size=size)
    return out


def _pointed_at(
    people: Sequence[Detection], prompts: Mapping[int, Sequence[Prompt]]
) -> dict[int, dict[int, Keypoints]]:
    """Keypoints by subject and frame, of the tracks that points and strokes are on; who points oftener has a track."""
    votes: dict[tuple[int, int], int] = {}
    for who, said in prompts.items():
        for one in said:
            bodies = [(it.track, poses(KeypointTrack(points=it.points[None])).get(0))
                      for it in people if it.frame == one.frame]  # fmt: skip
            for x, y in (point for line in one.lines for point in line):
                away = [(_from_body(body, x, y), track) for track, body in bodies if body is not None]
                distance, track = min(away, default=(np.inf, None), key=lambda it: it[0])
                if track is not None and distance < ON_BODY:
                    votes[who, track] = votes.get((who, track), 0) + 1
    out: dict[int, dict[int, Keypoints]] = {}
    taken: set[int] = set()
    for who, track in sorted(votes, key=lambda it: -votes[it]):
        if track not in taken:
            taken.add(track)
            for one in people:
                if one.track == track:
                    out.setdefault(who, {}).setdefault(one.frame, one.points)
    return out


def _from_body(pose: Pose, x: float, y: float) -> float:
    """How far a place is from a body's nearest limb, in trunk lengths; below 0 inside."""
    at = np.array([x]), np.array([y])
    known = [(limb, ends) for limb, ends in zip(LIMBS, pose.ends, strict=True) if not np.isnan(ends).any()]
    return min(
        (limb_distance(ends, limb_radius(limb, pose), *at)[0] / pose.unit for limb, ends in known), default=np.inf
    )


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
