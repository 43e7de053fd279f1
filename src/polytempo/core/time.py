"""Rational time: frame rates, seconds and the strings they travel as."""

from __future__ import annotations

import re
from fractions import Fraction

from polytempo.core.errors import InputError

_RATIONAL = re.compile(r"[+-]?(\d{1,18}(/\d{1,18})?|\d{0,18}\.\d{1,18}|\d{1,18}\.)", re.ASCII)
_CLOCK = re.compile(r"(\d{1,9}:)?(\d{1,9}):(\d{1,2}(\.\d{0,18})?)", re.ASCII)


def fraction_from_text(text: str, *, where: str) -> Fraction:
    """Read ``"30000/1001"``, ``"24"`` or ``"23.976"`` exactly as written.

    Raises:
        InputError: the text is no such number.

    Example:
        >>> fraction_from_text("30000/1001", where="doc")
        Fraction(30000, 1001)
    """
    body = text.strip()
    # Python's own reader takes exponents too, and 1e999999999 would fill the memory.
    if _RATIONAL.fullmatch(body) is None or re.search(r"/0+$", body):
        raise InputError(where, "a rational number must be written like 30000/1001 or 1.2", got=repr(text[:40]))
    return Fraction(body)


def text_from_fraction(value: Fraction) -> str:
    """Write a fraction as ``"30000/1001"`` or ``"24"``."""
    return str(value)


def seconds_from_text(text: str, *, where: str) -> Fraction:
    """Read a time: ``"1.2s"``, ``"1.2"``, ``"90000/90000"``, ``"01:02.5"`` or ``"00:01:02.5"``, in seconds.

    Raises:
        InputError: the text is none of these.

    Example:
        >>> seconds_from_text("1.2s", where="doc"), seconds_from_text("01:02.5", where="doc")
        (Fraction(6, 5), Fraction(125, 2))
    """
    body = text.strip().removesuffix("s").rstrip()
    clock = _CLOCK.fullmatch(body)
    if clock is None:
        return fraction_from_text(body, where=where)
    hours, minutes, seconds = (Fraction((part or "0").rstrip(":")) for part in clock.group(1, 2, 3))
    if seconds >= 60 or (clock.group(1) is not None and minutes >= 60):
        raise InputError(where, "seconds and minutes of a time must be below 60", got=repr(text))
    return (hours * 60 + minutes) * 60 + seconds
