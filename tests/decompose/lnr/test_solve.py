from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from two_squares import N_FRAMES, SIZE, TwoSquares

from polytempo.camera.plate import CleanPlate
from polytempo.core.progress import silent
from polytempo.decompose.lnr.solve import Separation, SolveConfig, SolvedFrame, solve_frame, solve_frames
from polytempo.objects.cast import Cast


def _plate(squares: TwoSquares) -> CleanPlate:
    return CleanPlate(
        colour=squares.background.astype(np.float32) / 255,
        noise=np.full(SIZE[::-1], 0.004, np.float32),
        coverage=np.full(SIZE[::-1], N_FRAMES, np.uint16),
        exposure=np.ones((N_FRAMES, 3), np.float32),
    )


def _known(squares: TwoSquares) -> Separation:
    """A separation as a perfect network would give it."""
    probability = np.zeros((N_FRAMES, 2, *SIZE[::-1]), np.uint8)
    for i, where in enumerate((squares.effects[1], squares.effects[2])):
        probability[:, i][where] = 255
    owned = squares.effects[1] | squares.effects[2]
    return Separation(
        layer_ids=(1, 2),
        probability=probability,
        change=np.zeros((N_FRAMES, 2, *SIZE[::-1], 3), np.float16),
        significance=np.where(owned, 200, 5).astype(np.uint8),
        dwelling=np.zeros((N_FRAMES, *SIZE[::-1]), np.uint8),
        hidden={},
    )


@pytest.fixture(scope="module")
def solved(squares: TwoSquares) -> list[SolvedFrame]:
    return list(
        solve_frames(
            squares.pictures,
            _plate(squares),
            squares.camera,
            squares.cast,
            _known(squares),
            config=SolveConfig(),
            report=silent,
        )
    )


def _over(layers: list[np.ndarray], base: np.ndarray) -> np.ndarray:
    out = base.astype(np.float32)
    for rgba in layers:
        out = rgba[..., :3] + (1 - rgba[..., 3:] / 255) * out
    return out


def _composite(one: SolvedFrame, base: np.ndarray, cast: Cast, t: int) -> np.ndarray:
    order = cast.order[t]
    return _over([one.live, *(one.effects[i] for i in order), *(one.bodies[i] for i in order)], base)


def test_all_layers_together_give_the_frame_back(squares: TwoSquares, solved: list[SolvedFrame]) -> None:
    for t in (0, 5, 11):
        error = _composite(solved[t], squares.background, squares.cast, t) - squares.pictures[t]
        assert np.sqrt((error**2).mean()) < 2.5


def test_without_a_layer_neither_its_body_nor_its_effect_stays(squares: TwoSquares, solved: list[SolvedFrame]) -> None:
    for t in (2, 8):
        one = solved[t]
        rest = _over([one.live, one.effects[2], one.bodies[2]], squares.background)
        gone = squares.cast.subjects[0].mask[t] | squares.effects[1][t]
        assert np.abs(rest - squares.background)[gone].mean() < 3


def test_bodies_are_opaque_inside_and_layers_are_premultiplied(squares: TwoSquares, solved: list[SolvedFrame]) -> None:
    for t, one in enumerate(solved):
        mask = squares.cast.subjects[0].mask[t].copy()
        inner = mask & np.roll(mask, 3, 0) & np.roll(mask, -3, 0) & np.roll(mask, 3, 1) & np.roll(mask, -3, 1)
        assert one.bodies[1][..., 3][inner].min() > 240
        for rgba in (*one.bodies.values(), *one.effects.values(), one.live):
            assert (rgba[..., :3] <= rgba[..., 3:]).all()


def test_the_live_background_shows_nobody(squares: TwoSquares, solved: list[SolvedFrame]) -> None:
    for t, one in enumerate(solved):
        body = squares.cast.subjects[0].mask[t] | squares.cast.subjects[1].mask[t]
        owned = squares.effects[1][t] | squares.effects[2][t]
        assert one.live[..., 3][body | owned].max() == 0
        assert (one.live[..., 3] == 255).mean() > 0.3


def test_larger_pictures_than_the_cast_are_solved_alike(squares: TwoSquares) -> None:
    large = squares.pictures[:3].repeat(2, 1).repeat(2, 2)
    plate = _plate(squares)
    plate = CleanPlate(
        colour=plate.colour.repeat(2, 0).repeat(2, 1),
        noise=plate.noise.repeat(2, 0).repeat(2, 1),
        coverage=plate.coverage.repeat(2, 0).repeat(2, 1),
        exposure=plate.exposure,
    )
    camera = squares.camera.scaled((SIZE[0] * 2, SIZE[1] * 2))
    frames = list(
        solve_frames(large, plate, camera, squares.cast, _known(squares), config=SolveConfig(), report=silent)
    )
    base = squares.background.repeat(2, 0).repeat(2, 1)
    error = _composite(frames[1], base, squares.cast, 1) - large[1]
    assert frames[1].bodies[1].shape == (SIZE[1] * 2, SIZE[0] * 2, 4)
    assert np.sqrt((error**2).mean()) < 4


def test_what_completes_a_hidden_body_shows_only_behind_the_one_in_front(squares: TwoSquares) -> None:
    # Square 2 stands before the place of square 1 in frame 0: put its mask there.
    t = 0
    masks = [s.mask.copy() for s in squares.cast.subjects]
    masks[1][t] = masks[0][t]
    hidden = np.zeros((*SIZE[::-1], 4), np.float32)
    hidden[masks[0][t]] = (0.1, 0.6, 0.2, 1)
    cast = replace(
        squares.cast,
        subjects=tuple(
            replace(s, mask=m if i else np.zeros_like(m), amodal=masks[0] | m)
            for i, (s, m) in enumerate(zip(squares.cast.subjects, masks, strict=True))
        ),
    )
    separation = replace(_known(squares), hidden={1: {t: hidden}})
    one = next(
        iter(
            solve_frames(
                squares.pictures,
                _plate(squares),
                squares.camera,
                cast,
                separation,
                config=SolveConfig(),
                report=silent,
            )
        )
    )
    middle = one.bodies[1][19, 8].astype(float)
    assert middle[3] > 230
    assert np.abs(middle[:3] / middle[3] - (0.1, 0.6, 0.2)).max() < 0.05
    assert one.bodies[1][50, 40, 3] == 0


def test_paint_at_the_outline_between_two_bodies_is_the_bodies_own() -> None:
    size = (64, 64)
    columns = np.arange(64)
    paint = {1: np.float32([0.1, 0.2, 0.8]), 2: np.float32([0.8, 0.1, 0.1])}
    alpha = np.broadcast_to(np.clip((columns - 24) / 4 + 0.5, 0, 1) * (columns < 50), size).astype(np.float32)[
        ..., None
    ]
    back = np.broadcast_to((columns >= 8) & (columns < 40), size)
    base = np.full((*size, 3), 0.5, np.float32)
    picture = (alpha * paint[2] + (1 - alpha) * np.where(back[..., None], paint[1], base)).astype(np.float32)
    masks = {1: back & (columns < 24), 2: alpha[..., 0] > 0.5}
    # What completes the body at the back is of quite another colour than what is there.
    completed = np.zeros((*size, 4), np.float32)
    completed[back & (columns >= 22)] = (0.1, 0.7, 0.1, 1)
    one = solve_frame(
        picture,
        base,
        frame=0,
        modal=masks,
        amodal={1: back, 2: masks[2]},
        order=(1, 2),
        separation=Separation(
            layer_ids=(1, 2),
            probability=np.zeros((1, 2, *size), np.uint8),
            change=np.zeros((1, 2, *size, 3), np.float16),
            significance=np.zeros((1, *size), np.uint8),
            dwelling=np.zeros((1, *size), np.uint8),
            hidden={1: {0: completed}},
        ),
        config=SolveConfig(),
    )
    edge = one.bodies[2][32, 24].astype(np.float32) / 255
    assert 0.2 < edge[3] < 0.8
    assert np.abs(edge[:3] - edge[3] * paint[2]).max() < 0.08
    behind = one.bodies[1][32, 19:23].astype(np.float32) / 255
    assert np.abs(behind[:, :3] / behind[:, 3:] - paint[1]).max() < 0.15


def test_neighbours_are_heard_at_thin_paint_before_another_body_alone() -> None:
    size, columns = (64, 64), np.arange(64)
    back = np.broadcast_to((columns >= 8) & (columns < 40), size)
    mask = np.broadcast_to((columns >= 24) & (columns < 56), size)
    base = np.full((*size, 3), 0.5, np.float32)
    picture = base.copy()
    picture[back], picture[mask] = (0.1, 0.2, 0.8), (0.8, 0.1, 0.1)
    told = np.zeros((*size, 4), np.float32)  # one pixel farther on either side, and of another red
    told[:, 23:57] = (0.6, 0.2, 0.1, 1)
    completed = np.zeros((*size, 4), np.float32)
    completed[back & (columns >= 22)] = (0.1, 0.2, 0.8, 1)
    empty = Separation(
        layer_ids=(1, 2),
        probability=np.zeros((1, 2, *size), np.uint8),
        change=np.zeros((1, 2, *size, 3), np.float16),
        significance=np.zeros((1, *size), np.uint8),
        dwelling=np.zeros((1, *size), np.uint8),
        hidden={1: {0: completed}},
    )

    def body(separation: Separation, share: float) -> np.ndarray:
        one = solve_frame(
            picture, base, frame=0, modal={1: back & ~mask, 2: mask}, amodal={1: back, 2: mask}, order=(1, 2),
            separation=separation, config=replace(SolveConfig(), neighbours=share),
        )  # fmt: skip
        return one.bodies[2][32].astype(np.float32) / 255

    alone, heard = body(empty, 1.0), body(replace(empty, meeting={2: {0: told}}), 1.0)
    assert np.abs(heard[22:24] - told[32, 22:24]).max() < 0.05
    assert np.abs(heard[28:] - alone[28:]).max() < 0.01  # both opaque, or nobody behind
    half = body(replace(empty, meeting={2: {0: told}}), 0.5)
    assert np.abs(half[23] - (alone[23] + heard[23]) / 2).max() < 0.05
