"""Time maps against an evaluator that shares nothing with ours: it reads the JSON document and counts in floats."""

from __future__ import annotations

import json
from fractions import Fraction as F
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import BPoly, CubicHermiteSpline
from scipy.optimize import brentq

from polytempo.edit.edl import Edl, Instance, text_from_edl
from polytempo.edit.operations.delay import delay
from polytempo.edit.operations.freeze import freeze
from polytempo.edit.operations.loop import loop
from polytempo.edit.operations.ramp import ramp
from polytempo.edit.operations.reverse import reverse
from polytempo.edit.segments import Bezier
from polytempo.edit.timemap import TimeMap, smooth_map


def number(text: Any) -> float:
    top, _, bottom = str(text).partition("/")
    return float(top) / float(bottom or 1)


def ask(segment: dict[str, Any], t: float) -> float | None:
    kind = segment["kind"]
    if kind == "hide":
        return None
    if kind == "hold":
        return number(segment["source"])
    if kind == "nested":
        between = ask(segment["outer"], t)
        return None if between is None else ask_map(segment["inner"], between)
    a, b, p, q = (number(segment[key]) for key in ("start", "stop", "source_start", "source_stop"))
    if kind == "linear":
        return float(np.interp(t, [a, b], [p, q]))
    if kind == "smooth":
        slopes = [number(segment["speed_start"]), number(segment["speed_stop"])]
        return float(CubicHermiteSpline([a, b], [p, q], slopes)(t))
    leave, arrive = ([number(one) for one in segment[key]] for key in ("leave", "arrive"))
    x = BPoly([[a], [a + leave[0]], [b - arrive[0]], [b]], [0, 1])
    y = BPoly([[p], [p + leave[1]], [q - arrive[1]], [q]], [0, 1])
    return float(y(brentq(lambda s: float(x(s)) - t, 0, 1, xtol=1e-14)))


def start_stop(segment: dict[str, Any]) -> tuple[float, float]:
    return (
        start_stop(segment["outer"])
        if segment["kind"] == "nested"
        else (number(segment["start"]), number(segment["stop"]))
    )


def ask_map(document: dict[str, Any], t: float) -> float | None:
    rows = [(*start_stop(one), one) for one in document["segments"]]
    first, last = rows[0][0], rows[-1][1]
    rule = document["before"] if t < first else document["after"] if t >= last else "inside"
    if rule is None:
        return None
    if rule == "loop":
        t = first + (t - first) % (last - first)
    elif rule == "ping-pong":
        phase = (t - first) % (2 * (last - first))
        t = first + min(phase, 2 * (last - first) - phase)
    elif rule != "inside":
        return number(rule)
    return ask(next((one for a, b, one in rows if a <= t < b), rows[-1][2]), t)


operations = st.lists(
    st.tuples(
        st.sampled_from(["freeze", "delay", "ramp", "reverse", "loop", "ping-pong"]),
        st.integers(1, 38),
        st.integers(1, 38),
    ),
    max_size=3,
)


@given(steps=operations, curve=st.sampled_from(["smooth", "bezier", "line"]), seed=st.integers(0, 999))
@settings(max_examples=120, deadline=None)
def test_edits_of_edits_are_what_the_document_says(steps: list[tuple[str, int, int]], curve: str, seed: int) -> None:
    edl = Edl(instances=(Instance(name="a", layer="a", time_map=start(curve)),), duration=F(4))
    for name, one, other in steps:
        low, high = F(min(one, other), 10), F(max(one, other) + 1, 10)
        match name:
            case "freeze":
                edl = freeze(edl, "a", at=low, until=high)
            case "delay":
                edl = delay(edl, "a", by=low - F(2), outside="hold")
            case "ramp":
                edl = ramp(edl, "a", first=F(1), last=F(other, 20), start=low, stop=high)
            case "reverse":
                edl = reverse(edl, "a", frame=F(1, 30), start=low, stop=high)
            case _:
                edl = loop(edl, "a", start=low, stop=high, frame=F(1, 30), mode=name)  # type: ignore[arg-type]
    document = json.loads(text_from_edl(edl))["instances"][0]["time_map"]
    for t in np.random.default_rng(seed).uniform(-1, 5, 20):
        time = F(t)
        ours, theirs = edl.instance("a").time_map.at(time), ask_map(document, t)
        assert (ours is None) == (theirs is None)
        if ours is not None and theirs is not None:
            assert abs(float(ours) - theirs) < 1e-6


def start(curve: str) -> TimeMap:
    if curve == "smooth":
        return smooth_map([(F(0), F(0)), (F(1), F(3)), (F(3), F(1)), (F(4), F(4))])
    if curve == "line":
        return smooth_map([(F(0), F(0)), (F(4), F(4))])
    bezier = Bezier(start=F(0), stop=F(4), source_start=F(0), source_stop=F(4), leave=(F(2), F(0)), arrive=(F(1), F(2)))
    return TimeMap(segments=(bezier,), before="loop", after="ping-pong")
