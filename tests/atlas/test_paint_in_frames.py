"""Paint that is drawn on a frame, placed as a sticker, or laid over a whole layer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from polytempo.atlas.edit import BACKGROUND, edited_stack, overlay_edit, recoloured_edit
from polytempo.atlas.on_frame import overlay_from_frame
from polytempo.atlas.picture import AtlasPicture
from polytempo.atlas.recolour import Recolour, recoloured
from polytempo.atlas.sticker import sticker, text_picture
from polytempo.camera.path import CameraPath
from polytempo.core.errors import InputError, ShapeError
from polytempo.layers.shading import Shading, node_places
from polytempo.layers.stack import Background, Layer, LayerStack

T, WIDTH, HEIGHT, STEP, SIDE = 4, 64, 40, 5, 160


def panning_stack() -> LayerStack:
    """A grey wall that a camera pans along, a square in front; atlases that know it exactly, under full light."""
    matrices = np.tile(np.eye(3), (T, 1, 1))
    matrices[:, 0, 2] = STEP * np.arange(T)
    camera = CameraPath(
        canvas_from_frame=matrices, canvas_size=(WIDTH + STEP * T, HEIGHT), frame_size=(WIDTH, HEIGHT),
        kind="panning", residual_px=np.zeros(T),
    )  # fmt: skip
    x, y = np.meshgrid(node_places(9, WIDTH), node_places(6, HEIGHT))
    uv = np.stack([np.stack([(x + STEP * t - 40) / 50, (y - 20) / 50], -1) for t in range(T)]).astype(np.float32)
    light = np.ones((T, 16, 16, 3), np.float32)
    live = np.full((T, HEIGHT, WIDTH, 4), (100, 100, 100, 255), np.uint8)
    pictures = np.zeros((T, HEIGHT, WIDTH, 4), np.uint8)
    for t in range(T):
        pictures[t, 10:30, 30 - STEP * t : 50 - STEP * t] = (200, 50, 50, 255)
    wall = Background(
        colour=np.full((HEIGHT, WIDTH + STEP * T, 3), 100, np.uint8),
        coverage=np.ones((HEIGHT, WIDTH + STEP * T), np.uint16), live=live, shading=Shading(uv=uv, light=light),
    )  # fmt: skip
    square = Layer(layer_id=1, name="box", subject_ids=(1,), pictures=pictures, shading=Shading(uv=uv, light=light))
    return LayerStack(background=wall, layers=(square,), order=((1,),) * T, camera=camera)


def blank(*, alpha: int = 0) -> np.ndarray:
    return np.dstack([np.zeros((HEIGHT, WIDTH, 3), np.uint8), np.full((HEIGHT, WIDTH), alpha, np.uint8)])


def atlas(grey: int = 100) -> AtlasPicture:
    return AtlasPicture(colour=np.full((SIDE, SIDE, 3), grey, np.uint8), coverage=np.full((SIDE, SIDE), 255, np.uint8))


def test_what_is_drawn_on_one_frame_is_there_and_where_it_belongs_in_all() -> None:
    stack, drawn = panning_stack(), blank()
    drawn[12:22, 35:47] = (250, 240, 10, 255)
    overlay, outside = overlay_from_frame(stack, BACKGROUND, drawn, 1, side_px=SIDE)
    assert outside < 1e-6
    live = edited_stack(stack, {BACKGROUND: overlay_edit(atlas(), overlay)}).background.live
    assert live is not None
    for t in range(T):
        changed = np.abs(np.asarray(live[t])[..., :3].astype(int) - 100).max(-1) > 60
        rows, columns = np.nonzero(changed)
        left = 35 - STEP * (t - 1)
        assert abs(rows.min() - 12) <= 1
        assert abs(rows.max() - 21) <= 1
        assert abs(columns.min() - left) <= 1
        assert abs(columns.max() - (left + 11)) <= 1
        assert np.abs(np.asarray(live[t])[16, left + 5, :3].astype(int) - (250, 240, 10)).max() <= 2
    assert np.array_equal(np.asarray(live[0])[:, :30], stack.background.live[0][:, :30])  # type: ignore[index]


def test_what_is_drawn_beside_somebody_is_not_theirs() -> None:
    stack, drawn = panning_stack(), blank()
    drawn[12:22, 20:40] = (0, 255, 0, 255)  # half of it on the box, which is at 30 in frame 0
    overlay, outside = overlay_from_frame(stack, 1, drawn, 0, side_px=SIDE)
    assert outside == pytest.approx(0.5, abs=0.01)
    box = edited_stack(stack, {1: overlay_edit(atlas(200), overlay)}).layers[0]
    painted = np.asarray(box.pictures[2])
    # What changes of an atlas of 200 is added to the 200, 50, 50 that the box shows.
    assert np.abs(painted[15, 30 - 2 * STEP + 4, :3].astype(int) - (0, 105, 0)).max() <= 2
    assert np.array_equal(painted[..., 3], stack.layers[0].pictures[2][..., 3])
    half, _ = overlay_from_frame(stack, BACKGROUND, blank(alpha=128), 0, side_px=SIDE)
    assert set(np.unique(half[..., 3][half[..., 3] > 100])) == {128}


def test_a_sticker_lies_where_it_is_put() -> None:
    picture = np.zeros((10, 20, 4), np.uint8)
    picture[...] = (10, 200, 30, 255)
    whole = sticker(picture, (100, 60), x=30, y=20, width_px=40)
    rows, columns = np.nonzero(whole[..., 3] > 127)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (20, 39, 30, 69)
    assert (whole[30, 50] == (10, 200, 30, 255)).all()
    part = sticker(picture, (100, 60), x=-10, y=-5, width_px=20)
    assert part[..., 3].astype(int).sum() == pytest.approx(255 * 10 * 5, rel=0.01)
    small = sticker(picture, (100, 60), x=5, y=5, width_px=4)
    assert small[..., 3].astype(int).sum() == pytest.approx(255 * 8, rel=0.02)


def test_words_are_as_high_as_asked_for() -> None:
    words = text_picture("Agy", height_px=40, colour=(255, 0, 0))
    rows = np.flatnonzero((words[..., 3] > 100).any(1))
    assert len(words) == 40
    assert rows[-1] - rows[0] >= 35
    assert (words[..., :3] == (255, 0, 0)).all()
    longer = text_picture("Agy Agy", height_px=40)
    assert longer.shape[1] > 2 * words.shape[1]


def test_words_of_other_scripts_have_letters_of_their_own() -> None:
    words = [text_picture(one, height_px=40) for one in ("Aya", "Äyä", "Яуя", "日本語", "한국어", "???")]
    assert len({one.tobytes() for one in words}) == len(words)
    assert np.array_equal(text_picture("Gru\u0308n", height_px=40), text_picture("Grün", height_px=40))


@pytest.mark.refusal
@pytest.mark.parametrize("strange", ["שלום", "\u0639", "न", "\U0001f600", "x\u0323\u0301\u0302", "\u200d"])
def test_letters_that_cannot_be_drawn_are_refused(strange: str) -> None:
    with pytest.raises(InputError, match="letters that can be drawn"):
        text_picture(f"A{strange}", height_px=20)


def test_colours_turn_round_the_circle_and_paint_with_them() -> None:
    red = np.full((2, 2, 3), (0.8, 0.2, 0.2), np.float32)
    assert np.allclose(recoloured(red, Recolour(hue=120)), (0.2, 0.8, 0.2), atol=1e-3)
    assert np.allclose(recoloured(red, Recolour(hue=-360)), red, atol=1e-3)
    assert np.allclose(recoloured(red, Recolour(saturation=0)), 0.5, atol=1e-3)
    assert np.allclose(recoloured(red, Recolour(brightness=0.5)), red / 2, atol=1e-3)
    overlay = np.zeros((SIDE, SIDE, 4), np.uint8)
    overlay[20:30, 20:30] = (204, 51, 51, 255)
    edit = recoloured_edit(atlas(), Recolour(hue=120), before=overlay_edit(atlas(), overlay))
    assert np.allclose(edit.change[25, 25] + 100 / 255, (0.2, 0.8, 0.2), atol=5e-3)
    assert np.allclose(edit.change[50, 50], 0, atol=5e-3)  # grey has no hue


def test_later_paint_lies_over_earlier() -> None:
    first, second = np.zeros((2, SIDE, SIDE, 4), np.uint8)
    first[10:40, 10:40] = (255, 0, 0, 255)
    second[20:30, 20:30] = (0, 0, 255, 128)
    edit = overlay_edit(atlas(), second, before=overlay_edit(atlas(), first))
    shown = edit.change * 255 + 100
    assert np.allclose(shown[12, 12], (255, 0, 0), atol=0.5)
    assert np.allclose(shown[25, 25], (127, 0, 128), atol=1)


@pytest.mark.refusal
def test_what_lies_nowhere_is_refused() -> None:
    stack, drawn = panning_stack(), blank()
    drawn[0:5, 0:5, 3] = 255
    with pytest.raises(
        InputError, match="what is drawn must lie on the layer; got nothing of it that does, in frame 0"
    ):
        overlay_from_frame(stack, 1, drawn, 0, side_px=SIDE)
    with pytest.raises(InputError, match="got a picture that is transparent everywhere"):
        overlay_from_frame(stack, BACKGROUND, blank(), 0, side_px=SIDE)
    with pytest.raises(ShapeError, match="must be 64x40 pixels of 8-bit RGBA"):
        overlay_from_frame(stack, 1, drawn[:, :-1], 0, side_px=SIDE)
    with pytest.raises(InputError, match="the frame must be 0 to 3; got 4"):
        overlay_from_frame(stack, 1, drawn, 4, side_px=SIDE)
    bare = replace(stack, background=replace(stack.background, shading=None))
    with pytest.raises(InputError, match="the layer must have an atlas"):
        overlay_from_frame(bare, BACKGROUND, drawn, 0, side_px=SIDE)
    with pytest.raises(InputError, match="letters that can be drawn; got 'ש'"):
        text_picture("Aש", height_px=20)
    with pytest.raises(InputError, match="4 to 4000 pixels high"):
        text_picture("A", height_px=1)
    with pytest.raises(InputError, match="must lie in the picture of 64x40"):
        sticker(drawn, (64, 40), x=70, y=0, width_px=10)
    with pytest.raises(InputError, match="hue must lie in"):
        Recolour(hue=1000)
