"""Options that several commands share, and how the coordinator they work on is found."""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from treatment_agent.errors import ConfigurationError, TreatmentAgentError

if TYPE_CHECKING:
    from treatment_agent.coordinator import Coordinator

DEMO_FOLDER = Path("demo-out")

AppOption = Annotated[
    str | None,
    typer.Option(
        "--app",
        metavar="MODULE:ATTRIBUTE",
        envvar="TREATMENT_AGENT_APP",
        help="Your own Coordinator, or a function that returns one. Default: the bundled demo practice.",
    ),
]
FolderOption = Annotated[
    Path,
    typer.Option("--folder", help="Where the demo practice keeps its books. Not used with --app.", show_default=True),
]
NowOption = Annotated[
    str | None,
    typer.Option("--now", help="The demo practice's clock, for example 2026-11-24T10:05. Not used with --app."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON, for other programs.")]


@contextmanager
def opened(
    app: str | None, folder: Path = DEMO_FOLDER, now: str | None = None, *, writes: bool = False
) -> Iterator[Coordinator]:
    """The coordinator a command works on, closed afterwards.

    A command that only reads leaves no folder behind where there was none.

    Raises:
        ConfigurationError: `app` cannot be imported or is not a Coordinator; says what to write instead.
    """
    with ExitStack() as stack:
        if app is None and not writes and not folder.exists():
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        coordinator = load(app) if app else _demo(folder, now, writes=writes)
        stack.callback(coordinator.close)
        yield coordinator


def _demo(folder: Path, now: str | None, *, writes: bool) -> Coordinator:
    from treatment_agent.demo.app import keep_time, open_practice

    practice = open_practice(folder, now=_moment(now))
    if writes:
        keep_time(folder, practice.clock.now())
    return practice.coordinator


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    from treatment_agent.demo.policy import maple_policy

    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError("--now: write a time like 2026-11-24T10:05") from None
    return moment if moment.utcoffset() is not None else moment.replace(tzinfo=maple_policy().office.tz)


def load(target: str) -> Coordinator:
    """Import `module:attribute` and return the Coordinator it is, or makes.

    Raises:
        ConfigurationError: with the fix.
    """
    from treatment_agent.coordinator import Coordinator

    found = imported(target)
    if callable(found) and not isinstance(found, Coordinator):
        try:
            found = found()
        except TreatmentAgentError:
            raise
        except Exception as error:
            raise ConfigurationError(_theirs(target, "calling it", error)) from error
    if not isinstance(found, Coordinator):
        raise ConfigurationError(
            f"--app {target}: this is a {type(found).__name__}; name a Coordinator, or a function that returns one"
        )
    return found


def _theirs(target: str, doing: str, error: Exception) -> str:
    """What went wrong in somebody else's code, without its words: they may hold a secret or a patient's data."""
    return f"--app {target}: {doing} raised {type(error).__name__}; for details: treatment-agent --debug ..."


def imported(target: str) -> object:
    """What `module:attribute` names.

    Raises:
        ConfigurationError: it cannot be imported, with the fix.
    """
    module_name, _, attribute = target.partition(":")
    if not module_name or not attribute:
        raise ConfigurationError(f"--app {target}: write it as module:attribute, for example myoffice.app:coordinator")
    here = os.getcwd()
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found: object = importlib.import_module(module_name)
    except TreatmentAgentError:
        raise
    except Exception as error:
        raise ConfigurationError(_theirs(target, f"importing {module_name}", error)) from error
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise ConfigurationError(f"--app {target}: module {module_name} has no {attribute}")
        found = getattr(found, part)
    return found
