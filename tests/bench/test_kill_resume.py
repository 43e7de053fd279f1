"""Kills are dealt out over all stages; that they are survived, ``tests/integration/test_kill.py`` shows."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from kill_resume import SHARES, STAGES, plans

SECONDS = dict.fromkeys(STAGES, 2.0)


def test_twenty_kills_reach_every_stage_in_order() -> None:
    found = plans(20, SECONDS, random.Random(3))
    assert Counter(one.stage for one in found) == {stage: SHARES.get(stage, 1) for stage in STAGES}
    assert [one.stage for one in found] == sorted((one.stage for one in found), key=STAGES.index)
    assert all(0 <= one.after_secs < SECONDS[one.stage] for one in found)


@pytest.mark.parametrize("count", [1, 7, 40])
def test_any_number_of_kills_can_be_dealt_out(count: int) -> None:
    assert len(plans(count, SECONDS, random.Random(0))) == count


def test_a_stage_that_goes_on_from_checkpoints_is_not_over_before_its_last_kill() -> None:
    total = sum(one.after_secs for one in plans(20, SECONDS, random.Random(0)) if one.stage == "separation")
    assert total < 1.5 * SECONDS["separation"]
