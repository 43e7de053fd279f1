"""Duplicate: somebody several times, each copy later and elsewhere."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from polytempo.core.errors import InputError
from polytempo.edit.algebra import compose
from polytempo.edit.edl import Edl
from polytempo.edit.operations.delay import delay_map
from polytempo.edit.operations.retime import Outside

WHERE = "edit.duplicate"
MOST = 64


def duplicate(
    edl: Edl,
    name: str,
    *,
    copies: int = 1,
    delay: Fraction = Fraction(0),
    offset: tuple[float, float] = (0.0, 0.0),
    outside: Outside = "hold",
) -> Edl:
    """An edit with further copies of an instance, named ``girl-2``, ``girl-3`` …, each behind the one before.

    Args:
        edl: The edit.
        name: The instance to be copied, with the clock it has now.
        copies: How many more.
        delay: Seconds from one copy to the next; negative runs ahead.
        offset: Pixels to the right and down from one copy to the next.
        outside: What is seen of a copy where its clock has nothing to show.

    Raises:
        InputError: there is no such instance, there are too many copies or none, or a copy is delayed by more than the
            whole edit.
    """
    if not 1 <= copies <= MOST:
        raise InputError(WHERE, f"the number of copies must be 1 to {MOST}", got=str(copies))
    original = edl.instance(name)
    taken = {one.name for one in edl.instances}
    made = []
    for step in range(1, copies + 1):
        number = next(n for n in range(2, len(taken) + 3) if f"{name}-{n}" not in taken)
        taken.add(f"{name}-{number}")
        outer = delay_map(edl.duration, by=step * delay, outside=outside)
        x, y = original.offset
        made.append(
            replace(
                original,
                name=f"{name}-{number}",
                time_map=compose(outer, original.time_map),
                offset=(x + step * offset[0], y + step * offset[1]),
            )
        )
    place = edl.instances.index(original)
    return replace(edl, instances=(*edl.instances[:place], *reversed(made), *edl.instances[place:]))
