"""What a message says beside its intent, as far as the intents it was read as give it a meaning."""

from __future__ import annotations

from collections.abc import Sequence

from treatment_agent.domain.interpretation import Ambiguity, Asked, ClauseReading, Facts, Intent, Reason, Topic
from treatment_agent.understanding.cancelling import speaks_of_cancelling
from treatment_agent.understanding.contradicting import torn
from treatment_agent.understanding.deciding import Context
from treatment_agent.understanding.routine import ClauseEvidence

# By rule first, then by topic. A rule counts only for the topic it belongs to.
_REASON_OF = {
    "sensitive.fear": Reason.FEAR,
    "sensitive.fear-more": Reason.FEAR,
    "clinical.medical": Reason.MEDICAL,
    "clinical.can-wait": Reason.NOT_URGENT,
    "clinical.second-opinion": Reason.SECOND_OPINION,
    Topic.FINANCING: Reason.COST,
    Topic.INSURANCE: Reason.INSURANCE,
    Topic.COMPLAINT: Reason.DISSATISFIED,
}

# Beside these a treatment is not what the patient hesitates about.
_GRAVE = frozenset((Topic.EMERGENCY, Topic.SENSITIVE))
_OF_TREATMENT = frozenset((Topic.CLINICAL, Topic.COMPLAINT))
_CHOOSING = frozenset((Intent.ACCEPT, Intent.AFFIRM, Intent.OTHER_TIMES))
_TIMED = frozenset((Intent.ACCEPT, Intent.OTHER_TIMES, Intent.CHANGE, Intent.CALLBACK, Intent.DEFER))
_DEFERRABLE = frozenset((Intent.DEFER, Intent.OTHER_TIMES, Intent.CALLBACK))


def facts_of(context: Context, clauses: Sequence[ClauseReading], evidence: Sequence[ClauseEvidence]) -> Facts:
    """The facts that the readings of the clauses leave room for."""
    intents = {clause.label for clause in clauses}
    pick, times = context.pick, context.times
    unclear = pick.ambiguous and Intent.ACCEPT in intents
    calls = Intent.CALLBACK in intents
    windows = (*times.today, *times.for_call) if calls else times.windows
    call_at = times.instant or (windows[0].start if windows else None)
    # Nothing is booked unless the message accepts; a day named in a search or a simple yes is told all the same.
    accepted = Intent.ACCEPT in intents
    # With a visit requested a bare number repeats a pick: the reply sees whether it is the same one.
    repeats = Intent.CHANGE in intents and context.situation.asked is Asked.BOOKED
    option = pick.option if intents & _CHOOSING or repeats else None
    if accepted and option is None and not pick.ambiguous:
        option = context.leans
    asked = (ask for ask in (e.question() for e in evidence) if ask)
    return Facts(
        option=option,
        windows=windows if intents & _TIMED and not (accepted and option) else (),
        call_at=call_at if calls else None,
        until=times.until if intents & _DEFERRABLE else None,
        reason=_reason(clauses, evidence),
        ambiguous=(*[Ambiguity.OPTION] * unclear, *[Ambiguity.DATE] * times.ambiguous),
        asks=next(asked, None) if Intent.LOGISTICS in intents else None,
        cancels=speaks_of_cancelling(context.words),
    )


def _reason(clauses: Sequence[ClauseReading], evidence: Sequence[ClauseEvidence]) -> Reason | None:
    """Why the patient hesitates: what a topic stands for, else what was told beside a deferral or a refusal."""
    labels = {clause.label for clause in clauses}
    if torn(labels) or Topic.IDENTITY in labels:
        # Which half counts, or whose reason it is, a person must find out.
        return None
    passed = _OF_TREATMENT if labels & _GRAVE else frozenset()
    for topic in (topic for topic in Topic if topic in labels and topic not in passed):
        rules = [
            clause.rule for clause in clauses if clause.label is topic and clause.rule.startswith(f"{topic.value}.")
        ]
        found = next((_REASON_OF[rule] for rule in rules if rule in _REASON_OF), _REASON_OF.get(topic))
        if found:
            return found
    if not labels & {Intent.DEFER, Intent.DECLINE, Intent.ALREADY}:
        return None
    reasons = [reason for reason in (e.reason() for e in evidence) if reason]
    told = [reason for reason in reasons if reason is not Reason.UNSPECIFIED]
    return next(iter(told or reasons), None)
