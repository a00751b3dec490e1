"""What a model beside the local interpreter can change, and what not. `docs/models.md` names these tests."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from treatment_agent.domain.interpretation import (
    Ambiguity,
    Asked,
    ClauseReading,
    Facts,
    Intent,
    Interpretation,
    ModelFailure,
    ModelUse,
    Situation,
    Span,
    Topic,
)
from treatment_agent.domain.scheduling import Slot
from treatment_agent.testing import ScriptedModel, answer
from treatment_agent.testing.models import Step
from treatment_agent.understanding.language_model import BesideLocal, Mode, ModelInterpreter, Patience
from treatment_agent.understanding.language_model.beside import beside
from treatment_agent.understanding.union import beside_local

CHICAGO = ZoneInfo("America/Chicago")
NOW = datetime(2026, 11, 24, 18, tzinfo=CHICAGO)


def slot(day: int, hour: int) -> Slot:
    start = datetime(2026, 12, day, hour, tzinfo=CHICAGO)
    return Slot(start, start + timedelta(minutes=90), "lee", f"opening-{day}")


TWO = Situation(now=NOW, asked=Asked.OFFER, offers=(slot(1, 9), slot(3, 14)))
ONE = Situation(now=NOW, asked=Asked.OFFER, offers=(slot(1, 9),))
# What the local interpreter leaves open.
OPEN = "gotta wait for the zorbing circuit to wind down first"
HALF = "my zorbing thing runs thru spring, ping me when thats over"


def reading(label: Topic | Intent | None, start: int = 0, end: int = 9, confidence: float = 0.95) -> ClauseReading:
    return ClauseReading(Span(start, end), label, confidence if label else 0.0, "said", f"said.{label or 'none'}")


def own(*clauses: ClauseReading, facts: Facts | None = None, language: str = "en") -> Interpretation:
    return Interpretation(clauses, language, "local-0", facts or Facts())


def said(*clauses: ClauseReading, facts: Facts | None = None, language: str = "en") -> Interpretation:
    use = ModelUse("m", "p", calls=1, answered=True, said=tuple(c.label for c in clauses))
    return Interpretation(clauses, language, "m/p", facts or Facts(), use)


def read(
    text: str, steps: Iterable[Step], *, mode: Mode = Mode.ALWAYS, situation: Situation = TWO
) -> tuple[Interpretation, ScriptedModel]:
    with ScriptedModel(steps) as model:
        interpreter = ModelInterpreter(model, mode=mode, patience=Patience(wait_seconds=0, attempts=1))
        return beside_local(interpreter).interpret(SecretStr(text), situation), model


class TestCan:
    def test_resolve_what_was_left_open(self):
        found, _ = read(OPEN, [answer((OPEN, Intent.DEFER))], mode=Mode.ON_ABSTENTION)

        assert found.intents == (Intent.DEFER,)
        assert not found.abstained
        assert not found.topics

    def test_add_a_topic(self):
        found, _ = read("1 works for me", [answer(("1 works for me", Topic.INSURANCE))])

        assert found.topics == (Topic.INSURANCE,)

    def test_add_a_topic_however_unsure_it_is(self):
        found, _ = read("1 works for me", [answer(("1 works for me", Topic.INSURANCE), confidence=0.01)])

        assert found.topics == (Topic.INSURANCE,)

    def test_have_a_person_read_an_opt_out_that_only_it_heard(self):
        found = beside(own(reading(Intent.DEFER)), said(reading(Intent.OPT_OUT)))

        assert found.topics == (Topic.OTHER,)
        assert found.clauses[-1].rule == "consent.unclear"

    def test_add_a_reason_and_a_day_where_none_was_found(self):
        facts = {"reason": "time_work_childcare", "until": "2027-05-01"}

        found, _ = read(OPEN, [answer((OPEN, Intent.DEFER), facts=facts)])

        assert found.facts.reason is not None
        assert str(found.facts.until) == "2027-05-01"

    def test_say_that_the_language_is_none_of_ours(self):
        assert beside(own(reading(Intent.ACK)), said(reading(Intent.ACK), language="pl")).language == "pl"


class TestCannot:
    @pytest.mark.parametrize(
        "text", ["how much does it cost", "my tooth hurts", "does my plan cover it", "is this a bot?", "wrong number"]
    )
    def test_lift_a_topic(self, text: str):
        found, _ = read(text, [answer((text, Intent.ACK))])

        assert found.topics

    @pytest.mark.parametrize("before", [own(reading(Intent.ACCEPT)), own(reading(Topic.FINANCING)), own(reading(None))])
    def test_revoke_a_consent(self, before: Interpretation):
        assert Intent.OPT_OUT not in beside(before, said(reading(Intent.OPT_OUT))).intents

    @pytest.mark.parametrize("label", [label for label in Intent if label not in (Intent.OPT_OUT, Intent.DEFER)])
    def test_change_what_was_clear_here(self, label: Intent):
        before = own(reading(Intent.DEFER))

        found = beside(before, said(reading(label)))

        assert found.clauses == before.clauses
        assert found.model is not None
        assert found.model.disagrees

    def test_resolve_one_clause_while_it_misreads_another(self):
        before = own(reading(Intent.ACCEPT, 0, 5), reading(None, 6, 9), facts=Facts(option=1))

        found = beside(before, said(reading(Intent.DECLINE, 0, 5), reading(Intent.ACK, 6, 9)))

        assert found.clauses == before.clauses

    def test_resolve_a_clause_of_which_it_read_a_part(self):
        found, _ = read(OPEN, [answer(("gotta wait", Intent.DEFER))])

        assert found.abstained or found.topics

    def test_resolve_while_it_is_unsure(self):
        found, _ = read(OPEN, [answer((OPEN, Intent.DEFER), confidence=0.79)])

        assert found.abstained or found.topics

    def test_pick_a_time(self):
        found, _ = read(OPEN, [answer((OPEN, Intent.ACCEPT), facts={"option": 2})])

        assert found.facts.option is None
        assert Ambiguity.OPTION in found.facts.ambiguous

    def test_take_the_one_time_on_the_table_by_a_yes_that_only_it_heard(self):
        found, _ = read(OPEN, [answer((OPEN, Intent.AFFIRM), facts={"option": 1})], situation=ONE)

        assert found.intents == (Intent.ACCEPT,)
        assert found.facts.option is None
        assert Ambiguity.OPTION in found.facts.ambiguous

    def test_swap_the_time_that_was_picked(self):
        found, _ = read("the first one works", [answer(("the first one works", Intent.ACCEPT), facts={"option": 2})])

        assert found.facts.option is None
        assert Ambiguity.OPTION in found.facts.ambiguous

    def test_move_windows_calls_and_days_that_were_read_here(self):
        facts = Facts(until=NOW.date(), call_at=NOW)

        found = beside(
            own(reading(None), facts=facts), said(reading(Intent.DEFER), facts=Facts(until=TWO.offers[1].start.date()))
        )

        assert (found.facts.until, found.facts.call_at) == (facts.until, facts.call_at)

    def test_turn_a_language_that_is_none_of_ours_into_one(self):
        assert beside(own(reading(None), language="pl"), said(reading(Intent.ACK))).language == "pl"

    @pytest.mark.parametrize("kind", list(ModelFailure))
    def test_take_anything_away_by_failing(self, kind: ModelFailure):
        found, _ = read(OPEN, [kind])
        alone = beside_local(None).interpret(SecretStr(OPEN), TWO)

        assert (found.clauses, found.facts, found.language) == (alone.clauses, alone.facts, alone.language)
        assert found.model is not None
        assert not found.model.answered


class TestMode:
    @pytest.mark.parametrize("mode", list(Mode))
    @pytest.mark.parametrize(
        "text", ["stop", "please stop texting me", "1", "option 2", "2!", "i cant breathe", "", "👍👍 ..."]
    )
    def test_never_asks_where_nothing_can_be_added(self, mode: Mode, text: str):
        if text.startswith("👍") and mode is Mode.ALWAYS:
            pytest.skip("an emoji is words enough to ask about")
        _, model = read(text, [], mode=mode)

        assert model.requests == ()

    @pytest.mark.parametrize("text", ["my tooth hurts", "maybe after the holidays", "do you have friday morning?"])
    def test_on_abstention_does_not_ask_about_what_is_clear(self, text: str):
        read(text, [], mode=Mode.ON_ABSTENTION)

    def test_on_abstention_asks_about_what_is_open(self):
        _, model = read(OPEN, [answer((OPEN, Intent.DEFER))], mode=Mode.ON_ABSTENTION)

        assert len(model.requests) == 1

    def test_always_asks_about_a_topic_too(self):
        text = "how much does it cost"
        found, _ = read(text, [answer((text, Topic.EMERGENCY))])

        assert found.topics == (Topic.EMERGENCY, Topic.FINANCING)

    def test_local_only_never_asks(self):
        found, _ = read(OPEN, [], mode=Mode.LOCAL_ONLY)

        assert found.model is None


class TestRecord:
    def test_holds_both_readings_and_what_it_took(self):
        found, _ = read(OPEN, [answer((OPEN, Intent.DEFER))])

        assert found.model is not None
        assert found.model.said == (Intent.DEFER,)
        assert found.model.disagrees
        assert found.model.prompt == "p1"
        assert found.interpreter.startswith("scripted/p1/local-")

    def test_shows_words_in_no_repr(self):
        found, model = read(OPEN, [answer((OPEN, Intent.DEFER))])

        assert "zorbing" not in repr(found) + repr(model.requests)

    def test_is_beside_the_local_one_and_wrapped_once(self):
        wrapped = beside_local(ModelInterpreter(ScriptedModel()))

        assert isinstance(wrapped, BesideLocal)
        assert beside_local(wrapped) is wrapped
