"""Puts the commands together and turns every expected error into one clear line."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer

from treatment_agent.cli import (
    books,
    call_backs,
    check,
    compare,
    consent,
    desk,
    evaluate,
    laws,
    lists,
    outreach,
    play,
    replay,
    report,
    shadow,
    simulate,
    texts,
    triage,
    tune,
)
from treatment_agent.cli.screen import complain
from treatment_agent.errors import TreatmentAgentError

_ABOUT = """Follow up by text with dental patients whose diagnosed treatment was never scheduled.

Commands that work on a practice use the bundled demo practice unless --app names your own Coordinator.
"""


def build() -> typer.Typer:
    """The application with all its commands, in the order of a first visit."""
    app = typer.Typer(
        name="treatment-agent",
        help=_ABOUT,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    app.callback(help=_ABOUT)(_whole)
    for group in (
        play,
        lists,
        call_backs,
        books,
        report,
        desk,
        outreach,
        shadow,
        texts,
        consent,
        laws,
        triage,
        evaluate,
        compare,
        tune,
        replay,
        simulate,
        check,
    ):
        group.register(app)
    return app


def _whole(
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the whole traceback of an error. It may hold patients' data.")
    ] = False,
) -> None:
    """The option before all commands; `main` looks at it when an error arrives."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line with `arguments` (default: the process's own) and exit.

    Exits with 0 when all is well, 1 on an expected error, 2 on a wrong call, 130 when interrupted.
    """
    given = list(arguments) if arguments is not None else sys.argv[1:]
    try:
        build()(args=given)
    except TreatmentAgentError as error:
        if "--debug" in given[:1]:
            traceback.print_exception(error)
        complain(str(error))
        sys.exit(1)
    except BrokenPipeError:
        # The reader (`head`) went away: keep the interpreter from complaining about it at shutdown.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
