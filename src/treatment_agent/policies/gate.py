"""The consent gate: what is settled before anything is interpreted, deterministically.

Revocations and emergencies in any shipped wording, START, HELP, and people who opted out. DESIGN 4: this runs before
any model call. An opt-out wins over everything but an emergency; with both, both are honoured.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from treatment_agent.domain.books import ContactFacts, ConversationFacts
from treatment_agent.domain.consent import ConsentHow, ConsentStatus
from treatment_agent.domain.conversation import Disposition, Move, Phase
from treatment_agent.domain.events import Event, PatientMessage
from treatment_agent.domain.handoff import HandoffKind, HandoffRequest, Role, Urgency
from treatment_agent.domain.interpretation import Asked, Intent, Interpretation, Topic
from treatment_agent.domain.messages import Channel, SendKind
from treatment_agent.domain.turn import ConsentChange, Decision, DueChange, ReasonNote, Say, Verdict
from treatment_agent.policies.contact import revoked
from treatment_agent.policies.lexicon import WRONG_NUMBER
from treatment_agent.policies.practice import DEFAULT_RULE_SCRIPTS, PracticePolicy
from treatment_agent.policies.screening import Screening
from treatment_agent.policies.topics import deciding, due_at

UNCLEAR = "consent.unclear"
EMERGENCY_REPEAT = timedelta(minutes=30)
_BOT_QUESTION = "human.bot-question"
# Topics whose own text says no more than that a person will answer.
_BOT_ANSWERED = frozenset({Topic.IDENTITY, Topic.HUMAN, Topic.OTHER})


def decide(
    screening: Screening, event: PatientMessage, facts: ConversationFacts, policy: PracticePolicy
) -> Decision | None:
    """The decision for a message that needs no understanding, or None to go on. Emergencies are verdicts, not here."""
    conversation = facts.conversation
    if screening.opt_out or event.carrier_opt_out:
        if conversation.phase is Phase.OPTED_OUT:
            return Decision(move=Move.STAY, rules=("consent.already-revoked",))
        decision = revoke(facts, event)
        cancels = screening.opt_out is not None and screening.opt_out.rule == "opt_out.keyword-cancel"
        if cancels and conversation.phase in (Phase.BOOKED, Phase.BOOKING_REQUESTED):
            return replace(decision, handoff=_ask_about_visit(event, facts, policy))
        return decision
    late = facts.revoked_at is not None and event.at < facts.revoked_at
    point = _on(event.channel, facts)
    if screening.opt_in and not late and revoked(facts, point):
        if point is not None and point.wrong_number:
            return _ask_who_wrote("consent.start-wrong-number", event, facts, policy)
        if point is not None and point.told_staff and point.shared:
            return _ask_who_wrote("consent.start-shared", event, facts, policy)
        return _opt_in(facts)
    if conversation.phase is Phase.OPTED_OUT:
        return None
    if screening.help:
        says = () if conversation.held else (Say("help"),)
        return Decision(move=Move.STAY, rules=("consent.help",), says=says)
    return None


def _on(channel: Channel, facts: ConversationFacts) -> ContactFacts | None:
    return next((c for c in facts.contacts if c.channel is channel), None)


def said_opt_out(interpretation: Interpretation | None, screening: Screening | None) -> bool:
    """True when the interpreter heard an opt-out that the word lists do not know. In doubt it is believed."""
    heard = interpretation is not None and Intent.OPT_OUT in interpretation.intents
    return heard and not (screening is not None and screening.lookalike)


def unclear_opt_out(interpretation: Interpretation, screening: Screening | None) -> tuple[Verdict, ...]:
    """`consent.unclear`: the interpreter heard an opt-out where a phrase only sounds like one. A person reads it."""
    if screening is None or screening.opt_out or Intent.OPT_OUT not in interpretation.intents:
        return ()
    if said_opt_out(interpretation, screening):
        return ()
    spans = tuple(c.span for c in interpretation.clauses if c.label is Intent.OPT_OUT)
    return (Verdict(topic=Topic.OTHER, rule=UNCLEAR, evidence=spans),)


def revoke(facts: ConversationFacts, event: PatientMessage) -> Decision:
    """Stop at once. One confirmation, unless the carrier sent its own or staff hold the thread (P1, P2)."""
    silent = event.carrier_opt_out or facts.conversation.held or facts.conversation.case_id is None
    return Decision(
        move=Move.REVOKE,
        rules=("consent.revocation-wins",),
        says=() if silent else (Say("opt-out-confirmation", SendKind.OPT_OUT),),
        consent=ConsentChange(ConsentStatus.REVOKED, ConsentHow.KEYWORD if event.carrier_opt_out else ConsentHow.WORDS),
        disposition=Disposition.OPTED_OUT,
        due=DueChange.CLEAR,
    )


def revoked_and_more(
    decision: Decision, verdicts: tuple[Verdict, ...], facts: ConversationFacts, policy: PracticePolicy, now: datetime
) -> Decision:
    """The opt-out wins and nothing more is sent, but what else the message said becomes a task for its owner.

    Also when it was only not understood: what stands beside a stop may be the reason why somebody is hurt.
    """
    if decision.handoff is not None or not verdicts:
        return decision
    owner = policy.topics[deciding(verdicts).topic]
    task = HandoffRequest(
        id=f"{facts.conversation.id}:{HandoffKind.REVIEW.value}",
        kind=HandoffKind.REVIEW,
        topics=(),
        urgency=owner.urgency,
        owner=owner.owner,
        due_at=due_at(now, owner.due_minutes, policy, owner.urgency),
        rule="consent.revocation-and-more",
        evidence=tuple(span for v in verdicts for span in v.evidence),
    )
    return replace(decision, handoff=task)


def _ask_about_visit(event: PatientMessage, facts: ConversationFacts, policy: PracticePolicy) -> HandoffRequest:
    """A bare CANCEL is an opt-out to every carrier, but who has a visit may mean the visit: a person asks them."""
    return HandoffRequest(
        id=f"{facts.conversation.id}:{HandoffKind.CHANGE.value}",
        kind=HandoffKind.CHANGE,
        topics=(),
        urgency=Urgency.TODAY,
        owner=Role.FRONT_DESK,
        due_at=due_at(event.at, 240, policy, Urgency.TODAY),
        rule="consent.revocation-wins",
    )


def _ask_who_wrote(rule: str, event: PatientMessage, facts: ConversationFacts, policy: PracticePolicy) -> Decision:
    """START on a phone of several patients, of whom one told staff to stop, or on a wrong number: whose is it?

    Only a person can find out.
    """
    task = HandoffRequest(
        id=f"{facts.conversation.id}:{HandoffKind.REVIEW.value}",
        kind=HandoffKind.REVIEW,
        topics=(),
        urgency=Urgency.SOON,
        owner=Role.FRONT_DESK,
        due_at=due_at(event.at, 480, policy, Urgency.SOON),
        rule=rule,
    )
    return Decision(move=Move.STAY, rules=(rule,), handoff=task)


def _opt_in(facts: ConversationFacts) -> Decision:
    """START after an opt-out is a fresh consent; it is confirmed once, and nothing is offered until they write."""
    opted_out = facts.conversation.phase is Phase.OPTED_OUT
    return Decision(
        move=Move.OPT_IN if opted_out else Move.STAY,
        rules=("consent.fresh-opt-in",),
        says=() if facts.conversation.held else (Say("opt-in-confirmation"),),
        consent=ConsentChange(ConsentStatus.GRANTED, ConsentHow.KEYWORD),
        asked=Asked.NOTHING,
    )


def routine(interpretation: Interpretation, event: Event, facts: ConversationFacts) -> Decision | None:
    """What stands above any routine reply: an opt-out in words, staff holding the thread, someone who opted out.

    None means the reply may be decided.
    """
    if not isinstance(event, PatientMessage):
        raise TypeError("only a patient's message gets a reply")
    conversation = facts.conversation
    if Intent.OPT_OUT in interpretation.intents:
        if conversation.phase is Phase.OPTED_OUT:
            return Decision(move=Move.STAY, rules=("consent.already-revoked",))
        return revoke(facts, event)
    if conversation.held:
        return Decision(move=Move.STAY, rules=("hold.attached",))
    if conversation.phase is Phase.OPTED_OUT:
        return Decision(move=Move.STAY, rules=("consent.silent",))
    return None


def without_texts(decision: Decision) -> Decision:
    """The same decision with nothing to say: its effect stands, another text goes out instead."""
    return replace(decision, says=(), tool=None)


def hand_off(
    handoff: HandoffRequest,
    verdicts: tuple[Verdict, ...],
    facts: ConversationFacts,
    policy: PracticePolicy,
    *,
    revokes: bool,
    now: datetime,
) -> Decision:
    """Turn verdicts into the handoff decision: one approved text at most, and none where P1 or P2 forbid it."""
    if handoff.rule == WRONG_NUMBER:
        return _wrong_number(handoff, facts, policy)
    rules = tuple(dict.fromkeys((handoff.rule, *(v.rule for v in verdicts))))
    decision = Decision(
        move=Move.REVOKE if revokes else Move.HAND_OFF,
        rules=rules,
        says=_says(handoff, rules, facts, policy, now),
        handoff=handoff,
        reason=ReasonNote(handoff.reason, handoff.evidence) if handoff.reason else None,
        due=DueChange.CLEAR,
    )
    if revokes:
        consent = ConsentChange(ConsentStatus.REVOKED, ConsentHow.WORDS)
        return replace(
            decision,
            consent=consent,
            rules=(*rules, "consent.revocation-wins"),
            disposition=Disposition.OPTED_OUT,
        )
    if facts.conversation.held and handoff.urgency is not Urgency.NOW:
        return Decision(move=Move.STAY, rules=("hold.attached", *decision.rules))
    if handoff.urgency is not Urgency.NOW and any(v.rule == UNCLEAR for v in verdicts):
        # If it was an opt-out, not even "somebody will answer" may go out.
        return without_texts(decision)
    if facts.conversation.phase is Phase.OPTED_OUT:
        return replace(decision, move=Move.STAY, says=())
    return decision


def _says(
    handoff: HandoffRequest, rules: tuple[str, ...], facts: ConversationFacts, policy: PracticePolicy, now: datetime
) -> tuple[Say, ...]:
    # Whoever asks whether a machine writes is told, also if they ask it like somebody who fears a fraud, and also by an
    # office that mapped no text to the question.
    asked = _BOT_QUESTION in rules and handoff.topics[0] in _BOT_ANSWERED
    rule = _BOT_QUESTION if asked else handoff.rule
    default = DEFAULT_RULE_SCRIPTS[rule] if rule == _BOT_QUESTION else policy.topics[handoff.topics[0]].script_id
    script = policy.rule_scripts.get(rule, default)
    if handoff.urgency is Urgency.NOW:
        recent = any(m.kind is SendKind.EMERGENCY and now - m.at < EMERGENCY_REPEAT for m in facts.sent)
        return () if recent else (Say(script, SendKind.EMERGENCY),)
    if facts.conversation.held or facts.conversation.case_id is None or facts.shared_with:
        return ()
    closed = f"{script}-closed"
    if not policy.office.is_open(now) and policy.scripts.has(closed, "en"):
        script = closed
    return (Say(script, SendKind.HANDOFF),)


def _wrong_number(handoff: HandoffRequest, facts: ConversationFacts, policy: PracticePolicy) -> Decision:
    """Not our patient's number: apologise once without a word about anyone, suppress it, have the chart repaired."""
    opted_out = facts.conversation.phase is Phase.OPTED_OUT
    silent = opted_out or facts.conversation.held or facts.conversation.case_id is None
    return Decision(
        move=Move.REVOKE,
        rules=(handoff.rule,),
        says=() if silent else (Say(policy.rule_scripts.get(handoff.rule, "wrong-number"), SendKind.OPT_OUT),),
        handoff=replace(handoff, kind=HandoffKind.CHART_REPAIR),
        consent=ConsentChange(ConsentStatus.REVOKED, ConsentHow.WRONG_NUMBER),
        disposition=Disposition.OPTED_OUT,
        due=DueChange.CLEAR,
    )
