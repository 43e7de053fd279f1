import pickle

import pytest

from polytempo.core.errors import (
    CancelledError,
    InputError,
    PolytempoError,
    ResourceError,
    ShapeError,
    VersionError,
)

MUST = "frame counts must match"
TWO_LINES = "two\n  lines of a library.\n"
SNAPSHOT = {
    "objects.trimap: frame counts must match; got 120 frames and 118 masks. Trim the masks. File: a/b.mp4": InputError(
        "objects.trimap",
        "frame counts must match",
        got="120 frames and 118 masks",
        todo="Trim the masks",
        path="a/b.mp4",
    ),
    "a.b: it must hold.": ShapeError("a.b", "it must hold"),
    "a.b: it must hold; got 3.": ResourceError("a.b", "it must hold", got="3"),
    "a.b: it must hold. Do that.": CancelledError("a.b", "it must hold", todo="Do that"),
    "a.b: it must hold. File: x": VersionError("a.b", "it must hold", path="x"),
    "a.b: it must hold; got two lines of a library.": InputError("a.b", "it must hold", got=TWO_LINES),
}


@pytest.mark.parametrize("text", SNAPSHOT)
def test_text(text: str) -> None:
    assert str(SNAPSHOT[text]) == text


@pytest.mark.parametrize("error", SNAPSHOT.values())
def test_survives_a_process_border(error: PolytempoError) -> None:
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is type(error)
    assert str(back) == str(error)
    assert (back.where, back.must, back.got, back.todo, back.path) == (
        error.where, error.must, error.got, error.todo, error.path,
    )  # fmt: skip


def test_family() -> None:
    assert issubclass(InputError, ValueError)
    assert issubclass(ShapeError, InputError)
    assert not issubclass(ResourceError, InputError)
    assert not issubclass(CancelledError, InputError)
