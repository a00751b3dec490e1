"""Not now: call-backs, deferrals, refusals, and when to write again."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta

from treatment_agent.domain.conversation import Conversation, Disposition, Move
from treatment_agent.domain.handoff import HandoffKind
from treatment_agent.domain.interpretation import Asked, Reason
from treatment_agent.domain.treatment import Case
from treatment_agent.domain.turn import Decision, DueChange, ReasonNote, Say
from treatment_agent.policies import cadence
from treatment_agent.policies.hearing import Turn, local_now, reason_of, spans_of, task
from treatment_agent.policies.practice import PracticePolicy

_LONGEST_DEFERRAL = timedelta(days=365)
# A window longer than this is a part of a day, not an hour; one that ends so late is open: "after 3" names its hour.
_ABOUT_AN_HOUR = timedelta(hours=1)
_OPEN_END = time(20)


def call_back(turn: Turn, rule: str = "reply.call-back") -> Decision:
    """Take a call-back request: a task for the front desk at once; the time is asked for only if it was not given.

    With another `rule` a person calls because we cannot help: the patient is told so and not asked when. A booked visit
    stays booked.
    """
    wanted = rule == "reply.call-back"
    call_at = turn.facts.call_at
    if call_at is None and turn.facts.windows and turn.conversation.asked is Asked.CALLBACK_ASK:
        call_at = turn.facts.windows[0].start
    asked_before = turn.conversation.asked is Asked.CALLBACK_ASK
    if not wanted:
        script = "no-slots"
    elif call_at is not None and turn.policy.office.is_open(call_at) and not _begins_a_stretch(turn, call_at):
        script = "callback-confirmed-at"
    else:
        # A time when the office is closed, or an hour nobody named, is kept for staff, but not promised.
        script = "callback-confirmed" if asked_before or call_at is not None else "callback-ask"
    return Decision(
        move=Move.STAY if turn.visit_stands else Move.CALL_BACK,
        rules=(rule,),
        says=(Say(script),),
        handoff=task(turn, HandoffKind.CALL_BACK, rule, call_at=call_at),
        asked=Asked.CALLBACK_ASK if wanted else None,
        call_at=call_at,
        reason=reason_of(turn),
        due=DueChange.CLEAR,
    )


def _begins_a_stretch(turn: Turn, call_at: datetime) -> bool:
    """True when the hour is only where "Friday morning" begins: nobody named it."""
    begun = [window for window in turn.facts.windows if window.start == call_at]
    return any(window.end - call_at > _ABOUT_AN_HOUR and window.end.time() < _OPEN_END for window in begun)


def plan_by_call(turn: Turn) -> Decision:
    """A conversation about a call (a family's, or one we owe): any wish to plan is the wish to be called."""
    decision = call_back(turn)
    return replace(decision, rules=("reply.plan-by-call", *decision.rules))


def defer(turn: Turn) -> Decision:
    """Wake the case on the day the patient names, or after `defer_days`; ask for the reason once if none was given."""
    until = turn.facts.until
    reason = reason_of(turn)
    told = reason is not None and reason.code is not Reason.UNSPECIFIED
    # A reason on record, were it none in particular, means that they were asked or told it by themselves.
    known = until is not None or told or bool(turn.conversation.reasons) or turn.conversation.asked is Asked.REASON_ASK
    if until is None:
        until = local_now(turn).date() + timedelta(days=turn.policy.defer_days)
    until = min(max(until, local_now(turn).date()), local_now(turn).date() + _LONGEST_DEFERRAL)
    script = "ask-reason" if not known else "deferred-until" if turn.facts.until else "deferred"
    if turn.conversation.asked is Asked.REASON_ASK and turn.facts.until is None:
        script = "reason-noted"
    if reason is not None and script in ("deferred", "reason-noted"):
        script = _for_reason(reason.code, script, turn.policy)
    return Decision(
        move=Move.DEFER,
        rules=("reply.defer" if known else "reply.defer-ask-reason",),
        says=(Say(script),),
        reason=reason or ReasonNote(Reason.UNSPECIFIED, spans_of(turn), until),
        until=until,
        asked=Asked.NOTHING if known else Asked.REASON_ASK,
        due=DueChange.SET,
        due_at=wake_at(turn, until),
    )


def _for_reason(reason: Reason, otherwise: str, policy: PracticePolicy) -> str:
    """The text for this very reason (`deferred-unsure`), if the office has one."""
    script = f"deferred-{reason.value.replace('_', '-')}"
    return script if policy.scripts.has(script, "en") else otherwise


def decline(turn: Turn) -> Decision:
    """End the follow-up, with the reason on record. Nobody is pressed."""
    return Decision(
        move=Move.DECLINE,
        rules=("reply.decline",),
        says=(Say("declined"),),
        reason=reason_of(turn) or ReasonNote(Reason.UNSPECIFIED, spans_of(turn)),
        disposition=Disposition.DECLINED,
        asked=Asked.NOTHING,
        due=DueChange.CLEAR,
    )


def wake_at(turn: Turn, until: date) -> datetime:
    """The hour of the first cadence step on `until`, in the office's zone."""
    steps = cadence.cadence_for(turn.case, turn.policy, turn.conversation.first_sent_at or turn.now).steps
    hour = steps[0].at if steps else time(10)
    return datetime.combine(until, hour, turn.policy.office.tz)


def nudge_at(
    conversation: Conversation, policy: PracticePolicy, now: datetime, case: Case | None = None
) -> tuple[int, datetime]:
    """When to write again if the patient falls silent in mid-conversation: as after the touch they answered."""
    steps = cadence.standing_cadence(conversation, case, policy, now)
    return cadence.after_touch(max(conversation.step - 1, 0), policy, now, steps)
