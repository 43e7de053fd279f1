"""Another colour for a whole layer: hue turned, colours stronger or paler, brighter or darker."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32

from polytempo.core.errors import InputError


@dataclass(frozen=True, kw_only=True, slots=True)
class Recolour:
    """What is done to every colour of an atlas."""

    hue: float = 0.0
    """Degrees round the circle of hues: 120 takes red to green."""
    saturation: float = 1.0
    """Factor; 0 leaves greys."""
    brightness: float = 1.0
    """Factor."""

    def __post_init__(self) -> None:
        """Refuse what is no colour.

        Raises:
            InputError: a number out of its range.
        """
        if not (-360 <= self.hue <= 360 and 0 <= self.saturation <= 10 and 0 <= self.brightness <= 10):
            raise InputError(
                "atlas.recolour", "hue must lie in -360 to 360, saturation and brightness in 0 to 10",
                got=f"{self.hue:g}, {self.saturation:g}, {self.brightness:g}",
            )  # fmt: skip


def recoloured(colour: Float32[np.ndarray, "H W 3"], how: Recolour) -> Float32[np.ndarray, "H W 3"]:
    """Colours changed in hue, saturation and brightness; all 0…1.

    Hue and saturation are those of HSL, so that a colour and its lighter and darker shades stay together.
    """
    turned = cv2.cvtColor(np.ascontiguousarray(colour, np.float32), cv2.COLOR_RGB2HLS)
    turned[..., 0] = (turned[..., 0] + how.hue) % 360
    turned[..., 2] = np.clip(turned[..., 2] * how.saturation, 0, 1)
    back = np.asarray(cv2.cvtColor(turned, cv2.COLOR_HLS2RGB), np.float32)
    return np.clip(back * np.float32(how.brightness), 0, 1)
