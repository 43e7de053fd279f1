"""What the clean plate explains: itself, a pixel aside, in shadow; and what it does not."""

from __future__ import annotations

import numpy as np

from polytempo.objects.colour_model import ANY_COLOUR
from polytempo.objects.plate_match import background_cost, foreign, plate_sigma

GREY = (150.0, 128.0, 128.0)


def cost_of(colour: tuple[float, float, float], plate: tuple[float, float, float] = GREY) -> float:
    lab = np.broadcast_to(np.float32(colour), (9, 9, 3)).copy()
    behind = np.broadcast_to(np.float32(plate), (9, 9, 3)).copy()
    sigma = np.full((9, 9), 4, np.float32)
    out = background_cost(
        lab, behind, sigma, reach_px=1, shade=0.04, shadow_share=0.04, darkest=0.4, doubt=0.02, any_colour=ANY_COLOUR
    )
    assert out.shape == (9, 9)
    return float(out[4, 4])


def test_the_plate_itself_costs_least_and_another_colour_most() -> None:
    same, shadow, other = cost_of(GREY), cost_of((90, 128, 128)), cost_of((90, 190, 90))
    assert same + 2 < shadow < other - 2
    np.testing.assert_allclose(other, -np.log(0.02 * ANY_COLOUR), rtol=1e-3)


def test_a_shadow_keeps_its_hue_and_is_not_black() -> None:
    assert cost_of((75, 138, 128), (150, 148, 128)) < cost_of((75, 118, 128), (150, 148, 128)) - 2
    assert cost_of((30, 128, 128)) > cost_of((90, 128, 128)) + 2


def test_brighter_than_the_plate_is_no_shadow() -> None:
    assert cost_of((220, 128, 128)) > cost_of((80, 128, 128)) + 2


def test_a_neighbouring_match_counts_for_something() -> None:
    behind = np.broadcast_to(np.float32(GREY), (9, 9, 3)).copy()
    behind[:, 5:] = (60, 128, 128)
    lab = behind.copy()
    lab[:, 4] = (60, 128, 128)  # the edge lies a pixel further left than in the plate
    sigma = np.full((9, 9), 4, np.float32)
    costs = [
        background_cost(
            lab, behind, sigma, reach_px=reach, shade=0.04, shadow_share=0.0, darkest=0.4, doubt=0.02, any_colour=1e-6
        )[4, 4]
        for reach in (0, 1)
    ]
    assert costs[1] < costs[0] - 3


def test_spread_grows_with_noise_and_at_edges() -> None:
    plate = np.zeros((5, 8, 3), np.float32)
    plate[:, 4:] = 100
    sigma = plate_sigma(plate, np.full((5, 8), 3 / 255, np.float32), least=4.0, offset_px=0.5)
    assert sigma.shape == (5, 8)
    np.testing.assert_allclose(sigma[2, 0], 5, rtol=1e-4)
    assert sigma[2, 4] > 20


def boards() -> np.ndarray:
    """A floor whose boards differ by a lot, as Lab."""
    out = np.broadcast_to(np.float32((120, 138, 150)), (24, 24, 3)).copy()
    out[:, ::3, 0] -= 50
    return out


def test_a_shadow_and_a_coloured_lamp_leave_the_boards_and_are_not_foreign() -> None:
    floor, sigma = boards(), np.full((24, 24), 4, np.float32)
    shadow = floor.copy()
    shadow[..., 0] *= 0.6
    shadow[..., 1:] = 128 + 0.6 * (floor[..., 1:] - 128)
    lamp = floor + np.float32((0, -15, 20))
    for seen in (floor, shadow, lamp):
        assert not foreign(seen, floor, sigma, reach_px=2).any()


def test_cloth_in_the_colours_of_the_floor_is_foreign() -> None:
    floor, sigma = boards(), np.full((24, 24), 4, np.float32)
    seen = floor.copy()
    seen[8:16, 8:16] = (100, 130, 150)  # between the boards in lightness, a little greener
    found = foreign(seen, floor, sigma, reach_px=2)
    assert found[9:15, 9:15].mean() > 0.6
    assert not found[:5].any()
    by_colour = cost_of((100, 130, 150), (105, 138, 150))
    assert by_colour < cost_of((90, 190, 90)) - 4  # which alone is far from sure


def test_a_bare_wall_tells_nothing_of_texture() -> None:
    wall = np.broadcast_to(np.float32(GREY), (12, 12, 3)).copy()
    seen = np.broadcast_to(np.float32((90, 150, 100)), (12, 12, 3)).copy()
    assert not foreign(seen, wall, np.full((12, 12), 4, np.float32), reach_px=2).any()


def test_cloth_that_gives_way_is_not_foreign_within_reach() -> None:
    cloth = np.broadcast_to(np.float32((200, 130, 138)), (24, 24, 3)).copy()
    cloth[:, ::6] = (120, 128, 126)  # stripes of another hue
    moved, sigma = np.roll(cloth, 2, axis=1), np.full((24, 24), 4, np.float32)
    assert foreign(moved, cloth, sigma, reach_px=0)[4:-4, 4:-4].any()
    assert not foreign(moved, cloth, sigma, reach_px=2)[4:-4, 4:-4].any()
