"""Another light on an instance or on the background."""

from __future__ import annotations

from dataclasses import replace

from polytempo.core.errors import InputError
from polytempo.edit.edl import Edl, with_instance
from polytempo.edit.light import STRONGEST, Light

BACKGROUND = "background"
"""What the background is called where no instance bears the name."""


def relight(edl: Edl, name: str, light: Light | None) -> Edl:
    """An edit in which an instance, or the background, is lit otherwise; None goes back to the light as filmed.

    Args:
        edl: The edit.
        name: The instance, or ``"background"``.
        light: See ``Light``.

    Raises:
        InputError: there is no such instance, or the gain is not from 0 to 8.
    """
    if light is not None and not 0 <= light.gain <= STRONGEST:
        raise InputError("edit.light", f"the gain must lie in 0 to {STRONGEST:g}", got=f"{light.gain:g}")
    if name == BACKGROUND and all(one.name != name for one in edl.instances):
        return replace(edl, light=light)
    return with_instance(edl, replace(edl.instance(name), light=light))
