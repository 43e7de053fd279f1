from __future__ import annotations

from pathlib import Path

import numpy as np

from polytempo.project.records import Meter, Record, read_record, versions, write_record


def test_record_comes_back_and_damage_counts_as_absent(tmp_path: Path) -> None:
    meter = Meter()
    record = Record(
        stage="camera",
        key="abc",
        inputs={"frames": "def"},
        config={"n_features": 3},
        seed=7,
        versions=versions(),
        started=meter.started,
        seconds=meter.seconds(),
        peak_mb=meter.peak_mb(),
        warnings=("parallax",),
    )
    path = tmp_path / "record.json"
    write_record(path, record)
    assert read_record(path) == record
    path.write_text(path.read_text()[:40])
    assert read_record(path) is None
    assert read_record(tmp_path / "none.json") is None


def test_meter_sees_memory_of_its_own_stage() -> None:
    meter = Meter()
    before = meter.peak_mb()
    # The system's high-water mark never falls, and earlier tests of the process may have raised it.
    block = np.ones(int((before + 60) * 1e6), np.uint8)
    del block
    assert meter.peak_mb() > before + 30
    assert {"polytempo", "torch", "python"} <= set(versions())
