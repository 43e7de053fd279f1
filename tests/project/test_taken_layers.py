"""Layers that come from another project of the same clip."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tests.project.small_scene import SIZE, N, small_stack

from polytempo.core.errors import InputError
from polytempo.core.progress import silent
from polytempo.layers.stack import LayerStack
from polytempo.layers.store import read_stack, write_stack
from polytempo.project.folder import DamagedProjectError, Project, open_project
from polytempo.project.run import Result, run_stage
from polytempo.project.taken_layers import FILE, forget_taken, keep_taken, with_taken
from polytempo.video.writer import write_clip


def layers_of(project: Project, *, shade: int) -> Result[LayerStack]:
    """A project's layers, all of one grey."""
    stack, _, _ = small_stack()
    for one in stack.layers:
        np.asarray(one.pictures)[..., :3] = np.minimum(shade, np.asarray(one.pictures)[..., 3:])

    def make(folder: Path, _: object) -> list[str]:
        write_stack(folder / "stack", stack)
        return []

    return run_stage(
        project, "layers", inputs={"shade": str(shade)}, make=make, load=lambda f: read_stack(f / "stack"),
        report=silent,
    )  # fmt: skip


def clip_at(path: Path, *, level: int) -> Path:
    write_clip(path, np.full((N, SIZE[1], SIZE[0], 3), level, np.uint8), size=SIZE, frame_rate=Fraction(24))
    return path


def test_a_layer_of_another_project_is_shown_until_none_is_said(tmp_path: Path) -> None:
    clip = clip_at(tmp_path / "clip.mp4", level=90)
    with open_project(tmp_path / "other.polytempo", clip=clip) as other:
        layers_of(other, shade=200)
    with open_project(tmp_path / "one.polytempo", clip=clip) as project:
        own = layers_of(project, shade=50)
        assert with_taken(project, own, silent) is own
        keep_taken(project, f"boy={tmp_path / 'other.polytempo'}")
        mixed = with_taken(project, own, silent)
        shades = [
            int(np.asarray(one.pictures[0]).max(where=[True, True, True, False], initial=0))
            for one in mixed.value.layers
        ]
        assert shades == [50, 200]
        assert mixed.key != own.key
        assert project.current_result("layers") == mixed.folder
        assert with_taken(project, own, silent).reused
        forget_taken(project)
        assert with_taken(project, own, silent) is own


@pytest.mark.refusal
def test_what_cannot_be_taken_is_refused(tmp_path: Path) -> None:
    clip = clip_at(tmp_path / "clip.mp4", level=90)
    with open_project(tmp_path / "two.polytempo", clip=clip_at(tmp_path / "two.mp4", level=20)) as other:
        layers_of(other, shade=200)
    with open_project(tmp_path / "empty.polytempo", clip=clip):
        pass
    with open_project(tmp_path / "same.polytempo", clip=clip) as other:
        layers_of(other, shade=200)
    with open_project(tmp_path / "one.polytempo", clip=clip) as project:
        own = layers_of(project, shade=50)
        for text, message in (
            ("boy", "must read NAME=PROJECT"),
            (f"boy={tmp_path / 'nowhere.polytempo'}", "taken from another project; got itself or none"),
            (f"boy={project.root}", "taken from another project; got itself or none"),
            (f"boy={tmp_path / 'two.polytempo'}", "a project of the same clip"),
            (f"boy={tmp_path / 'empty.polytempo'}", "the stage 'layers' must have been run"),
            (f"cat={tmp_path / 'same.polytempo'}", "the other project must have the layer; got 'cat'. It has: boy"),
        ):
            with pytest.raises(InputError, match=message):
                keep_taken(project, text)
        assert not (project.root / FILE).exists()
        (project.root / FILE).write_text(json.dumps({"cat": str(tmp_path / "same.polytempo")}))
        with pytest.raises(InputError, match="both must have the layer; got 'cat'"):
            with_taken(project, own, silent)
        (project.root / FILE).write_text("{")
        with pytest.raises(DamagedProjectError, match="the list of taken layers must be whole"):
            with_taken(project, own, silent)
