"""A drawn clip, and a project of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from polytempo.project.folder import Project, open_project
from polytempo.video.clip import Clip
from polytempo.video.probe import probe


@pytest.fixture
def clip(crossing_folder: Path) -> Clip:
    return probe(crossing_folder / "input.mp4")


@pytest.fixture
def project(tmp_path: Path, clip: Clip) -> Iterator[Project]:
    with open_project(tmp_path / "p.polytempo", clip=clip.path) as project:
        yield project
