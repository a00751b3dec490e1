"""What the word lists surely found, clause by clause."""

from __future__ import annotations

from collections.abc import Iterable

from treatment_agent.domain.interpretation import ClauseReading, Intent, Span, Topic
from treatment_agent.policies.canonical import Words
from treatment_agent.policies.lexicon import Match, label_of

_KEYWORD, _SURE = 1.0, 0.95
# Rules with a text of their own are named before others of the same label.
_TELLING = ("sensitive.self-harm", "identity.wrong-number", "human.bot-question")


def by_clause(matches: Iterable[Match], parts: tuple[range, ...]) -> list[list[Match]]:
    """Each match under the clause it begins in."""
    rows: list[list[Match]] = [[] for _ in parts]
    owner = {index: number for number, part in enumerate(parts) for index in part}
    for match in matches:
        rows[owner[match.words.start]].append(match)
    return rows


def topic_readings(words: Words, part: range, matches: Iterable[Match]) -> list[ClauseReading]:
    """One reading per label found in the clause."""
    rules: dict[Topic | Intent, dict[str, list[Span]]] = {}
    for match in matches:
        row = rules.setdefault(label_of(match.group.rule), {})
        span = words.span(match.words)
        if span not in row.setdefault(match.group.rule, []):
            row[match.group.rule].append(span)
    readings: list[ClauseReading] = []
    for label, row in rules.items():
        rule = next((r for r in row if r in _TELLING), next(iter(row)))
        keyword = rule.startswith("opt_out.") and rule != "opt_out.words"
        readings.append(
            ClauseReading(
                span=words.span(part),
                label=label,
                confidence=_KEYWORD if keyword else _SURE,
                part="keyword" if keyword else "lexicon",
                rule=rule,
                evidence=tuple(span for spans in row.values() for span in spans),
            )
        )
    return readings
