"""Writing first: what to do when a touch falls due. The chart has just been asked (P9)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from treatment_agent.domain.books import NOT_IN_EXPORT, ConversationFacts
from treatment_agent.domain.conversation import Conversation, Disposition, Move, Phase
from treatment_agent.domain.handoff import HandoffKind, HandoffRequest, Role, Urgency
from treatment_agent.domain.interpretation import Asked
from treatment_agent.domain.measured import HOLD_OUT_RULE
from treatment_agent.domain.messages import Channel, SendKind
from treatment_agent.domain.treatment import Case, ChartStatus, ProcedureStatus
from treatment_agent.domain.turn import Decision, DueChange, Say, Search
from treatment_agent.policies import booking, cadence, channels, exclusions, families, queue
from treatment_agent.policies.contact import Deferred, Denied
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.policies.steps import Cadence
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

    @property
    def cadence(self) -> Cadence:
        """The steps that hold for this conversation."""
        return cadence.standing_cadence(self.conversation, self.case, self.policy, self.now)

    @property
    def channel(self) -> Channel:
        """The channel the step asks for; a wake-up after the last step goes the way of that step."""
        step = cadence.step_at(self.conversation.step, self.cadence)
        return step.channel if step else Channel.SMS


def before_chart(touch: Touch) -> Decision | None:
    """Reasons not to write that need no look at the chart; None means ask the chart next."""
    conversation = touch.conversation
    if conversation.held:
        return skip("outreach.held")
    if touch.facts.skip_rule == HOLD_OUT_RULE:
        return skip(HOLD_OUT_RULE)
    if conversation.phase not in TOUCHABLE:
        return skip("outreach.phase")
    if touch.facts.unlisted:
        # Found due just before an export left it out. A time of its own, so that it falls due when it is back.
        return unavailable(NOT_IN_EXPORT, touch.now)
    if touch.step != conversation.step:
        return Decision(move=Move.STAY, rules=("outreach.stale-touch",))
    if touch.facts.call_made:
        return _close("outreach.call-made", Disposition.CLOSED_BY_STAFF)
    if any(not h.kind.holds for h in touch.facts.open_handoffs):
        return _tomorrow(touch, "outreach.open-task")
    return None


def decide(touch: Touch, chart: ChartStatus) -> Decision:
    """Send the step, put it off, hand it to a person, or close the case."""
    closed = changed(touch.case, chart)
    if closed is not None:
        return closed
    if exclusions.is_stale(chart.as_of, touch.policy, touch.now):
        # It is the office's fault, not the case's: no task for each, and on the day the list is read again it goes on.
        return _tomorrow(touch, "queue.stale-data")
    if _other_visit(touch, chart):
        return _review(touch, "outreach.other-visit")
    touch = replace(touch, facts=_with_talk(touch.facts, chart))
    conversation = touch.conversation
    if conversation.phase is Phase.QUEUED:
        assessment = queue.assess(_as_charted(touch.case, chart), touch.policy, touch.now)
        if assessment.skip_rule is not None:
            return _review(touch, assessment.skip_rule)
    if cadence.is_review(conversation.step, touch.policy, touch.cadence) and conversation.phase is not Phase.DEFERRED:
        return _review(touch, "outreach.no-response", Disposition.NO_RESPONSE)
    own = touch.channel
    channel, verdict = channels.pick(touch.now, touch.facts, touch.policy, own)
    if isinstance(verdict, Deferred):
        return Decision(move=Move.STAY, rules=(verdict.rule,), due=DueChange.SET, due_at=verdict.until)
    if isinstance(verdict, Denied):
        return _review(touch, verdict.rule)
    sent = replace(_send(touch), send_by=channel)
    return sent if channel is own else replace(sent, channel=channel, rules=(*sent.rules, "outreach.fallback"))


def _other_visit(touch: Touch, chart: ChartStatus) -> bool:
    if chart.next_visit_at is None:
        return False
    return exclusions.visit_counts(
        touch.case, touch.policy, provider_id=chart.next_visit_provider_id, teeth=chart.next_visit_teeth
    )


def _with_talk(facts: ConversationFacts, chart: ChartStatus) -> ConversationFacts:
    """The facts with a talk that only the chart knows of: it holds outreach back like one that was told."""
    talks = [at for at in (facts.last_staff_at, chart.last_staff_contact_at) if at is not None]
    return replace(facts, last_staff_at=max(talks, default=None))


def _as_charted(case: Case, chart: ChartStatus) -> Case:
    """The case with the coming visit and the freshness that the chart just told."""
    return case.model_copy(
        update={
            "next_visit_at": chart.next_visit_at,
            "next_visit_provider_id": chart.next_visit_provider_id,
            "next_visit_teeth": chart.next_visit_teeth,
            "synced_at": chart.as_of,
        }
    )


def _tomorrow(touch: Touch, rule: str) -> Decision:
    """Nothing is sent today; the touch is tried again on the next day that allows outreach."""
    again = cadence.next_day(touch.policy, touch.now, touch.cadence)
    return Decision(move=Move.STAY, rules=(rule,), due=DueChange.SET, due_at=again)


def _send(touch: Touch) -> Decision:
    """Look for two openings and send the step's script; the cadence moves on."""
    conversation = touch.conversation
    if conversation.phase is Phase.DEFERRED:
        return _wake(touch)
    step_now = touch.cadence.steps[conversation.step]
    if conversation.riders or not step_now.offers_times:
        return _say(touch)
    visit = booking.plan_visit(touch.case, touch.policy)
    if visit is None:
        return _review(touch, "outreach.no-template")
    step, due = cadence.after_touch(conversation.step, touch.policy, touch.now, touch.cadence)
    none, one, more = (_script(touch, slots) for slots in range(3))
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


def _script(touch: Touch, slots: int) -> str:
    return cadence.script_for(touch.conversation.step, touch.policy, touch.case, touch.now, slots, touch.cadence)


def _say(touch: Touch) -> Decision:
    """A step without times: its text goes as it is, and earlier offers are off the table."""
    conversation = touch.conversation
    script = _script(touch, 0)
    if conversation.riders:
        script = families.script_of(touch.cadence.steps[conversation.step].script_id, conversation)
        if not touch.policy.scripts.has(script, "en"):
            return _review(touch, "queue.rides-along")
    step, due = cadence.after_touch(conversation.step, touch.policy, touch.now, touch.cadence)
    workflow = cadence.workflow_of(touch.case, touch.policy)
    for_call = bool(conversation.riders) or (workflow is not None and workflow.asks_for_call)
    asked = Asked.FIRST_MESSAGE if conversation.step == 0 else Asked.REMINDER
    return Decision(
        move=Move.TOUCH,
        rules=("outreach.touch",),
        says=(Say(script, SendKind.OUTREACH),),
        asked=Asked.CALLBACK_ASK if for_call else asked,
        offers=(),
        step=step,
        due=DueChange.SET,
        due_at=due,
    )


def _wake(touch: Touch) -> Decision:
    """A deferral is over: a softer text of its own, without times; the reminders go on where they were."""
    step = max(touch.conversation.step, 1)
    _, due = cadence.after_touch(step - 1, touch.policy, touch.now, touch.cadence)
    return Decision(
        move=Move.TOUCH,
        rules=("outreach.wake",),
        says=(Say(touch.cadence.wake_script_id, SendKind.OUTREACH),),
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
