"""Weighs lists, parsers and classifier into one reading of a message: a person must have it, or what it says.

Rules, in order (weights and limits in `model/judge.toml`):

- An opt-out of the lists stays; only an emergency may be added to it.
- A topic that a sure pattern found stays. The classifier may add an emergency, and what it surely finds in clauses
  where lists found nothing.
- An opt-out with enough probability is one.
- The weighed probability that a person must have the message reaches its limit: it gets the likeliest topic.
- Otherwise the message is routine. What lists and parsers explained stays, unless the classifier surely reads the
  message as a whole in another way; what they left open is what the classifier takes the message for.
- A clause that says the opposite of the whole (`contradicting`) stays beside it: a person gets the message.
- No intent is likely enough: the clause stays unexplained, and a person gets the message.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from treatment_agent.domain.interpretation import Asked, ClauseReading, Intent, Span, Topic
from treatment_agent.policies.lexicon import WRONG_NUMBER, label_of
from treatment_agent.understanding.classifier import Reading
from treatment_agent.understanding.contradicting import contradictions, torn
from treatment_agent.understanding.evidence import Evidence, features

PART = "judge"
_CLASSIFIER = "classifier"
_ASIDE_RULE = "classifier.aside"
# Intents beside which a picked time is no booking.
_NOT_YET = frozenset((Intent.OTHER_TIMES, Intent.DEFER, Intent.DECLINE, Intent.ALREADY))
_NEVER_RENAMED = frozenset((Topic.EMERGENCY, Topic.SENSITIVE))
# How much more a topic weighs in naming a handoff when a hint agrees with the classifier.
_HINT_FACTOR = 2.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Probabilities in [0, 1].

    `person`: from here on a person gets the message. `emergency`, `opt_out`: from here on it is one. `intent`: the
    least a routine intent must have to explain what lists do not. `overrule`: from here on the classifier's intent
    counts more than that of the lists.
    """

    person: float
    emergency: float
    opt_out: float
    intent: float
    overrule: float


@dataclass(frozen=True, slots=True)
class Judge:
    """A logistic weighing of named figures, and the limits it is held against."""

    weights: Mapping[str, float]
    limits: Limits

    @staticmethod
    def read(place: Traversable) -> Judge:
        """From a TOML file with the tables `weights` and `limits`."""
        raw = tomllib.loads(place.read_text("utf-8"))
        weights = {name: float(value) for name, value in raw["weights"].items()}
        return Judge(weights, Limits(**{name: float(value) for name, value in raw["limits"].items()}))

    def probability(self, seen: Evidence) -> float:
        """How likely a person must have the message, in [0, 1]."""
        total = self.weights["bias"] + sum(self.weights.get(name, 0.0) * x for name, x in features(seen).items())
        return 1 / (1 + math.exp(-max(min(total, 60.0), -60.0)))

    def settle(self, seen: Evidence) -> tuple[ClauseReading, ...]:
        """The clause readings of the message, as the rules above say."""
        clauses, limits = seen.clauses, self.limits
        danger = self._emergency(seen)
        if any(c.label is Intent.OPT_OUT or isinstance(c.label, Topic) for c in clauses):
            clauses = tuple(self._renamed(c, part, seen) for c, part in zip(clauses, seen.parts, strict=True))
            found = {c.label for c in clauses}
            more = self._beside(seen) if not danger and Intent.OPT_OUT not in found else [danger] if danger else []
            return (*clauses, *(clause for clause in more if clause.label not in found))
        if danger:
            return (*clauses, danger)
        share = seen.whole.of(Intent.OPT_OUT)
        if share >= limits.opt_out:
            return (*clauses, _whole(seen, Intent.OPT_OUT, share, limits.opt_out))
        probability = self.probability(seen)
        if probability >= limits.person:
            # What lists left open is explained by the topic now.
            return (*(c for c in clauses if c.label is not None), self._topic(seen, probability))
        return self._routine(seen)

    def _renamed(self, clause: ClauseReading, part: Reading, seen: Evidence) -> ClauseReading:
        """A sure pattern hands off whatever the classifier says; which topic it is, that may know better.

        Not if the clause by itself is what the pattern found: then it is another question.
        """
        topic, share = seen.whole.topic
        own = clause.label
        if not isinstance(own, Topic) or own in _NEVER_RENAMED or topic is own or part.probabilities[0][0] is own:
            return clause
        surely = share >= self.limits.overrule and seen.whole.of(own) <= 1 - self.limits.overrule
        return replace(clause, label=topic, rule=_rule(seen, topic, surely), part=PART) if surely else clause

    def _beside(self, seen: Evidence) -> list[ClauseReading]:
        """What the classifier surely finds in clauses where lists found nothing: another question, another owner."""
        found: dict[Topic, ClauseReading] = {}
        for clause, part in zip(seen.clauses, seen.parts, strict=True):
            topic, share = part.topic
            if share >= self.limits.overrule and not isinstance(clause.label, Topic) and part is not seen.whole:
                evidence = _evidence(seen, part, topic, clause.span)
                rule = f"{_CLASSIFIER}.{topic.value}"
                found.setdefault(
                    topic, ClauseReading(clause.span, topic, share, _CLASSIFIER, rule, self.limits.overrule, evidence)
                )
        return list(found.values())

    def _emergency(self, seen: Evidence) -> ClauseReading | None:
        share, least = seen.whole.of(Topic.EMERGENCY), self.limits.emergency
        if share >= least:
            return _whole(seen, Topic.EMERGENCY, share, least)
        for clause, part in zip(seen.clauses, seen.parts, strict=True):
            share = part.of(Topic.EMERGENCY)
            if share >= least and seen.whole.topic_mass >= self.limits.person / 2:
                return ClauseReading(clause.span, Topic.EMERGENCY, share, _CLASSIFIER, "classifier.emergency", least)
        return None

    def _topic(self, seen: Evidence, probability: float) -> ClauseReading:
        """The topic that names the handoff: the likeliest in the message or in its most topical clause."""
        worst = max(range(len(seen.parts)), key=lambda n: seen.parts[n].topic_mass)
        part = seen.parts[worst]
        drowned = len(seen.parts) > 1 and part.topic_mass > seen.whole.topic_mass
        reading, span = (part, seen.clauses[worst].span) if drowned else (seen.whole, Span(0, len(seen.text)))
        hinted = seen.hinted
        topic = max(Topic, key=lambda t: reading.of(t) * (_HINT_FACTOR if t in hinted else 1.0))
        rule = _rule(seen, topic, reading.of(topic) >= self.limits.overrule)
        evidence = _evidence(seen, reading, topic, span)
        return ClauseReading(span, topic, probability, PART, rule, self.limits.person, evidence)

    def _routine(self, seen: Evidence) -> tuple[ClauseReading, ...]:
        (intent, share), limits = seen.whole.intent, self.limits
        least = limits.intent
        if intent is Intent.OPT_OUT:
            # Likelier than anything routine, and not sure enough to be one: what lists left open is for a person.
            return seen.clauses
        known = {c.label for c in seen.clauses} - {None, Intent.ACK}
        leans = intent is Intent.ACCEPT and seen.leans is not None and share >= limits.overrule
        intent = intent if leans else fitting(intent, known, seen)
        against = contradictions(seen, intent, limits.overrule)
        if against and share >= limits.overrule / 2:
            # Both stay, and the guardrail for contradictions gives the message to a person.
            return (*against.values(), _whole(seen, intent, share, least))
        if torn(known) and intent in known and share >= limits.overrule / 2:
            return tuple(_settled(clause, intent, share, least) for clause in seen.clauses)
        if known and intent not in known and share >= limits.overrule:
            # Lists explained something, but the message as a whole is surely something else.
            return (_whole(seen, intent, share, least),)
        if share < least:
            return seen.clauses
        read: list[ClauseReading] = []
        for clause in seen.clauses:
            if clause.label is not None:
                read.append(clause)
            elif intent in known:
                read.append(_named(clause, Intent.ACK, share, least, _ASIDE_RULE))
            else:
                named = _named(clause, intent, share, least, f"{_CLASSIFIER}.{intent.value}")
                read.append(replace(named, evidence=_within(seen, intent, clause.span) or named.evidence))
        return tuple(_not_booked(clause, intent) for clause in read)


@lru_cache(maxsize=1)
def shipped_judge() -> Judge:
    """The judge in `model/judge.toml`, read once per process."""
    return Judge.read(files("treatment_agent.understanding") / "model" / "judge.toml")


def _rule(seen: Evidence, topic: Topic, sure: bool) -> str:
    """The rule of the first hint at the topic. A wrong number, which revokes consent, only if sure and alone."""
    rules = [m.group.rule for m in seen.hints if label_of(m.group.rule) is topic]
    if WRONG_NUMBER in rules and not (sure and set(rules) == {WRONG_NUMBER}):
        rules = [rule for rule in rules if rule != WRONG_NUMBER]
    return next(iter(rules), f"{PART}.{topic.value}")


def fitting(intent: Intent, known: Collection[Topic | Intent | None], seen: Evidence) -> Intent:
    """The intent, unless the parsers know better: which times are on the table they see, the classifier does not.

    A time nobody offered is a search, not an answer; a time that was offered is an answer if lists read it as one.
    """
    if seen.situation.asked is Asked.BOOKED:
        return intent
    picked = seen.pick.option is not None
    if intent is Intent.ACCEPT and not picked and not seen.pick.ambiguous:
        return Intent.OTHER_TIMES if seen.times.windows else Intent.AFFIRM
    if intent is Intent.OTHER_TIMES and picked and Intent.ACCEPT in known and Intent.OTHER_TIMES not in known:
        return Intent.ACCEPT
    return Intent.OTHER_TIMES if intent is Intent.CHANGE else intent


def _not_booked(clause: ClauseReading, intent: Intent) -> ClauseReading:
    """Nothing is booked while the message as a whole asks or waits: "Thursday might do, let me ask my wife"."""
    if clause.label is Intent.ACCEPT and intent in _NOT_YET:
        return replace(clause, label=intent, rule=f"{_CLASSIFIER}.{intent.value}", part=_CLASSIFIER)
    return clause


def _settled(clause: ClauseReading, intent: Intent, share: float, least: float) -> ClauseReading:
    """Lists contradict each other: what the classifier takes the message for stands, the rest is said in passing."""
    return clause if clause.label is intent else _named(clause, Intent.ACK, share, least, _ASIDE_RULE)


def _named(clause: ClauseReading, label: Intent, share: float, least: float, rule: str) -> ClauseReading:
    return replace(clause, label=label, confidence=share, part=_CLASSIFIER, rule=rule, threshold=least)


def _whole(seen: Evidence, label: Topic | Intent, share: float, least: float) -> ClauseReading:
    span = Span(0, len(seen.text))
    evidence = _evidence(seen, seen.whole, label, span)
    return ClauseReading(span, label, share, _CLASSIFIER, f"{_CLASSIFIER}.{label.value}", least, evidence)


def _within(seen: Evidence, label: Topic | Intent, span: Span) -> tuple[Span, ...]:
    """The words of one clause that weighed most in the reading of the whole."""
    words = [(place, adds) for place, adds in seen.whole.words if span.start <= place.start and place.end <= span.end]
    return Reading((), tuple(words)).weightiest(label)


def _evidence(seen: Evidence, reading: Reading, label: Topic | Intent, span: Span) -> tuple[Span, ...]:
    """The words that weighed most, in offsets of the message. `span` is what the reading was made of."""
    return tuple(Span(span.start + s.start, span.start + s.end) for s in reading.weightiest(label))
