"""``polytempo``: one verb a module, every error in one line, exit codes that scripts can rely on."""

from __future__ import annotations

import importlib
import logging
import os
import sys
import traceback
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from importlib.metadata import version as package_version
from typing import Annotated

import typer

from polytempo.cli import exits
from polytempo.cli.output import Output, choose_mode
from polytempo.core.errors import PolytempoError

MODULES = {"import": "bring"}
"""Module of a verb whose own name Python keeps for itself."""
VERBS = {
    "probe": "probe_command",
    "subjects": "subjects_command",
    "decompose": "decompose_command",
    "edit": "edit_command",
    "render": "render_command",
    "report": "report_command",
    "export": "export_command",
    "import": "import_command",
    "retime": "retime_command",
    "train": "train_command",
    "atlas": "atlas_command",
}
"""Function of each verb; its module is called like the verb, if Python lets it."""


def make_app(verbs: Iterable[str]) -> typer.Typer:
    """Build the command line of some verbs. Only their modules are loaded: torch alone takes a second or two."""
    app = typer.Typer(
        name="polytempo",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
        epilog="Exit codes: 0 done; 2 something to mend in what was given; 3 disk, memory or device; 4 a project that "
        "is damaged or of another version; 130 stopped, the same command goes on; 1 a bug.",
    )
    app.callback()(everywhere)
    for verb in verbs:
        module = importlib.import_module(f"polytempo.cli.{MODULES.get(verb, verb)}")
        app.command(verb)(getattr(module, VERBS[verb]))
    return app


def _show_version(asked: bool) -> bool:
    if asked:
        Output(mode="lines").say(f"polytempo {package_version('polytempo')}")
        raise typer.Exit
    return asked


def everywhere(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Put each person in a video on a clock of their own."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and give the exit code.

    Args:
        arguments: What follows the program's name; taken from the process when left out.
    """
    os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")  # what it warns of, our own messages say
    os.environ.setdefault("SVT_LOG", "1")  # the AV1 encoder's errors, not its greetings
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    if debug:
        logging.getLogger("polytempo").setLevel(logging.DEBUG)  # ours alone: numba's would drown it
    output = Output(mode=choose_mode(as_json="--json" in words))
    try:
        known = words[0] in VERBS if words else False
        app = make_app(words[:1] if known else VERBS)
        with _in_team() as leads:
            if leads:
                app(words, prog_name="polytempo", obj=words)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else exits.OK
    except BaseException as error:
        code = exits.exit_code(error)
        ours = error if isinstance(error, PolytempoError) else exits.as_resource_error(error)
        if debug:
            traceback.print_exc()
        if ours is not None:
            output.fail(str(ours), code=code)
        elif code == exits.STOPPED:
            output.fail("stopped as asked. Run the same command again to resume.", code=code)
        else:
            output.fail(
                f"a bug: {type(error).__name__}: {error}. Please report it with what --debug prints.", code=code
            )
        return code
    return exits.OK


@contextmanager
def _in_team() -> Generator[bool, None, None]:
    """Whether this process is to do the work.

    Of several that ``torchrun`` started the first is: it owns the project. The others take part in what it trains.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        yield True
        return
    from polytempo.decompose.lnr.attend import attend
    from polytempo.decompose.lnr.team import led_team, started_team
    from polytempo.decompose.lnr.train import default_device

    if started_team().leads:
        with led_team(default_device()):
            yield True
    else:
        attend(default_device())
        yield False
