"""Everything the parts of the local interpreter say about one message, and the figures it is weighed by."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from treatment_agent.domain.interpretation import ClauseReading, Intent, Situation, Topic
from treatment_agent.policies.lexicon import Match, label_of
from treatment_agent.understanding.classifier import Reading
from treatment_agent.understanding.options import OptionPick
from treatment_agent.understanding.times.reading import TimeReading

# A share of 0 or 1 would outweigh everything else.
_LEAST = 1e-4
_FARTHEST = 6.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """What lists, parsers and classifier say.

    `clauses` are the readings of lists and parsers, `hints` what the unsure patterns found. `whole` is the
    classifier's reading of the message, `parts` its readings of the clauses (the whole again where there is one
    clause), `linear` the log-odds of the linear reader that a person must have it. `unknown` is the share of
    meaningful words that no routine list knows; `asks` counts questions that no phrase explains.
    """

    text: str
    situation: Situation
    language: str
    clauses: tuple[ClauseReading, ...]
    hints: tuple[Match, ...]
    pick: OptionPick
    leans: int | None
    times: TimeReading
    whole: Reading
    parts: tuple[Reading, ...]
    linear: float
    unknown: float
    asks: int

    @property
    def hinted(self) -> dict[Topic, int]:
        """How many different rules hint at each topic."""
        rules = {match.group.rule for match in self.hints}
        labels = [label_of(rule) for rule in rules]
        return {topic: labels.count(topic) for topic in Topic if topic in labels}

    @property
    def explained(self) -> bool:
        """True when lists and parsers read every clause as something routine."""
        return all(isinstance(clause.label, Intent) for clause in self.clauses)


def features(seen: Evidence) -> Mapping[str, float]:
    """The figures that `judge` weighs, by name; each is about -9 to 9."""
    intents = [clause.label for clause in seen.clauses if isinstance(clause.label, Intent)]
    telling = any(intent is not Intent.ACK for intent in intents)
    timed = bool(seen.times.spans) or seen.pick.option is not None or seen.pick.ambiguous
    found = seen.hinted
    values = {
        "whole": log_odds(seen.whole.topic_mass),
        "worst_part": log_odds(max(part.topic_mass for part in seen.parts)),
        "linear": min(max(seen.linear, -_FARTHEST), _FARTHEST),
        "emergency": log_odds(max(part.of(Topic.EMERGENCY) for part in (seen.whole, *seen.parts))),
        "surest_intent": log_odds(seen.whole.intent[1]),
        "explained": float(seen.explained),
        "telling": float(telling),
        "timed": float(timed),
        "unknown": seen.unknown,
        "asks": float(min(seen.asks, 2)),
        "words": math.log1p(len(seen.text.split())),
        "clauses": math.log(len(seen.clauses)) if seen.clauses else 0.0,
        "spanish": float(seen.language == "es"),
        "hints": math.log1p(sum(found.values())),
    }
    return values | {f"hint_{topic.value}": float(min(found.get(topic, 0), 2)) for topic in Topic}


def log_odds(share: float) -> float:
    """The logit of a probability, kept away from the ends."""
    kept = min(max(share, _LEAST), 1 - _LEAST)
    return math.log(kept / (1 - kept))
