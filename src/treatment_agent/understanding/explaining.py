"""Why a message was read as it was: per clause the part that decided, its probability, and the words that weighed most.

Holds the patient's own words: for a screen or the office's own file, never for a log.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from treatment_agent.domain.interpretation import ClauseReading, Intent, Interpretation, Span

_PARTS: Mapping[str, str] = MappingProxyType(
    {
        "keyword": "keyword",
        "lexicon": "list pattern",
        "parser": "parser of times and options",
        "classifier": "classifier",
        "judge": "judge (lists, classifier and linear reader weighed together)",
        "model": "language model",
    }
)


@dataclass(frozen=True, slots=True)
class Explained:
    """One clause in words. `label` is empty when the reader was not sure; probabilities are in [0, 1].

    `part` is the short name of what decided, `decided_by` the one for people, `rule` the pattern's or part's id.
    """

    clause: str
    label: str
    part: str
    decided_by: str
    rule: str
    probability: float
    threshold: float
    words: tuple[str, ...]

    def record(self) -> dict[str, object]:
        """For JSON."""
        return {
            "clause": self.clause,
            "label": self.label or None,
            "part": self.part,
            "rule": self.rule,
            "probability": round(self.probability, 4),
            "threshold": self.threshold,
            "words": list(self.words),
        }


def explain(heard: Interpretation, text: str) -> tuple[Explained, ...]:
    """Every clause of an interpretation. `text` is the message as it was received."""
    return tuple(_explained(clause, text) for clause in heard.clauses)


def _explained(clause: ClauseReading, text: str) -> Explained:
    routine = clause.part == "lexicon" and (clause.label is None or isinstance(clause.label, Intent))
    return Explained(
        clause=clause.span.of(text),
        label=str(clause.label or ""),
        part=clause.part,
        decided_by="routine phrases" if routine else _PARTS.get(clause.part, clause.part),
        rule=clause.rule,
        probability=clause.confidence,
        threshold=clause.threshold,
        words=tuple(dict.fromkeys(span.of(text) for span in _widest(clause.evidence))),
    )


def _widest(spans: Iterable[Span]) -> list[Span]:
    """In order of the text, without what lies inside another."""
    found: list[Span] = []
    for span in sorted(set(spans), key=lambda span: (span.start, -span.end)):
        if not found or span.end > found[-1].end:
            found.append(span)
    return found
