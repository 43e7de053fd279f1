"""COCO run lengths: masks as counts of pixels down the columns, as numbers or as text."""

from __future__ import annotations

from os import PathLike
from typing import Any, cast

import numpy as np
from jaxtyping import Bool

from polytempo.core.errors import InputError, ShapeError

WHERE = "objects.masks_import"
MOST_PIXELS = 2**27
"""Largest picture that run lengths may state; damaged sizes are refused before memory is asked for."""


def mask_from_run_lengths(run_lengths: Any, *, path: str | PathLike[str] | None = None) -> Bool[np.ndarray, "H W"]:
    """Mask from ``{"size": [height, width], "counts": [...] | "text"}``.

    Counts alternate between outside and inside, from outside, down the columns. As text they are compressed.

    Raises:
        InputError: not of this form.
        ShapeError: the counts do not fill the picture.

    Source: the COCO mask format, from its documentation.

    Example:
        >>> mask_from_run_lengths({"size": [2, 2], "counts": [1, 2, 1]}).tolist()
        [[False, True], [True, False]]
    """
    if not isinstance(run_lengths, dict):
        raise InputError(
            WHERE, "run lengths must be an object with size and counts", got=f"{run_lengths!r:.40}", path=path
        )
    given = cast("dict[str, Any]", run_lengths)
    size, counts = given.get("size"), given.get("counts")
    if (
        not isinstance(size, list)
        or len(cast("list[Any]", size)) != 2
        or not all(isinstance(one, int) and one > 0 for one in cast("list[Any]", size))
    ):
        raise InputError(WHERE, "size must be two whole numbers above 0", got=f"{size!r:.40}", path=path)
    height, width = cast("list[int]", size)
    if height * width > MOST_PIXELS:
        raise InputError(WHERE, f"a mask must have at most {MOST_PIXELS} pixels", got=f"{width}x{height}", path=path)
    if isinstance(counts, str):
        runs = counts_from_text(counts, path=path)
    elif isinstance(counts, list) and all(type(one) is int for one in cast("list[Any]", counts)):
        runs = cast("list[int]", counts)
    else:
        raise InputError(WHERE, "counts must be whole numbers or text", got=f"{counts!r:.40}", path=path)
    if any(one < 0 for one in runs) or sum(runs) != height * width:
        raise ShapeError(
            WHERE, "run lengths must fill their picture", got=f"{sum(runs)} pixels for {width}x{height}",
            todo="Export the masks again", path=path,
        )  # fmt: skip
    inside = np.arange(len(runs)) % 2 == 1
    return np.repeat(inside, runs).reshape(width, height).T


def run_lengths_from_mask(mask: Bool[np.ndarray, "H W"]) -> dict[str, Any]:
    """Uncompressed run lengths of a mask; the inverse of :func:`mask_from_run_lengths`.

    Example:
        >>> run_lengths_from_mask(np.array([[True, False]]))
        {'size': [1, 2], 'counts': [0, 1, 1]}
    """
    flat = mask.T.reshape(-1)
    changes = np.flatnonzero(np.diff(flat)) + 1
    edges = np.concatenate([[0], changes, [flat.size]])
    counts = np.diff(edges).tolist()
    return {"size": [int(mask.shape[0]), int(mask.shape[1])], "counts": ([0, *counts] if flat[0] else counts)}


def counts_from_text(text: str, *, path: str | PathLike[str] | None = None) -> list[int]:
    """Counts from COCO's compressed text.

    Each character carries six bits above code 48: five of the number, lowest first, and one that says that more
    follow; the highest bit of the last five is the sign. From the fourth count on, the difference to the count two
    before is stored.

    Raises:
        InputError: a character out of range, or text that ends within a number.

    Example:
        >>> counts_from_text("121")
        [1, 2, 1]
    """
    counts: list[int] = []
    value, shift = 0, 0
    for character in text:
        bits = ord(character) - 48
        if not 0 <= bits < 64 or shift > 40:
            raise InputError(
                WHERE, "compressed counts must use the characters '0' to 'o'", got=repr(character), path=path
            )
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            if bits & 16:
                value -= 1 << shift
            counts.append(value + (counts[-2] if len(counts) > 2 else 0))
            value, shift = 0, 0
    if shift:
        raise InputError(WHERE, "compressed counts must end with a whole number", got="text cut off", path=path)
    return counts
