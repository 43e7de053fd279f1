from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from polytempo.project.plots import line_plot


@pytest.mark.parametrize("n", [1, 2, 50])
@pytest.mark.parametrize("value", [0.0, 3.0])
def test_it_is_well_formed(n: int, value: float) -> None:
    svg = ET.fromstring(line_plot(list(range(n)), [value] * n, label='a <b> & "c"', unit="px", bar=1.0))
    assert svg.get("aria-label") == 'a <b> & "c"'
    line = svg.find("polyline" if n > 1 else "circle")
    assert line is not None
    assert "nan" not in ET.tostring(svg, encoding="unicode")


def test_higher_values_stand_higher() -> None:
    svg = ET.fromstring(line_plot([0, 1, 2], [1.0, 3.0, 2.0], label="x", unit="dB"))
    points = svg.find("polyline").get("points").split()  # pyright: ignore
    ys = [float(one.split(",")[1]) for one in points]
    assert ys[1] < ys[2] < ys[0]
