"""Hold on exit: somebody who would leave stays in view."""

from __future__ import annotations

from fractions import Fraction

from polytempo.edit.edl import Edl
from polytempo.edit.operations.freeze import freeze


def hold_on_exit(edl: Edl, name: str, *, at: Fraction) -> Edl:
    """An edit in which an instance stands still from a moment on, to the end.

    Args:
        edl: The edit.
        name: The instance.
        at: The last moment at which it is wholly in view; ``edit.align.presence`` finds it.

    Raises:
        InputError: there is no such instance, it is hidden at that moment, or the moment is outside the edit.

    Source: paper A, Fig. 9 (the girl in blue).
    """
    return freeze(edl, name, at=at, until=edl.duration)
