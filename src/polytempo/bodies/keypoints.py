"""Keypoints of one subject over a clip, in the order of COCO."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from polytempo.core.errors import InputError, ShapeError

WHERE = "bodies.keypoints"
COCO_NAMES = (
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear"),
    *(
        f"{side}_{joint}"
        for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
        for side in ("left", "right")
    ),
)
"""COCO's 17 keypoints in their order; left and right are the person's own."""
N_KEYPOINTS = len(COCO_NAMES)
INDEX = {name: i for i, name in enumerate(COCO_NAMES)}

Keypoints = Float32[np.ndarray, "17 3"]
"""``(x, y, score)`` per keypoint: pixels, centres at whole numbers; score above 0 where the keypoint is known."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class KeypointTrack:
    """Keypoints of one subject in every frame."""

    points: Float32[np.ndarray, "T 17 3"]
    """``(x, y, score)`` in working pixels; score 0…1, 0 where nothing is known (x and y are 0 then)."""

    @property
    def known(self) -> np.ndarray:
        """``bool [T, 17]``: keypoints that have a place."""
        return self.points[..., 2] > 0

    @property
    def present(self) -> np.ndarray:
        """``bool [T]``: frames with a body that can be posed: both hips and at least one shoulder are known."""
        known = self.known
        hips = known[:, INDEX["left_hip"]] & known[:, INDEX["right_hip"]]
        return hips & (known[:, INDEX["left_shoulder"]] | known[:, INDEX["right_shoulder"]])


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Detection:
    """One person found in one frame."""

    frame: int
    points: Keypoints
    track: int | None = None
    """Number that the tracker gave; the same person has the same number, at least for a while."""


def checked_keypoints(values: object, *, frame: int, path: object = None) -> Keypoints:
    """Keypoints from what a file holds: 51 numbers, or 17 times three.

    Raises:
        ShapeError: another count.
        InputError: something that is no finite number, or a negative score.
    """
    place = None if path is None else str(path)
    try:
        array = np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(
            WHERE, "keypoints must be numbers", got=f"{str(error)[:60]} in frame {frame}", path=place
        ) from error
    if array.shape not in ((3 * N_KEYPOINTS,), (N_KEYPOINTS, 3)):
        n = array.size // 3 if array.ndim == 1 else (array.shape[0] if array.ndim else 0)
        raise ShapeError(
            WHERE,
            "a person must have the 17 keypoints of COCO, each x, y and score",
            got=f"{n} keypoints ({array.size} numbers) in frame {frame}",
            todo="Export them in COCO-17 order (nose, eyes, ears, shoulders … ankles)",
            path=place,
        )
    points = array.reshape(N_KEYPOINTS, 3)
    if not np.isfinite(points).all():
        bad = COCO_NAMES[int(np.flatnonzero(~np.isfinite(points).all(1))[0])]
        raise InputError(
            WHERE,
            "keypoints must be finite numbers",
            got=f"{bad} = {points[INDEX[bad]].tolist()} in frame {frame}",
            todo="Give unknown keypoints a score of 0",
            path=place,
        )
    if (points[:, 2] < 0).any():
        bad = COCO_NAMES[int(points[:, 2].argmin())]
        raise InputError(
            WHERE, "scores must be 0 or above", got=f"{points[:, 2].min():g} for {bad} in frame {frame}", path=place
        )
    return points.astype(np.float32)
