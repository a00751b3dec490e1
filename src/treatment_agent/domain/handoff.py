"""Giving a conversation to staff: the packet, its owner, and where it stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from treatment_agent.domain.interpretation import Intent, ModelUse, Reason, Span, Topic
from treatment_agent.domain.scheduling import Slot


class Urgency(StrEnum):
    """How soon somebody must look."""

    NOW = "now"
    TODAY = "today"
    SOON = "soon"


class Role(StrEnum):
    """Who owns a handoff. Offices map roles to people in their own software."""

    FRONT_DESK = "front_desk"
    TREATMENT_COORDINATOR = "treatment_coordinator"
    CLINICIAN = "clinician"
    INSURANCE_COORDINATOR = "insurance_coordinator"
    OFFICE_MANAGER = "office_manager"


class HandoffKind(StrEnum):
    """`HANDOFF` holds the conversation: the coordinator is silent until release. The others are tasks beside it."""

    HANDOFF = "handoff"
    CALL_BACK = "call_back"
    CHANGE = "change"
    BOOKING = "booking"
    REVIEW = "review"
    CHART_REPAIR = "chart_repair"
    DELIVERY = "delivery"

    @property
    def holds(self) -> bool:
        """True when staff hold the conversation while this is open."""
        return self is HandoffKind.HANDOFF


class HandoffStatus(StrEnum):
    """Opened -> acknowledged -> resolved -> released."""

    OPENED = "opened"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    RELEASED = "released"


class NextStep(StrEnum):
    """What happens after staff let go of a conversation."""

    RESUME = "resume"
    CLOSE = "close"
    BOOKED = "booked"
    DECLINED = "declined"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class HandoffRequest:
    """A decision to open a handoff: ids, enums and times only, so it can stand in a checkpoint.

    The packet staff read (with the patient's words) is built from it and the ledger when it is committed.
    """

    id: str
    kind: HandoffKind
    topics: tuple[Topic, ...]
    urgency: Urgency
    owner: Role
    due_at: datetime
    rule: str
    intents: tuple[Intent, ...] = ()
    reason: Reason | None = None
    call_at: datetime | None = None
    offered: tuple[Slot, ...] = ()
    evidence: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A summary that a language model drafted, for staff only. Empty where the model failed; `use` says what it took.

    `of_words` is how many of the packet's `words` it knows. No `repr` of the text: it may hold what the patient wrote.
    """

    text: str = field(repr=False)
    of_words: int
    use: ModelUse

    @property
    def marked(self) -> str:
        """The text as staff see it: named as a draft. Empty where there is none."""
        return f"Drafted by a language model, not checked: {self.text}" if self.text else ""


@dataclass(frozen=True, slots=True)
class HandoffPacket:
    """What staff get. `summary` and `suggestion` are made of fixed sentences; `words` are the patient's own.

    `escalated_from` are earlier owners who did not acknowledge in time, the first one first. `reopened_at`: the patient
    wrote again after staff had resolved it. `draft` stands beside the summary, never in its place.
    """

    id: str
    conversation_id: str
    patient_id: str | None
    kind: HandoffKind
    status: HandoffStatus
    topics: tuple[Topic, ...]
    urgency: Urgency
    owner: Role
    opened_at: datetime
    due_at: datetime
    summary: str
    suggestion: str
    words: tuple[str, ...] = field(default=(), repr=False)
    offered: tuple[Slot, ...] = ()
    reason: Reason | None = None
    call_at: datetime | None = None
    acknowledged_at: datetime | None = None
    resolved_at: datetime | None = None
    released_at: datetime | None = None
    acknowledged_by: str = ""
    escalated_at: datetime | None = None
    escalated_from: tuple[Role, ...] = ()
    reopened_at: datetime | None = None
    draft: Draft | None = None

    def overdue(self, now: datetime) -> bool:
        """True when its time has passed and nobody has acknowledged it; the due moment itself is too late."""
        return self.status is HandoffStatus.OPENED and self.due_at <= now
