from __future__ import annotations

import numpy as np
from tests.project.small_scene import SIZE, small_stack

from polytempo.project.sheet import (
    NEVER_SEEN,
    chequer,
    contact_sheet,
    coverage_in_frame,
    error_picture,
    lay_over,
    layers_sheet,
    mark_unseen,
    over_chequer,
    sampled,
    write_text,
)


def test_over_by_hand() -> None:
    layer = np.zeros((1, 3, 4), np.uint8)
    layer[0, 1] = (100, 0, 0, 128)
    layer[0, 2] = (7, 8, 9, 255)
    back = np.full((1, 3, 3), 200, np.uint8)
    assert lay_over(layer, back)[0].tolist() == [[200, 200, 200], [200, 100, 100], [7, 8, 9]]
    assert np.array_equal(over_chequer(np.zeros((8, 9, 4), np.uint8)), chequer((9, 8), square_px=4))


def test_unseen_pixels_are_marked() -> None:
    stack, _, _ = small_stack(hole=True)
    seen = coverage_in_frame(stack.background.coverage, stack.camera, 0)
    assert (~seen).sum() == 20 * 20
    marked = mark_unseen(stack.background.colour, ~seen)
    hatched = (marked == NEVER_SEEN).all(axis=2).sum()
    assert 190 <= hatched <= 210
    assert np.array_equal(marked[seen], stack.background.colour[seen])


def test_error_runs_from_black_to_bright() -> None:
    picture = error_picture(np.array([[0.0, 16.0, 32.0, 300.0]]), full_scale=32)
    assert picture[0, 0].sum() < 20
    assert picture[0, 2].sum() > 500
    assert np.array_equal(picture[0, 2], picture[0, 3])


def test_names_keep_their_letters() -> None:
    pictures = [np.full((24, 90, 3), 255, np.uint8) for _ in range(3)]
    for picture, name in zip(pictures, ("Jürgen", "J?rgen", "Jurgen"), strict=True):
        write_text(picture, name, (4, 18))
        assert 20 < (picture < 128).any(-1).sum() < 700
    assert not any(np.array_equal(pictures[0], one) for one in pictures[1:])
    write_text(pictures[0], "J\udcffrgen", (4, 18))


def test_sheet_holds_all_cells() -> None:
    stack, pictures, _ = small_stack()
    frames = sampled(stack.n_frames, 3)
    assert frames == [0, 2, 5]
    sheet = layers_sheet(stack, [pictures[t] for t in frames], frames, cell_width=SIZE[0])
    assert sheet.dtype == np.uint8
    assert sheet.shape[0] > 3 * SIZE[1]
    assert sheet.shape[1] > 6 * SIZE[0]
    one = contact_sheet([("row", [pictures[0]])], ["Mädchen"], cell_width=32)
    assert one.shape[1] > 32
