from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from polytempo.atlas.edit import BACKGROUND, AtlasEdit, edited_stack, overlay_edit, repainted_edit
from polytempo.atlas.picture import AtlasPicture, atlas_pictures, atlas_sampled, texels
from polytempo.core.errors import InputError, ShapeError
from polytempo.decompose.bare import background_plate
from polytempo.decompose.nvd.build import background_of, empty_model
from polytempo.decompose.nvd.config import nvd_draft_config
from polytempo.decompose.nvd.export import frame_of_model, render_frames
from polytempo.decompose.nvd.model import AtlasModel
from polytempo.layers.stack import Layer, LayerStack
from polytempo.synth.draw import DrawnScene
from support import true_cast

SIDE = 200


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Made:
    """A model that knows the motion and nothing else, its stack and its atlases."""

    model: AtlasModel
    stack: LayerStack
    pictures: list[AtlasPicture]


@pytest.fixture(scope="module")
def made(lone_scene: DrawnScene) -> Made:
    scene, cast = lone_scene, true_cast(lone_scene)
    model = empty_model(scene.pictures, scene.camera, cast, config=nvd_draft_config())
    plate = background_plate(scene.pictures, scene.camera, cast)
    frames = list(render_frames(model, (1,), scene.camera, scene.pictures, plate, with_detail=False))
    layer = Layer(layer_id=1, name="walker", subject_ids=(1,), pictures=np.stack([one.pictures[1] for one in frames]))
    stack = LayerStack(
        background=background_of(plate, live=np.stack([one.live for one in frames])),
        layers=(layer,),
        order=cast.order,
        camera=scene.camera,
    )
    return Made(model=model, stack=stack, pictures=atlas_pictures(model, side_px=SIDE))


def square(picture: AtlasPicture, *, at: tuple[int, int], size: int = 12, alpha: int = 255) -> np.ndarray:
    overlay = np.zeros((*picture.coverage.shape, 4), np.uint8)
    overlay[at[1] - size : at[1] + size, at[0] - size : at[0] + size] = (255, 0, 255, alpha)
    return overlay


def middle(changed: np.ndarray) -> np.ndarray:
    rows, columns = np.nonzero(changed)
    return np.array([columns.mean(), rows.mean()])


def test_texels_lie_in_the_middle_of_their_squares() -> None:
    centres = (np.arange(SIDE) + 0.5) * 2 / SIDE - 1
    assert np.allclose(texels(centres, SIDE), np.arange(SIDE))
    ramp = np.tile(np.arange(SIDE, dtype=np.float32)[None, :, None], (SIDE, 1, 1))
    u, v = np.meshgrid(centres[3:90:7], centres[5:9])
    assert np.allclose(atlas_sampled(ramp, np.stack([u, v], -1))[..., 0], np.arange(3, 90, 7)[None], atol=0.05)


def test_an_atlas_picture_is_the_texture_and_where_it_is_seen(made: Made, lone_scene: DrawnScene) -> None:
    walker, background = made.pictures
    assert background.rgba.shape == (SIDE, SIDE, 4)
    width, height = lone_scene.spec.size
    # The background lies in its atlas as wide as 0.9 of it, and as high as the frame is.
    rows, columns = np.nonzero(background.coverage > 128)
    assert columns.max() - columns.min() == pytest.approx(0.9 * SIDE, abs=3)
    assert rows.max() - rows.min() == pytest.approx(0.9 * SIDE * height / width, abs=3)
    inside = background.coverage[rows.min() : rows.max(), columns.min() : columns.max()]
    assert (inside > 0).all()  # no gaps between pixels, which lie two texels apart
    assert walker.coverage[SIDE // 2, SIDE // 2] > 200  # a walker is in the middle of its own
    assert walker.coverage[2, 2] < 2
    uv = torch.tensor([[(50 + 0.5) * 2 / SIDE - 1, (80 + 0.5) * 2 / SIDE - 1]])
    expected = made.model.colour(uv, 1)[0].detach().numpy() * 255
    assert np.abs(background.colour[80, 50] - expected).max() <= 0.51


def test_no_paint_changes_nothing(made: Made) -> None:
    nothing = AtlasEdit(change=np.zeros((SIDE, SIDE, 3), np.float32))
    edited = edited_stack(made.stack, made.model, {1: nothing, BACKGROUND: AtlasEdit()})
    for t in (0, 5):
        assert np.array_equal(edited.layers[0].pictures[t], made.stack.layers[0].pictures[t])
        assert edited.background.live is not None
        assert made.stack.background.live is not None
        assert np.array_equal(edited.background.live[t], made.stack.background.live[t])
    assert len(edited.layers[0].pictures) == made.stack.n_frames


def test_paint_stays_on_the_wall_and_goes_with_the_walker(made: Made, lone_scene: DrawnScene) -> None:
    walker, background = made.pictures
    wall = overlay_edit(background, square(background, at=(40, 80)))
    shirt = overlay_edit(walker, square(walker, at=(SIDE // 2, SIDE // 2)))
    edited = edited_stack(made.stack, made.model, {BACKGROUND: wall, 1: shirt})
    assert edited.background.live is not None
    assert made.stack.background.live is not None
    on_wall, on_walker = [], []
    for t in (0, 3, 5):
        moved = np.asarray(edited.background.live[t]).astype(int) - made.stack.background.live[t]
        on_wall.append(middle(np.abs(moved).sum(-1) > 60))
        moved = np.asarray(edited.layers[0].pictures[t]).astype(int) - made.stack.layers[0].pictures[t]
        changed = np.abs(moved).sum(-1) > 60
        assert (moved[~(lone_scene.amodal[0, t] | lone_scene.masks[0, t])] ** 2).mean() < 25
        on_walker.append(middle(changed) - middle(lone_scene.masks[0, t]))
    assert np.ptp(on_wall, axis=0).max() < 0.05
    assert np.ptp(on_walker, axis=0).max() < 1
    assert np.abs(on_walker).max() < 3
    # Texel 40 of 200 is at u = -0.595, which is pixel (−0.595 / 0.9 + 1) · 48 of 96.
    assert on_wall[0][0] == pytest.approx((-0.6 / 0.9 + 1) * 48, abs=1)


def test_paint_lies_under_the_light(made: Made, lone_scene: DrawnScene) -> None:
    model = empty_model(lone_scene.pictures, lone_scene.camera, true_cast(lone_scene), config=nvd_draft_config())
    model.load_state_dict(made.model.state_dict())
    background = made.pictures[1]
    edit = overlay_edit(background, square(background, at=(40, 80), alpha=60))

    def shift(**changes: Any) -> float:
        now = AtlasEdit(change=edit.change, **changes)
        live = edited_stack(made.stack, model, {BACKGROUND: now}).background.live
        before = made.stack.background.live
        assert live is not None
        assert before is not None
        moved = np.asarray(live[2]).astype(float) - before[2]
        return float(np.abs(moved[..., :3]).max())

    under_one = shift()
    with torch.no_grad():
        model.residuals[1].decoder[-1].bias.fill_(math.log(0.5))
    assert shift() == pytest.approx(under_one / 2, abs=2)
    with torch.no_grad():  # a light that moves: from 1/2 in the first frame to 2 in the last
        model.residuals[1].decoder[-1].bias.fill_(0)
        model.residuals[1].decoder[-1].weight.fill_(0)
    said = frame_of_model(model, 2)
    assert torch.allclose(said.residual[1], torch.ones_like(said.residual[1]))
    assert shift(light_gain=0.0) == pytest.approx(under_one, abs=2)


def test_light_is_borrowed_and_scaled(made: Made, lone_scene: DrawnScene) -> None:
    class Lit(AtlasModel):
        def light(self, uv: torch.Tensor, frame: torch.Tensor, layer: int) -> torch.Tensor:
            return (1 + 0.1 * frame)[:, None].expand(-1, 3)

    model = made.model
    model.__class__ = Lit
    try:
        live = made.stack.background.live
        assert live is not None
        for edit, factor in ((AtlasEdit(light_from=0), 1.0), (AtlasEdit(light_gain=0.0), 1.0),
                             (AtlasEdit(light_from=5), 1.5), (AtlasEdit(light_gain=2.0), 1.4)):  # fmt: skip
            edited = edited_stack(made.stack, model, {BACKGROUND: edit}).background.live
            assert edited is not None
            said = frame_of_model(model, 2)
            expected = said.colour[1].numpy() * 255 * (factor - 1.2)
            known = live[2][..., 3] == 255
            moved = np.asarray(edited[2])[..., :3].astype(float) - live[2][..., :3]
            inside = known & (np.asarray(edited[2])[..., :3].max(-1) < 255)
            assert np.abs(moved - expected)[inside].max() < 1
    finally:
        model.__class__ = AtlasModel


def test_what_is_painted_anew_counts_where_it_differs(made: Made) -> None:
    background = made.pictures[1]
    painted = background.colour.copy()
    painted[100:110, 100:120] = 7
    edit = repainted_edit(background, painted)
    assert edit.change is not None
    assert (edit.change != 0).any(-1).sum() <= 200
    assert np.allclose(background.colour / 255 + edit.change, painted / 255, atol=1e-6)


def test_paint_that_is_mostly_never_seen_is_told(made: Made, caplog: pytest.LogCaptureFixture) -> None:
    overlay = np.full((SIDE, SIDE, 4), 255, np.uint8)
    with caplog.at_level(logging.WARNING):
        overlay_edit(made.pictures[0], overlay)
    assert "never shows the layer" in caplog.text


@pytest.mark.refusal
def test_what_is_no_edit_is_refused(made: Made) -> None:
    walker, background = made.pictures
    with pytest.raises(ShapeError, match=r"200x200 pixels of 8-bit RGBA; got uint8 \(100, 100, 4\)"):
        overlay_edit(background, np.zeros((100, 100, 4), np.uint8))
    with pytest.raises(ShapeError, match="8-bit RGBA"):
        overlay_edit(background, np.zeros((SIDE, SIDE, 3), np.uint8))
    with pytest.raises(ShapeError, match="repainted atlas"):
        repainted_edit(background, np.zeros((SIDE, SIDE, 4), np.uint8))
    corner = np.zeros((SIDE, SIDE, 4), np.uint8)
    corner[:3, :3] = 255
    with pytest.raises(InputError, match="must lie where the layer is seen"):
        overlay_edit(walker, corner)
    with pytest.raises(InputError, match="layer that is there; got layer id 9"):
        edited_stack(made.stack, made.model, {9: AtlasEdit()})
    with pytest.raises(InputError, match="frame 0 to 5; got frame 6"):
        edited_stack(made.stack, made.model, {1: AtlasEdit(light_from=6)})
    with pytest.raises(InputError, match="light_gain must be 0 or more"):
        edited_stack(made.stack, made.model, {1: AtlasEdit(light_gain=-1.0)})
    with pytest.raises(InputError, match="16 to 8192 pixels wide; got 4"):
        atlas_pictures(made.model, side_px=4)
