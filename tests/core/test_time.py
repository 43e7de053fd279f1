from contextlib import suppress
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polytempo.core.errors import InputError
from polytempo.core.time import fraction_from_text, seconds_from_text, text_from_fraction

small = st.integers(-(10**9), 10**9)


@given(small, st.integers(1, 10**9))
def test_fraction_round_trip(top: int, bottom: int) -> None:
    value = Fraction(top, bottom)
    assert fraction_from_text(text_from_fraction(value), where="t") == value
    assert seconds_from_text(f" {text_from_fraction(value)}s ", where="t") == value


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999))
def test_clock_agrees_with_arithmetic(hours: int, minutes: int, seconds: int, thousandths: int) -> None:
    total = hours * 3600 + minutes * 60 + seconds + Fraction(thousandths, 1000)
    assert seconds_from_text(f"{hours:02}:{minutes:02}:{seconds:02}.{thousandths:03}", where="t") == total
    assert seconds_from_text(f"{hours * 60 + minutes}:{seconds:02}.{thousandths:03}s", where="t") == total


@given(st.text(max_size=12))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(InputError):
        assert isinstance(seconds_from_text(text, where="t"), Fraction)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.2s", Fraction(6, 5)),
        ("23.976", Fraction(2997, 125)),
        (".5", Fraction(1, 2)),
        ("5.", Fraction(5)),
        ("-1/3", Fraction(-1, 3)),
        ("1:02", Fraction(62)),
        ("90:00", Fraction(5400)),
        ("1:02:03.", Fraction(3723)),
        ("5 s", Fraction(5)),
    ],
)
def test_by_hand(text: str, value: Fraction) -> None:
    assert seconds_from_text(text, where="t") == value


@pytest.mark.refusal
@pytest.mark.parametrize(
    "text",
    [
        "",
        "s",
        "1/0",
        "0/0",
        "nan",
        "inf",
        "1e9",
        "1e999999999",
        "0x10",
        "1,5",
        "1:",
        ":5",
        "1:2:3:4",
        "1_0",
        "9" * 99,
        "٣",
    ],
)
def test_no_number_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"^t: a rational number must be written like 30000/1001 or 1.2; got '"):
        seconds_from_text(text, where="t")


@pytest.mark.refusal
@pytest.mark.parametrize("text", ["1:60", "1:60:00", "0:75.5"])
def test_sixty_seconds_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="t: seconds and minutes of a time must be below 60"):
        seconds_from_text(text, where="t")
