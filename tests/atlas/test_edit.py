from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from polytempo.atlas.edit import BACKGROUND, AtlasEdit, edited_stack, overlay_edit, repainted_edit
from polytempo.atlas.paint import Paint, painted_crop
from polytempo.atlas.picture import AtlasPicture, atlas_pictures
from polytempo.core.errors import InputError, ShapeError
from polytempo.decompose.bare import background_plate
from polytempo.decompose.nvd.build import background_of, empty_model
from polytempo.decompose.nvd.config import nvd_draft_config
from polytempo.decompose.nvd.export import frame_of_model, render_frames
from polytempo.decompose.nvd.model import AtlasModel
from polytempo.decompose.nvd.shading import layer_shadings_in_memory
from polytempo.layers.shading import Shading, at_pixels, atlas_sampled
from polytempo.layers.sparse import Crop
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
    on_walker, on_wall = layer_shadings_in_memory(model)
    pictures = np.stack([one.pictures[1] for one in frames])
    layer = Layer(layer_id=1, name="walker", subject_ids=(1,), pictures=pictures, shading=on_walker)
    stack = LayerStack(
        background=replace(background_of(plate, live=np.stack([one.live for one in frames])), shading=on_wall),
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
    edited = edited_stack(made.stack, {1: nothing, BACKGROUND: nothing})
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
    edited = edited_stack(made.stack, {BACKGROUND: wall, 1: shirt})
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


def test_paint_lies_under_the_light(made: Made) -> None:
    background = made.pictures[1]
    edit = overlay_edit(background, square(background, at=(40, 80), alpha=60))
    shading, before = made.stack.background.shading, made.stack.background.live
    assert shading is not None
    assert before is not None

    def shift(light: float) -> float:
        lit = Shading(uv=shading.uv, light=np.full_like(shading.light, light))
        stack = replace(made.stack, background=replace(made.stack.background, shading=lit))
        live = edited_stack(stack, {BACKGROUND: edit}).background.live
        assert live is not None
        return float(np.abs(np.asarray(live[2]).astype(float) - before[2])[..., :3].max())

    assert shift(0.0) == 0
    assert shift(0.5) == pytest.approx(shift(1.0) / 2, abs=1)


def test_uv_and_light_are_those_of_the_model(made: Made, lone_scene: DrawnScene) -> None:
    size = lone_scene.spec.size
    for t in (0, 4):
        said = frame_of_model(made.model, t)
        for n, layer in ((0, made.stack.layers[0]), (1, made.stack.background)):
            assert layer.shading is not None
            uv = at_pixels(layer.shading.uv[t], size)
            shown = said.alpha[n].numpy() > 0.5
            off = (uv - said.uv[n].numpy())[shown] * made.model.extent.half / made.model.uv_scales[n]
            assert np.abs(off).max() < 0.1  # pixels
            light = at_pixels(atlas_sampled(layer.shading.light[t], layer.shading.uv[t]), size)
            assert np.abs(light - said.residual[n].numpy())[shown].max() < 0.02


def test_light_is_taken_from_around_where_it_is_not_seen(made: Made) -> None:
    class Lit(AtlasModel):
        """Halves the light to the left; what no frame shows is as bright as can be."""

        def light(self, uv: torch.Tensor, frame: torch.Tensor, layer: int) -> torch.Tensor:
            seen = torch.where(uv[:, :1] < 0, 0.5, 1.0)
            return torch.where(uv[:, 1:].abs() > 0.75, 50.0, seen).expand(-1, 3)

    made.model.__class__ = Lit
    try:
        (_, wall) = layer_shadings_in_memory(made.model)
    finally:
        made.model.__class__ = AtlasModel
    assert wall is not None
    light = wall.light[3]
    assert light.max() < 1.01
    side = len(light)
    assert np.allclose(light[side // 2, [side // 4, 3 * side // 4]], [[0.5] * 3, [1.0] * 3], atol=1e-3)
    assert light[0, side // 4, 0] < light[0, 3 * side // 4, 0]


@given(seed=st.integers(0, 2**32 - 1), factor=st.sampled_from([1, 3]))
@settings(max_examples=25)
def test_paint_is_what_plain_numpy_makes_of_it(seed: int, factor: int) -> None:
    rng = np.random.default_rng(seed)
    size = (20 * factor, 14 * factor)
    x, y, side = int(rng.integers(0, 5)), int(rng.integers(0, 5)), int(rng.integers(4, 40))
    picture = rng.integers(0, 256, (size[1] - y, size[0] - x, 4)).astype(np.uint8)
    picture[..., :3] = np.minimum(picture[..., :3], picture[..., 3:])
    change = np.zeros((side, side, 3), np.float32)
    change[1:-1, 1 : side // 2 + 1] = rng.uniform(-1, 1, (side - 2, side // 2, 3))
    uv = np.stack(np.meshgrid(np.linspace(-1.3, 0.9, 7), np.linspace(-1, 1.2, 6)), -1).astype(np.float32)
    uv += rng.uniform(-0.05, 0.05, uv.shape).astype(np.float32)
    light = rng.uniform(0, 2, (6, 7, 3)).astype(np.float32)
    got = painted_crop(Crop(x=x, y=y, picture=picture), Paint.of(change), uv=uv, light=light, size=size)
    box = (x, y, size[0] - x, size[1] - y)
    add = atlas_sampled(change, at_pixels(uv, size, box=box)) * at_pixels(light, size, box=box)
    alpha = picture[..., 3:].astype(np.float32)
    expected = np.clip(picture[..., :3] + alpha * add, 0, alpha)
    # OpenCV looks at 1/32 of a texel or node, so the reference is as coarse as that.
    slack = 255 * 2 * (2 / 32 * 2 + 7 / 32 * 0.12 * side / 2) + 1
    assert np.abs(got.picture[..., :3] - expected).max() <= slack
    assert np.median(np.abs(got.picture[..., :3] - expected)) <= 8
    assert np.array_equal(got.picture[..., 3], picture[..., 3])
    assert (got.x, got.y) == (x, y)
    assert np.array_equal(got.picture[alpha[..., 0] == 0], picture[alpha[..., 0] == 0])


def test_what_is_painted_anew_counts_where_it_differs(made: Made) -> None:
    background = made.pictures[1]
    painted = background.colour.copy()
    painted[100:110, 100:120] = 7
    edit = repainted_edit(background, painted)
    assert (edit.change != 0).any(-1).sum() <= 200
    assert np.allclose(background.colour / 255 + edit.change, painted / 255, atol=1e-6)


def test_paint_that_is_mostly_never_seen_is_told(made: Made) -> None:
    overlay = np.full((SIDE, SIDE, 4), 255, np.uint8)
    walker = made.pictures[0]
    assert overlay_edit(walker, overlay).unseen == pytest.approx((walker.coverage < 26).mean())
    assert overlay_edit(walker, square(walker, at=(100, 100), size=3)).unseen == 0


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
    nothing = AtlasEdit(change=np.zeros((SIDE, SIDE, 3), np.float32))
    with pytest.raises(InputError, match="layer that is there; got layer id 9"):
        edited_stack(made.stack, {9: nothing})
    bare = replace(made.stack, layers=(replace(made.stack.layers[0], shading=None),))
    with pytest.raises(InputError, match="a layer that has an atlas; got layer id 1"):
        edited_stack(bare, {1: nothing})
    with pytest.raises(ShapeError, match="UV and light must lie at the same nodes"):
        painted_crop(
            Crop(x=0, y=0, picture=np.zeros((4, 4, 4), np.uint8)),
            Paint.of(nothing.change),
            uv=np.zeros((4, 4, 2), np.float32),
            light=np.zeros((5, 4, 3), np.float32),
            size=(4, 4),
        )
    with pytest.raises(InputError, match="16 to 8192 pixels wide; got 4"):
        atlas_pictures(made.model, side_px=4)
