"""Which subject each detected person is: tracks are linked in time and given to whose mask they lie in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool
from numpy.typing import NDArray

from polytempo.bodies.keypoints import N_KEYPOINTS, Detection, Keypoints
from polytempo.core.discs import grown
from polytempo.core.errors import InputError

WHERE = "bodies.assign"


@dataclass(frozen=True, kw_only=True, slots=True)
class AssignConfig:
    """How detections become subjects."""

    grow: float = 0.02
    """Masks are grown by this share of the picture's width before keypoints are looked up in them."""
    least_share: float = 0.4
    """A track whose keypoints lie in a subject's mask to less than this share is nobody's."""
    link_distance: float = 0.35
    """Detections without a track belong together from frame to frame when their keypoints moved less than this share
    of the body's height."""
    link_gap: int = 5
    """Frames that such a track may be lost for."""


def keypoints_by_subject(
    found: Sequence[Detection],
    masks: Mapping[int, Bool[np.ndarray, "T H W"]],
    *,
    config: AssignConfig = AssignConfig(),
) -> dict[int, dict[int, Keypoints]]:
    """Keypoints per subject and frame.

    A track is the subject's in whose modal mask most of its keypoints lie over all frames: trackers renumber a person
    after an occlusion, so that a subject may have several tracks; where two meet in a frame, the surer one counts.
    A subject that no track belongs to (an animal, a ball, a car) is left out of the result.

    Args:
        found: Detections at the masks' size.
        masks: Modal masks by subject id.
        config: See ``AssignConfig``.

    Raises:
        InputError: nobody found belongs to any subject.
    """
    tracks: dict[int, list[Detection]] = {}
    for one in linked(found, config=config):
        assert one.track is not None  # linked gives everyone a track
        tracks.setdefault(one.track, []).append(one)
    wide = {who: _all_grown(mask, config.grow) for who, mask in masks.items()}
    claims: list[tuple[float, int, int]] = []
    for number, people in tracks.items():
        shares = {who: _share_inside(people, mask) for who, mask in wide.items()}
        best = max(shares, key=lambda who: shares[who])
        if shares[best] >= config.least_share:
            claims.append((shares[best], best, number))
    out: dict[int, dict[int, Keypoints]] = {who: {} for who in masks}
    for _, who, number in sorted(claims, reverse=True):
        for one in tracks[number]:
            out[who].setdefault(one.frame, one.points)
    out = {who: frames for who, frames in out.items() if frames}
    if not out:
        raise InputError(
            WHERE, "somebody found must lie within a subject's mask",
            got=f"{len(tracks)} found, each beside all of the {len(masks)} subjects",
            todo="Leave the keypoints out, or give those of this clip",
        )  # fmt: skip
    return out


def linked(found: Sequence[Detection], *, config: AssignConfig = AssignConfig()) -> list[Detection]:
    """Detections with a track each: those that have one keep it, others are linked to where tracks are about to be.

    A track is expected to go on as it went, so that people who pass each other do not change places.
    """
    taken = [one.track for one in found if one.track is not None]
    fresh = max(taken, default=0) + 1
    open_ends: dict[int, Detection] = {}
    speed: dict[int, NDArray[np.float32]] = {}
    out: list[Detection] = []
    for frame in sorted({one.frame for one in found}):
        loose = [one for one in found if one.frame == frame and one.track is None]
        out += [one for one in found if one.frame == frame and one.track is not None]
        open_ends = {k: end for k, end in open_ends.items() if frame - end.frame <= config.link_gap + 1}
        pairs = sorted(
            (distance, i, number)
            for i, one in enumerate(loose)
            for number, end in open_ends.items()
            if (distance := _moved(_ahead(end, speed.get(number), frame), one.points)) < config.link_distance
        )
        number_of: dict[int, int] = {}
        for _, i, number in pairs:
            if i not in number_of and number not in number_of.values():
                number_of[i] = number
        for i, one in enumerate(loose):
            if i not in number_of:
                number_of[i] = fresh
                fresh += 1
            number = number_of[i]
            tracked = replace(one, track=number)
            if number in open_ends:
                speed[number] = _speed(open_ends[number], one)
            open_ends[number] = tracked
            out.append(tracked)
    return out


def _speed(before: Detection, after: Detection) -> NDArray[np.float32]:
    """Median motion ``(x, y)`` of the keypoints that both have, per frame."""
    both = (before.points[:, 2] > 0) & (after.points[:, 2] > 0)
    way = (after.points[both, :2] - before.points[both, :2]) / (after.frame - before.frame)
    return np.median(way, axis=0).astype(np.float32) if both.any() else np.zeros(2, np.float32)


def _ahead(end: Detection, speed: NDArray[np.float32] | None, frame: int) -> Keypoints:
    """Keypoints of the end of a track as they will be in a frame."""
    out = end.points.copy()
    if speed is not None:
        out[:, :2] += speed * (frame - end.frame)
    return out


def _moved(a: Keypoints, b: Keypoints) -> float:
    """Median distance of two people's keypoints in heights of the larger; infinite where they share too few."""
    both = (a[:, 2] > 0) & (b[:, 2] > 0)
    if both.sum() < N_KEYPOINTS // 3:
        return float("inf")
    height = max(float(np.ptp(one[both, axis])) for one in (a, b) for axis in (0, 1))
    return float(np.median(np.linalg.norm(a[both, :2] - b[both, :2], axis=1))) / max(height, 1e-6)


def _share_inside(people: Sequence[Detection], mask: NDArray[np.bool_]) -> float:
    """Share of all keypoints in the frame that lie in the mask, over the frames in which the mask is not empty."""
    inside = total = 0
    height, width = mask.shape[1:]
    for one in people:
        if not mask[one.frame].any():
            continue
        x, y = (np.round(one.points[:, axis]).astype(int) for axis in (0, 1))
        seen = (one.points[:, 2] > 0) & (x >= 0) & (x < width) & (y >= 0) & (y < height)
        inside += int(mask[one.frame, y[seen], x[seen]].sum())
        total += int(seen.sum())
    return inside / total if total else 0.0


def _all_grown(mask: NDArray[np.bool_], share: float) -> NDArray[np.bool_]:
    radius = max(1, round(share * mask.shape[2]))
    return np.stack([grown(one, radius) for one in mask])
