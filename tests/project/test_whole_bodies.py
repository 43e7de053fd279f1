"""Completed bodies are made once, kept, and made again where they cannot be read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from polytempo.bodies.complete_cast import BodiesConfig, bodies_of, completed_cast
from polytempo.camera.path import static_path
from polytempo.core.progress import silent
from polytempo.project.folder import DamagedProjectError, Project
from polytempo.project.run import Result, run_stage
from polytempo.project.whole_bodies import WholeBodies, run_whole_bodies
from polytempo.synth.draw import DrawnScene
from support import detections, true_cast


@dataclass
class Frames:
    """Pictures as a store of frames has them."""

    pictures: np.ndarray

    @property
    def size(self) -> tuple[int, int]:
        return self.pictures.shape[2], self.pictures.shape[1]

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, t: int) -> np.ndarray:
        return self.pictures[t]


def given(project: Project, stage: str, value: object) -> Result:
    return run_stage(
        project, stage, inputs={}, make=lambda folder, report: (), load=lambda folder: value, report=silent
    )


def made(project: Project, scene: DrawnScene) -> tuple[Result[WholeBodies], tuple]:
    frames = Frames(scene.pictures)
    cast, camera = true_cast(scene), static_path(len(frames), frames.size)
    bodies = bodies_of(cast, detections(scene), camera)
    stages = zip(("frames", "cast", "camera", "bodies"), (frames, cast, camera, bodies), strict=True)
    results = [given(project, name, value) for name, value in stages]
    whole = run_whole_bodies(project, *results, config=BodiesConfig(), report=silent)
    return whole, completed_cast(scene.pictures, cast, bodies, camera=camera)


def test_what_is_kept_is_what_was_made(project: Project, crossing_scene: DrawnScene) -> None:
    whole, (cast, hidden) = made(project, crossing_scene)
    for kept, one in zip(whole.value.cast.subjects, cast.subjects, strict=True):
        np.testing.assert_array_equal(kept.amodal, one.amodal)
    pictures = whole.value.hidden()
    assert {who: list(of_one) for who, of_one in pictures.items()} == {who: list(one) for who, one in hidden.items()}
    assert sum(len(of_one) for of_one in pictures.values()) > 0
    for who, of_one in hidden.items():
        for t, rgba in of_one.items():
            assert pictures[who][t].dtype == np.float32
            np.testing.assert_allclose(pictures[who][t], rgba, atol=1e-3)


def test_a_second_time_nothing_is_made(
    project: Project, crossing_scene: DrawnScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = made(project, crossing_scene)
    calls: list[int] = []
    monkeypatch.setattr("polytempo.project.whole_bodies.completed_cast", lambda *_, **__: calls.append(1))
    again, _ = made(project, crossing_scene)
    assert again.key == first.key
    assert not calls


@pytest.mark.refusal
def test_damaged_pictures_are_named(project: Project, crossing_scene: DrawnScene) -> None:
    whole, _ = made(project, crossing_scene)
    (path,) = project.root.glob("stages/whole_bodies/*/hidden.npz")
    content = path.read_bytes()
    for damage in (content[: len(content) // 2], content[:200] + bytes(50) + content[250:], b""):
        path.chmod(0o644)
        path.write_bytes(damage)
        with pytest.raises(DamagedProjectError, match="must be what polytempo wrote"):
            whole.value.hidden()
