"""The light that falls on what an edit shows: whose moment it is taken from, and how strong it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from polytempo.edit.exact import Exact

STRONGEST = 8.0
"""Gain of a light at most."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Light:
    """How an instance, or the background, is lit; as filmed where nothing is said."""

    __pydantic_config__ = ConfigDict(extra="forbid")
    of: Literal["own", "output"] | Exact = "own"
    """Moment whose light falls: that of the frame it shows, the output's, or a source time in seconds."""
    by: Literal["layer", "background"] = "layer"
    """What tells the light of another moment: the layer itself, or the background around the place where it stands."""
    gain: Annotated[float, Field(ge=0, le=STRONGEST, allow_inf_nan=False)] = 1.0
    """How strong it is: 0 flat, 1 as it fell, above 1 stronger; a factor on its departure from 1."""

    @property
    def changes(self) -> bool:
        """False where everything stays as filmed."""
        return self.of != "own" or self.gain != 1
