"""Keys: a time remap as it is drawn, moment by moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from polytempo.edit.edl import Edl, with_instance
from polytempo.edit.timemap import keyed_map, smooth_map


def remap(edl: Edl, name: str, keys: Sequence[tuple[Fraction, Fraction]], *, smooth: bool = True) -> Edl:
    """An edit in which an instance follows keys; what its clock was before is forgotten.

    Args:
        edl: The edit.
        name: The instance.
        keys: Output time and source time in seconds, output times rising; held before the first and after the last.
        smooth: Through the keys without corners and never beyond them; else in straight lines.

    Raises:
        InputError: there is no such instance, there are fewer than two keys, or their output times do not rise.
    """
    one = edl.instance(name)
    return with_instance(edl, replace(one, time_map=smooth_map(keys) if smooth else keyed_map(keys)))
