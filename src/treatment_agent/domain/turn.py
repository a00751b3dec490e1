"""The record of one turn: everything that was decided, small enough to be a checkpoint's write-ahead record.

Ids, enums and times only. Texts are rendered from it, and evidence words looked up, when the ledger is committed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from treatment_agent.domain.consent import ConsentHow, ConsentStatus
from treatment_agent.domain.conversation import Disposition, Move, Phase
from treatment_agent.domain.handoff import HandoffRequest, HandoffStatus, NextStep, Urgency
from treatment_agent.domain.interpretation import Asked, Interpretation, Reason, Span, Topic
from treatment_agent.domain.messages import Channel, PlannedSend, SendKind
from treatment_agent.domain.scheduling import Booking, Slot, SlotRequest, VisitPlan


@dataclass(frozen=True, slots=True)
class Verdict:
    """A guardrail's word: a person must have this. Verdicts are only ever added, never removed."""

    topic: Topic
    rule: str
    urgency: Urgency | None = None
    evidence: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Say:
    """Send this script; facts are filled by `compose`."""

    script_id: str
    kind: SendKind = SendKind.REPLY
    channel: Channel = Channel.SMS


@dataclass(frozen=True, slots=True)
class Search:
    """Tool call: look for openings. `scripts` are the texts for none, one, and two or more openings found.

    `move` is what it means when something was found. `nearest` is what to look for when nothing suits.
    """

    request: SlotRequest
    scripts: tuple[str, str, str]
    asked: Asked = Asked.OFFER
    kind: SendKind = SendKind.REPLY
    move: Move = Move.OFFER
    nearest: SlotRequest | None = None
    channel: Channel = Channel.SMS


@dataclass(frozen=True, slots=True)
class Book:
    """Tool call: book this offered slot. `replaces` is the appointment it moves."""

    slot: Slot
    visit: VisitPlan
    replaces: str | None = None


@dataclass(frozen=True, slots=True)
class AskChart:
    """Tool call: ask the chart whether the patient is booked already, as they say."""


Tool = Search | Book | AskChart


@dataclass(frozen=True, slots=True)
class ReasonNote:
    """Why the patient hesitates, with where in the message it was said."""

    code: Reason
    evidence: tuple[Span, ...] = ()
    until: date | None = None


@dataclass(frozen=True, slots=True)
class ConsentChange:
    """Consent to be recorded with this turn, for every contact point of the person."""

    status: ConsentStatus
    how: ConsentHow
    by: str = ""


class DueChange(StrEnum):
    """What happens to the conversation's next due time."""

    KEEP = "keep"
    CLEAR = "clear"
    SET = "set"


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do about one event. Made by pure functions; carried out by the graph.

    `tool` is at most one call per step; its outcome may lead to a further decision. `due_at` counts with
    `due = SET`. `rules` are the stable ids of every rule that spoke, the deciding one first.
    """

    move: Move
    rules: tuple[str, ...]
    says: tuple[Say, ...] = ()
    tool: Tool | None = None
    handoff: HandoffRequest | None = None
    consent: ConsentChange | None = None
    reason: ReasonNote | None = None
    asked: Asked | None = None
    until: date | None = None
    call_at: datetime | None = None
    language: str | None = None
    due: DueChange = DueChange.KEEP
    due_at: datetime | None = None
    step: int | None = None
    disposition: Disposition | None = None
    desk: HandoffStatus | None = None
    desk_next: NextStep | None = None
    offers: tuple[Slot, ...] | None = None
    booking: Booking | None = None


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """What one event led to. `id` is the event's id; committing the same record twice changes nothing."""

    id: str
    conversation_id: str
    at: datetime
    policy: str
    phase_before: Phase
    phase_after: Phase
    rules: tuple[str, ...]
    sends: tuple[PlannedSend, ...] = ()
    handoffs: tuple[HandoffRequest, ...] = ()
    booking: Booking | None = None
    consent: ConsentChange | None = None
    reason: ReasonNote | None = None
    verdicts: tuple[Verdict, ...] = ()
    interpretation: Interpretation | None = None
    desk: HandoffStatus | None = None
    desk_by: str = ""
    failures: tuple[str, ...] = ()
