"""What prompts cost."""

from __future__ import annotations

import numpy as np

from polytempo.objects.prompt_cost import CERTAIN, clear_pixels, drawn, prompt_costs, prompt_region
from polytempo.objects.prompts import Prompt, Prompts, SubjectPrompts

SIZE = (60, 40)


def prompts(**subjects: Prompt) -> Prompts:
    return Prompts(subjects=tuple(SubjectPrompts(name=n, prompts=(p,)) for n, p in subjects.items()), size=SIZE)


def test_outside_a_box_costs_more_the_further_away() -> None:
    cost = prompt_costs(prompts(a=Prompt(frame=3, box=(10, 10, 30, 30))))[3]
    assert cost.shape == (40, 60, 2)
    assert not cost[..., 0].any()
    assert cost[20, 20, 1] < 0.1
    assert cost[20, 20, 1] < cost[20, 31, 1] < cost[20, 40, 1]


def test_a_softer_box_costs_less_to_leave_and_nothing_else_changes() -> None:
    box = prompts(a=Prompt(frame=3, box=(10, 10, 30, 30)))
    sharp, soft = prompt_costs(box)[3][..., 1], prompt_costs(box, box_soft=0.2)[3][..., 1]
    np.testing.assert_array_equal(sharp[10:30, 10:30], soft[10:30, 10:30])
    assert sharp[20, 34] > soft[20, 34] + 2
    assert soft[20, 34] < 3 < soft[20, 55]  # far away it is sure all the same
    drawn_by_hand = prompts(a=Prompt(frame=0, mask=np.ones((40, 60), bool)))
    np.testing.assert_array_equal(prompt_costs(drawn_by_hand)[0], prompt_costs(drawn_by_hand, box_soft=0.2)[0])


def test_points_count_for_and_against() -> None:
    cost = prompt_costs(prompts(a=Prompt(frame=0, lines=(((20, 20),),), not_lines=(((40, 20),),))))[0]
    assert cost[20, 20].tolist() == [CERTAIN, 0]
    assert cost[20, 40].tolist() == [0, CERTAIN]


def test_absent_costs_everywhere() -> None:
    assert (prompt_costs(prompts(a=Prompt(frame=0, absent=True)))[0][..., 1] == CERTAIN).all()


def test_a_mask_is_meant_inside_and_out() -> None:
    mask = np.zeros((40, 60), bool)
    mask[10:20, 10:20] = True
    cost = prompt_costs(prompts(a=Prompt(frame=0, mask=mask)))[0]
    assert cost[15, 15, 0] > 3 > cost[15, 15, 1]
    assert cost[30, 30, 1] > 3 > cost[30, 30, 0]


def test_overlapping_boxes_are_not_clear() -> None:
    one, other = Prompt(frame=0, box=(0, 0, 30, 40)), Prompt(frame=0, box=(20, 0, 60, 40))
    clear = clear_pixels(prompt_costs(prompts(a=one, b=other)))[0]
    assert clear[20, 5]
    assert not clear[20, 25]
    assert clear[20, 50]


def test_region_and_brush() -> None:
    assert prompt_region(Prompt(frame=0, box=(-5, -5, 10, 10)), SIZE).sum() == 100
    assert drawn((((5.0, 5.0), (25.0, 5.0)),), SIZE)[5, 5:26].all()
