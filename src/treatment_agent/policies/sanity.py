"""An interpreter's answer is checked before anything acts on it: it may be broken, hijacked or malicious (P3, P5)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta

from treatment_agent.domain.interpretation import (
    Ambiguity,
    ClauseReading,
    Facts,
    Intent,
    Interpretation,
    LogisticsAsk,
    ModelFailure,
    ModelUse,
    Reason,
    Span,
    Topic,
)
from treatment_agent.domain.scheduling import Window

LONGEST_LOOK_AHEAD = timedelta(days=400)
MOST_WINDOWS = 60
MOST_CLAUSES = 400
MOST_COUNTED = 1_000_000_000
_NAME = re.compile(r"[a-z0-9][a-z0-9_.:/-]{0,47}", re.IGNORECASE)


def checked(answer: object, *, length: int, offers: int, now: datetime) -> Interpretation:
    """The interpretation with facts outside every sensible range left out.

    Args:
        answer: What the interpreter returned.
        length: Number of characters in the message; spans must lie inside.
        offers: How many slots are on the table; an option must be one of them.
        now: The current instant.

    Raises:
        ValueError: it is no interpretation, or its clauses are nonsense; the message goes to a person.
    """
    if not isinstance(answer, Interpretation) or not isinstance(answer.clauses, tuple):
        raise ValueError("the interpreter did not return an Interpretation")
    if len(answer.clauses) > MOST_CLAUSES or not _named(answer.language):
        raise ValueError("the interpretation is out of bounds")
    if not all(_sensible(clause, length) for clause in answer.clauses):
        raise ValueError("a clause has an unknown label, an impossible probability or a span outside the message")
    facts = answer.facts
    if not isinstance(facts, Facts):
        raise ValueError("the facts are not Facts")
    version = answer.interpreter if _named(answer.interpreter) else "unnamed"
    model = answer.model if _honest(answer.model) else None
    return replace(answer, facts=_facts(facts, offers, now), interpreter=version, model=model)


def _named(value: object) -> bool:
    """True for an id. Anything freer could carry a patient's words into a checkpoint (P11)."""
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def _sensible(clause: object, length: int) -> bool:
    if not isinstance(clause, ClauseReading):
        return False
    label_known = clause.label is None or isinstance(clause.label, Topic | Intent)
    numbers = all(isinstance(n, float | int) and 0 <= n <= 1 for n in (clause.confidence, clause.threshold))
    names = all(_named(n) for n in (clause.rule, clause.part))
    return label_known and numbers and names and _inside((clause.span, *clause.evidence), length)


def _honest(use: object) -> bool:
    """True for a record of a model's use that holds names, counts and labels only."""
    if not isinstance(use, ModelUse):
        return False
    counts = (use.calls, use.input_tokens, use.cached_tokens, use.output_tokens, use.milliseconds)
    labels = (*use.said, *use.local)
    return (
        _named(use.model)
        and _named(use.prompt)
        and all(type(n) is int and 0 <= n < MOST_COUNTED for n in counts)
        and all(isinstance(failure, ModelFailure) for failure in use.failures)
        and len(labels) <= 2 * MOST_CLAUSES
        and all(label is None or isinstance(label, Topic | Intent) for label in labels)
        and isinstance(use.answered, bool)
    )


def _inside(spans: Iterable[object], length: int) -> bool:
    return all(isinstance(s, Span) and 0 <= s.start <= s.end <= length for s in spans)


def _facts(facts: Facts, offers: int, now: datetime) -> Facts:
    latest = now + LONGEST_LOOK_AHEAD
    option = facts.option if isinstance(facts.option, int) and 1 <= facts.option <= offers else None
    windows = tuple(w for w in facts.windows if isinstance(w, Window) and w.end > now and w.start < latest)
    call_at = facts.call_at
    callable_then = isinstance(call_at, datetime) and call_at.utcoffset() is not None and now <= call_at < latest
    until = facts.until
    deferrable = isinstance(until, date) and not isinstance(until, datetime) and until < latest.date()
    return Facts(
        option=option,
        windows=windows[:MOST_WINDOWS],
        call_at=call_at if callable_then else None,
        until=until if deferrable else None,
        reason=facts.reason if isinstance(facts.reason, Reason) else None,
        ambiguous=tuple(a for a in facts.ambiguous if isinstance(a, Ambiguity)),
        asks=facts.asks if isinstance(facts.asks, LogisticsAsk) else None,
        cancels=facts.cancels is True,
    )
