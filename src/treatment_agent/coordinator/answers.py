"""What the coordinator answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from pydantic import SecretStr

from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.handoff import HandoffPacket, Role
from treatment_agent.domain.interpretation import Interpretation, Reason
from treatment_agent.domain.messages import Channel
from treatment_agent.domain.scheduling import Booking
from treatment_agent.errors import BadRow


@dataclass(frozen=True, slots=True)
class SentText:
    """A text of ours and what became of it (`sent`, `pending`, `failed`, `doubtful`, `cancelled`)."""

    script_id: str
    body: SecretStr
    channel: Channel
    language: str
    status: str


@dataclass(frozen=True, slots=True)
class TurnOutcome:
    """What one event led to. `rules` has the deciding rule first. `duplicate`: it had been handled before."""

    event_id: str
    conversation_id: str
    phase_before: Phase
    phase_after: Phase
    rules: tuple[str, ...]
    replies: tuple[SentText, ...] = ()
    handoffs: tuple[HandoffPacket, ...] = ()
    booking: Booking | None = None
    interpretation: Interpretation | None = None
    reason: Reason | None = None
    failures: tuple[str, ...] = ()
    duplicate: bool = False

    @property
    def handoff(self) -> HandoffPacket | None:
        """The handoff this turn opened, if it did."""
        return next((h for h in self.handoffs if h.kind.holds), None)


@dataclass(frozen=True, slots=True)
class EnrolmentReport:
    """What enrolling a source did: cases new and refreshed, skipped per rule, rows that could not be read.

    `missing` counts cases that were put on hold because this complete source does not name them any more.
    """

    enrolled: int = 0
    refreshed: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    rejected: tuple[BadRow, ...] = ()
    missing: int = 0


@dataclass(frozen=True, slots=True)
class RunReport:
    """What `run_due` did, in the order it was done. `failed` are conversations that a later run must take up.

    `held_back` counts the touches that were due and wait, by the rule that holds them back; `escalated` are handoffs
    that went to their next owner.
    """

    outcomes: tuple[TurnOutcome, ...] = ()
    failed: tuple[str, ...] = ()
    held_back: dict[str, int] = field(default_factory=dict)
    escalated: tuple[HandoffPacket, ...] = ()


@dataclass(frozen=True, slots=True)
class WhyLine:
    """One thing done or not done, when, and the rule behind it in words."""

    at: datetime
    action: str
    rule: str
    sentence: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class WaitsFor:
    """A handoff or task that a person has not closed: `what` is its topic, or its kind if it has none."""

    what: str
    owner: Role
    due_at: datetime
    acknowledged_by: str = ""


@dataclass(frozen=True, slots=True)
class Why:
    """Everything about one patient, oldest first, and where it stands now.

    `because` is the line that led to where it stands: what moved it there, or what was last done or not done.
    `left_out` is the queue's rule while the case is not written to. `visit_at` is the visit, booked or requested.
    """

    patient_id: str
    phase: Phase | None
    lines: tuple[WhyLine, ...]
    next_due_at: datetime | None = None
    because: WhyLine | None = None
    left_out: str | None = None
    visit_at: datetime | None = None
    waits_for: tuple[WaitsFor, ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """What the next touch would do, without doing it."""

    conversation_id: str
    rules: tuple[str, ...]
    texts: tuple[SentText, ...] = ()
    due_at: datetime | None = None
