"""pytest plugin: every `*.toml` below a folder called `dialogues` is a test, run with `pytest evals/`.

A suite with an `unreached.toml` beside that folder says that it reaches everything else: a run that played all of it
fails if it does not. It is counted while the files are played, on every worker of pytest-xdist.

Nothing of the package is imported before there is a dialogue to play, so that pytest starts as quickly without one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

if TYPE_CHECKING:
    from treatment_agent.evals.suite import Result

# As `reading.FOLDER`, which is not imported here.
_FOLDER = "dialogues"
# What each file reached, and what is wrong with the coverage of the suites that were played to the end.
_REACHED = pytest.StashKey[dict[str, list[str]]]()
_WRONG = pytest.StashKey[list[str]]()
_OUTPUT = "dialogues_reached"


class _Worker(Protocol):
    """What of pytest-xdist is used here."""

    config: pytest.Config


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--interpreter`."""
    parser.getgroup("dialogues").addoption(
        "--interpreter",
        metavar="MODULE:NAME",
        default=None,
        help="Play dialogues with this interpreter: only hard gates and never_says are judged.",
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> DialogueModule | None:
    """Collect dialogue files."""
    root = parent.config.rootpath
    # A checkout may itself lie in a folder of that name.
    folders = file_path.relative_to(root).parts[:-1] if file_path.is_relative_to(root) else file_path.parts[:-1]
    if file_path.suffix == ".toml" and _FOLDER in folders:
        return DialogueModule.from_parent(parent, path=file_path)
    return None


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: _Worker) -> None:
    """Take in what a worker of pytest-xdist reached; one that crashed tells nothing."""
    output: dict[str, dict[str, list[str]]] = getattr(node, "workeroutput", {})
    node.config.stash.setdefault(_REACHED, {}).update(output.get(_OUTPUT, {}))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run if a suite that was played to the end does not reach what it should; a worker only reports."""
    config = session.config
    reached = config.stash.get(_REACHED, {})
    output = getattr(config, "workeroutput", None)
    if output is not None:
        output[_OUTPUT] = reached
    elif reached:
        config.stash[_WRONG] = wrong = list(_unreached(reached))
        if wrong and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what no dialogue reaches."""
    wrong = terminalreporter.config.stash.get(_WRONG, [])
    if wrong:
        terminalreporter.section("dialogue coverage", red=True)
    for line in wrong:
        terminalreporter.write_line(line)


def _unreached(reached: dict[str, list[str]]) -> Iterator[str]:
    """What is wrong with the coverage of each suite of which no file is missing."""
    from treatment_agent.demo.policy import maple_policy
    from treatment_agent.evals.coverage import coverage, excuses_of, read_excuses, told
    from treatment_agent.evals.reading import find_files

    for place in sorted({excuses_of(Path(file)) for file in reached}):
        files = [str(file) for file in find_files(place.parent / _FOLDER)]
        if place.is_file() and all(file in reached for file in files):
            names = {name for file in files for name in reached[file]}
            yield from told(coverage(names, maple_policy(), read_excuses(place)))


class DialogueModule(pytest.File):
    """One dialogue file."""

    def collect(self) -> Iterable[pytest.Item]:
        """One test: the claim."""
        yield DialogueItem.from_parent(self, name=self.path.stem)


class DialogueItem(pytest.Item):
    """Plays a dialogue and fails with its transcript."""

    def runtest(self) -> None:
        """Play and judge.

        Raises:
            Broken: something is not as the file says.
            ConfigurationError: the file is not a dialogue, or cannot be staged.
        """
        from treatment_agent.evals.suite import run_file

        result = run_file(self.path, interpreter=self.config.getoption("--interpreter"))
        self._note(result)
        if result.mistake:
            raise Broken(result.mistake)
        if result.findings:
            raise Broken(self._told(result))

    def _note(self, result: Result) -> None:
        from treatment_agent.evals.coverage import reached_by

        if result.played is not None and self.config.getoption("--interpreter") is None:
            self.config.stash.setdefault(_REACHED, {})[str(self.path)] = sorted(reached_by(result.played))

    def _told(self, result: Result) -> str:
        gates = sorted({finding.gate.value for finding in result.findings if finding.gate})
        head = f"HARD GATE: {', '.join(gates)}\n\n" if gates else ""
        return head + result.transcript(place=self._shown())

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        """The transcript alone; for anything else the traceback."""
        if isinstance(excinfo.value, Broken):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """File, line, and what the report calls it."""
        return self.path, 0, f"{self._shown()}"

    def _shown(self) -> str:
        try:
            return str(self.path.relative_to(self.config.rootpath))
        except ValueError:
            return str(self.path)


class Broken(Exception):
    """A dialogue that does not hold; the message is its transcript."""
