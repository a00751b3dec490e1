"""What a dialogue file expects: of a turn (`Expect`), and of the books when it is over (`End`)."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from treatment_agent.domain.consent import ConsentStatus
from treatment_agent.domain.conversation import Disposition, Phase
from treatment_agent.domain.handoff import HandoffKind, HandoffStatus, Role, Urgency
from treatment_agent.domain.interpretation import Ambiguity, Intent, LogisticsAsk, Reason, Topic
from treatment_agent.domain.scheduling import BookingStatus
from treatment_agent.domain.value import Value


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error.msg}") from None
    return pattern


Pattern = Annotated[str, AfterValidator(_compiles)]
"""A regular expression; found anywhere, in capitals or not."""


class ExpectedFacts(Value):
    """What must have been understood of the last message of a turn. Only what is written is judged.

    `option = 0`: none was picked. `fits` are times that the understood windows must hold, `misses` times they must not.
    Times without an offset are the office's.
    """

    intents: tuple[Intent, ...] | None = None
    topics: tuple[Topic, ...] | None = None
    language: str | None = None
    abstained: bool | None = None
    option: int | None = Field(default=None, ge=0)
    until: date | None = None
    call_at: datetime | None = None
    reason: Reason | None = None
    asks: LogisticsAsk | None = None
    ambiguous: tuple[Ambiguity, ...] | None = None
    cancels: bool | None = None
    fits: tuple[datetime, ...] = ()
    misses: tuple[datetime, ...] = ()


class Expect(Value):
    """What one turn must lead to. Only what is written is judged.

    - `phase`: where the conversation stands after the turn.
    - `decision`: the rule that decided the last thing that happened. `rules`: all of these spoke, `not_rules`: none.
    - `sent`: exactly these scripts left, in this order (`[]`: nothing). `not_sent`: none of these did.
    - `says`: each is found in what was sent.
    - `tools`: each was called (`scheduler.book`), `not_tools`: none was.
    - `reasons`: exactly these reasons were recorded.
    - `handoff`: a handoff of this topic was opened, or `"none"`.
    - `facts`: what was understood.
    - `consent`: what stands for the patient's number.
    """

    phase: Phase | None = None
    decision: str | None = None
    rules: tuple[str, ...] = ()
    not_rules: tuple[str, ...] = ()
    sent: tuple[str, ...] | None = None
    not_sent: tuple[str, ...] = ()
    says: tuple[Pattern, ...] = ()
    tools: tuple[str, ...] = ()
    not_tools: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] | None = None
    handoff: Topic | Literal["none"] | None = None
    consent: ConsentStatus | None = None
    facts: ExpectedFacts | None = None


class ExpectedHandoff(Value):
    """One handoff or task on the books. `topic` is the one that names it; tasks beside the conversation may have none.

    `owner` and `status` are judged only if written.
    """

    topic: Topic | None = None
    urgency: Urgency
    kind: HandoffKind = HandoffKind.HANDOFF
    owner: Role | None = None
    status: HandoffStatus | None = None

    @model_validator(mode="after")
    def _has_topic(self) -> Self:
        if self.kind.holds and self.topic is None:
            raise ValueError("a handoff needs its topic; for a task write its kind, such as call_back")
        return self


class ExpectedBooking(Value):
    """One booking in the calendar, whatever became of it. `at` and `procedures` are judged only if written."""

    status: BookingStatus = BookingStatus.CONFIRMED
    at: datetime | None = None
    procedures: tuple[str, ...] | None = None


class EndOfOther(Value):
    """How the conversation with another patient of the file, or with a stranger, must stand."""

    phase: Phase
    sent: tuple[str, ...]
    disposition: Disposition | None = None


class End(Value):
    """The final books. Everything is judged but `disposition` and `language`, which are judged if written.

    - `sent`: every script that left to the patient, in order.
    - `bookings` and `handoffs`: all there are in the practice, in the order they came. Default: none.
    - `reasons`: all reasons recorded of the patient, in order. Default: none.
    - `consent`: what stands for the patient's number (or mailbox). Default: granted.
    - `others`: per patient id of `[[other]]`, or `stranger`.
    """

    phase: Phase
    sent: tuple[str, ...]
    bookings: tuple[ExpectedBooking, ...] = ()
    handoffs: tuple[ExpectedHandoff, ...] = ()
    reasons: tuple[Reason, ...] = ()
    consent: ConsentStatus = ConsentStatus.GRANTED
    disposition: Disposition | None = None
    language: str | None = None
    others: dict[str, EndOfOther] = Field(default_factory=dict)
