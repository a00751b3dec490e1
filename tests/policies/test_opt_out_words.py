"""The corpus of opt-outs: 245 ways to say it in English and Spanish, and the messages that only sound like it.

Each goes through the screening, which runs before any model. What only sounds like an opt-out also goes through the
local interpreter, whose word alone must not revoke there.
"""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from pydantic import SecretStr

from treatment_agent.domain.interpretation import Asked, Intent, Interpretation, Situation
from treatment_agent.domain.text import normalize
from treatment_agent.policies import gate
from treatment_agent.policies.screening import screen
from treatment_agent.testing import understood
from treatment_agent.understanding.local import LocalInterpreter

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
_WORDS = Path(__file__).parent / "consent_words"


def grouped(name: str) -> list[tuple[str, str]]:
    """(language, message) of a file with groups per language."""
    table = tomllib.loads((_WORDS / name).read_text("utf-8"))
    return [(language, text) for language, groups in table.items() for texts in groups.values() for text in texts]


STOPS = grouped("stops.toml")
LOOKALIKES = grouped("lookalikes.toml")
BOTH = tomllib.loads((_WORDS / "both.toml").read_text("utf-8"))


@cache
def interpreter() -> LocalInterpreter:
    return LocalInterpreter()


def heard(text: str, language: str) -> Interpretation:
    return interpreter().interpret(SecretStr(text), Situation(now=NOW, asked=Asked.FIRST_MESSAGE, language=language))


class TestCorpus:
    def test_has_at_least_75_different_phrasings_in_each_language(self) -> None:
        for language in ("en", "es"):
            assert len({text.casefold() for spoken, text in STOPS if spoken == language}) >= 75


class TestStops:
    @pytest.mark.parametrize(("language", "text"), STOPS)
    def test_are_found_before_any_model_is_asked(self, language: str, text: str) -> None:
        found = screen(normalize(text))

        assert found.opt_out is not None
        assert found.opt_out.span.of(text)
        assert found.emergency is None

    @pytest.mark.parametrize(("language", "text"), LOOKALIKES)
    def test_are_not_read_into_other_uses_of_the_words(self, language: str, text: str) -> None:
        screening = screen(normalize(text))

        assert screening.opt_out is None
        assert not gate.said_opt_out(heard(text, language), screening)


class TestInterpretersWord:
    """`consent.unclear`: the interpreter alone is believed, but not where a phrase only sounds like an opt-out."""

    def test_is_believed_where_the_lists_know_nothing(self) -> None:
        reading = understood(Intent.OPT_OUT)
        screening = screen(normalize("vamoose, dear robot"))

        assert gate.said_opt_out(reading, screening)
        assert gate.unclear_opt_out(reading, screening) == ()

    def test_is_left_to_a_person_where_it_only_sounds_like_one(self) -> None:
        reading = understood(Intent.OPT_OUT)
        screening = screen(normalize("can't stop by today"))

        assert not gate.said_opt_out(reading, screening)
        assert [v.rule for v in gate.unclear_opt_out(reading, screening)] == ["consent.unclear"]
        assert gate.unclear_opt_out(understood(Intent.ACK), screening) == ()


class TestBesideAnEmergency:
    @pytest.mark.parametrize("text", BOTH["en"] + BOTH["es"])
    def test_both_are_found(self, text: str) -> None:
        found = screen(normalize(text))

        assert found.opt_out is not None
        assert found.emergency is not None

    @pytest.mark.parametrize("text", BOTH["only_emergency_en"] + BOTH["only_emergency_es"])
    def test_a_bleeding_that_will_not_stop_is_no_opt_out(self, text: str) -> None:
        found = screen(normalize(text))

        assert found.opt_out is None
        assert found.emergency is not None
