from __future__ import annotations

import numpy as np

from polytempo.objects.prompts import Prompt, Prompts, SubjectPrompts
from polytempo.project.proposals import joined_prompts


def part(name: str, columns: dict[int, int]) -> tuple[str, Prompts]:
    """Give prompts of one subject: on each frame a mask with one column set."""
    prompts: list[Prompt] = []
    for frame, column in columns.items():
        mask = np.zeros((4, 6), bool)
        mask[:, column] = True
        prompts.append(Prompt(frame=frame, mask=mask))
    return name, Prompts(subjects=(SubjectPrompts(name=name, prompts=tuple(prompts)),), size=(6, 4))


def test_stretches_of_one_name_become_one_subject() -> None:
    joined = joined_prompts([part("man", {8: 1, 9: 2}), part("woman", {0: 5}), part("man", {1: 0, 9: 3})])
    assert joined.names == ("man", "woman")
    assert joined.size == (6, 4)
    man = joined.subjects[0].prompts
    assert [one.frame for one in man] == [1, 8, 9]
    columns = [np.flatnonzero(one.mask.any(0)).tolist() for one in man if one.mask is not None]
    assert columns == [[0], [1], [2, 3]]
