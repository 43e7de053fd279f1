"""What the documents tell to type can be typed, and what they point at is there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from polytempo.cli.main import VERBS, main
from polytempo.project.config import config_document, config_from
from polytempo.project.settings import Settings

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMAND = re.compile(r"^(?:\.venv/bin/)?polytempo (.+)$", re.MULTILINE)


def commands() -> list[list[str]]:
    """Give every command line of polytempo in the README's blocks."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    text = "\n".join(blocks).replace("\\\n", " ")
    return [shlex.split(line, comments=True) for line in COMMAND.findall(text)]


def test_the_readme_has_commands() -> None:
    assert len(commands()) >= 4


@pytest.mark.parametrize("words", commands(), ids=lambda words: words[0])
def test_verbs_and_options_exist(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert words[0] in VERBS
    assert main([words[0], "--help"]) == 0
    known = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", capsys.readouterr().out))
    assert {word.split("=")[0] for word in words if re.match(r"--?[a-z]", word)} <= known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if not re.match(r"[a-z]+:", target):
            assert (page.parent / target).exists(), target


def test_each_part_of_the_paper_is_where_the_table_says_and_can_be_said() -> None:
    page = (ROOT / "docs" / "paper-parts.md").read_text()
    rows = [line.split("|") for line in page.splitlines() if line.startswith("| ")][2:]
    assert len(rows) > 25
    for row in rows:
        modules = re.findall(r"`([\w/]+(?:\.py|/))`", row[3])
        assert modules, row
        for module in modules:
            assert (ROOT / "src" / "polytempo" / module).exists(), module
        for said in re.findall(r"--set ((?:paper|standard)[\w.]*=\S+)`", row[4]):
            config_from(Settings, config_document({}, sets=(said,)))


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL):
            assert set(re.findall(r"^make ([a-z-]+)", block, re.MULTILINE)) <= targets
