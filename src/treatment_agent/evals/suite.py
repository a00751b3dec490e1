"""Runs dialogue files one after another, and counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from treatment_agent.demo.policy import maple_policy
from treatment_agent.errors import ConfigurationError
from treatment_agent.evals.findings import Finding
from treatment_agent.evals.judging import judge
from treatment_agent.evals.played import Played
from treatment_agent.evals.playing import play
from treatment_agent.evals.reading import read_dialogue
from treatment_agent.evals.staging import named_interpreter
from treatment_agent.evals.transcript import transcript
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.ports import Interpreter


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one file. `mistake` says why it could not be read or staged; then nothing was played."""

    path: Path
    claim: str = ""
    findings: tuple[Finding, ...] = ()
    played: Played | None = None
    lines: tuple[int, ...] = ()
    mistake: str = ""

    @property
    def passed(self) -> bool:
        """True when the claim holds."""
        return not self.findings and not self.mistake

    @property
    def area(self) -> str:
        """The folder the file lies in."""
        return self.path.parent.name

    @property
    def name(self) -> str:
        """`area/file`."""
        return f"{self.area}/{self.path.stem}"

    @property
    def gates(self) -> tuple[Finding, ...]:
        """The breaches of hard gates."""
        return tuple(finding for finding in self.findings if finding.gate is not None)

    def transcript(self, *, place: str = "") -> str:
        """The conversation with what is wrong marked, or the mistake in the file."""
        if self.played is None:
            return self.mistake
        return transcript(self.played, self.findings, place=place or str(self.path), lines=self.lines)


def run_file(
    path: Path, *, policy: PracticePolicy | None = None, interpreter: Interpreter | str | None = None
) -> Result:
    """Read, play and judge one file.

    Args:
        path: The file.
        policy: Other decisions than the demo practice's.
        interpreter: Another interpreter than the file's, or its `module:name`: then only hard gates and `never_says`
            are judged.

    Raises:
        ConfigurationError: there is no such interpreter.
    """
    other = named_interpreter(interpreter) if isinstance(interpreter, str) else interpreter
    try:
        file = read_dialogue(path)
        file.check_names(policy or maple_policy())
        played = play(file.dialogue, policy=policy, interpreter=other)
    except ConfigurationError as error:
        mistake = str(error)
        return Result(path, mistake=mistake if mistake.startswith(str(path)) else f"{path}: {mistake}")
    findings = judge(played, hostile=other is not None)
    return Result(path, file.dialogue.claim, findings, played, file.lines)


def run_files(
    paths: Iterable[Path], *, policy: PracticePolicy | None = None, interpreter: Interpreter | None = None
) -> Iterator[Result]:
    """One after another; as `run_file`."""
    for path in paths:
        yield run_file(path, policy=policy, interpreter=interpreter)
