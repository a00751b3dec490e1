"""Lets the classifier speak where word lists and parsers are silent, and object where they see nothing to object to.

Rules (thresholds in `model/thresholds.toml`):

- A topic of the lists stays, unless `[veto]` is set above 0: then a topic of the lists is set aside where all topics
  together have no more than that. Emergencies, what is sensitive, legal threats and steering never are.
- An opt-out of the lists stays; only an emergency may be added to it.
- An opt-out with enough probability is one, whatever else the message says.
- The whole message, or in a long one a clause the lists left unexplained, that is a topic with enough probability gets
  that topic.
- An unexplained clause becomes routine when the message as a whole is a routine intent with enough probability and
  neither the message nor any of its clauses leaves more than a small share to topics.
- Otherwise the clause stays unexplained and a person gets the message.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from treatment_agent.domain.interpretation import Asked, ClauseReading, Intent, Situation, Span, Topic
from treatment_agent.understanding.options import OptionPick
from treatment_agent.understanding.times import TimeReading

if TYPE_CHECKING:
    from treatment_agent.understanding.classifier import Classifier, Reading

_PART = "classifier"
_ASIDE_RULE = "classifier.aside"
# Nobody books in so many letters; a person reads what no list explains in them. Keeps the cost of a message small.
_LONGEST = 1000
# From so many words on, each unexplained clause is read on its own too.
_DROWNING = 10
# Intents beside which a picked time is no booking.
_NOT_YET = frozenset((Intent.OTHER_TIMES, Intent.DEFER, Intent.DECLINE, Intent.ALREADY))
_SURE = 0.6
_NEVER_VETOED = frozenset((Topic.EMERGENCY, Topic.SENSITIVE))
_NEVER_VETOED_RULES = frozenset(("other.injection", "other.legal", "other.distress"))
# A clause of another language, or none, is not the classifier's to explain: it learned English and Spanish.
_FOREIGN = "language."


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Probabilities at which the classifier is believed, in [0, 1].

    `topic` and `intent` give one per label. `over_lists` is for a topic in a message that the lists explain as routine.
    `mass` and `clause_mass` are the most that topics together
    may have in a message, and in each of its clauses, that is let through; `evident_mass` stands for `mass` where lists
    found a routine intent in it or parsers a time: topics seldom hide there. `veto` is the most they may have in a
    message whose topic, found by the lists, is set aside; 0 sets none aside.
    """

    topic: Mapping[Topic, float]
    intent: Mapping[Intent, float]
    over_lists: float
    mass: float
    evident_mass: float
    clause_mass: float
    veto: float = 0.0


@lru_cache(maxsize=1)
def shipped_thresholds() -> Thresholds:
    """The thresholds in `model/thresholds.toml`."""
    raw = tomllib.loads((files("treatment_agent.understanding") / "model" / "thresholds.toml").read_text("utf-8"))
    return Thresholds(
        topic={topic: float(raw["topic"].get(topic.value, raw["topic"]["default"])) for topic in Topic},
        intent={intent: float(raw["intent"].get(intent.value, raw["intent"]["default"])) for intent in Intent},
        over_lists=float(raw["over_lists"]["topic"]),
        mass=float(raw["let_through"]["mass"]),
        evident_mass=float(raw["let_through"]["evident_mass"]),
        clause_mass=float(raw["let_through"]["clause_mass"]),
        veto=float(raw["veto"]["mass"]),
    )


@dataclass(frozen=True, slots=True)
class SecondReader:
    """The classifier's say in the readings of one message."""

    classifier: Classifier
    thresholds: Thresholds

    @staticmethod
    def shipped() -> SecondReader:
        """With the shipped model and thresholds; the model's files are read when this is first called."""
        # Not at the top: a command that reads no message need not wait for numpy.
        from treatment_agent.understanding.classifier import Classifier

        return SecondReader(Classifier.load(), shipped_thresholds())

    def read(
        self,
        text: str,
        clauses: Sequence[ClauseReading],
        situation: Situation,
        pick: OptionPick,
        times: TimeReading,
    ) -> tuple[ClauseReading, ...]:
        """The readings again, with topics added and unexplained clauses explained where the classifier is sure.

        Args:
            text: The message as it was received.
            clauses: What lists and parsers made of it.
            situation: What was asked.
            pick: The option found in the whole message.
            times: The times found in the whole message.
        """
        if not clauses or len(text) > _LONGEST or any(c.rule.startswith(_FOREIGN) for c in clauses):
            return tuple(clauses)
        if any(c.label is Intent.OPT_OUT for c in clauses):
            return self._with_emergency(text, clauses, situation)
        if any(isinstance(c.label, Topic) for c in clauses):
            if not all(_may_be_vetoed(c) for c in clauses) or self.thresholds.veto <= 0:
                return tuple(clauses)
            if self.classifier.read_all([text], situation)[0].topic_mass > self.thresholds.veto:
                return tuple(clauses)
            clauses = [_set_aside(c) for c in clauses]
        whole = self.classifier.read_all([text], situation)[0]
        share, least = whole.of(Intent.OPT_OUT), self.thresholds.intent[Intent.OPT_OUT]
        if share >= least:
            return (*clauses, _reading(Span(0, len(text)), Intent.OPT_OUT, share, least))
        topic = self._topic_of_all(text, clauses, whole)
        if topic is not None:
            return (*clauses, topic)
        unexplained = any(c.label is None for c in clauses)
        torn = _torn({c.label for c in clauses}, *whole.intent)
        if not (unexplained or torn) or not self._harmless(whole, _evident(clauses, pick, times)):
            return tuple(clauses)
        topic = self._topic_of_one(text, clauses, situation)
        if topic is not None:
            return (*clauses, topic)
        return self._explained(clauses, whole, situation, pick, times)

    def _with_emergency(
        self, text: str, clauses: Sequence[ClauseReading], situation: Situation
    ) -> tuple[ClauseReading, ...]:
        """Nothing else counts beside an opt-out: "the bleeding won't stop" may look like one."""
        whole = self.classifier.read_all([text], situation)[0]
        share, least = whole.of(Topic.EMERGENCY), self.thresholds.over_lists
        found = _reading(Span(0, len(text)), Topic.EMERGENCY, share, least)
        return (*clauses, found) if share >= least else tuple(clauses)

    def _topic_of_all(self, text: str, clauses: Sequence[ClauseReading], whole: Reading) -> ClauseReading | None:
        limits = self.thresholds
        label = whole.topic[0]
        explained = all(c.label is not None for c in clauses)
        least = limits.over_lists if explained else limits.topic[label]
        mass = whole.topic_mass
        return _reading(Span(0, len(text)), label, mass, least) if mass >= least else None

    def _topic_of_one(self, text: str, clauses: Sequence[ClauseReading], situation: Situation) -> ClauseReading | None:
        """A topic in one clause of a long message, where the rest may have drowned it."""
        if len(clauses) < 2 or len(text.split()) < _DROWNING:
            return None
        alone = [c for c in clauses if c.label is None]
        least = self.thresholds.clause_mass
        for clause, part in zip(
            alone, self.classifier.read_all([c.span.of(text) for c in alone], situation), strict=True
        ):
            if part.topic_mass > least:
                return _reading(clause.span, part.topic[0], part.topic_mass, least)
        return None

    def _harmless(self, whole: Reading, evident: bool) -> bool:
        intent, share = whole.intent
        limits = self.thresholds
        most = limits.evident_mass if evident else limits.mass
        return share >= limits.intent[intent] and whole.topic_mass <= most

    def _explained(
        self,
        clauses: Sequence[ClauseReading],
        whole: Reading,
        situation: Situation,
        pick: OptionPick,
        times: TimeReading,
    ) -> tuple[ClauseReading, ...]:
        intent, share = whole.intent
        least = self.thresholds.intent[intent]
        intent = _fitting(intent, situation, pick, times)
        known = {c.label for c in clauses} - {None, Intent.ACK}
        read: list[ClauseReading] = []
        for clause in clauses:
            if clause.label is not None:
                read.append(clause)
            elif intent in known:
                aside = _reading(clause.span, Intent.ACK, share, least)
                read.append(replace(aside, rule=_ASIDE_RULE, evidence=clause.evidence))
            else:
                read.append(_reading(clause.span, intent, share, least))
        return tuple(_not_booked(clause, intent) for clause in read)


def _fitting(intent: Intent, situation: Situation, pick: OptionPick, times: TimeReading) -> Intent:
    """The intent, unless the parsers know better what was picked: a time nobody offered is a search, not an answer."""
    if intent is Intent.ACCEPT and pick.option is None and not pick.ambiguous and situation.asked is not Asked.BOOKED:
        return Intent.OTHER_TIMES if times.windows else Intent.AFFIRM
    return intent


def _torn(labels: set[Topic | Intent | None], intent: Intent, share: float) -> bool:
    """True when a time was picked, but the message as a whole more likely asks, waits or refuses."""
    return Intent.ACCEPT in labels and intent in _NOT_YET and (intent in labels or share >= _SURE)


def _evident(clauses: Sequence[ClauseReading], pick: OptionPick, times: TimeReading) -> bool:
    """True when lists or parsers see appointment talk in the message."""
    routine = any(c.label is not None and c.label is not Intent.ACK for c in clauses)
    return routine or bool(times.spans) or pick.option is not None


def _may_be_vetoed(clause: ClauseReading) -> bool:
    return clause.label not in _NEVER_VETOED and clause.rule not in _NEVER_VETOED_RULES


def _set_aside(clause: ClauseReading) -> ClauseReading:
    """Unexplained instead of a topic; the rule still says which list had spoken."""
    return replace(clause, label=None) if isinstance(clause.label, Topic) else clause


def _not_booked(clause: ClauseReading, intent: Intent) -> ClauseReading:
    """Nothing is booked while the message as a whole asks or waits: "Thursday might do, let me ask my wife"."""
    if clause.label is Intent.ACCEPT and intent in _NOT_YET:
        return replace(clause, label=intent, rule=f"{_PART}.{intent.value}", part=_PART)
    return clause


def _reading(span: Span, label: Topic | Intent, share: float, least: float) -> ClauseReading:
    return ClauseReading(span, label, share, _PART, f"{_PART}.{label.value}", least)
