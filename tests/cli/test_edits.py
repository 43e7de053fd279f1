from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from polytempo.cli.edit import described, next_edit
from polytempo.cli.edits import EditWord, edit_words, edited
from polytempo.core.errors import InputError
from polytempo.edit.edl import Edl, identity_edl
from polytempo.video.clip import Clip, ColourTags

TAGS = ColourTags(matrix="bt709", primaries="bt709", transfer="bt709", full_range=False, assumed=True)
CLIP = Clip(
    path=Path("clip.mp4"),
    width=64,
    height=48,
    n_frames=48,
    frame_rate=Fraction(24),
    time_base=Fraction(1, 24),
    pts=tuple(range(48)),
    rotation=0,
    bit_depth=8,
    colour=TAGS,
    audio_codecs=(),
)


def start() -> Edl:
    return identity_edl(["girl", "boy"], Fraction(2))


def test_words_keep_the_order_in_which_they_stand() -> None:
    words = ["retime", "a.mp4", "--delay", "girl+2f", "--freeze=girl@1s", "--box", "g=1,2,3,4@0"]
    words += ["--delay", "boy-1f", "-o", "x.mp4", "--remove"]
    assert edit_words(words) == [
        EditWord(operation="delay", text="girl+2f"),
        EditWord(operation="freeze", text="girl@1s"),
        EditWord(operation="delay", text="boy-1f"),
        EditWord(operation="remove", text=""),
    ]


def test_order_matters_between_delay_and_freeze() -> None:
    delay, freeze = EditWord(operation="delay", text="girl+12f"), EditWord(operation="freeze", text="girl@1s")
    late = edited(start(), [delay, freeze], clip=CLIP).instance("girl").time_map
    early = edited(start(), [freeze, delay], clip=CLIP).instance("girl").time_map
    assert late.at(Fraction(3, 2)) == Fraction(1, 2)
    assert early.at(Fraction(3, 2)) == Fraction(1)


@pytest.mark.parametrize(
    ("operation", "text", "line"),
    [
        ("freeze", "girl@1s", "girl: 0-2 s stands still at 1 s"),
        ("freeze", "girl@12f-1s", "girl: 0-0.5 s shows 0-0.5 s; 0.5-1 s stands still at 0.5 s; 1-2 s shows 0.5-1.5 s"),
        ("remove", "girl", "girl: not shown"),
        ("solo", "boy", "girl: not shown"),
        ("delay", "girl+12f", "girl: 0-0.5 s stands still at 0 s; 0.5-2 s shows 0-1.5 s"),
        ("speed", "girl=50%", "girl: 0-2 s shows 0-1 s"),
    ],
)
def test_every_operation_as_typed(operation: str, text: str, line: str) -> None:
    edl = next_edit(None, [EditWord(operation=operation, text=text)], names=["girl", "boy"], clip=CLIP)
    assert described(edl)[0] == line


def test_copies_come_after() -> None:
    edl = edited(start(), [EditWord(operation="duplicate", text="girl*2+3f:5,0")], clip=CLIP)
    assert [one.layer for one in edl.instances].count("girl") == 3


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("operation", "text", "message"),
    [
        ("freeze", "girl", r"^--freeze girl: edit\.freeze: a moment must be given"),
        ("freeze", "gril@1s", r"layer of that name; got 'gril'\. There is: girl, boy"),
        ("freeze", "girl@9s", "times must be within the clip"),
        ("remove", "girl@1s", "only a name must be given here"),
        ("remove", "", "must read NAME"),
        ("delay", "girl", r"must read NAME\+TIME"),
        ("speed", "girl=0%", "--speed girl=0%"),
    ],
)
def test_what_cannot_be_done_shows_what_was_typed(operation: str, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        edited(start(), [EditWord(operation=operation, text=text)], clip=CLIP)
