"""What is known of the office as a whole: the outreach switch, the last list, texts that wait for approval."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from treatment_agent.domain.value import Value


class Agreement(Value):
    """A business associate agreement: with whom, since when, and who of the office put it on record.

    `provider` is the company that runs the model. `recorded_by` is a person the office can ask.
    """

    provider: str
    signed_on: date
    recorded_by: str


class SwitchMode(StrEnum):
    """`ON`: all as usual. `PAUSED`: nobody is written to first. `STOPPED`: nothing leaves, answers go to staff."""

    ON = "on"
    PAUSED = "paused"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Switch:
    """Where the outreach switch stands, since when, by whom, and the rule that `why` tells."""

    mode: SwitchMode
    at: datetime
    rule: str
    by: str
    note: str = ""


class LogKind(StrEnum):
    """What the office's log tells of. The `value` of a `SWITCH` is its mode, of a `SYNC` `ok` or `failed`.

    `FILTERED`: a carrier refused or filtered one of our texts; its value is the carrier's code. `MODE` is `shadow`.
    """

    SWITCH = "switch"
    SYNC = "sync"
    FILTERED = "filtered"
    MODE = "mode"


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line of the office's log. `note` is a staff member's or a code's, never about a patient."""

    at: datetime
    what: LogKind
    value: str
    rule: str = ""
    by: str = "coordinator"
    note: str = ""


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A touch that was due and was not made."""

    conversation_id: str
    rule: str
    due_at: datetime


class ApprovalStatus(StrEnum):
    """What a person said to a text of a new script version."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class ScriptKey:
    """One version of a script in one language."""

    script_id: str
    version: int
    language: str


@dataclass(frozen=True, slots=True)
class Approval:
    """A text of a new script version to one patient, and what a person said to it. The text is made when it goes."""

    conversation_id: str
    script: ScriptKey
    status: ApprovalStatus
    asked_at: datetime
    decided_at: datetime | None = None
    decided_by: str = ""

    @property
    def id(self) -> str:
        """The same for a patient and a script version, however often it falls due."""
        return approval_id(self.conversation_id, self.script)


def approval_id(conversation_id: str, script: ScriptKey) -> str:
    """The id of the approval of this script version in this conversation."""
    return f"{conversation_id}:{script.script_id}:{script.language}:v{script.version}"


@dataclass(frozen=True, slots=True)
class Proof:
    """How far a script version is proven: approvals of it, and whether another version of it went out before."""

    approved: int = 0
    pending: int = 0
    changed: bool = False
    mine: ApprovalStatus | None = None


@dataclass(frozen=True, slots=True)
class OutreachStatus:
    """What holds outreach back now. `rule` is None when the next due touch may go; counts are of today and of now."""

    switch: Switch
    rule: str | None
    sent_today: int
    texts_per_day: int
    last_sync: LogEntry | None
    held_back: dict[str, int]
    pending: tuple[Approval, ...]
