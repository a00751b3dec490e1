"""One run as plain data, written and read as JSON, and what differs between two of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

from pydantic import Field, ValidationError

from treatment_agent.domain.value import Value
from treatment_agent.errors import ConfigurationError
from treatment_agent.evals.messages import Judged
from treatment_agent.evals.suite import Result
from treatment_agent.evals.table import kind_of

# Of a message: from worst to best.
_RANKS = ("missed", "wrong answer", "needless", "wrong name", "right")


_ABSENT = "not there"


class DialogueRecord(Value):
    """A dialogue's claim, whether it holds, and what does not, in words."""

    claim: str
    passed: bool
    gates: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()


class MessageRecord(Value):
    """A labelled message and what became of it: `right`, or the kind of error."""

    text: str = Field(repr=False)
    label: str
    read_as: str
    kind: str


class RunRecord(Value):
    """A whole run. `dialogues` are found by `area/file`, `messages` by a digest of text, label and context."""

    format: int = 1
    dialogues: dict[str, DialogueRecord] = Field(default_factory=dict)
    messages: dict[str, MessageRecord] = Field(default_factory=dict)


class Direction(StrEnum):
    """Whether a change is for the better."""

    WORSE = "worse"
    BETTER = "better"
    OTHER = "other"


class Change(Value):
    """One thing that came out otherwise than before. `what` is a dialogue's name, or a message's words."""

    direction: Direction
    what: str
    before: str
    after: str


def record(results: Sequence[Result], judged: Sequence[Judged] = ()) -> RunRecord:
    """The run as data."""
    return RunRecord(
        dialogues={result.name: _dialogue(result) for result in results},
        messages={_key(one): _message(one) for one in judged},
    )


def _dialogue(result: Result) -> DialogueRecord:
    findings = (result.mistake,) if result.mistake else tuple(str(finding) for finding in result.findings)
    gates = tuple(sorted({finding.gate.value for finding in result.gates if finding.gate}))
    return DialogueRecord(claim=result.claim, passed=result.passed, gates=gates, findings=findings)


def _message(one: Judged) -> MessageRecord:
    read_as = f"{one.verdict['action']} {one.verdict['label']}"
    return MessageRecord(text=one.message.text, label=one.message.label, read_as=read_as, kind=kind_of(one) or "right")


def _key(one: Judged) -> str:
    message = one.message
    return sha256(f"{message.text}\n{message.label}\n{message.context}".encode()).hexdigest()[:16]


def write_record(run: RunRecord, path: Path) -> None:
    """Write it.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    try:
        path.write_text(json.dumps(run.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"--json {path}: {error.strerror or 'cannot be written'}") from None


def read_record(path: Path) -> RunRecord:
    """Read it again.

    Raises:
        ConfigurationError: it is not there, or is no run.
    """
    try:
        return RunRecord.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"--against {path}: {error.strerror or 'cannot be read'}") from None
    except ValidationError:
        raise ConfigurationError(f"--against {path}: not a run; write one with `treatment-agent eval --json`") from None


def compare(before: RunRecord, after: RunRecord) -> tuple[Change, ...]:
    """What came out otherwise, what is worse first. What only one of the runs has is told, but is neither."""
    found = [*_dialogues(before.dialogues, after.dialogues), *_messages(before.messages, after.messages)]
    return tuple(sorted(found, key=lambda change: (tuple(Direction).index(change.direction), change.what)))


def _dialogues(before: Mapping[str, DialogueRecord], after: Mapping[str, DialogueRecord]) -> Iterator[Change]:
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        was, now = _state(old), _state(new)
        if was == now:
            continue
        direction = Direction.OTHER
        if old is not None and new is not None and old.passed is not new.passed:
            direction = Direction.BETTER if new.passed else Direction.WORSE
        yield Change(direction=direction, what=name, before=was, after=now)


def _state(dialogue: DialogueRecord | None) -> str:
    if dialogue is None:
        return _ABSENT
    if dialogue.passed:
        return "holds"
    return "; ".join(dialogue.findings)


def _messages(before: Mapping[str, MessageRecord], after: Mapping[str, MessageRecord]) -> Iterator[Change]:
    for key in sorted({*before, *after}):
        old, new = before.get(key), after.get(key)
        one = new or old
        was, now = _read(old), _read(new)
        if one is None or was == now:
            continue
        step = _RANKS.index(new.kind) - _RANKS.index(old.kind) if old and new else 0
        direction = Direction.BETTER if step > 0 else Direction.WORSE if step < 0 else Direction.OTHER
        yield Change(direction=direction, what=f"{one.label}: {one.text}", before=was, after=now)


def _read(message: MessageRecord | None) -> str:
    return f"{message.kind} ({message.read_as})" if message else _ABSENT
