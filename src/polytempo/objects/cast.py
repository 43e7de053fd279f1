"""Who is in the clip, and which layer each of them goes to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Subject:
    """One person, animal or object, followed through the clip at working size."""

    subject_id: int
    """Stable for the clip, from 1."""
    name: str
    mask: Bool[np.ndarray, "T H W"]
    """Modal mask: the body where it is visible."""
    amodal: Bool[np.ndarray, "T H W"]
    """Amodal mask: the whole body, also where another subject hides it. Contains ``mask``."""
    visibility: Float32[np.ndarray, " T"]
    """Share of the amodal mask that is visible, 0…1; 0 where the subject is not there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerPlan:
    """A layer to be made: one subject, a group of them, or none (a dynamic background)."""

    layer_id: int
    """From 1; 0 is the background."""
    name: str
    subject_ids: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Cast:
    """All subjects, the layers they go to, and who is in front of whom.

    ``order[t]`` lists the ids of all layers (not subjects) of frame ``t`` back to front, background left out.
    """

    subjects: tuple[Subject, ...]
    layers: tuple[LayerPlan, ...]
    order: tuple[tuple[int, ...], ...]
    warnings: tuple[str, ...] = ()

    def layer_mask(self, layer_id: int, *, amodal: bool = False) -> Bool[np.ndarray, "T H W"]:
        """Union of the masks of a layer's subjects; all false for a layer without subjects."""
        plan = next(p for p in self.layers if p.layer_id == layer_id)
        out = np.zeros_like(self.subjects[0].mask)
        for subject in self.subjects:
            if subject.subject_id in plan.subject_ids:
                out |= subject.amodal if amodal else subject.mask
        return out
