"""The history file: a header and one turn per line, as JSON. Everything a replay needs, nothing it does not.

Without redaction it holds names, numbers and words of patients: treat it like the ledger.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pydantic import Field, TypeAdapter, ValidationError

from treatment_agent.domain.books import StoredEvent
from treatment_agent.domain.events import Event
from treatment_agent.domain.inputs import TurnInputs
from treatment_agent.domain.messages import Channel
from treatment_agent.domain.private import EmailAddress, PersonalText, PhoneNumber
from treatment_agent.domain.turn import TurnRecord
from treatment_agent.domain.value import Value
from treatment_agent.errors import ConfigurationError, StateTooNew

FORMAT: Final = "treatment-agent-history"
VERSION: Final = 1


class Header(Value):
    """The first line. `policy` is the whole policy as data; `own_parts` are guardrails and factors it cannot hold.

    `scripts` is the digest of all approved texts, `interpreter` the reader the file was made beside, `packages` the
    versions of what was installed. `unrecorded` counts turns that lack what a replay needs, by why. `reads_differently`
    counts messages that redaction made the interpreter read another way.
    """

    format: str = FORMAT
    version: int = VERSION
    redacted: bool = False
    release: str
    policy_key: str
    policy_digest: str
    scripts: str
    interpreter: str
    packages: dict[str, str] = Field(default_factory=dict)
    own_parts: tuple[str, ...] = ()
    turns: int = 0
    unrecorded: dict[str, int] = Field(default_factory=dict)
    reads_differently: int = 0
    policy: dict[str, object] | None = None


class SentText(Value):
    """A text as the patient got it, or would have."""

    script_id: str
    script_version: int
    language: str
    channel: Channel
    subject: str = ""
    body: PersonalText


class Turn(Value):
    """One event, what it was decided on, and what came of it.

    `text` are the patient's words, `sender` the address they came from. Without `inputs` it can only be read.
    `reads_differently`: redaction changed what was understood or decided; these are the parts that differ, as
    `was -> is`, from the true conversation.
    """

    conversation_id: str
    seq: int = 0
    event: Event
    text: PersonalText | None = None
    sender: PhoneNumber | EmailAddress | None = None
    outcome: TurnRecord
    inputs: TurnInputs | None = None
    texts: tuple[SentText, ...] = ()
    reads_differently: tuple[str, ...] = ()

    @property
    def stored(self) -> StoredEvent:
        """The event as it was before it was handled."""
        return StoredEvent(self.seq, self.conversation_id, self.event, self.text, None, self.sender)

    @property
    def missing(self) -> str:
        """Why this turn cannot be decided again; empty if it can."""
        if self.inputs is None:
            return "made by a release that kept no inputs"
        return "finished after a crash" if self.inputs.resumed else ""


@dataclass(frozen=True, slots=True, repr=False)
class History:
    """A whole file."""

    header: Header
    turns: tuple[Turn, ...] = field(default=())

    @property
    def cases(self) -> tuple[str, ...]:
        """Ids of the conversations, in order."""
        return tuple(dict.fromkeys(turn.conversation_id for turn in self.turns))


TURN: Final[TypeAdapter[Turn]] = TypeAdapter(Turn)


def lines(history: History) -> Iterator[str]:
    """The lines of the file, without line ends."""
    header = json.loads(history.header.model_dump_json())
    yield json.dumps(header)
    for turn in history.turns:
        yield json.dumps(turn_data(turn))


def turn_data(turn: Turn) -> dict[str, object]:
    """A turn as JSON data, without defaults."""
    data: dict[str, object] = json.loads(turn.model_dump_json(exclude_defaults=True))
    # The kind of an event is a default of its own type, but it tells which type it is.
    event = data["event"]
    return data | {"event": {**(event if isinstance(event, dict) else {}), "kind": turn.event.kind}}


def write(history: History, path: Path) -> None:
    """Write a file, readable by its owner alone: it may hold patients' words."""
    path.touch(mode=0o600)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in lines(history))


def read(path: Path) -> History:
    """Read a file.

    Raises:
        ConfigurationError: it is no history file, or a line is broken; names the line, never what stands in it.
        StateTooNew: a newer release wrote it.
    """
    try:
        rows = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path.name}: cannot be read ({type(error).__name__})") from None
    header = _header(rows[:1], path.name)
    return History(header, tuple(_turns(rows[1:], path.name)))


def _header(first: list[str], name: str) -> Header:
    try:
        found = json.loads(first[0]) if first else None
    except json.JSONDecodeError:
        found = None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ConfigurationError(f"{name}: not a history file; write one with `treatment-agent history`")
    if not isinstance(found.get("version"), int) or found["version"] > VERSION:
        raise StateTooNew(f"{name}: its format is newer than version {VERSION}; upgrade the library")
    try:
        return Header.model_validate(found)
    except ValidationError as error:
        problem = _place(error)
    raise ConfigurationError(f"{name}, line 1: the header is broken at {problem}")


def _turns(rows: Iterable[str], name: str) -> Iterator[Turn]:
    for number, row in enumerate(rows, start=2):
        if not row.strip():
            continue
        try:
            yield TURN.validate_json(row)
        except ValidationError as error:
            problem = _place(error)
        else:
            continue
        raise ConfigurationError(f"{name}, line {number}: not a turn of this format ({problem}); export it again")


def _place(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    return ".".join(str(part) for part in first["loc"]) or "its start"
