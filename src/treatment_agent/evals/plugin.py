"""pytest plugin: every `*.toml` below a folder called `dialogues` is a test, run with `pytest evals/`.

Nothing of the package is imported before there is a dialogue to play, so that pytest starts as quickly without one.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from treatment_agent.evals.suite import Result

# As `reading.FOLDER`, which is not imported here.
_FOLDER = "dialogues"


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
    if file_path.suffix == ".toml" and _FOLDER in file_path.parent.parts:
        return DialogueModule.from_parent(parent, path=file_path)
    return None


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
        if result.mistake:
            raise Broken(result.mistake)
        if result.findings:
            raise Broken(self._told(result))

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
