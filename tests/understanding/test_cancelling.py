from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from treatment_agent.domain.interpretation import Asked, Situation
from treatment_agent.understanding.local import LocalInterpreter

BOOKED = Situation(now=datetime(2026, 11, 25, 11, tzinfo=ZoneInfo("America/Chicago")), asked=Asked.BOOKED)


@pytest.fixture(scope="module")
def interpreter() -> LocalInterpreter:
    return LocalInterpreter(lists_only=True)


def cancels(interpreter: LocalInterpreter, words: str) -> bool:
    return interpreter.interpret(SecretStr(words), BOOKED).facts.cancels


class TestCancels:
    @pytest.mark.parametrize(
        "words",
        [
            "I need to cancel my Thursday appointment",
            "cancel it please",
            "had to cancell my visit",
            "please call off my visit",
            "I already cancelled",
            "tengo que cancelar la cita",
            "quiero anular mi cita",
            "cancelen la cita por favor",
        ],
    )
    def test_is_told_by_its_words(self, interpreter: LocalInterpreter, words: str) -> None:
        assert cancels(interpreter, words)

    @pytest.mark.parametrize(
        "words",
        [
            "can we move it to Friday?",
            "I have to cancel Thursday, can we do Friday instead?",
            "cancel that one and reschedule for next week",
            "necesito cancelar y cambiar a otro dia",
            "any cancellations this week?",
            "put me on the cancellation list",
            "my meeting was cancelled so see you then",
            "me cancelaron el vuelo",
            "call me",
            "thanks!",
        ],
    )
    def test_is_not_moving_and_nothing_else(self, interpreter: LocalInterpreter, words: str) -> None:
        assert not cancels(interpreter, words)
