"""Spanish, both languages in one conversation, and languages the office has no approved texts in."""

from __future__ import annotations

import pytest
from office_samples import ANA_PHONE, build, office_profile, someone

from treatment_agent import PracticePolicy
from treatment_agent.domain.conversation import Phase
from treatment_agent.policies.office import OfficeWords


@pytest.fixture
def office(tmp_path):
    words = OfficeWords(language="es", financing_next_step="Podemos revisar con usted las opciones de pago.")
    profile = office_profile().model_copy(update={"words": (words,)})
    made = build(tmp_path, PracticePolicy(id="maple", office=profile))
    yield made
    made.coordinator.close()


@pytest.fixture
def luz(office):
    """A patient whose chart says Spanish; she has the first message."""
    office.first_touch(someone("luz", ANA_PHONE, language="es"))
    return office


@pytest.fixture
def ana(office):
    """A patient whose chart says English."""
    office.first_touch()
    return office


def replies(outcome):
    return [(r.script_id, r.language) for r in outcome.replies]


class TestSpanishPatient:
    def test_gets_the_first_message_in_spanish(self, luz):
        (message,) = luz.messenger.sent
        assert (message.script_id, message.language) == ("first-message", "es")
        assert "Hola Luz" in luz.last_text()
        assert "STOP" in luz.last_text()

    @pytest.mark.parametrize(
        ("words", "script"),
        [
            ("2", "booked"),
            ("el martes por favor", "booked"),
            ("el 11 de diciembre", "offer-one"),
            ("no gracias", "declined"),
            ("en marzo mejor", "deferred-until"),
            ("AYUDA", "help"),
            ("ya no me manden mensajes", "opt-out-confirmation"),
            ("duele mucho?", "handoff-clinical"),
            ("se me hincho la cara y no puedo respirar", "emergency"),
        ],
    )
    def test_is_answered_in_spanish(self, luz, words, script):
        assert replies(luz.text(words)) == [(script, "es")]

    def test_hears_of_the_payment_options_in_spanish(self, luz):
        luz.text("cuánto cuesta?")
        assert "opciones de pago" in luz.last_text()

    def test_reminder_is_in_spanish(self, luz):
        luz.let_days_pass(5)
        assert [m.language for m in luz.messenger.sent] == ["es", "es"]


class TestSwitching:
    def test_is_followed_into_spanish_and_back(self, ana):
        assert replies(ana.text("tiene otro horario?")) == [("offer", "es")]
        assert ana.conversation().language == "es"
        assert replies(ana.text("what about dec 11?")) == [("offer-one", "en")]

    def test_is_followed_by_a_handoff_text_too(self, ana):
        assert replies(ana.text("cuánto cuesta y si me va a doler mucho?"))[0][1] == "es"

    def test_needs_more_than_a_number(self, ana):
        ana.text("tiene otro horario?")
        assert replies(ana.text("1")) == [("booked", "es")]


class TestOtherLanguages:
    @pytest.mark.parametrize(
        "words", ["Bonjour, je voudrais un rendez-vous", "我想预约", "Можно записаться на вторник"]
    )
    def test_are_for_a_person(self, ana, words):
        outcome = ana.text(words)

        assert outcome.rules[0] == "guardrail.language"
        assert outcome.phase_after is Phase.WITH_STAFF
        assert replies(outcome) == [("handoff-language", "en")]
        assert outcome.handoff.words == (words,)

    def test_of_the_chart_without_scripts_falls_back_to_english(self, office):
        office.first_touch(someone("linh", ANA_PHONE, language="vi"))

        assert [m.language for m in office.messenger.sent] == ["en"]
        assert replies(office.text("2")) == [("booked", "en")]
