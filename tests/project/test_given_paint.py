"""Paint in all its forms, kept in a project and made edits of its layers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from polytempo.atlas.edit import BACKGROUND
from polytempo.core.errors import InputError, ShapeError
from polytempo.core.progress import silent
from polytempo.decompose.nvd.build import empty_model
from polytempo.decompose.nvd.config import nvd_draft_config
from polytempo.decompose.nvd.model import AtlasModel
from polytempo.decompose.nvd.shading import layer_shadings_in_memory
from polytempo.layers.stack import LayerStack
from polytempo.project.folder import Project, open_project
from polytempo.project.given_paint import (
    FOLDER,
    accept_paint,
    forget_paint,
    given_edits,
    keep_paint,
    paint_key,
    refuse_paint,
)
from polytempo.synth.draw import DrawnScene
from polytempo.video.clip import Clip
from polytempo.video.probe import probe
from polytempo.video.writer import write_clip
from support import true_cast

SIZE = (96, 64)


@pytest.fixture
def clip(tmp_path: Path, lone_scene: DrawnScene) -> Clip:
    write_clip(tmp_path / "clip.mp4", lone_scene.pictures, size=SIZE, frame_rate=Fraction(24))
    return probe(tmp_path / "clip.mp4")


@pytest.fixture
def project(tmp_path: Path, clip: Clip) -> Iterator[Project]:
    with open_project(tmp_path / "one.polytempo", clip=clip.path) as opened:
        yield opened


@pytest.fixture(scope="module")
def known(lone_scene: DrawnScene) -> tuple[AtlasModel, LayerStack]:
    """Atlases of which only the motion is known, and the true layers with them."""
    model = empty_model(lone_scene.pictures, lone_scene.camera, true_cast(lone_scene), config=nvd_draft_config())
    body, wall = layer_shadings_in_memory(model)
    stack = lone_scene.stack()
    layers = (replace(stack.layers[0], shading=body),)
    return model, replace(stack, layers=layers, background=replace(stack.background, shading=wall))


def picture(path: Path, size: tuple[int, int], *, alpha: bool = True, box: tuple[int, ...] | None = None) -> Path:
    image = np.zeros((size[1], size[0], 4 if alpha else 3), np.uint8)
    left, top, right, bottom = box or (0, 0, *size)
    image[top:bottom, left:right] = 255
    cv2.imwrite(str(path), image)
    return path


def names(project: Project) -> list[str]:
    return sorted(one.name for one in (project.root / FOLDER).iterdir())


def test_every_form_is_kept_in_order_and_a_whole_atlas_replaces_the_one_before(
    project: Project, clip: Clip, tmp_path: Path
) -> None:
    assert paint_key(project) is None
    wall, drawn = picture(tmp_path / "wall.png", (64, 64)), picture(tmp_path / "drawn.png", SIZE)
    keep_paint(project, clip, f"background={wall}")
    keep_paint(project, clip, f"background={drawn}@3f")
    keep_paint(project, clip, f"background={wall}:10,12.5,30@0f")
    keep_paint(project, clip, "girl-2=text:HELLO: YOU:10,20,12,FF8800@0f")
    keep_paint(project, clip, "girl-2=recolour:hue:-120,saturation:0.5")
    first = paint_key(project)
    assert names(project) == [
        "0001-background-painted.png", "0002-background-3.png", "0003-background-0.png", "0004-girl-2-0.png",
        "0005-girl-2-recolour.json",
    ]  # fmt: skip
    words = cv2.imread(str(project.root / FOLDER / "0004-girl-2-0.png"), cv2.IMREAD_UNCHANGED)
    assert words.shape == (64, 96, 4)
    rows = np.flatnonzero((words[..., 3] > 60).any(1))
    assert (rows.min() >= 19, rows.max() <= 33) == (True, True)
    assert (words[words[..., 3] > 200][:, :3] == (0x00, 0x88, 0xFF)).all()
    keep_paint(project, clip, f"background={wall}")
    assert names(project)[0] == "0002-background-3.png"
    assert names(project)[-1] == "0006-background-painted.png"
    assert paint_key(project) != first
    forget_paint(project)
    assert paint_key(project) is None


def test_paint_becomes_edits_and_what_is_lost_is_told(
    project: Project, clip: Clip, known: tuple[AtlasModel, LayerStack], lone_scene: DrawnScene, tmp_path: Path
) -> None:
    model, stack = known
    keep_paint(project, clip, f"background={picture(tmp_path / 'a.png', SIZE, box=(60, 4, 80, 12))}@0f")
    rows, columns = np.nonzero(lone_scene.masks[0, 2])
    middle = round(columns.mean()), round(rows.mean())
    half = (middle[0], middle[1] - 2, middle[0] + 24, middle[1] + 2)
    who = stack.layers[0].name
    keep_paint(project, clip, f"{who}={picture(tmp_path / 'b.png', SIZE, box=half)}@2f")
    keep_paint(project, clip, f"{who}=recolour:brightness:0.5")
    edits, told = given_edits(project, model, stack, true_cast(lone_scene), report=silent)
    assert set(edits) == {BACKGROUND, 1}
    assert edits[1].change.shape == (1000, 1000, 3)
    lost = told[0]
    assert "of what was drawn on frame 2 lies outside" in lost
    assert 30 < float(lost.split("%")[0]) < 95
    keep_paint(project, clip, f"{who}={picture(tmp_path / 'c.png', SIZE, box=(0, 0, 3, 3))}@2f")
    with pytest.raises(InputError, match="what is drawn must lie on the layer"):
        given_edits(project, model, stack, true_cast(lone_scene), report=silent)
    forget_paint(project)
    keep_paint(project, clip, f"cat={picture(tmp_path / 'd.png', (64, 64))}")
    with pytest.raises(InputError, match="for a layer that there is; got 'cat'"):
        given_edits(project, model, stack, true_cast(lone_scene), report=silent)


def test_paint_that_does_not_fit_leaves_the_project_with_what_it_had(
    project: Project, clip: Clip, tmp_path: Path
) -> None:
    wall, other = picture(tmp_path / "wall.png", (64, 64)), picture(tmp_path / "other.png", (32, 32))
    error = InputError("x", "it must fit", got="nothing that does", todo="Paint elsewhere", path="p/0001-cat-3.png")
    keep_paint(project, clip, f"background={wall}")
    said = refuse_paint(project, error)
    assert paint_key(project) is None  # nothing was there before
    assert str(said) == (
        "x: it must fit; got nothing that does, as 0001-cat-3. "
        "Paint elsewhere. The project keeps the paint that it had."
    )
    keep_paint(project, clip, f"background={wall}")
    accept_paint(project)
    fits = paint_key(project)
    keep_paint(project, clip, f"background={other}")  # in its place
    keep_paint(project, clip, f"background={picture(tmp_path / 'drawn.png', SIZE)}@3f")
    refuse_paint(project, error)
    assert paint_key(project) == fits
    assert str(refuse_paint(project, error)).endswith("begin anew with --paint none. File: p/0001-cat-3.png")
    assert paint_key(project) == fits  # what fitted once is not thrown away
    forget_paint(project)
    keep_paint(project, clip, f"background={other}")
    refuse_paint(project, error)
    assert paint_key(project) is None


@pytest.mark.refusal
def test_what_is_no_paint_is_refused_and_nothing_kept(project: Project, clip: Clip, tmp_path: Path) -> None:
    wide, small = picture(tmp_path / "wide.png", SIZE), picture(tmp_path / "small.png", (20, 20), alpha=False)
    (tmp_path / "text.png").write_text("no picture")
    for text, error, message in (
        ("background", InputError, "paint must be given as NAME=FILE"),
        ("a/b=x.png", InputError, "paint must be given as NAME=FILE"),
        ("background=nowhere.png", InputError, "a file that can be read"),
        (f"background={tmp_path / 'text.png'}", InputError, "a picture of 8 bits in colours"),
        (f"background={wide}", InputError, r"must be square; got 96x64\. .* is given with @FRAME"),
        (f"background={small}@1f", InputError, "must be 96x64 pixels of RGBA; got 20x20 in 3 channels"),
        (f"background={wide}@9s", InputError, "times must be within the clip"),
        (f"background={small}:200,0,10@0f", InputError, "must lie in the picture of 96x64"),
        (f"background={small}:0,0,10,FF0000@0f", InputError, "only words must be given a colour"),
        ("background=text:नमः:0,0,10@0f", InputError, "letters that can be drawn; got 'नमः'"),
        ("background=recolour:colour:3", InputError, "recolour must read"),
        ("background=recolour:hue:999", InputError, "hue must lie in"),
    ):
        with pytest.raises(error, match=message):
            keep_paint(project, clip, text)
    assert not (project.root / FOLDER).exists()
    assert issubclass(ShapeError, InputError)
