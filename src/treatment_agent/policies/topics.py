"""Guardrails: which messages a person must have, and the handoff that follows.

Blocking and in order. A product team adds one with a small class in `PracticePolicy.guardrails`; verdicts are only ever
added. Anything that is not confidently routine is a verdict too (P4).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from treatment_agent.domain.conversation import Conversation, Phase
from treatment_agent.domain.handoff import HandoffKind, HandoffRequest, Urgency
from treatment_agent.domain.interpretation import Intent, Interpretation, Reason, Situation, Topic
from treatment_agent.domain.text import normalize
from treatment_agent.domain.turn import Verdict
from treatment_agent.policies.lexicon import WRONG_NUMBER, lexicon
from treatment_agent.policies.practice import PracticePolicy

LONGEST_TEXT = 5000
# "2" after "1" was booked: nobody should think that this changed the visit.
_BARE_PICK = re.compile(
    r"(?:option|opcion|number|numero|the|la|#)?\s*(?:\d|one|two|first|second|uno|dos|primera|segunda)\W*"
)
# Someone may be in danger: as urgent as an emergency, with a text of its own.
URGENT_RULES = frozenset({"sensitive.self-harm"})
_GRAVE = frozenset({Topic.EMERGENCY, Topic.SENSITIVE})
_TOPIC_REASONS = {Topic.FINANCING: Reason.COST, Topic.INSURANCE: Reason.INSURANCE}
_CONTRADICTIONS = (
    {Intent.ACCEPT, Intent.DECLINE},
    {Intent.ACCEPT, Intent.ALREADY},
    {Intent.ACCEPT, Intent.DEFER},
)


@dataclass(frozen=True, slots=True)
class Heard:
    """One patient message with all that its guardrails may look at. `text` stays in memory only."""

    text: str
    media: int
    interpretation: Interpretation
    conversation: Conversation
    situation: Situation
    shared_with: tuple[str, ...] = ()


def judge(heard: Heard, policy: PracticePolicy) -> tuple[Verdict, ...]:
    """Run every guardrail, built-in ones first. Any verdict means a person gets the message.

    Raises:
        Exception: whatever a product team's guardrail raises; the graph turns it into a handoff.
    """
    verdicts = [*_topics(heard.interpretation), *_words(heard), *_not_routine(heard), *_situation(heard)]
    for guardrail in policy.guardrails:
        verdict = guardrail.check(heard.text, heard.interpretation, heard.conversation, heard.situation)
        if verdict is not None:
            verdicts.append(verdict)
    return tuple(verdicts)


def _topics(interpretation: Interpretation) -> list[Verdict]:
    return [
        Verdict(
            topic=clause.label,
            rule=clause.rule,
            urgency=Urgency.NOW if clause.rule in URGENT_RULES else None,
            evidence=clause.evidence or (clause.span,),
        )
        for clause in interpretation.clauses
        if isinstance(clause.label, Topic)
    ]


def _words(heard: Heard) -> list[Verdict]:
    """Topics that the word lists find, whatever the interpreter said: no interpreter can lift one (DESIGN 5).

    The local judge may give the very words a better name, but for what is grave.
    """
    topical = [clause for clause in heard.interpretation.clauses if isinstance(clause.label, Topic)]
    known = {(clause.label, clause.rule) for clause in topical}
    named = {span for clause in topical if clause.part == "judge" for span in clause.evidence}
    return [
        Verdict(
            topic=found.label,
            rule=found.rule,
            urgency=Urgency.NOW if found.rule in URGENT_RULES else None,
            evidence=(found.span,),
        )
        for found in lexicon().find(normalize(heard.text, heard.situation.ours))
        if isinstance(found.label, Topic)
        and (found.label, found.rule) not in known
        and (found.label in _GRAVE or found.span not in named)
    ]


def _not_routine(heard: Heard) -> list[Verdict]:
    found: list[Verdict] = []
    interpretation = heard.interpretation
    unsure = tuple(c.span for c in interpretation.clauses if c.label is None or c.confidence < c.threshold)
    if interpretation.language not in ("en", "es"):
        found.append(Verdict(topic=Topic.OTHER, rule="guardrail.language"))
    elif unsure or not interpretation.clauses:
        found.append(Verdict(topic=Topic.OTHER, rule="guardrail.not-understood", evidence=unsure))
    said = set(interpretation.intents)
    # Who speaks of cancelling gets no booking whatever else was read, and a person: see `replies`.
    if any(pair <= said for pair in _CONTRADICTIONS) and not interpretation.facts.cancels:
        found.append(Verdict(topic=Topic.OTHER, rule="guardrail.contradiction"))
    return found


def _situation(heard: Heard) -> list[Verdict]:
    found: list[Verdict] = []
    if heard.media:
        found.append(Verdict(topic=Topic.CLINICAL, rule="guardrail.media"))
    if len(heard.text) > LONGEST_TEXT:
        found.append(Verdict(topic=Topic.OTHER, rule="guardrail.too-long"))
    if heard.conversation.case_id is None:
        found.append(Verdict(topic=Topic.IDENTITY, rule="guardrail.stranger"))
    elif heard.shared_with:
        found.append(Verdict(topic=Topic.IDENTITY, rule="guardrail.shared-number"))
    if heard.conversation.phase is Phase.BOOKED and _BARE_PICK.fullmatch(heard.text.strip().lower()):
        found.append(Verdict(topic=Topic.OTHER, rule="guardrail.pick-after-booking"))
    polite = set(heard.interpretation.intents) <= {Intent.ACK}
    if heard.conversation.phase is Phase.CLOSED and not polite:
        found.append(Verdict(topic=Topic.OTHER, rule="guardrail.closed"))
    return found


def deciding(verdicts: tuple[Verdict, ...]) -> Verdict:
    """The verdict that names the handoff: an emergency, else what is urgent now, else the strictest topic.

    Of several about identity, a wrong number: with it nothing more may go to that number.
    """
    order = tuple(Topic)
    return min(
        verdicts,
        key=lambda v: (
            v.topic is not Topic.EMERGENCY,
            v.urgency is not Urgency.NOW,
            order.index(v.topic),
            v.rule != WRONG_NUMBER,
        ),
    )


def request(
    verdicts: tuple[Verdict, ...],
    *,
    event_id: str,
    conversation: Conversation,
    interpretation: Interpretation | None,
    policy: PracticePolicy,
    now: datetime,
) -> HandoffRequest:
    """The handoff for these verdicts: owner, urgency and due time of the strictest topic.

    `now` is aware; `due_at` counts office-open minutes except for what is urgent now.
    """
    first = deciding(verdicts)
    rules = policy.topics[first.topic]
    urgency = first.urgency or rules.urgency
    found = {v.topic for v in verdicts}
    facts = interpretation.facts if interpretation else None
    return HandoffRequest(
        id=f"{conversation.id}:{event_id}:handoff",
        kind=HandoffKind.HANDOFF,
        topics=tuple(t for t in Topic if t in found),
        urgency=urgency,
        owner=rules.owner,
        due_at=due_at(now, rules.due_minutes, policy, urgency),
        rule=first.rule,
        intents=interpretation.intents if interpretation else (),
        reason=(facts.reason if facts else None) or _TOPIC_REASONS.get(first.topic),
        call_at=facts.call_at if facts else None,
        offered=conversation.offers,
        evidence=tuple(span for v in verdicts for span in v.evidence),
    )


def due_at(now: datetime, minutes: int, policy: PracticePolicy, urgency: Urgency) -> datetime:
    """When staff should have looked: `minutes` of open office time from `now`; wall time when urgent now."""
    if urgency is Urgency.NOW:
        return now + timedelta(minutes=minutes)
    local = now.astimezone(policy.office.tz)
    left = timedelta(minutes=minutes)
    for offset in range(30):
        day = local.date() + timedelta(days=offset)
        if day in policy.office.holidays:
            continue
        for hours in (h for h in policy.office.hours if h.weekday == day.weekday()):
            opens = max(local, datetime.combine(day, hours.opens, policy.office.tz))
            closes = datetime.combine(day, hours.closes, policy.office.tz)
            if opens >= closes:
                continue
            if opens + left <= closes:
                return (opens + left).astimezone(now.tzinfo)
            left -= closes - opens
    return now + timedelta(minutes=minutes)
