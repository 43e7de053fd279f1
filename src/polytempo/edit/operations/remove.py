"""Remove: somebody is not there, nor what they cause."""

from __future__ import annotations

from dataclasses import replace

from polytempo.edit.edl import Edl, with_instance


def remove(edl: Edl, name: str) -> Edl:
    """An edit in which an instance is not shown. It stays in the list, so that it can be brought back.

    Raises:
        InputError: there is no such instance.
    """
    return with_instance(edl, replace(edl.instance(name), visible=False))


def restore(edl: Edl, name: str) -> Edl:
    """An edit in which an instance is shown again.

    Raises:
        InputError: there is no such instance.
    """
    return with_instance(edl, replace(edl.instance(name), visible=True))
