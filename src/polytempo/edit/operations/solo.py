"""Solo: only these, over the background."""

from __future__ import annotations

from dataclasses import replace

from polytempo.edit.edl import Edl


def solo(edl: Edl, *names: str) -> Edl:
    """An edit that shows the instances named and no others.

    Raises:
        InputError: there is no such instance.
    """
    for name in names:
        edl.instance(name)
    return replace(edl, instances=tuple(replace(one, visible=one.name in names) for one in edl.instances))
