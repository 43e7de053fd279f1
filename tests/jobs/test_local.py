from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np

from polytempo.jobs.local import Event, Job, run_job, run_jobs
from polytempo.video.writer import write_clip


def test_jobs_run_one_after_another_and_a_failure_stops_nobody(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    write_clip(clip, np.full((3, 48, 64, 3), 90, np.uint8), size=(64, 48), frame_rate=Fraction(24))
    seen: list[Event] = []
    missing = Job(name="missing", words=("probe", str(tmp_path / "none.mp4")))
    there = Job(name="there", words=("probe", str(clip)))
    failed, done = run_jobs([missing, there], on_event=seen.append)
    assert (failed.exit_code, failed.events[-1]["event"]) == (2, "error")
    assert failed.message.startswith("video.probe: ")
    assert (done.exit_code, done.job.name) == (0, "there")
    assert done.events[-1]["frames"] == 3
    assert [one["event"] for one in seen] == ["error", "result"]


def test_words_that_make_no_sense_exit_2() -> None:
    assert run_job(Job(name="x", words=("fly",))).exit_code == 2
