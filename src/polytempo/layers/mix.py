"""One stack out of two of the same clip: layers with their shadows and reflections among layers with atlases."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from polytempo.core.errors import InputError, ShapeError
from polytempo.layers.stack import LayerStack

WHERE = "layers.mix"


def with_layers_from(stack: LayerStack, other: LayerStack, names: Collection[str]) -> LayerStack:
    """The stack with some layers as another stack has them: pictures, effects, UV and light. The rest stays.

    Args:
        stack: Gives the background, the camera, the order and the ids.
        other: Of the same clip, made in another way.
        names: Layers that both have.

    Raises:
        ShapeError: the two differ in size or number of frames.
        InputError: one of them has no such layer, or they are composited in different spaces.
    """
    if stack.size != other.size or stack.n_frames != other.n_frames:
        raise ShapeError(
            WHERE,
            "both must have layers of the same clip",
            got=f"{stack.n_frames} frames of {stack.size} and {other.n_frames} of {other.size}",
        )
    if stack.composite_space != other.composite_space:
        raise InputError(
            WHERE, "both must be composited in one space", got=f"{stack.composite_space}, {other.composite_space}"
        )
    theirs = {one.name: one for one in other.layers}
    for name in names:
        for whose in ({one.name for one in stack.layers}, set(theirs)):
            if name not in whose:
                raise InputError(
                    WHERE, "both must have the layer", got=repr(name), todo=f"There is: {', '.join(sorted(whose))}"
                )
    layers = tuple(
        replace(theirs[one.name], layer_id=one.layer_id, subject_ids=one.subject_ids) if one.name in names else one
        for one in stack.layers
    )
    return replace(stack, layers=layers)
