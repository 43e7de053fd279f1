"""What verbs that work in a project do first: open it, settle the settings, show progress, listen to Ctrl-C."""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polytempo.cli.options import Place, Working
from polytempo.cli.output import Output, choose_mode
from polytempo.cli.stopping import Stop
from polytempo.core.errors import InputError
from polytempo.core.files import write_json
from polytempo.core.progress import Report
from polytempo.project.config import config_document, config_from
from polytempo.project.folder import SUFFIX, DamagedProjectError, Project, open_project
from polytempo.project.settings import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """An open project with all that a verb needs."""

    project: Project
    settings: Settings
    output: Output
    report: Report


@contextmanager
def session(given: Path, place: Place) -> Generator[Session, None, None]:
    """Open the project that a clip or a project folder stands for, for writing.

    Args:
        given: A clip, or a project folder.
        place: Where the project of a clip is (after the clip's name in the working directory when left out) and how
            to talk; where it brings settings (``Working``), they stay with the project.

    Raises:
        PolytempoError: see ``open_project`` and ``config_document``.
    """
    root, clip = project_and_clip(given, place.project)
    config, sets = (place.config, place.settings) if isinstance(place, Working) else (None, ())
    output, stop = Output(mode=choose_mode(as_json=place.as_json)), Stop()
    document = config_document({}, file=config, sets=sets)
    config_from(Settings, document, path=config)  # refuse what is wrong with it before a folder is made
    with open_project(root, clip=clip) as opened:
        settings = _settled(opened, config=config, sets=sets)
        with stop.listening(), output.working():
            yield Session(project=opened, settings=settings, output=output, report=stop.watching(output.report))


def project_and_clip(given: Path, project: Path | None) -> tuple[Path, Path | None]:
    """Tell a project folder from a clip.

    Raises:
        InputError: two projects are named.
    """
    if given.is_dir() or given.suffix == SUFFIX:
        if project is not None and project.resolve() != given.resolve():
            raise InputError("cli", "one project must be named", got=f"{given} and --project {project}")
        return given, None
    if project is not None:
        return project, given
    return Path.cwd() / f"{given.stem}{SUFFIX}", given


def _settled(project: Project, *, config: Path | None, sets: Sequence[str]) -> Settings:
    path = project.root / "settings.json"
    try:
        base: Any = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        if not isinstance(base, dict):
            raise ValueError("no object")  # noqa: TRY004, TRY301 — damage, told below like any other
    except (OSError, ValueError, RecursionError) as error:
        raise DamagedProjectError(
            "project",
            "settings.json must be what polytempo wrote",
            got=str(error)[:120],
            todo="Delete it; settings then are the defaults",
            path=path,
        ) from error
    document = config_document(base, file=config, sets=sets)
    settings = config_from(Settings, document, path=path)
    if document != base:
        write_json(path, document)
    return settings
