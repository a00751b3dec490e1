"""What a turn was decided on, beside its event: kept so that the same turn can be decided again (P12)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from treatment_agent.domain.books import ConversationFacts
from treatment_agent.domain.scheduling import Authority, Booking, Slot, SlotRequest
from treatment_agent.domain.treatment import ChartStatus


class Asking(StrEnum):
    """What a turn may ask the world."""

    CHART = "chart"
    SLOTS = "slots"
    BOOK = "book"
    BOOKING = "booking"
    INTERPRETER = "interpreter"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a value, or the name of the exception in `error` (`code`: its rule or short code).

    The interpreter's reading stands in the turn's record, so its answer here is empty unless it failed. `request` is
    what the calendar was asked for.
    """

    asked: Asking
    request: SlotRequest | None = None
    status: ChartStatus | None = None
    slots: tuple[Slot, ...] = ()
    booking: Booking | None = None
    error: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class TurnInputs:
    """Everything a turn saw. `facts` are the books at its start, without the words of open handoffs.

    `stopped`: the kill switch was thrown. `held_by` is the limit that held a touch back, if one did. `resumed`: a crash
    came between the decision and its commit, so the `answers` of the tools are not known. `due_at` is when the
    conversation was due next after the turn.
    """

    facts: ConversationFacts
    interpreter: str = ""
    authority: Authority = Authority.BOOK
    can_reschedule: bool = False
    stopped: bool = False
    held_by: str = ""
    resumed: bool = False
    answers: tuple[Answer, ...] = ()
    due_at: datetime | None = None
