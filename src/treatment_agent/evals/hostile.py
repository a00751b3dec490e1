"""An interpreter that answers anything at all, and texts that try everything: for proofs, never for patients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, Final, cast

from pydantic import SecretStr

from treatment_agent.domain.interpretation import (
    Ambiguity,
    ClauseReading,
    Facts,
    Intent,
    Interpretation,
    LogisticsAsk,
    Reason,
    Situation,
    Span,
    Topic,
)
from treatment_agent.domain.scheduling import Window

NASTY: Final = (
    "\x00\x07\x1b[2J",
    "{office.__class__} %s %(name)s ${HOME} {0}",
    "<script>alert(1)</script> &amp; <b>bold</b>",
    "x" * 4000,
    "\u0430n\u0430 \u0405T\u041eP",
    "\u202eabc\u202c \u200f\u061c",
    "\ud800 \udfff",
    "line\r\nX-Header: 1\r\n\r\nbody",
    "'; DROP TABLE outbox; --",
    "\u200bAn\u200da",
    "Ana https://evil.example/pay",
)
"""Values that must never reach a patient, whoever puts them into the chart or an answer."""

_LABELS: Final = (None, *Topic, *Intent)
_BROKEN: Final = (TimeoutError, ValueError, RuntimeError, ConnectionError, KeyError, RecursionError)


class HostileInterpreter:
    """`ports.Interpreter` that answers by `answers`, a function from the text's length and the situation.

    It never looks at the words: whatever it says is as good as anything a broken or hijacked model may say.
    """

    version = "hostile-1"

    def __init__(self, answers: Callable[[int, Situation], Interpretation]) -> None:
        """Answer with what `answers` returns or raises."""
        self._answers = answers

    def interpret(self, text: SecretStr, situation: Situation) -> Interpretation:
        """Anything at all."""
        return self._answers(len(text.get_secret_value()), situation)


def anything(chance: Random) -> Callable[[int, Situation], Interpretation]:
    """Answers drawn by chance: sure or unsure, with any labels and facts, nonsense of every kind, or an error."""

    def answer(length: int, situation: Situation) -> Interpretation:
        kind = chance.random()
        if kind < 0.08:
            raise chance.choice(_BROKEN)("hostile")
        if kind < 0.16:
            return _nonsense(chance, length)
        return _plausible(chance, length, situation)

    return answer


def _plausible(chance: Random, length: int, situation: Situation) -> Interpretation:
    """Well formed, and often the most dangerous of all: sure of one routine intent."""
    pool: tuple[Topic | Intent | None, ...] = tuple(Intent) if chance.random() < 0.7 else _LABELS
    clauses = tuple(_clause(chance.choice(pool), length, chance) for _ in range(chance.choice((1, 1, 1, 2, 3))))
    return Interpretation(
        clauses=clauses,
        language=chance.choice(("en", "en", "en", "es", "es", "und", "xx")),
        interpreter="hostile-1",
        facts=_facts(chance, situation),
    )


def _clause(label: Topic | Intent | None, length: int, chance: Random) -> ClauseReading:
    start = chance.randint(0, length)
    return ClauseReading(
        span=Span(start, chance.randint(start, length)),
        label=label,
        confidence=chance.choice((1.0, 1.0, 0.99, 0.5, 0.0)),
        part="model",
        rule=f"hostile.{label or 'abstain'}",
        threshold=chance.choice((0.5, 0.0, 0.9)),
    )


def _facts(chance: Random, situation: Situation) -> Facts:
    now = situation.now
    soon = timedelta(minutes=chance.choice((1, 45, 60 * 24, 60 * 24 * 9, 60 * 24 * 500, -500)))
    start = now + soon
    return Facts(
        option=chance.choice((None, 1, 1, 2, 2, 3, -1, 10**9)),
        windows=(Window(start, start + timedelta(days=chance.choice((1, 30, 5000)))),) if chance.random() < 0.4 else (),
        call_at=start if chance.random() < 0.3 else None,
        until=(now + soon).date() if chance.random() < 0.3 else None,
        reason=chance.choice((None, *Reason)),
        ambiguous=(chance.choice(tuple(Ambiguity)),) if chance.random() < 0.1 else (),
        asks=chance.choice((None, *LogisticsAsk)),
        cancels=chance.random() < 0.1,
    )


def _nonsense(chance: Random, length: int) -> Interpretation:
    """What no interpreter may return: other types, foreign text in names, impossible numbers and places."""
    good = Interpretation((_clause(Intent.ACCEPT, length, chance),), "en", "hostile-1")
    clause, far = good.clauses[0], datetime(9999, 12, 31, tzinfo=UTC)
    made: tuple[Any, ...] = (
        None,
        "SEND: you owe $500",
        {"clauses": [], "language": "en"},
        replace(good, clauses=()),
        replace(good, clauses=(clause,) * 5000),
        replace(good, clauses=cast(Any, [clause])),
        replace(good, language=chance.choice(NASTY)),
        replace(good, interpreter=chance.choice(NASTY)),
        replace(good, clauses=(replace(clause, rule=chance.choice(NASTY)),)),
        replace(good, clauses=(replace(clause, label=cast(Any, "send_money")),)),
        replace(good, clauses=(replace(clause, span=Span(length, length + 99)),)),
        replace(good, clauses=(replace(clause, span=Span(-5, 2)),)),
        replace(good, clauses=(replace(clause, confidence=float("nan")),)),
        replace(good, clauses=(replace(clause, confidence=7.0),)),
        replace(good, facts=cast(Any, None)),
        replace(good, facts=Facts(option=cast(Any, chance.choice(NASTY)), until=date.max, call_at=far)),
        replace(good, facts=Facts(call_at=datetime(2026, 12, 1), windows=cast(Any, (1, "now")))),  # noqa: DTZ001
        replace(good, facts=Facts(reason=cast(Any, "{office}"), asks=cast(Any, "fees"), windows=cast(Any, None))),
    )
    return cast(Interpretation, made[chance.randrange(len(made))])
