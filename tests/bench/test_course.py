from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from course import Course, followed, read_course, stopped_politely


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_asks_and_the_second_one_ends(
    number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(number)
    with stopped_politely() as stop:
        assert not stop()
        os.kill(os.getpid(), number)
        assert stop()
        assert "scoring what there is" in capsys.readouterr().out
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
    assert signal.getsignal(number) is before


def test_time_that_is_up_ends_a_course_too() -> None:
    with stopped_politely(wall_minutes=0) as stop:
        assert stop()
    with stopped_politely(wall_minutes=60) as stop:
        assert not stop()


def test_a_course_is_kept_after_every_epoch_and_planned_once(tmp_path: Path) -> None:
    course = read_course(tmp_path, "a", lambda: 7)
    assert course == Course(config="a", planned=7)
    enough = followed(course, tmp_path, lambda: course.done == 2)
    assert [enough(epoch) for epoch in (0, 1)] == [False, True]
    again = read_course(tmp_path, "a", lambda: 9)  # a busier machine would plan otherwise
    assert (again.planned, again.done, again.ended_early) == (7, 2, True)
    assert again.cpu_seconds == course.cpu_seconds
    assert read_course(tmp_path, "b", lambda: 9).planned == 9
