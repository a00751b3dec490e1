"""Texts that wait for no interpreter follow the language written in, and a question for the bot is answered."""

from __future__ import annotations

import pytest
from office_samples import ANA_PHONE, someone

from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.interpretation import Topic


def replies(outcome):
    return [(r.script_id, r.language) for r in outcome.replies]


@pytest.fixture
def ana(office):
    """The chart says English."""
    office.first_touch()
    return office


@pytest.fixture
def luz(office):
    """The chart says Spanish."""
    office.first_touch(someone("luz", ANA_PHONE, language="es"))
    return office


class TestSpanishWithEnglishOnRecord:
    @pytest.mark.parametrize(
        ("words", "script"),
        [
            ("se me hincho la cara y no puedo respirar", "emergency"),
            ("ya no me manden mensajes", "opt-out-confirmation"),
            ("ALTO", "opt-out-confirmation"),
            ("AYUDA", "help"),
        ],
    )
    def test_is_answered_in_spanish(self, ana, words, script):
        assert replies(ana.text(words)) == [(script, "es")]

    @pytest.mark.parametrize("words", ["STOP", "stop stop", "HELP"])
    def test_is_not_seen_in_a_word_of_both(self, ana, words):
        assert [language for _, language in replies(ana.text(words))] == ["en"]


class TestEnglishWithSpanishOnRecord:
    @pytest.mark.parametrize(
        ("words", "script"),
        [
            ("my face is swollen and I can't breathe", "emergency"),
            ("please stop texting me", "opt-out-confirmation"),
        ],
    )
    def test_is_answered_in_english(self, luz, words, script):
        assert replies(luz.text(words)) == [(script, "en")]

    def test_is_not_seen_in_a_bare_stop(self, luz):
        assert replies(luz.text("STOP")) == [("opt-out-confirmation", "es")]


class TestBotQuestion:
    @pytest.mark.parametrize(
        "words", ["are you a real person?", "is this a bot?", "am I talking to a robot or a human?"]
    )
    def test_is_answered_and_a_person_follows(self, ana, words):
        outcome = ana.text(words)

        assert replies(outcome) == [("bot-question", "en")]
        assert outcome.phase_after is Phase.WITH_STAFF
        assert outcome.handoff is not None

    def test_keeps_the_owner_of_the_stricter_topic(self, ana):
        assert ana.text("are you a real person?").handoff.topics[0] is Topic.HUMAN

    def test_beside_something_clinical_gets_the_clinical_text(self, ana):
        assert replies(ana.text("are you a real person? is it dangerous to wait?")) == [("handoff-clinical", "en")]
