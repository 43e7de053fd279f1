from __future__ import annotations

from polytempo.objects.prompts import Prompt, Prompts, SubjectPrompts
from polytempo.project.proposals import joined_prompts


def part(name: str, columns: dict[int, int]) -> tuple[str, Prompts]:
    """Give prompts of one subject: on each frame a box around one column."""
    prompts = tuple(Prompt(frame=frame, box=(column, 0.5, column + 1, 4)) for frame, column in columns.items())
    return name, Prompts(subjects=(SubjectPrompts(name=name, prompts=prompts),), size=(6, 4))


def test_stretches_of_one_name_become_one_subject() -> None:
    joined = joined_prompts([part("man", {8: 1, 9: 2}), part("woman", {0: 5}), part("man", {1: 0, 9: 3})])
    assert joined.names == ("man", "woman")
    assert joined.size == (6, 4)
    man = joined.subjects[0].prompts
    assert [one.frame for one in man] == [1, 8, 9]
    assert [one.box for one in man] == [(0, 0.5, 1, 4), (1, 0.5, 2, 4), (2, 0.5, 4, 4)]
