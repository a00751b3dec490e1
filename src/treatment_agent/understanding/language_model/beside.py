"""A language model beside the local interpreter: what it may change, and nothing else.

- Topics of either side count. What the local one found stays found.
- An opt-out that only the model heard is read by a person, and nothing is sent until then: a model by itself can
  neither revoke a consent nor put a revocation in the place of another topic.
- What the local one was sure of is routine stays as it is, whatever the model makes of it.
- A clause that the local one left open becomes what the model read there, if the model is sure of every word of it and
  agrees with the local one on every clause that was clear.
- Facts of the local parsers stand; the model only adds where they found none. It never picks a time: an acceptance
  that only the model heard is asked about.
- Without an answer that counts, the local reading stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from pydantic import SecretStr

from treatment_agent.domain.interpretation import (
    Ambiguity,
    ClauseReading,
    Facts,
    Intent,
    Interpretation,
    ModelUse,
    Situation,
    Topic,
)
from treatment_agent.policies.gate import UNCLEAR as UNCLEAR_OPT_OUT
from treatment_agent.ports import Interpreter
from treatment_agent.understanding.language_model.interpreter import Mode, ModelInterpreter

# Below this the local interpreter rather did not understand than found a topic.
_FOUND = 0.5
_OPTION_ONLY = re.compile(r"\s*(?:option|opcion|opción|number|numero|número|#)?\s*\d\s*[.!]*\s*", re.IGNORECASE)
# Readings that would book or confirm a time.
_TAKING = frozenset({Intent.ACCEPT, Intent.AFFIRM})
_SHIPPED = frozenset({"en", "es"})


class BesideLocal:
    """Implements `ports.Interpreter`: the local one, helped by a model as its mode says."""

    def __init__(self, model: ModelInterpreter, local: Interpreter) -> None:
        self._model = model
        self._local = local

    @property
    def version(self) -> str:
        """Both versions, recorded with every turn."""
        return f"{self._model.version}/{self._local.version}"

    @property
    def remote(self) -> bool:
        """True unless the model surely runs on this machine."""
        return self._model.remote

    def interpret(self, text: SecretStr, situation: Situation) -> Interpretation:
        """Read the message here, and ask the model where its mode says so."""
        own = self._local.interpret(text, situation)
        if not self._asks(own, text.get_secret_value()):
            return replace(own, interpreter=self.version)
        return replace(beside(own, self._model.interpret(text, situation)), interpreter=self.version)

    def _asks(self, own: Interpretation, raw: str) -> bool:
        if self._model.mode is Mode.LOCAL_ONLY or _settled(own, raw):
            return False
        if self._model.mode is Mode.ALWAYS:
            return True
        found = any(isinstance(c.label, Topic) and not is_open(c) for c in own.clauses)
        return not found and any(is_open(c) for c in own.clauses)


def _settled(own: Interpretation, raw: str) -> bool:
    """True for turns that nothing a model says could change: an opt-out, an emergency, a bare number, no words."""
    if not own.clauses or Intent.OPT_OUT in own.intents:
        return True
    if any(c.label is Topic.EMERGENCY and not is_open(c) for c in own.clauses):
        return True
    return own.facts.option is not None and _OPTION_ONLY.fullmatch(raw) is not None


def is_open(clause: ClauseReading) -> bool:
    """True for what the local interpreter did not understand, or only guessed to be a topic."""
    if clause.label is None:
        return True
    return isinstance(clause.label, Topic) and clause.confidence < _FOUND


def beside(own: Interpretation, model: Interpretation) -> Interpretation:
    """The local reading with what the model may add. The record of the model's use is kept either way."""
    use = replace(model.model or ModelUse("unnamed", "none"), local=tuple(clause.label for clause in own.clauses))
    if not use.answered or not model.clauses:
        return replace(own, model=use)
    added = _added(own, model)
    stands = added or not _agrees(own, model)
    clauses = own.clauses if stands else _resolved(own, model)
    other = Facts(option=model.facts.option, reason=model.facts.reason) if stands else model.facts
    facts = _facts(own.facts, other, heard={c.label for c in clauses} - {c.label for c in own.clauses})
    clauses = tuple(_asked_about(clause, facts, own) for clause in clauses)
    return replace(own, clauses=(*clauses, *added), language=_language(own, model), facts=facts, model=use)


def _added(own: Interpretation, model: Interpretation) -> tuple[ClauseReading, ...]:
    """Topics that only the model found, and opt-outs that only it heard, which a person must read."""
    found = {clause.label for clause in own.clauses if not is_open(clause)}
    kinds: dict[Topic | Intent, ClauseReading] = {}
    for clause in model.clauses:
        if isinstance(clause.label, Topic):
            kinds.setdefault(clause.label, clause)
        elif clause.label is Intent.OPT_OUT:
            unclear = replace(clause, label=Topic.OTHER, rule=UNCLEAR_OPT_OUT, threshold=0.0)
            kinds.setdefault(clause.label, unclear)
    return tuple(clause for label, clause in kinds.items() if label not in found)


def _agrees(own: Interpretation, model: Interpretation) -> bool:
    """True when the model read every clear clause as the local one did: only then is it believed on the others."""
    return all(
        clause.label in {c.label for c in _over(clause, model.clauses)}
        for clause in own.clauses
        if not is_open(clause) and clause.label is not Intent.ACK
    )


def _resolved(own: Interpretation, model: Interpretation) -> tuple[ClauseReading, ...]:
    """The local clauses, each open one replaced by what the model read there, if that is routine and complete."""
    clauses: list[ClauseReading] = []
    for clause in own.clauses:
        read = _over(clause, model.clauses) if is_open(clause) else ()
        if read and all(isinstance(c.label, Intent) for c in read):
            clauses.extend(c for c in read if c not in clauses)
        else:
            clauses.append(clause)
    return tuple(clauses)


def _over(clause: ClauseReading, others: Iterable[ClauseReading]) -> tuple[ClauseReading, ...]:
    span = clause.span
    return tuple(c for c in others if c.span.start < span.end and span.start < c.span.end)


def _facts(mine: Facts, other: Facts, heard: set[Topic | Intent | None]) -> Facts:
    unsure = set(mine.ambiguous)
    differs = other.option is not None and mine.option is not None and other.option != mine.option
    if differs or (heard & _TAKING and mine.option is None):
        unsure.add(Ambiguity.OPTION)
    return Facts(
        option=None if Ambiguity.OPTION in unsure else mine.option,
        windows=mine.windows or other.windows,
        call_at=mine.call_at or other.call_at,
        until=mine.until or other.until,
        reason=mine.reason or other.reason,
        ambiguous=tuple(kind for kind in Ambiguity if kind in unsure),
        asks=mine.asks or other.asks,
        cancels=mine.cancels,
    )


def _asked_about(clause: ClauseReading, facts: Facts, own: Interpretation) -> ClauseReading:
    """A plain yes that only the model heard may take the one time on the table: it is asked about like a pick."""
    heard_by_model = clause not in own.clauses and clause.label is Intent.AFFIRM
    return replace(clause, label=Intent.ACCEPT) if heard_by_model and Ambiguity.OPTION in facts.ambiguous else clause


def _language(own: Interpretation, model: Interpretation) -> str:
    """The local guess; a language we have no texts in counts from either side, and goes to a person."""
    if own.language in _SHIPPED and model.language not in _SHIPPED and model.language != "und":
        return model.language
    return own.language
