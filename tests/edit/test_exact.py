"""Fractions as text."""

from __future__ import annotations

from fractions import Fraction

import pytest

from polytempo.edit.exact import exact_from_document


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("30000/1001", Fraction(30000, 1001)),
        (" -1.25 ", Fraction(-5, 4)),
        (7, Fraction(7)),
        (Fraction(1, 3), Fraction(1, 3)),
    ],
)
def test_exact_numbers_are_read_as_written(value: object, expected: Fraction) -> None:
    assert exact_from_document(value) == expected


@pytest.mark.parametrize("value", [1.5, True, None, "1/0", "3/00", "1e5", "1e999999999", "", "one", 10**30, "9" * 201])
def test_what_may_not_be_the_number_that_was_meant_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="an exact number is written like"):
        exact_from_document(value)
