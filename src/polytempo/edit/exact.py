"""Exact numbers in files: fractions travel as text, floats do not pass for times."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from polytempo.core.errors import InputError

DIGITS = 200
"""Of a number in a document, above and below the line each; edits of edits need more than the clip's own times."""
_FORM = re.compile(rf"\s*-?\d{{1,{DIGITS}}}(/\d{{1,{DIGITS}}}|\.\d{{1,{DIGITS}}})?\s*")


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


def document_from_exact(value: Fraction) -> str:
    """Write a fraction so that it can be read back.

    Raises:
        InputError: it has too many digits for a document.
    """
    text = str(value)
    if len(text) > DIGITS:
        raise InputError(
            "edit.exact",
            f"a number in an edit must have at most {DIGITS} digits",
            got=f"{len(text)} of about {float(value):g}",
            todo="Set the time map anew instead of editing it again and again",
        )
    return text


Exact = Annotated[
    Fraction,
    PlainValidator(exact_from_document),
    PlainSerializer(document_from_exact, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^-?\d+(/\d+|\.\d+)?$"}),
]
"""A fraction that is written as text."""
