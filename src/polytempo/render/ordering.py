"""Who is in front when layers show other moments than they did in the clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from polytempo.layers.stack import LayerStack

CLEARLY = 0.015
"""Heights of the frame by which somebody must stand lower to be taken for nearer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Showing:
    """One instance in one output frame."""

    layer_id: int
    source: int
    """The source frame it shows."""
    level: int
    """A higher level is in front of a lower one."""
    contact: float | None = None
    """Row of the output frame, in heights of it, where its body touches the ground (its lowest pixel)."""


def paint_order(stack: LayerStack, showing: Sequence[Showing], *, frame: int) -> list[int]:
    """Indices into ``showing``, back to front.

    Levels come first. Between two instances of one level the clip is asked three times who is in front: in the output
    frame itself and in the source frame that each of the two shows; the majority decides. So an edit that leaves the
    times alone keeps the clip's own order, and two layers taken from the same other moment keep the order of that
    moment. Where the clip says nothing (two instances of one layer, or a layer not named in an order) or says both, the
    one that stands clearly lower in the picture, and so nearer on the ground, is in front; else the one that comes
    later in the edit.

    Args:
        stack: Gives the order of every source frame.
        showing: The visible instances, in the order of the edit.
        frame: Number of the output frame, as a frame of the clip.
    """
    frames = {frame, *(one.source for one in showing)}
    rank = {f: {layer_id: place for place, layer_id in enumerate(stack.order[f])} for f in frames}

    def wins(a: int, b: int) -> bool:
        """Whether ``showing[a]`` is in front of ``showing[b]``."""
        one, other = showing[a], showing[b]
        if one.level != other.level:
            return one.level > other.level
        votes = 0
        for f in (frame, one.source, other.source):
            mine, theirs = rank[f].get(one.layer_id), rank[f].get(other.layer_id)
            if mine is not None and theirs is not None:
                votes += (mine > theirs) - (mine < theirs)
        if votes == 0 and one.contact is not None and other.contact is not None:
            nearer = one.contact - other.contact
            if abs(nearer) > CLEARLY:
                return nearer > 0
        return votes > 0 if votes else a > b

    indices = range(len(showing))
    # By the number of those behind; majorities may run in a circle, which must not stop the picture.
    return sorted(indices, key=lambda a: (showing[a].level, sum(wins(a, b) for b in indices if b != a), a))
