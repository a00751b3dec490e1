"""Times that are named but not taken."""

from __future__ import annotations

from dataclasses import replace

import pytest
from phrase_tables import SITUATION
from pydantic import SecretStr

from treatment_agent.domain.interpretation import Asked, Intent, Topic
from treatment_agent.understanding.local import LocalInterpreter

INTERPRETER = LocalInterpreter()


def heard(text: str):
    return INTERPRETER.interpret(SecretStr(text), SITUATION)


@pytest.mark.parametrize(
    "text",
    [
        "is Tuesday at 9 still open?",
        "was the tuesday one taken?",
        "did someone already take tuesday?",
        "¿sigue disponible el martes?",
    ],
)
def test_a_question_about_a_time_takes_none(text):
    found = heard(text)
    assert Intent.ACCEPT not in found.intents
    assert not found.topics


@pytest.mark.parametrize(
    "text",
    [
        "yes book tuesday. if my mom can drive me",
        "put me down for tuesday unless my boss needs me",
    ],
)
def test_a_condition_goes_to_a_person(text):
    found = heard(text)
    assert found.topics == (Topic.OTHER,)
    assert Intent.ACCEPT not in found.intents


@pytest.mark.parametrize("text", ["1 for me and 2 for my wife", "put me down for 1 and my husband for 2"])
def test_times_for_two_people_go_to_a_person(text):
    assert heard(text).topics == (Topic.IDENTITY,)


def test_either_is_a_yes_without_a_pick():
    assert Intent.ACCEPT not in heard("either one is fine with me, you pick").intents


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("is tuesday still available? if so I'll take it", 1),
        ("I'll take tuesday if it's still open", 1),
        ("I'll take 1 if I can", 1),
        ("if I have to choose, tuesday", 1),
        ("2 for me please", 2),
        ("Tuesday works, let me know if I need to bring anything", 1),
    ],
)
def test_what_is_taken_stays_taken(text, option):
    found = heard(text)
    assert Intent.ACCEPT in found.intents
    assert found.facts.option == option


def when(text: str, asked: Asked):
    return INTERPRETER.interpret(SecretStr(text), replace(SITUATION, asked=asked))


@pytest.mark.parametrize("text", ["no calls please, just text"])
def test_no_calls_is_no_wish_for_a_call(text):
    found = when(text, Asked.CALLBACK_ASK)
    assert found.topics == (Topic.OTHER,)
    assert Intent.CALLBACK not in found.intents


def test_a_day_for_the_call_stays_one():
    assert Intent.CALLBACK in when("don't call before 9, friday is good", Asked.CALLBACK_ASK).intents


def test_a_number_after_a_visit_was_taken_is_a_change():
    assert when("2", Asked.BOOKED).intents == (Intent.CHANGE,)
    assert Intent.CHANGE not in when("see you tuesday", Asked.BOOKED).intents


def test_a_refusal_of_the_treatment_beside_a_bare_no_asks_for_no_other_times():
    assert Intent.OTHER_TIMES not in when("No thank you, I don't want the treatment after all", Asked.OFFER).intents
