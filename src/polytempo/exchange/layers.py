"""Each instance of an edit as pictures of its own, at the output's times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from jaxtyping import UInt8

from polytempo.core.errors import InputError
from polytempo.edit.edl import Edl, check_edl, clip_duration
from polytempo.layers.stack import LayerStack
from polytempo.render.compose import lay_over
from polytempo.render.interpolate import Interpolator
from polytempo.render.sequence import output_times, render_frames
from polytempo.render.showing import Shower
from polytempo.render.view import shown_at, view_at
from polytempo.video.clip import Clip

WHERE = "exchange.layers"
BACKGROUND = "background"


def instance_frames(
    stack: LayerStack, edl: Edl, clip: Clip, name: str, *, interpolator: Interpolator | None = None
) -> Iterator[UInt8[np.ndarray, "H W 4"]]:
    """One instance alone over nothing, its effects beneath its body, premultiplied; empty where it is hidden.

    Args:
        stack: The layers.
        edl: The edit.
        clip: The clip they come from.
        name: The instance.
        interpolator: As for ``render_frames``.

    Raises:
        InputError: there is no such instance, or the edit does not belong to the stack.
    """
    check_edl(edl, layers=[one.name for one in stack.layers], source_duration=clip_duration(clip))
    instance = edl.instance(name)
    layer = next(one for one in stack.layers if one.name == instance.layer)
    shower = Shower(stack, layer, instance, clip, interpolator)
    width, height = stack.size
    for time in output_times(edl, clip):
        picture = np.zeros((height, width, 4), np.uint8)
        source = shown_at(instance.time_map, clip, time) if instance.visible else None
        if source is not None:
            view = view_at(edl, clip, time)
            effects = shower.effects(source, time, view)
            for crop in (effects, shower.body(source, time, view)):
                if crop is not None:
                    lay_over(picture, crop, opacity=instance.opacity)
        yield picture


def background_frames(stack: LayerStack, edl: Edl, clip: Clip) -> Iterator[UInt8[np.ndarray, "H W 3"]]:
    """The output's background without anybody.

    Raises:
        InputError: an instance bears the background's name, or the edit does not belong to the stack.
    """
    if any(one.name == BACKGROUND for one in edl.instances):
        raise InputError(WHERE, f"no instance may be called {BACKGROUND!r} when layers are written", got=BACKGROUND)
    hidden = tuple(replace(one, visible=False) for one in edl.instances)
    return render_frames(stack, replace(edl, instances=hidden), clip)
