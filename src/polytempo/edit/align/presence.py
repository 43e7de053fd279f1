"""When a subject is in view."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool

from polytempo.core.errors import InputError

WHERE = "edit.align.presence"
WHOLE = 0.5
"""Share of its usual area that a subject must show to be wholly in view."""


def last_whole_view(name: str, masks: Bool[np.ndarray, "T H W"]) -> int:
    """Last frame in which a subject is wholly in view: it does not touch the left or right edge, and is not cut off.

    Feet at the lower edge and heads at the upper do not count: many are filmed so all along.

    Raises:
        InputError: there is no such frame.
    """
    area = masks.sum(axis=(1, 2))
    seen = area > 0
    usual = float(np.median(area[seen])) if seen.any() else 0.0
    touches = masks[:, :, 0].any(axis=1) | masks[:, :, -1].any(axis=1)
    whole = np.flatnonzero(seen & ~touches & (area >= WHOLE * usual))
    if len(whole) == 0:
        raise InputError(
            WHERE, f"{name} must be wholly in view in some frame", got="none", todo="Name the moment: NAME@TIME"
        )
    return int(whole[-1])
