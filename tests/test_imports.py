"""The house has floors: a folder imports only from folders below it, and nobody brings in what we do without."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import polytempo

ROOT = Path(polytempo.__file__).parent
FLOOR = {
    "core": 0,
    "video": 1,
    "camera": 2,
    "layers": 3,
    "objects": 4,
    "synth": 4,
    "bodies": 5,
    "decompose": 6,
    "atlas": 7,
    "edit": 7,
    "render": 8,
    "exchange": 9,
    "project": 10,
    "jobs": 11,
    "cli": 12,
}
"""Height of each folder; two folders of one height do not know each other."""
FORBIDDEN = {"torchvision"}
LONGEST = 400
MODULES = sorted(ROOT.rglob("*.py"))


def imported_names(source: str) -> set[str]:
    """Give the dotted names of all modules that a source imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names.add(node.module or "")
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def floor_faults(folder: str, names: set[str]) -> set[str]:
    """Give the imported names that do not lie in ``folder`` itself nor below it."""
    used = {name for name in names if name.startswith("polytempo.")}
    return {name for name in used if (other := name.split(".")[1]) != folder and FLOOR.get(other, 99) >= FLOOR[folder]}


def test_every_folder_has_a_floor() -> None:
    assert {path.parent.name for path in ROOT.glob("*/__init__.py")} == set(FLOOR)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_module_keeps_to_its_floor(path: Path) -> None:
    source = path.read_text()
    names = imported_names(source)
    top = {name.split(".")[0] for name in names}
    where = path.relative_to(ROOT)
    assert not top & FORBIDDEN
    assert "ray" not in top or where.as_posix() == "jobs/ray.py"
    assert len(source.splitlines()) <= LONGEST, "a module holds one idea"
    if len(where.parts) > 1:
        assert not floor_faults(where.parts[0], names)


def test_a_fault_would_be_found() -> None:
    names = imported_names("from polytempo.render.sequence import render_frames\nfrom polytempo.core import errors")
    assert floor_faults("camera", names) == {
        "polytempo.render.sequence",
        "polytempo.render.sequence.render_frames",
    }
    assert floor_faults("objects", imported_names("import polytempo.synth.scene")) == {"polytempo.synth.scene"}
