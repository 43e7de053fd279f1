"""Rational time: frame rates, seconds and the strings they travel as."""

from __future__ import annotations

import re
from fractions import Fraction

from polytempo.core.errors import InputError


def fraction_from_text(text: str, *, where: str) -> Fraction:
    """Read ``"30000/1001"``, ``"24"`` or ``"23.976"`` exactly as written.

    Raises:
        InputError: the text is no finite number.

    Example:
        >>> fraction_from_text("30000/1001", where="doc")
        Fraction(30000, 1001)
    """
    try:
        return Fraction(text.strip())
    except (ValueError, ZeroDivisionError) as error:
        raise InputError(where, "a rational number must be written like 30000/1001 or 1.2", got=repr(text)) from error


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
    body = text.strip().removesuffix("s")
    if re.fullmatch(r"(\d+:){1,2}\d+(\.\d*)?", body):
        total = Fraction(0)
        for part in body.split(":"):
            total = total * 60 + Fraction(part)
        return total
    return fraction_from_text(body, where=where)
