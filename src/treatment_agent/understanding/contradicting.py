"""Half a yes: a picked time beside a wish to wait, a refusal, or a visit there already is."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace

from treatment_agent.domain.interpretation import ClauseReading, Intent, Topic
from treatment_agent.understanding.classifier import Reading
from treatment_agent.understanding.evidence import Evidence

RULE = "classifier.contradiction"
_AGAINST_A_PICK = frozenset((Intent.DEFER, Intent.DECLINE, Intent.ALREADY))
# What a picked time stands against. A wish to wait is left out: with it nothing is booked and nothing ends.
_AGAINST = {
    Intent.ACCEPT: _AGAINST_A_PICK,
    Intent.DECLINE: frozenset((Intent.ACCEPT,)),
    Intent.ALREADY: frozenset((Intent.ACCEPT,)),
}
# From here on a clause by itself does not mean what lists read in it.
_HARMLESS = 0.5
# From here on the message as a whole is a pick whatever was said before it.
_NO_DOUBT = 0.9
_NEVER_MIND = re.compile(r"\W*(?:(?:oh|ok|okay|actually|no)\W+)*(?:never ?mind|nvm|forget it)\W*", re.IGNORECASE)


def torn(labels: Collection[Topic | Intent | None]) -> bool:
    """True when a time was picked beside a wish to wait, a refusal, or a visit there already is."""
    return Intent.ACCEPT in labels and bool(_AGAINST_A_PICK & set(labels))


def contradictions(seen: Evidence, intent: Intent, sure: float) -> dict[int, ClauseReading]:
    """The clauses, by number, that say the opposite of what the message as a whole is taken for.

    What lists read in a clause counts, unless the classifier reads the clause by itself otherwise ("I can't wait").
    Without lists the classifier counts from the probability `sure` on, but not for a wish to wait: "Thursday works, I
    am away until then". Nobody is booked, and nothing is ended, on half a yes.
    """
    against = _AGAINST.get(intent, frozenset())
    found: dict[int, ClauseReading] = {}
    for number, (clause, part) in enumerate(zip(seen.clauses, seen.parts, strict=True)):
        label = _opposite(clause, None if part is seen.whole else part, against, sure)
        if label is None or _before_a_pick(seen, number, label):
            continue
        own = clause.label is label
        share = clause.confidence if own else part.of(label)
        found[number] = clause if own else replace(clause, label=label, rule=RULE, confidence=share, part="classifier")
    return found


def _opposite(clause: ClauseReading, part: Reading | None, against: Collection[Intent], sure: float) -> Intent | None:
    if isinstance(clause.label, Intent) and clause.label in against and (part is None or not _harmless(part, against)):
        return clause.label
    if part is None:
        return None
    label, share = part.intent
    return label if label in against and label is not Intent.DEFER and share >= sure else None


def _before_a_pick(seen: Evidence, number: int, label: Intent) -> bool:
    """True for what comes before a pick that leaves no doubt: "my boss is killing me. number 2 works".

    A "never mind" before a pick takes back what was asked for until then, such as a call.
    """
    if label is Intent.DECLINE:
        span, last = seen.clauses[number].span, number == len(seen.clauses) - 1
        return not last and seen.pick.option is not None and _NEVER_MIND.fullmatch(span.of(seen.text)) is not None
    picked = any(clause.label is Intent.ACCEPT for clause in seen.clauses[number + 1 :])
    return label is Intent.DEFER and picked and seen.whole.of(Intent.ACCEPT) >= _NO_DOUBT


def _harmless(part: Reading, against: Collection[Intent]) -> bool:
    """True when the clause by itself is routine and stands against nothing."""
    return (
        sum(part.of(intent) for intent in Intent if intent not in against and intent is not Intent.OPT_OUT) > _HARMLESS
    )
