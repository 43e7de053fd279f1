"""Stagger and swap: one by one, or in each other's place in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from polytempo.core.errors import InputError
from polytempo.edit.edl import Edl, with_instance
from polytempo.edit.operations.delay import delay
from polytempo.edit.operations.retime import Outside

WHERE = "edit.stagger"


def stagger(edl: Edl, names: Sequence[str], *, step: Fraction, outside: Outside = "hold") -> Edl:
    """An edit in which instances come one by one: the first as it is, each next ``step`` seconds later.

    Args:
        edl: The edit.
        names: The instances in the order in which they come.
        step: Seconds from one to the next; negative lets the first come last.
        outside: What is seen of one before it begins: its first moment standing still, or nobody.

    Raises:
        InputError: fewer than two are named, one twice or unknown, or the last delay is as long as the edit.
    """
    if len(names) < 2 or len(set(names)) != len(names):
        raise InputError(WHERE, "two or more different instances must be named", got=", ".join(names) or "none")
    for place, name in enumerate(names):
        edl = delay(edl, name, by=place * step, outside=outside)
    return edl


def swap(edl: Edl, one: str, other: str) -> Edl:
    """An edit in which two instances exchange their clocks.

    Raises:
        InputError: there is no such instance, or both are the same.
    """
    if one == other:
        raise InputError(WHERE, "two different instances must be named", got=f"{one} twice")
    a, b = edl.instance(one), edl.instance(other)
    return with_instance(with_instance(edl, replace(a, time_map=b.time_map)), replace(b, time_map=a.time_map))
