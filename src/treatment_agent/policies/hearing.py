"""What a routine reply is decided on, and the tasks that go beside one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from treatment_agent.domain.conversation import TALKING, Conversation, Phase
from treatment_agent.domain.handoff import HandoffKind, HandoffRequest, Role, Urgency
from treatment_agent.domain.interpretation import Facts, Intent, Interpretation, Span
from treatment_agent.domain.scheduling import Booking, BookingStatus, VisitPlan
from treatment_agent.domain.treatment import Case
from treatment_agent.domain.turn import ReasonNote
from treatment_agent.policies import booking
from treatment_agent.policies.cadence import workflow_of
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.policies.topics import due_at


@dataclass(frozen=True, slots=True)
class Turn:
    """What a reply is decided on."""

    conversation: Conversation
    interpretation: Interpretation
    case: Case
    policy: PracticePolicy
    now: datetime
    event_id: str
    can_reschedule: bool = False

    @property
    def facts(self) -> Facts:
        """What the message says beside its intent."""
        return self.interpretation.facts

    @property
    def visit(self) -> VisitPlan | None:
        """The visit to be booked, or None when the office books this kind by hand."""
        return booking.plan_visit(self.case, self.policy)

    @property
    def by_call(self) -> bool:
        """True when this conversation is about a call: nothing is offered or booked in it."""
        workflow = workflow_of(self.case, self.policy)
        return bool(self.conversation.riders) or (workflow is not None and workflow.asks_for_call)

    @property
    def live_booking(self) -> Booking | None:
        """Our booking, while it is requested or confirmed."""
        ours = self.conversation.booking
        live = ours is not None and ours.status in (BookingStatus.REQUESTED, BookingStatus.CONFIRMED)
        return ours if live else None

    @property
    def visit_stands(self) -> bool:
        """True when a visit is booked or requested, by us or by staff: a second one is never made (P6)."""
        return self.live_booking is not None or self.conversation.phase is Phase.BOOKED

    @property
    def is_moving(self) -> bool:
        """True while a visit stands and other times for it are on the table."""
        return self.visit_stands and self.conversation.phase in TALKING and bool(self.conversation.offers)

    @property
    def picks_again(self) -> bool:
        """True when the number of the time that was just requested is sent once more, as people do who wait."""
        ours, number = self.live_booking, self.facts.option
        if number is None or ours is None or ours.status is not BookingStatus.REQUESTED:
            return False
        return self.conversation.numbered[number - 1 : number] == (ours.slot.id,)


def language_of(interpretation: Interpretation, conversation: Conversation, policy: PracticePolicy) -> str | None:
    """The language the patient wrote in, if it is new and the office has approved texts in it."""
    return new_language(interpretation.language, conversation, policy)


def new_language(language: str | None, conversation: Conversation, policy: PracticePolicy) -> str | None:
    """The language, if it differs from the one on record and the office has approved texts in it."""
    if language is None or language == conversation.language:
        return None
    return language if policy.scripts.has("offer", language) else None


def task(
    turn: Turn, kind: HandoffKind, rule: str, *, call_at: datetime | None = None, minutes: int = 240
) -> HandoffRequest:
    """A task for the front desk beside the conversation. One per kind and conversation: a later one updates it."""
    urgency = Urgency.TODAY
    return HandoffRequest(
        id=f"{turn.conversation.id}:{kind.value}",
        kind=kind,
        topics=(),
        urgency=urgency,
        owner=Role.FRONT_DESK,
        due_at=call_at or due_at(turn.now, minutes, turn.policy, urgency),
        rule=rule,
        intents=turn.interpretation.intents,
        reason=turn.facts.reason,
        call_at=call_at,
        offered=turn.conversation.offers,
        evidence=spans_of(turn),
    )


def reason_of(turn: Turn) -> ReasonNote | None:
    """The reason the patient gave, with where it was said; None if they gave none."""
    code = turn.facts.reason
    return ReasonNote(code, spans_of(turn), turn.facts.until) if code else None


def spans_of(turn: Turn) -> tuple[Span, ...]:
    """Where the message says something beside politeness."""
    return tuple(c.span for c in turn.interpretation.clauses if c.label is not Intent.ACK)


def local_now(turn: Turn) -> datetime:
    """The current instant in the office's zone."""
    return turn.now.astimezone(turn.policy.office.tz)
