"""What is typed on a command line."""

from __future__ import annotations

from fractions import Fraction as F
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polytempo.core.errors import InputError
from polytempo.edit.selectors import Copies, Selection, parse_copies, parse_selection, parse_shift, parse_speed
from polytempo.video.clip import Clip, ColourTags

NAMES = ["girl", "boy", "boy-2", "man in red"]
CLIP = Clip(
    path=Path("drawn.mp4"),
    width=64,
    height=48,
    n_frames=120,
    frame_rate=F(30000, 1001),
    time_base=F(1, 30000),
    pts=tuple(1001 * n for n in range(120)),
    rotation=0,
    bit_depth=8,
    colour=ColourTags(matrix="bt709", primaries="bt709", transfer="bt709", full_range=False, assumed=True),
    audio_codecs=(),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("girl", Selection(name="girl")),
        ("girl@1.2s", Selection(name="girl", start=F(6, 5))),
        ("girl@1.2", Selection(name="girl", start=F(6, 5))),
        ("girl@1.2s-3s", Selection(name="girl", start=F(6, 5), stop=F(3))),
        ("boy-2@36f-0:02.5", Selection(name="boy-2", start=F(36 * 1001, 30000), stop=F(5, 2))),
        ("man in red@1/3", Selection(name="man in red", start=F(1, 3))),
        ("boy@100f-120f", Selection(name="boy", start=F(100 * 1001, 30000), stop=F(120 * 1001, 30000))),
    ],
)
def test_selections(text: str, expected: Selection) -> None:
    assert parse_selection(text, clip=CLIP, names=NAMES) == expected


def test_shifts_speeds_and_copies() -> None:
    ten = parse_shift("boy+10f", clip=CLIP, names=NAMES)
    assert (ten.name, ten.by) == ("boy", F(10 * 1001, 30000))
    back = parse_shift("boy-2-0.5s", clip=CLIP, names=NAMES)
    assert (back.name, back.by) == ("boy-2", F(-1, 2))
    slow = parse_speed("boy@1s-2s=12.5%", clip=CLIP, names=NAMES)
    assert (slow.selection, slow.factor) == (Selection(name="boy", start=F(1), stop=F(2)), F(1, 8))
    assert parse_copies("girl*3+5f:40,-2.5", clip=CLIP, names=NAMES) == Copies(
        name="girl", copies=3, delay=F(5 * 1001, 30000), offset=(40.0, -2.5)
    )
    assert parse_copies("girl*1", clip=CLIP, names=NAMES).delay == 0
    assert parse_copies("girl*2-0.2s", clip=CLIP, names=NAMES).delay == F(-1, 5)


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dog@1s", r"there must be a layer of that name; got 'dog'. There is: girl, boy, boy-2, man in red."),
        ("girl@", "it must read NAME, NAME@TIME or NAME@TIME-TIME, like girl@1.2s-3s; got 'girl@'"),
        ("girl@x", "there must be a layer of that name|it must read"),
        ("girl@3s-1s", "a range must stop after it starts; got 'girl@3s-1s'"),
        ("girl@9s", "times must be within the clip, 0 to 4.004 s; got 9 s in 'girl@9s'"),
        ("girl@121f", "frames must be 0 to 119; got frame 121 in 'girl@121f'"),
        ("girl@1/0", "a rational number must be written like"),
        ("", "it must read"),
        ("g" * 300, "it must read"),
    ],
)
def test_selections_that_mean_nothing_are_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_selection(text, clip=CLIP, names=NAMES)


@pytest.mark.refusal
def test_other_texts_that_mean_nothing_are_refused() -> None:
    with pytest.raises(InputError, match=r"it must read NAME\+TIME or NAME-TIME, like boy\+10f; got 'boy'"):
        parse_shift("boy", clip=CLIP, names=NAMES)
    with pytest.raises(InputError, match="like boy=50%; got 'boy=fast'"):
        parse_speed("boy=fast", clip=CLIP, names=NAMES)
    with pytest.raises(InputError, match="got 'dog'"):
        parse_copies("dog*2+1s", clip=CLIP, names=NAMES)


@pytest.mark.refusal
@given(text=st.text(alphabet="girlboy@-+*=%:,./0129sf ", max_size=24))
@settings(max_examples=150, deadline=None)
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (parse_selection, parse_shift, parse_speed, parse_copies):
        try:
            parse(text, clip=CLIP, names=NAMES)
        except InputError as error:
            caught: InputError = error
            assert caught.where == "edit.selectors"
