"""The answer of a model: its shape, and how it becomes clause readings and facts of the message it was given.

A model answers with quotes. Each must stand in the message, in order; what no quote covers was not read, and a clause
that was not read is never routine (P4).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from enum import StrEnum
from functools import cache

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from treatment_agent.domain.interpretation import (
    ClauseReading,
    Facts,
    Intent,
    LogisticsAsk,
    ModelFailure,
    Reason,
    Span,
    Topic,
)
from treatment_agent.domain.scheduling import Window
from treatment_agent.errors import ModelFailed

UNCLEAR = "unclear"
# Below this a routine label counts as not understood.
SURE = 0.8
_PART = "model"
_MOST_CLAUSES = 40
_LONGEST = 50_000
_LANGUAGE = re.compile(r"[a-z]{2}|und")
_FENCED = re.compile(r"\s*```(?:json)?\s*(.*?)\s*```\s*", re.DOTALL)
_WORD = re.compile(r"\w+")
# Words that only join clauses may stand between quotes.
_JOINTS = frozenset("and but so then also or y pero entonces tambien también o pues".split())
_QUOTES = {**dict.fromkeys("'’‘´`", "['’‘´`]"), **dict.fromkeys('"“”„', '["“”„]')}

Label = StrEnum(  # type: ignore[misc]  # mypy wants literal members; these are the two enums of the domain
    "Label", [(member.name, member.value) for member in (*Topic, *Intent)] + [("UNCLEAR", UNCLEAR)]
)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class ClauseAnswer(_Part):
    """One clause: its words as the patient wrote them, what they mean, and the words that tell."""

    quote: str
    label: Label
    confidence: float = Field(ge=0, le=1)
    evidence: list[str]


class WindowAnswer(_Part):
    """A stretch of time that suits the patient, in the office's local time."""

    start: datetime
    end: datetime


class FactsAnswer(_Part):
    """What the message says beside its intent."""

    option: int | None
    windows: list[WindowAnswer]
    call_at: datetime | None
    until: date | None
    reason: Reason | None
    asks: LogisticsAsk | None


class Answer(_Part):
    """The whole answer of a model."""

    language: str
    clauses: list[ClauseAnswer]
    facts: FactsAnswer


@cache
def schema() -> dict[str, object]:
    """The JSON Schema of an answer, as strict structured output wants it: every field required, none added."""
    found = Answer.model_json_schema()
    _without(found, {"title", "minimum", "maximum", "description"})
    return found


def _without(node: object, names: set[str]) -> None:
    """Take annotations out that providers do not take, or charge tokens for; fields of that name stay."""
    if isinstance(node, list):
        for each in node:
            _without(each, names)
    elif isinstance(node, dict):
        for key in [key for key, value in node.items() if key in names and not isinstance(value, dict)]:
            del node[key]
        for each in node.values():
            _without(each, names)


@dataclass(frozen=True, slots=True)
class Understood:
    """What a model made of a message, in offsets of the text it was shown."""

    clauses: tuple[ClauseReading, ...]
    language: str
    facts: Facts


def understood(reply: str, shown: str, zone: tzinfo | None) -> Understood:
    """Read an answer about `shown`, the message as the model saw it. Times without a zone are in `zone`.

    Raises:
        ModelFailed: the answer does not count, with the kind that says why.
    """
    found = _parsed(reply)
    if not found.clauses:
        raise ModelFailed(ModelFailure.EMPTY)
    if len(found.clauses) > _MOST_CLAUSES:
        raise ModelFailed(ModelFailure.MALFORMED)
    if not _LANGUAGE.fullmatch(found.language):
        raise ModelFailed(ModelFailure.LANGUAGE)
    return Understood(_readings(found, shown), found.language, _facts(found.facts, zone))


def _parsed(reply: str) -> Answer:
    text = fenced[1] if (fenced := _FENCED.fullmatch(reply)) else reply.strip()
    if not text:
        raise ModelFailed(ModelFailure.EMPTY)
    kind = ModelFailure.MALFORMED
    if len(text) > _LONGEST:
        raise ModelFailed(kind)
    try:
        json.loads(text)
        return Answer.model_validate_json(text, strict=True)
    except json.JSONDecodeError as error:
        kind = ModelFailure.TRUNCATED if _breaks_off(text, error) else ModelFailure.MALFORMED
    except ValidationError as error:
        labels = [e for e in error.errors(include_input=False) if e["type"] == "enum" and e["loc"][-1] == "label"]
        kind = ModelFailure.UNKNOWN_LABEL if labels else ModelFailure.MALFORMED
    except (ValueError, RecursionError):
        pass
    # Raised here, outside the handlers: the original errors quote the answer, and that quotes the patient.
    raise ModelFailed(kind)


def _breaks_off(text: str, error: json.JSONDecodeError) -> bool:
    """True when JSON begins well and ends too early."""
    return text.startswith("{") and (error.pos >= len(text) or error.msg.startswith("Unterminated string"))


def _readings(found: Answer, shown: str) -> tuple[ClauseReading, ...]:
    readings: list[ClauseReading] = []
    end = 0
    for clause in found.clauses:
        span = _find(clause.quote, shown, end, len(shown))
        evidence = tuple(_find(words, shown, span.start, span.end) for words in clause.evidence)
        readings.extend(_unread(shown, end, span.start))
        readings.append(_reading(clause, span, evidence))
        end = span.end
    readings.extend(_unread(shown, end, len(shown)))
    return tuple(readings)


def _reading(clause: ClauseAnswer, span: Span, evidence: tuple[Span, ...]) -> ClauseReading:
    rule = f"{_PART}.{clause.label.value}"
    if clause.label.value in set(Topic):
        # A topic counts however sure the model is of it.
        return ClauseReading(span, Topic(clause.label.value), clause.confidence, _PART, rule, 0.0, evidence)
    known = clause.label.value != UNCLEAR and clause.confidence >= SURE
    label = Intent(clause.label.value) if known else None
    return ClauseReading(span, label, clause.confidence if known else 0.0, _PART, rule, SURE, evidence)


def _unread(shown: str, start: int, end: int) -> list[ClauseReading]:
    words = [word for word in _WORD.findall(shown[start:end]) if word.lower() not in _JOINTS]
    return [ClauseReading(Span(start, end), None, 0.0, _PART, f"{_PART}.unread", SURE)] if words else []


def _find(quote: str, shown: str, start: int, end: int) -> Span:
    """Where a quote stands, whatever its spaces, case and quotation marks."""
    words = quote.split()
    if not words:
        raise ModelFailed(ModelFailure.NOT_IN_TEXT)
    pattern = r"\s+".join("".join(_QUOTES.get(c) or re.escape(c) for c in word) for word in words)
    found = re.compile(pattern, re.IGNORECASE).search(shown, start, end)
    if found is None:
        raise ModelFailed(ModelFailure.NOT_IN_TEXT)
    return Span(found.start(), found.end())


def _facts(found: FactsAnswer, zone: tzinfo | None) -> Facts:
    windows = tuple(
        Window(start, end)
        for start, end in ((_local(w.start, zone), _local(w.end, zone)) for w in found.windows)
        if start < end
    )
    return Facts(
        option=found.option,
        windows=windows,
        call_at=_local(found.call_at, zone) if found.call_at else None,
        until=found.until,
        reason=found.reason,
        asks=found.asks,
    )


def _local(moment: datetime, zone: tzinfo | None) -> datetime:
    return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment.astimezone(zone)
