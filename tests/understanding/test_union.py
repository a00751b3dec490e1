"""Another interpreter beside the local one: it may understand more, never hand off less."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from treatment_agent.domain.interpretation import ClauseReading, Intent, Interpretation, Situation, Span, Topic
from treatment_agent.testing import ConstantInterpreter
from treatment_agent.understanding.local import LocalInterpreter
from treatment_agent.understanding.union import Union, beside_local

SITUATION = Situation(now=datetime(2026, 11, 23, 10, tzinfo=ZoneInfo("America/Chicago")))


def saying(*labels: Topic | Intent, confidence: float = 0.99) -> Interpretation:
    clauses = tuple(ClauseReading(Span(0, 1), label, confidence, "model", f"model.{label.value}") for label in labels)
    return Interpretation(clauses, "en", "said-1")


@dataclass
class Local(LocalInterpreter):
    """A local interpreter that says what it is told to."""

    said: Interpretation

    def interpret(self, text: SecretStr, situation: Situation) -> Interpretation:
        return self.said


def union(other: Interpretation, local: Interpretation) -> Interpretation:
    return Union(ConstantInterpreter(other), Local(local)).interpret(SecretStr("x"), SITUATION)


class TestUnion:
    def test_a_topic_of_either_side_counts(self):
        assert union(saying(Intent.ACCEPT), saying(Topic.CLINICAL)).topics == (Topic.CLINICAL,)
        assert union(saying(Topic.FINANCING), saying(Intent.ACCEPT)).topics == (Topic.FINANCING,)

    def test_an_opt_out_of_the_local_one_counts(self):
        assert Intent.OPT_OUT in union(saying(Intent.ACK), saying(Intent.OPT_OUT)).intents

    def test_resolves_what_the_local_one_was_unsure_of(self):
        assert union(saying(Intent.DEFER), saying(Topic.OTHER, confidence=0.2)).topics == ()

    def test_says_nothing_twice(self):
        assert len(union(saying(Topic.CLINICAL), saying(Topic.CLINICAL)).clauses) == 1

    def test_takes_no_routine_intent_from_the_local_one(self):
        assert union(saying(Intent.DEFER), saying(Intent.ACCEPT)).intents == (Intent.DEFER,)

    @pytest.mark.parametrize(
        ("text", "topic"),
        [("how much does it cost", Topic.FINANCING), ("should it look gray like that", Topic.CLINICAL)],
    )
    def test_a_hostile_interpreter_lifts_nothing_that_is_found_here(self, text, topic):
        hostile = Union(ConstantInterpreter(saying(Intent.ACK)))
        assert topic in hostile.interpret(SecretStr(text), SITUATION).topics

    def test_names_both_in_its_version(self):
        assert Union(ConstantInterpreter(saying(), version="own-2")).version.startswith("own-2/local-")


class TestBesideLocal:
    def test_wraps_what_is_not_local_and_nothing_twice(self):
        other, local = ConstantInterpreter(saying()), LocalInterpreter()
        wrapped = beside_local(other)
        assert isinstance(wrapped, Union)
        assert beside_local(wrapped) is wrapped
        assert beside_local(local) is local
        assert isinstance(beside_local(None), LocalInterpreter)
