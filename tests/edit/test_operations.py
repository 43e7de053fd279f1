"""Each operation by the frames it must show; frames are tenths of a second here."""

from __future__ import annotations

from fractions import Fraction as F

import pytest

from polytempo.core.errors import InputError
from polytempo.edit.edl import Edl, check_edl, identity_edl
from polytempo.edit.operations.delay import advance, delay
from polytempo.edit.operations.duplicate import duplicate
from polytempo.edit.operations.freeze import freeze
from polytempo.edit.operations.remove import remove, restore
from polytempo.edit.operations.solo import solo
from polytempo.edit.operations.speed import speed

N = 10


def plain() -> Edl:
    return identity_edl(["girl", "boy"], F(1))


def shown(edl: Edl, name: str) -> list[int | None]:
    """Source frame per output frame."""
    check_edl(edl, layers=["girl", "boy"], source_duration=F(1))
    sources = [edl.instance(name).time_map.at(F(n, N)) for n in range(N)]
    return [None if s is None else min(int(s * N), N - 1) for s in sources]


def test_freeze_whole_and_range() -> None:
    assert shown(freeze(plain(), "girl", at=F(3, N)), "girl") == [3] * N
    ranged = freeze(plain(), "girl", at=F(3, N), until=F(6, N))
    assert shown(ranged, "girl") == [0, 1, 2, 3, 3, 3, 3, 4, 5, 6]
    rejoined = freeze(plain(), "girl", at=F(3, N), until=F(6, N), then="rejoin")
    assert shown(rejoined, "girl") == [0, 1, 2, 3, 3, 3, 6, 7, 8, 9]
    assert shown(ranged, "boy") == list(range(N))
    assert shown(freeze(plain(), "girl", at=F(0), until=F(1)), "girl") == [0] * N


def test_freeze_means_what_is_seen() -> None:
    edl = freeze(delay(plain(), "girl", by=F(2, N)), "girl", at=F(5, N))
    assert shown(edl, "girl") == [3] * N


def test_delay_and_advance() -> None:
    assert shown(delay(plain(), "boy", by=F(3, N)), "boy") == [0, 0, 0, 0, 1, 2, 3, 4, 5, 6]
    assert shown(delay(plain(), "boy", by=F(3, N), outside="hide"), "boy") == [None, None, None, 0, 1, 2, 3, 4, 5, 6]
    assert shown(advance(plain(), "boy", by=F(3, N)), "boy") == [3, 4, 5, 6, 7, 8, 9, 9, 9, 9]
    assert shown(advance(plain(), "boy", by=F(8, N), outside="hide"), "boy") == [8, 9, *[None] * 8]
    assert shown(delay(plain(), "boy", by=F(0)), "boy") == list(range(N))


def test_delay_and_back_loses_only_what_left_the_edit() -> None:
    edl = advance(delay(plain(), "boy", by=F(3, N)), "boy", by=F(3, N))
    assert shown(edl, "boy") == [0, 1, 2, 3, 4, 5, 6, 7, 7, 7]


def test_speed() -> None:
    assert shown(speed(plain(), "boy", factor=F(1, 2)), "boy") == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert shown(speed(plain(), "boy", factor=F(2)), "boy") == [0, 2, 4, 6, 8, 9, 9, 9, 9, 9]
    ranged = speed(plain(), "boy", factor=F(1, 3), start=F(2, N), stop=F(5, N))
    assert shown(ranged, "boy") == [0, 1, 2, 2, 2, 3, 4, 5, 6, 7]
    rejoined = speed(plain(), "boy", factor=F(1, 3), start=F(2, N), stop=F(5, N), then="rejoin")
    assert shown(rejoined, "boy") == [0, 1, 2, 2, 2, 5, 6, 7, 8, 9]


def test_remove_restore_and_solo() -> None:
    edl = remove(plain(), "girl")
    assert [one.visible for one in edl.instances] == [False, True]
    assert restore(edl, "girl") == plain()
    assert [one.visible for one in solo(edl, "girl").instances] == [True, False]
    assert not any(one.visible for one in solo(edl).instances)


def test_duplicate() -> None:
    edl = duplicate(plain(), "boy", copies=2, delay=F(1, N), offset=(10.0, -1.0))
    assert [one.name for one in edl.instances] == ["girl", "boy-3", "boy-2", "boy"]
    assert shown(edl, "boy") == list(range(N))
    assert shown(edl, "boy-3") == [0, 0, 0, 1, 2, 3, 4, 5, 6, 7]
    assert edl.instance("boy-3").offset == (20, -2)
    assert edl.instance("boy-2").layer == "boy"
    again = duplicate(edl, "boy")
    assert [one.name for one in again.instances] == ["girl", "boy-3", "boy-2", "boy-4", "boy"]


def test_operations_leave_their_input_alone() -> None:
    edl = plain()
    freeze(remove(duplicate(edl, "girl"), "boy"), "girl", at=F(0))
    assert edl == plain()


@pytest.mark.refusal
def test_what_cannot_be_done_is_refused() -> None:
    edl = plain()
    for operation in (
        lambda: freeze(edl, "dog", at=F(0)),
        lambda: delay(edl, "dog", by=F(1, 2)),
        lambda: speed(edl, "dog", factor=F(2)),
        lambda: remove(edl, "dog"),
        lambda: solo(edl, "girl", "dog"),
        lambda: duplicate(edl, "dog"),
    ):
        with pytest.raises(InputError, match=r"got 'dog'. There is: girl, boy\."):
            operation()
    with pytest.raises(InputError, match="the range must be within the edit, 0 to 1 s, and not empty; got 1 to 1 s"):
        freeze(edl, "girl", at=F(1))
    with pytest.raises(InputError, match=r"got 0.5 to 0.2 s"):
        freeze(edl, "girl", at=F(1, 2), until=F(1, 5))
    with pytest.raises(InputError, match=r"girl must be in view at the moment to be frozen; got hidden at 0.1 s"):
        freeze(delay(edl, "girl", by=F(1, 2), outside="hide"), "girl", at=F(1, N))
    with pytest.raises(InputError, match="a delay must be shorter than the edit, 1 s; got -1 s"):
        delay(edl, "girl", by=F(-1))
    with pytest.raises(InputError, match=r"got 0.0%. Use freeze to stand still"):
        speed(edl, "girl", factor=F(0))
    with pytest.raises(InputError, match="the number of copies must be 1 to 64; got 65"):
        duplicate(edl, "girl", copies=65)
