from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from polytempo.cli.options import Place, Working
from polytempo.cli.session import project_and_clip, session
from polytempo.core.errors import InputError
from polytempo.project.folder import DamagedProjectError
from polytempo.video.writer import write_clip


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "beach day.mp4"
    write_clip(path, np.full((3, 48, 64, 3), 90, np.uint8), size=(64, 48), frame_rate=Fraction(24))
    return path


def test_a_project_is_named_after_its_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert project_and_clip(Path("a/b.mp4"), None) == (tmp_path / "b.polytempo", Path("a/b.mp4"))
    assert project_and_clip(Path("a/b.mp4"), Path("p")) == (Path("p"), Path("a/b.mp4"))
    assert project_and_clip(Path("x.polytempo"), None) == (Path("x.polytempo"), None)


def test_settings_once_given_stay(clip: Path, tmp_path: Path) -> None:
    root = tmp_path / "p.polytempo"
    with session(clip, Working(project=root, sets=["work_side_px=128"])) as now:
        assert now.settings.work_side_px == 128
    with session(root, Working(sets=["seed=3"])) as now:
        assert (now.settings.work_side_px, now.settings.seed) == (128, 3)
    with session(root, Place()) as now:
        assert (now.settings.work_side_px, now.settings.seed) == (128, 3)


@pytest.mark.refusal
def test_wrong_settings_leave_nothing_behind(clip: Path, tmp_path: Path) -> None:
    root = tmp_path / "p.polytempo"
    for setting, message in (
        ("wrok_side_px=128", "got wrok_side_px"),
        ("work_side_px=9", "must lie between 64 and 4096"),
        ("render.codec=gif", r"render\.codec must be right"),
    ):
        with pytest.raises(InputError, match=message), session(clip, Working(project=root, sets=[setting])):
            pass
    assert not root.exists()
    with session(clip, Place(project=root)):
        pass
    (root / "settings.json").write_text("[")
    with (
        pytest.raises(DamagedProjectError, match=r"settings\.json must be what polytempo wrote"),
        session(root, Place()),
    ):
        pass
    with pytest.raises(InputError, match="one project must be named"), session(root, Place(project=tmp_path / "q")):
        pass
