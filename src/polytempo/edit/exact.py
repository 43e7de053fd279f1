"""Exact numbers in files: fractions travel as text, floats do not pass for times."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

_FORM = re.compile(r"\s*-?\d{1,18}(/\d{1,18}|\.\d{1,18})?\s*")


def exact_from_document(value: Any) -> Fraction:
    """Read a fraction as a document holds it: ``"30000/1001"``, ``"1.2"`` or a whole number.

    Raises:
        ValueError: it is something else; a float, for instance, which may not be the number that was meant.
    """
    if isinstance(value, Fraction):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18:
        return Fraction(value)
    # The form is bounded, so that no file can ask for a number with a billion digits.
    if isinstance(value, str) and _FORM.fullmatch(value) and not re.search(r"/0+\s*$", value):
        return Fraction(value.strip())
    raise ValueError(f'an exact number is written like "30000/1001", "1.2" or 3, not {value!r}')


Exact = Annotated[
    Fraction,
    PlainValidator(exact_from_document),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^-?\d+(/\d+|\.\d+)?$"}),
]
"""A fraction that is written as text."""
