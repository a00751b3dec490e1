"""Routine replies: interpretation + conversation -> decision, without I/O and without a clock.

Reached only when every clause is confidently routine and no guardrail fired. The rule id is `reply.<intent>` and
further; `visits` and `waiting` hold what each intent leads to.
"""

from __future__ import annotations

from dataclasses import replace

from treatment_agent.domain.conversation import Move, Phase
from treatment_agent.domain.interpretation import Intent, Interpretation, LogisticsAsk
from treatment_agent.domain.turn import AskChart, Decision, DueChange, Say
from treatment_agent.policies import visits, waiting
from treatment_agent.policies.hearing import Turn, language_of, reason_of

# Questions with an approved answer that may come along with something to act on.
_ASIDES = (Intent.LOGISTICS, Intent.WHO)
# What a conversation about a call answers with the call.
_PLANNING = (Intent.ACCEPT, Intent.OTHER_TIMES, Intent.CHANGE, Intent.AFFIRM, Intent.CALLBACK, Intent.LINK)
_LOGISTICS = {LogisticsAsk.PARKING: "logistics-parking", LogisticsAsk.DURATION: "logistics-duration"}


def main_intent(interpretation: Interpretation) -> Intent | None:
    """The one intent a message is acted on as, when it holds several: the strictest that fits.

    "No, neither works, do you have Friday" is a wish for other times, not a refusal.
    """
    said = list(interpretation.intents)
    if Intent.DECLINE in said and {Intent.OTHER_TIMES, Intent.CALLBACK, Intent.LINK, Intent.DEFER} & set(said):
        said.remove(Intent.DECLINE)
    if Intent.DEFER in said and Intent.OTHER_TIMES in said:
        said.remove(Intent.OTHER_TIMES if interpretation.facts.until else Intent.DEFER)
    return said[0] if said else None


def decide(turn: Turn) -> Decision:
    """What to do about a routine message.

    Returns:
        Never a handoff that holds the conversation; at most a task beside it.
    """
    intent = main_intent(turn.interpretation)
    decision = _after_booking(turn, intent) if turn.visit_stands else _before_booking(turn, intent)
    asides = tuple(Say(_aside(turn, i)) for i in _ASIDES if i in turn.interpretation.intents and i is not intent)
    decision = replace(decision, says=(*decision.says, *asides))
    return _spoken(turn, _nudged(turn, decision))


def _nudged(turn: Turn, decision: Decision) -> Decision:
    """Someone who just wrote is not reminded the next minute: the coming touch moves behind this message."""
    conversation = turn.conversation
    waits = conversation.due_at is not None and conversation.phase is not Phase.DEFERRED
    if decision.due is not DueChange.KEEP or not waits:
        return decision
    step, due = waiting.nudge_at(conversation, turn.policy, turn.now, turn.case)
    return replace(decision, due=DueChange.SET, due_at=due, step=max(step, conversation.step))


def _spoken(turn: Turn, decision: Decision) -> Decision:
    """Answer in the language the patient wrote in, if the office has approved scripts in it."""
    language = language_of(turn.interpretation, turn.conversation, turn.policy)
    return replace(decision, language=language) if language else decision


_MEANT_BY_CANCELLING = frozenset(
    (Intent.ACCEPT, Intent.OTHER_TIMES, Intent.CHANGE, Intent.AFFIRM, Intent.DEFER, Intent.LOGISTICS)
)


def _before_booking(turn: Turn, intent: Intent | None) -> Decision:
    if turn.by_call and intent in _PLANNING:
        return waiting.plan_by_call(turn)
    match intent:
        case _ if turn.facts.cancels and _MEANT_BY_CANCELLING & set(turn.interpretation.intents):
            return visits.cancel(turn)
        case Intent.ACCEPT:
            return visits.accept(turn)
        case Intent.OTHER_TIMES | Intent.CHANGE:
            return visits.other_times(turn)
        case Intent.CALLBACK:
            return waiting.call_back(turn)
        case Intent.AFFIRM:
            return visits.affirm(turn)
        case Intent.DEFER:
            return waiting.defer(turn)
        case Intent.DECLINE:
            return waiting.decline(turn)
        case Intent.ALREADY:
            return Decision(move=Move.STAY, rules=("reply.already",), tool=AskChart(), reason=reason_of(turn))
        case _:
            return _answer(turn, intent)


def _after_booking(turn: Turn, intent: Intent | None) -> Decision:
    """With a visit booked or requested only a change or a call moves anything; a second one is never made (P6)."""
    match intent:
        case Intent.ACCEPT if turn.is_moving and not turn.facts.cancels:
            return visits.accept(turn)
        case Intent.CALLBACK:
            return waiting.call_back(turn)
        case _ if turn.facts.cancels:
            # However it was read: "I already cancelled it" must not pass for "it is booked already".
            return visits.cancel(turn)
        case Intent.AFFIRM if turn.is_moving:
            return visits.affirm(turn)
        case Intent.CHANGE if turn.picks_again:
            return Decision(move=Move.STAY, rules=("reply.booked-already",))
        case Intent.CHANGE | Intent.OTHER_TIMES:
            return visits.change(turn)
        case Intent.DECLINE | Intent.DEFER:
            return visits.staff_changes(turn, "reply.change-by-staff")
        case Intent.ACCEPT | Intent.AFFIRM | Intent.ALREADY:
            return Decision(move=Move.STAY, rules=("reply.booked-already",))
        case _:
            return _answer(turn, intent)


def _answer(turn: Turn, intent: Intent | None) -> Decision:
    """Messages that get an approved answer, or none, and leave the conversation where it is."""
    match intent:
        case Intent.LINK:
            return Decision(move=Move.STAY, rules=("reply.link",), says=(Say("link"),))
        case Intent.LOGISTICS:
            return Decision(move=Move.STAY, rules=("reply.logistics",), says=(Say(_logistics_script(turn)),))
        case Intent.WHO:
            return Decision(move=Move.STAY, rules=("reply.who",), says=(Say("who"),))
        case _:
            return Decision(move=Move.STAY, rules=("reply.ack",))


def _aside(turn: Turn, intent: Intent) -> str:
    return "who" if intent is Intent.WHO else _logistics_script(turn)


def _logistics_script(turn: Turn) -> str:
    script = _LOGISTICS.get(turn.facts.asks or LogisticsAsk.GENERAL, "logistics")
    known = turn.policy.office.text_in(turn.interpretation.language, "parking")
    return "logistics" if script == "logistics-parking" and not known else script
