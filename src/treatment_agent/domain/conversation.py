"""Where a conversation stands, how it may move, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from treatment_agent.domain.interpretation import Asked, Reason
from treatment_agent.domain.messages import Channel
from treatment_agent.domain.scheduling import Booking, Slot


class Phase(StrEnum):
    """Where a conversation stands. "Waiting" is a phase, never a paused run."""

    QUEUED = "queued"
    CONTACTED = "contacted"
    IN_CONVERSATION = "in_conversation"
    OFFER_OPEN = "offer_open"
    BOOKING_REQUESTED = "booking_requested"
    BOOKED = "booked"
    CALLBACK_REQUESTED = "callback_requested"
    DEFERRED = "deferred"
    DECLINED = "declined"
    OPTED_OUT = "opted_out"
    WITH_STAFF = "with_staff"
    NEEDS_REVIEW = "needs_review"
    CLOSED = "closed"


class Disposition(StrEnum):
    """How a conversation ended."""

    BOOKED = "booked"
    BOOKED_ELSEWHERE = "booked_elsewhere"
    BOOKED_BY_STAFF = "booked_by_staff"
    DECLINED = "declined"
    OPTED_OUT = "opted_out"
    NO_RESPONSE = "no_response"
    TREATMENT_CHANGED = "treatment_changed"
    DECEASED = "deceased"
    CLOSED_BY_STAFF = "closed_by_staff"
    NOT_ELIGIBLE = "not_eligible"


class Move(StrEnum):
    """The ways a turn can move a conversation. `STAY` answers or records without moving."""

    STAY = "stay"
    TOUCH = "touch"
    ASK = "ask"
    OFFER = "offer"
    REQUEST_BOOKING = "request_booking"
    BOOK = "book"
    BOOKING_FAILED = "booking_failed"
    CALL_BACK = "call_back"
    DEFER = "defer"
    DECLINE = "decline"
    REVOKE = "revoke"
    OPT_IN = "opt_in"
    HAND_OFF = "hand_off"
    RELEASE = "release"
    REVIEW = "review"
    CLOSE = "close"


# Where nothing is settled: the patient may pick, ask, put off or refuse.
TALKING = (
    Phase.QUEUED,
    Phase.CONTACTED,
    Phase.IN_CONVERSATION,
    Phase.OFFER_OPEN,
    Phase.CALLBACK_REQUESTED,
    Phase.DEFERRED,
    Phase.DECLINED,
    Phase.NEEDS_REVIEW,
)
_EVERY = tuple(Phase)
_NOT_SILENCED = tuple(p for p in Phase if p is not Phase.OPTED_OUT)

# The whole state machine as data: move -> (phases it may start from, phase it leads to).
# A move from a phase that is not listed is a bug and ends in a handoff (P5). Drawn in docs/, enumerated by a test.
TRANSITIONS: dict[Move, tuple[tuple[Phase, ...], Phase | None]] = {
    Move.STAY: (_EVERY, None),
    Move.TOUCH: (
        (Phase.QUEUED, Phase.CONTACTED, Phase.IN_CONVERSATION, Phase.OFFER_OPEN, Phase.DEFERRED),
        Phase.CONTACTED,
    ),
    Move.ASK: (TALKING, Phase.IN_CONVERSATION),
    Move.OFFER: ((*TALKING, Phase.BOOKING_REQUESTED, Phase.BOOKED), Phase.OFFER_OPEN),
    Move.REQUEST_BOOKING: (TALKING, Phase.BOOKING_REQUESTED),
    Move.BOOK: ((*TALKING, Phase.BOOKING_REQUESTED, Phase.BOOKED, Phase.WITH_STAFF, Phase.CLOSED), Phase.BOOKED),
    Move.BOOKING_FAILED: ((Phase.BOOKING_REQUESTED,), Phase.IN_CONVERSATION),
    Move.CALL_BACK: ((*TALKING, Phase.BOOKING_REQUESTED, Phase.BOOKED), Phase.CALLBACK_REQUESTED),
    Move.DEFER: (TALKING, Phase.DEFERRED),
    Move.DECLINE: ((*TALKING, Phase.BOOKING_REQUESTED, Phase.WITH_STAFF), Phase.DECLINED),
    Move.REVOKE: (_EVERY, Phase.OPTED_OUT),
    Move.OPT_IN: ((Phase.OPTED_OUT,), Phase.IN_CONVERSATION),
    Move.HAND_OFF: (_NOT_SILENCED, Phase.WITH_STAFF),
    Move.RELEASE: ((Phase.WITH_STAFF,), Phase.IN_CONVERSATION),
    Move.REVIEW: ((*TALKING, Phase.WITH_STAFF, Phase.BOOKING_REQUESTED, Phase.BOOKED), Phase.NEEDS_REVIEW),
    Move.CLOSE: (_NOT_SILENCED, Phase.CLOSED),
}


def next_phase(phase: Phase, move: Move) -> Phase:
    """The phase that `move` leads to.

    Raises:
        ValueError: the table does not allow this move from `phase`.
    """
    starts, target = TRANSITIONS[move]
    if phase not in starts:
        raise ValueError(f"transition {move} is not allowed from phase {phase}")
    return target or phase


# As many times as an offer holds.
_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Conversation:
    """The whole remembered state of one conversation: ids, enums and times, nothing a patient said.

    `offers` are the slots on the table, numbered from 1 in this order; `seen_slots` every slot id offered so far.
    `step` is the next cadence step, `due_at` when it (or a deferral's wake-up) falls due. `handoff_id` is set while
    staff hold the conversation. `standing` is the confirmed booking that the requested one in `booking` is to
    move: it stands until that is confirmed. `channel` is how texts travel once something other than a step decided it:
    the patient wrote there, or a text did not arrive. `riders` are the cases of a family that it speaks for too,
    `rides_with` the one that speaks for it. `patient_id` and `case_id` are None for a sender nobody knows.
    """

    id: str
    case_id: str | None = None
    patient_id: str | None = None
    phase: Phase = Phase.QUEUED
    asked: Asked = Asked.NOTHING
    language: str = "en"
    offers: tuple[Slot, ...] = ()
    seen_slots: tuple[str, ...] = ()
    step: int = 0
    due_at: datetime | None = None
    booking: Booking | None = None
    standing: Booking | None = None
    reasons: tuple[Reason, ...] = ()
    until: date | None = None
    handoff_id: str | None = None
    handoff_text_sent: bool = False
    disposition: Disposition | None = None
    asks: int = 0
    first_sent_at: datetime | None = None
    channel: Channel | None = None
    riders: tuple[str, ...] = ()
    rides_with: str | None = None

    @property
    def numbered(self) -> tuple[str, ...]:
        """The slots that a number may mean: those on the table, or while a visit is requested those of its offer."""
        if self.offers or self.phase is not Phase.BOOKING_REQUESTED:
            return tuple(slot.id for slot in self.offers)
        return self.seen_slots[-_AT_ONCE:]

    @property
    def held(self) -> bool:
        """True while staff hold the conversation (P2)."""
        return self.handoff_id is not None
