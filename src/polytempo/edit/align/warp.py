"""A warp between two motions: which frame of the one belongs to a frame of the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from polytempo.core.errors import InputError
from polytempo.edit.segments import Hold, Linear
from polytempo.edit.timemap import Segment, TimeMap
from polytempo.video.clip import Clip

FINENESS = 1000
"""Parts of a frame to which a warp is told."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Warp:
    """Straight lines between pairs of frames; where a jump is wanted, two pairs have one target frame."""

    target: tuple[float, ...]
    """Frames of the motion that stays as it is, rising."""
    sample: tuple[float, ...]
    """Frames of the motion that is warped, one for each of ``target``."""

    def at(self, frames: Float[np.ndarray, " N"]) -> NDArray[np.float64]:
        """Sample frame for target frames; held outside."""
        return np.interp(frames, self.target, self.sample)

    def warped(self, values: Float[np.ndarray, " T"], n_frames: int) -> NDArray[np.float64]:
        """A sample's signal on the target's frames 0 to ``n_frames``."""
        return np.interp(self.at(np.arange(n_frames, dtype=np.float64)), np.arange(len(values)), values)

    def speeds(self) -> NDArray[np.float64]:
        """Sample frames for a target frame, one for each stretch that is no jump."""
        steps = [(b - a, q - p) for (a, p), (b, q) in pairwise(zip(self.target, self.sample, strict=True)) if b > a]
        return np.array([rise / run for run, rise in steps])


def time_map_from_warp(warp: Warp, clip: Clip) -> TimeMap:
    """The map from the target's source time to the sample's, over the whole clip, held outside.

    Frames become times of the clip's own frames (between two frames in proportion), rounded to a thousandth of a frame
    at its nominal rate.
    """
    pairs = [(_time(a, clip), _time(b, clip)) for a, b in zip(warp.target, warp.sample, strict=True)]
    return map_of_pairs(pairs)


def map_of_pairs(pairs: Sequence[tuple[Fraction, Fraction]]) -> TimeMap:
    """The map of straight lines through pairs of times, held outside; two pairs at one time are a jump.

    Raises:
        InputError: there are fewer than two different times, or they run backwards.
    """
    pieces: list[Segment] = []
    for (a, p), (b, q) in pairwise(pairs):
        if b < a:
            raise InputError(
                "edit.align.warp", "moments of a warp must rise", got=f"{float(a):g} s then {float(b):g} s"
            )
        if b > a:
            straight = Linear(start=a, stop=b, source_start=p, source_stop=q)
            pieces.append(Hold(start=a, stop=b, source=p) if p == q else straight)
    if not pieces:
        raise InputError("edit.align.warp", "a warp must have two different moments", got=str(len(pairs)))
    return TimeMap(segments=tuple(pieces), before=pairs[0][1], after=pairs[-1][1])


def _time(frame: float, clip: Clip) -> Fraction:
    fine = Fraction(round(min(max(frame, 0.0), clip.n_frames - 1.0) * FINENESS), FINENESS)
    whole = int(fine)
    start = clip.time_of(whole)
    if fine == whole:
        return start
    return start + (fine - whole) * (clip.time_of(whole + 1) - start)
