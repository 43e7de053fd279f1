"""Frame rates into each other."""

from __future__ import annotations

from fractions import Fraction as F

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polytempo.core.errors import InputError
from polytempo.edit.rates import converted_frames, frame_on_screen

rates = st.sampled_from([F(24000, 1001), F(24), F(25), F(30000, 1001), F(30), F(50), F(60)])


@given(n=st.integers(1, 200), source=rates, output=rates)
def test_a_frame_is_on_screen_from_its_own_time_on(n: int, source: F, output: F) -> None:
    for k, frame in enumerate(converted_frames(n, source_rate=source, output_rate=output)):
        assert frame / source <= k / output
        assert k / output < (frame + 1) / source


@given(n=st.integers(1, 100), rate=rates)
def test_the_same_rate_changes_nothing(n: int, rate: F) -> None:
    assert converted_frames(n, source_rate=rate, output_rate=rate) == list(range(n))
    assert all(frame_on_screen(k / rate, rate) == k for k in range(n))


def test_by_hand() -> None:
    assert converted_frames(10, source_rate=F(30), output_rate=F(24)) == [0, 1, 2, 3, 5, 6, 7, 8]


@pytest.mark.refusal
def test_rates_must_be_above_0() -> None:
    with pytest.raises(InputError, match="a frame rate must be above 0; got 0"):
        frame_on_screen(F(1), F(0))
    with pytest.raises(InputError, match="a frame rate must be above 0; got 0"):
        converted_frames(3, source_rate=F(24), output_rate=F(0))
    with pytest.raises(InputError, match="there must be frames; got 0"):
        converted_frames(0, source_rate=F(24), output_rate=F(24))
