"""From routine phrases to one intent: the same words answer different questions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from treatment_agent.domain.interpretation import Asked, Intent, Situation, Span
from treatment_agent.policies.canonical import Words
from treatment_agent.understanding.options import OptionPick
from treatment_agent.understanding.routine import ClauseEvidence
from treatment_agent.understanding.times.reading import TimeReading

# Phrases that explain more of a clause win; these points settle what is close.
_POINTS = {
    "who": 0.6, "link": 1.2, "callback": 2.0, "logistics": 0.3, "decline": 0.5, "already": 0.6, "defer": 0.15,
    "reject": 0.2, "ask_times": 0.2, "accept": 0.0, "affirm": 0.1, "either": 0.7, "change": -1.5, "yes": -0.3,
    "no": -0.3, "ack": -0.2, "aside": -1.0,
}  # fmt: skip
_BOOKED_POINTS = {"change": 2.0, "ack": 1.0, "defer": -1.0, "already": -1.0, "accept": -0.5, "affirm": -4.0}
_ABOUT_SLOTS = frozenset(("accept", "reject", "ask_times", "yes", "affirm", "ack", "aside", "change", "either", ""))
# Meaningful words beside the deciding phrases, as a share of those phrases' own words.
_STRAY_SHARE = 0.5
_HABITS = frozenset("mornings afternoons evenings mañanas tardes noches weekday weekdays weekends".split())
_FEW = 2
_AGREEMENT = frozenset(("yes", "si", "sure", "bet"))
_SEARCHABLE = timedelta(days=28)
_DIRECT = {
    "who": Intent.WHO,
    "link": Intent.LINK,
    "callback": Intent.CALLBACK,
    "logistics": Intent.LOGISTICS,
    "decline": Intent.DECLINE,
    "already": Intent.ALREADY,
    "change": Intent.CHANGE,
}


@dataclass(frozen=True, slots=True)
class Context:
    """What the clauses of one message share: the question asked, the option picked, the times named.

    `own` is the option this clause names by itself; None when the message is one clause. `leans` is the option that
    loose words lean to: it counts only where the message is surely an acceptance.
    """

    words: Words
    situation: Situation
    pick: OptionPick
    times: TimeReading
    own: OptionPick | None = None
    leans: int | None = None


def intent_of(clause: ClauseEvidence, context: Context) -> Intent | None:
    """The routine intent of a clause; None when its phrases have none of their own, or explain too little of it."""
    kind = strongest(clause, context.situation.asked)
    if clause.stray(kind) > clause.held(kind) * _STRAY_SHARE:
        return None
    match context.situation.asked:
        case Asked.BOOKED:
            return _when_booked(kind, clause)
        case Asked.CALLBACK_ASK:
            return _when_call_asked(kind, clause, context)
        case _:
            return _when_offering(kind, clause, context)


def strongest(clause: ClauseEvidence, asked: Asked) -> str:
    """The kind of phrase that explains most of the clause; empty when there is none."""
    best, best_score = "", 0.0
    for kind, matches in clause.kinds.items():
        explained = len({index for match in matches for index in match.words})
        score = explained + _POINTS.get(kind, 0.0)
        if asked is Asked.BOOKED:
            score += _BOOKED_POINTS.get(kind, 0.0)
        if score > best_score:
            best, best_score = kind, score
    return best


def _when_booked(kind: str, clause: ClauseEvidence) -> Intent | None:
    if kind in ("reject", "ask_times", "change"):
        return Intent.CHANGE
    if kind in ("yes", "no", "accept", "affirm", "ack", "either"):
        return Intent.CHANGE if clause.timed and kind in ("accept", "affirm") and clause.asks else Intent.ACK
    if kind == "defer":
        return Intent.CHANGE if "change" in clause.kinds else Intent.DEFER
    if kind in _DIRECT:
        return _DIRECT[kind]
    return Intent.CHANGE if clause.timed else None


def _when_call_asked(kind: str, clause: ClauseEvidence, context: Context) -> Intent | None:
    if kind in ("decline", "link", "who", "logistics", "already"):
        return _DIRECT[kind]
    if kind == "no":
        return Intent.DECLINE
    if kind == "defer" and not clause.timed:
        return Intent.DEFER
    if kind == "ask_times" and clause.asks and not clause.timed:
        # "Or are there other times open?" is about a visit: the hour of a call is told, not asked for.
        return Intent.OTHER_TIMES
    if kind in ("defer", "ask_times", "") and context.times.until and not _soon(context):
        return Intent.DEFER
    if kind == "ack" and not clause.timed:
        return Intent.ACK
    return Intent.CALLBACK if clause.timed or kind not in ("", "aside") else None


def _when_offering(kind: str, clause: ClauseEvidence, context: Context) -> Intent | None:
    asked, situation = context.situation.asked, context.situation
    if kind in _ABOUT_SLOTS and (clause.timed or _touches(clause, context)):
        return _about_slots(kind, clause, context)
    if kind in _DIRECT and kind != "change":
        return _DIRECT[kind]
    if kind == "change":
        return Intent.CHANGE if asked is Asked.NOTHING else _about_slots("ask_times", clause, context)
    if kind == "defer":
        wanted = "ask_times" in clause.kinds and context.times.windows and not context.times.until
        return Intent.OTHER_TIMES if wanted and clause.asks else Intent.DEFER
    if kind in ("reject", "ask_times"):
        return Intent.OTHER_TIMES if situation.offers or kind == "ask_times" else Intent.DEFER
    if kind in ("yes", "affirm", "accept", "either"):
        return Intent.ACCEPT if len(situation.offers) == 1 and asked is not Asked.REASON_ASK else Intent.AFFIRM
    if kind == "no":
        return Intent.OTHER_TIMES if asked is Asked.OFFER else Intent.DECLINE
    if kind == "ack":
        agreed = context.words.word(clause.words.start) in _AGREEMENT
        return Intent.AFFIRM if agreed else Intent.ACK
    return None


def _about_slots(kind: str, clause: ClauseEvidence, context: Context) -> Intent | None:
    pick, times = context.pick, context.times
    refused = _is_habit(context) or (kind != "accept" and "reject" in clause.kinds)
    refused = refused or (kind in ("reject", "ask_times", "change") and "accept" not in clause.kinds)
    if pick.option is not None and not (refused and _touches(clause, context)):
        if kind == "either" or (kind == "affirm" and "either" in clause.kinds):
            return Intent.AFFIRM if _names_either(context) else Intent.ACCEPT
        if _touches(clause, context):
            return Intent.AFFIRM if _is_either(clause, context) else Intent.ACCEPT
        return Intent.OTHER_TIMES if kind == "ask_times" else Intent.ACK
    if pick.ambiguous and not refused and not times.windows:
        return Intent.ACCEPT
    if times.until and not ({"ask_times", "reject", "accept"} & clause.kinds.keys() and _soon(context)):
        return Intent.DEFER
    return Intent.OTHER_TIMES


def _soon(context: Context) -> bool:
    """True when the time named is within weeks: that is a search, not a deferral."""
    until = context.times.until
    return until is None or until - context.situation.now.date() <= _SEARCHABLE


def _touches(clause: ClauseEvidence, context: Context) -> bool:
    """True when the picked option was named in this clause."""
    if context.own is not None:
        return context.own.option is not None and context.own.option == context.pick.option
    span = context.pick.span
    return span is not None and overlaps(span, context.words.span(clause.words))


def _is_habit(context: Context) -> bool:
    """True when only a habit ("mornings", "any weekday") fits an offer: that is a wish, not a choice."""
    span = context.pick.span
    said = set(span.of(context.words.source.raw).lower().split()) if span else set()
    return bool(said & _HABITS) and len(said) <= _FEW


def _names_either(context: Context) -> bool:
    span = context.pick.span
    said = span.of(context.words.source.raw).lower() if span else ""
    return not any(char.isdigit() for char in said) and not context.times.spans


def _is_either(clause: ClauseEvidence, context: Context) -> bool:
    """True when "either" is all that the pick rests on: "either one is fine with me"."""
    span = context.pick.span
    matches = clause.kinds.get("either", ())
    rests = span is not None and any(overlaps(span, context.words.span(match.words)) for match in matches)
    return rests and _names_either(context)


def overlaps(first: Span, second: Span) -> bool:
    """True when two stretches share a character."""
    return first.start < second.end and second.start < first.end
