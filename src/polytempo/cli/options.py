"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="One JSON object a line instead of text.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show where an error came from, and what the program logs.")]
ClipOrProject = Annotated[Path, typer.Argument(help="A video file, or a project folder (NAME.polytempo).")]
ProjectFolder = Annotated[
    Path | None,
    typer.Option("--project", help="Project folder. [default: NAME.polytempo here, after the clip]"),
]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="TOML file with settings.")]
Sets = Annotated[
    list[str] | None, typer.Option("--set", help="One setting, e.g. decompose.n_epochs=20. May be repeated.")
]
