"""The layer stack: a background on the canvas and one RGBA layer per subject or group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8, UInt16

from polytempo.camera.path import CameraPath
from polytempo.core.pictures import Pictures
from polytempo.layers.shading import Shading


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Background:
    """The clean plate on the canvas: the scene as it is when nobody is there."""

    colour: UInt8[np.ndarray, "Hc Wc 3"]
    coverage: UInt16[np.ndarray, "Hc Wc"]
    """In how many frames each canvas pixel was seen bare; 0 where the colour was filled in."""
    live: Pictures | None = None
    """What each frame itself shows of the background where no layer has a share in it: grain, sway, lights.

    ``live[t]``: uint8 ``[H, W, 4]``, premultiplied, in the pixels of frame ``t``; lies on the plate, beneath all
    effects, and always shows the output frame's own moment. It is the background's share of detail transfer (LNR,
    Eq. 10, i = 0)."""
    exposure: Float32[np.ndarray, "T 3"] | None = None
    """Gain of each frame and channel over the plate, as a phone's automatic exposure gives; None where it stands still.
    """
    shading: Shading | None = None
    """Where the frames' pixels lie in the background's atlas, and its light; None where no atlases were learned."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Layer:
    """One subject or group with its effects, over all frames."""

    layer_id: int
    name: str
    subject_ids: tuple[int, ...]
    pictures: Pictures
    """``pictures[t]``: uint8 ``[H, W, 4]``, coded sRGB premultiplied by alpha, in the pixels of source frame ``t``."""
    effects: Pictures | None = None
    """Shadow, reflection, splash …, pictures like the above, lying on the scene: drawn beneath everybody's body.

    A shadow falls on the ground behind the other person, not on them; in front of the body that casts it only where the
    whole layer is exported as one picture. None where the layer keeps its effects in ``pictures``."""
    shading: Shading | None = None
    """Where the body's pixels lie in its atlas, and the light on it; None where no atlases were learned."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class LayerStack:
    """Background and layers; composited with *over* in ``order`` they give the clip back.

    Held in memory or on disk: ``Layer.pictures`` is whatever gives frames by number.
    """

    background: Background
    layers: tuple[Layer, ...]
    order: tuple[tuple[int, ...], ...]
    """Layer ids back to front for every frame, background left out."""
    camera: CameraPath
    """At the stack's own frame size."""
    composite_space: str = "srgb-coded"
    """Space in which *over* is right for these layers: coded sRGB, as paper A composites."""

    @property
    def size(self) -> tuple[int, int]:
        """``(width, height)`` of a layer's pictures in pixels."""
        return self.camera.frame_size

    @property
    def n_frames(self) -> int:
        """Number of source frames."""
        return len(self.order)

    def layer(self, layer_id: int) -> Layer:
        """Give a layer by id."""
        return next(one for one in self.layers if one.layer_id == layer_id)
