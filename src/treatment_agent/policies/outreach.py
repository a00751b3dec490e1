"""Writing first: what to do when a touch falls due. The chart has just been asked (P9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from treatment_agent.domain.books import ConversationFacts
from treatment_agent.domain.conversation import Conversation, Disposition, Move, Phase
from treatment_agent.domain.handoff import HandoffKind, HandoffRequest, Role, Urgency
from treatment_agent.domain.interpretation import Asked
from treatment_agent.domain.measured import HOLD_OUT_RULE
from treatment_agent.domain.messages import SendKind
from treatment_agent.domain.treatment import Case, ChartStatus, ProcedureStatus
from treatment_agent.domain.turn import Decision, DueChange, Say, Search
from treatment_agent.policies import booking, cadence, queue
from treatment_agent.policies.contact import Deferred, Denied, decide_outreach
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.policies.topics import due_at

TOUCHABLE = (
    Phase.QUEUED,
    Phase.CONTACTED,
    Phase.IN_CONVERSATION,
    Phase.OFFER_OPEN,
    Phase.DEFERRED,
)
RETRY_AFTER = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Touch:
    """What a touch is decided on."""

    facts: ConversationFacts
    case: Case
    policy: PracticePolicy
    now: datetime
    event_id: str
    step: int

    @property
    def conversation(self) -> Conversation:
        """Where the conversation stands."""
        return self.facts.conversation


def before_chart(touch: Touch) -> Decision | None:
    """Reasons not to write that need no look at the chart; None means ask the chart next."""
    conversation = touch.conversation
    if conversation.held:
        return skip("outreach.held")
    if touch.facts.skip_rule == HOLD_OUT_RULE:
        return skip(HOLD_OUT_RULE)
    if conversation.phase not in TOUCHABLE:
        return skip("outreach.phase")
    if touch.step != conversation.step:
        return Decision(move=Move.STAY, rules=("outreach.stale-touch",))
    return None


def decide(touch: Touch, chart: ChartStatus) -> Decision:
    """Send the step, put it off, hand it to a person, or close the case."""
    closed = changed(touch.case, chart)
    if closed is not None:
        return closed
    if chart.next_visit_at is not None:
        return _review(touch, "outreach.other-visit")
    conversation = touch.conversation
    if conversation.phase is Phase.QUEUED:
        assessment = queue.assess(touch.case, touch.policy, touch.now)
        if assessment.skip_rule is not None:
            return _review(touch, assessment.skip_rule)
    if cadence.is_review(conversation.step, touch.policy) and conversation.phase is not Phase.DEFERRED:
        return _review(touch, "outreach.no-response", Disposition.NO_RESPONSE)
    verdict = decide_outreach(now=touch.now, facts=touch.facts, policy=touch.policy)
    if isinstance(verdict, Deferred):
        return Decision(move=Move.STAY, rules=(verdict.rule,), due=DueChange.SET, due_at=verdict.until)
    if isinstance(verdict, Denied):
        return _review(touch, verdict.rule)
    return _send(touch)


def _send(touch: Touch) -> Decision:
    """Look for two openings and send the step's script; the cadence moves on."""
    conversation = touch.conversation
    if conversation.phase is Phase.DEFERRED:
        return _wake(touch)
    visit = booking.plan_visit(touch.case, touch.policy)
    if visit is None:
        return _review(touch, "outreach.no-template")
    step, due = cadence.after_touch(conversation.step, touch.policy, touch.now)
    none, one, more = (
        cadence.script_for(conversation.step, touch.policy, touch.case, touch.now, slots) for slots in range(3)
    )
    return Decision(
        move=Move.STAY,
        rules=("outreach.touch",),
        tool=Search(
            request=booking.slot_request(visit, touch.policy, touch.now),
            scripts=(none, one, more),
            asked=Asked.FIRST_MESSAGE if conversation.step == 0 else Asked.REMINDER,
            kind=SendKind.OUTREACH,
            move=Move.TOUCH,
        ),
        step=step,
        due=DueChange.SET,
        due_at=due,
    )


def _wake(touch: Touch) -> Decision:
    """A deferral is over: a softer text of its own, without times; the reminders go on where they were."""
    step = max(touch.conversation.step, 1)
    _, due = cadence.after_touch(step - 1, touch.policy, touch.now)
    return Decision(
        move=Move.TOUCH,
        rules=("outreach.wake",),
        says=(Say(touch.policy.cadence.wake_script_id, SendKind.OUTREACH),),
        asked=Asked.REMINDER,
        offers=(),
        step=step,
        due=DueChange.SET,
        due_at=due,
    )


def changed(case: Case, chart: ChartStatus) -> Decision | None:
    """A chart that says the case is over closes it: booked, done, declined, deceased, do not contact."""
    if chart.patient_status == "deceased":
        return _close("chart.deceased", Disposition.DECEASED)
    if chart.do_not_contact:
        return _close("chart.do-not-contact", Disposition.NOT_ELIGIBLE)
    if chart.patient_status != "active":
        return _close("chart.inactive", Disposition.NOT_ELIGIBLE)
    known = [chart.procedures.get(p.id, p.status) for p in case.open_procedures]
    if any(s is ProcedureStatus.SCHEDULED for s in known):
        return _close("chart.booked", Disposition.BOOKED_ELSEWHERE)
    if not any(s is ProcedureStatus.PLANNED for s in known):
        return _close("chart.treatment-changed", Disposition.TREATMENT_CHANGED)
    return None


def unavailable(rule: str, now: datetime) -> Decision:
    """The chart or calendar cannot be asked: nothing is sent unasked; try again in half an hour."""
    return Decision(move=Move.STAY, rules=(rule,), due=DueChange.SET, due_at=now + RETRY_AFTER)


def _close(rule: str, disposition: Disposition) -> Decision:
    return Decision(move=Move.CLOSE, rules=(rule,), disposition=disposition, due=DueChange.CLEAR)


def skip(rule: str) -> Decision:
    """Nothing is sent, and no further touch falls due."""
    return Decision(move=Move.STAY, rules=(rule,), due=DueChange.CLEAR)


def _review(touch: Touch, rule: str, disposition: Disposition | None = None) -> Decision:
    """A person looks: a task, and the machine stops writing."""
    return Decision(
        move=Move.REVIEW,
        rules=(rule,),
        handoff=_task(touch.conversation, touch.policy, touch.now, rule),
        disposition=disposition,
        due=DueChange.CLEAR,
    )


def failed(facts: ConversationFacts, policy: PracticePolicy, now: datetime, rules: tuple[str, ...]) -> Decision:
    """A turn that no patient waits for broke: a task for a person, no text, and no further touch."""
    task = _task(facts.conversation, policy, now, rules[0])
    return Decision(move=Move.STAY, rules=rules, handoff=task, due=DueChange.CLEAR)


def _task(conversation: Conversation, policy: PracticePolicy, now: datetime, rule: str) -> HandoffRequest:
    return HandoffRequest(
        id=f"{conversation.id}:{HandoffKind.REVIEW.value}",
        kind=HandoffKind.REVIEW,
        topics=(),
        urgency=Urgency.SOON,
        owner=Role.TREATMENT_COORDINATOR,
        due_at=due_at(now, 960, policy, Urgency.SOON),
        rule=rule,
    )
