from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from policy_samples import OFFICE

from treatment_agent.domain.messages import Channel
from treatment_agent.policies.lint import lint, opens_with_us, segments
from treatment_agent.policies.readability import grade
from treatment_agent.policies.scripts import Script, default_scripts
from treatment_agent.policies.texting import PhiLevel, Texting


def rules(text: str, script_id: str = "own", **changes: object) -> set[str]:
    values = {"id": script_id, "version": 1, "language": "en", "text": text, "approved_by": "Pat", **changes}
    return {finding.rule for finding in lint(Script.model_validate(values), OFFICE)}


class TestSegments:
    @pytest.mark.parametrize(
        ("text", "encoding", "units", "count"),
        [
            ("", "GSM-7", 0, 1),
            ("a" * 160, "GSM-7", 160, 1),
            ("a" * 161, "GSM-7", 161, 2),
            ("a" * 306, "GSM-7", 306, 2),
            ("a" * 307, "GSM-7", 307, 3),
            ("€" * 80, "GSM-7", 160, 1),
            ("[" + "a" * 159, "GSM-7", 161, 2),
            ("a" * 152 + "[" + "a" * 152, "GSM-7", 306, 3),
            ("ñéü¿¡", "GSM-7", 5, 1),
            ("á" * 70, "UCS-2", 70, 1),
            ("á" * 71, "UCS-2", 71, 2),
            ("á" * 134, "UCS-2", 134, 2),
            ("á" * 135, "UCS-2", 135, 3),
            ("\u2019", "UCS-2", 1, 1),
            ("\U0001f600" * 35, "UCS-2", 70, 1),
            ("á" * 66 + "\U0001f600" + "á" * 66, "UCS-2", 134, 3),
        ],
    )
    def test_counts_units_and_segments(self, text: str, encoding: str, units: int, count: int) -> None:
        found = segments(text)

        assert (found.encoding, found.units, found.segments) == (encoding, units, count)

    @given(text=st.text(max_size=400), more=st.text(min_size=1, max_size=5))
    def test_property_a_longer_text_never_costs_less(self, text: str, more: str) -> None:
        assert segments(text + more).segments >= segments(text).segments


class TestLint:
    @pytest.mark.parametrize("script", default_scripts().scripts, ids=lambda s: f"{s.id}-{s.language}")
    def test_finds_nothing_in_the_shipped_scripts(self, script: Script) -> None:
        assert lint(script, OFFICE) == ()

    @pytest.mark.parametrize(
        ("rule", "text"),
        [
            ("lint.unknown-fill-in", "Your fee is {fee}"),
            ("lint.not-fillable", "Hello {office"),
            ("lint.encoding", "See you \u2019"),
            ("lint.encoding", "Está bien"),
            ("lint.too-long", "word " * 70),
            ("lint.link-shortener", "Book at https://bit.ly/abc"),
            ("lint.link-shortener", "Book at t.co/abc"),
            ("lint.pressure", "Hurry, this offer expires"),
            ("lint.pressure", "You need to come in"),
            ("lint.pressure", "No espere"),
            ("lint.all-caps", "PLEASE call us"),
            ("lint.carrier-keyword", "Reply CANCEL to cancel"),
            ("lint.carrier-keyword", "Reply end to stop these"),
            ("lint.carrier-keyword", "Responda cancel"),
            ("lint.price", "It is only $20"),
            ("lint.price", "It is free of charge"),
            ("lint.clinical", "About your crown"),
            ("lint.clinical", "Su diente"),
            ("lint.link-shortener", "Book: https://dub.sh/x"),
            ("lint.persona", "Hi, this is Dr. Lee"),
            ("lint.persona", "I am a real person"),
            (
                "lint.reading-level",
                "Our administrative coordinators will facilitate comprehensive availability notifications, provided "
                "that preliminary requirements have been satisfactorily completed.",
            ),
        ],
    )
    def test_finds(self, rule: str, text: str) -> None:
        assert rule in rules(text)

    @pytest.mark.parametrize(
        "text",
        [
            "{office} {address}",
            "Reply STOP, START or HELP",
            "Book: {link}",
            "At the weekend we cancel nothing",
            "Our treatment coordinator will call",
            "Free text is welcome".replace("Free", "Plain"),
            "We will call you at 3 PM",
            "Dr. Lee can see you on Monday",
            "I am the automated assistant, not a person",
        ],
    )
    def test_leaves_good_texts_alone(self, text: str) -> None:
        assert rules(text) == set()

    def test_demands_an_approver(self) -> None:
        assert rules("Hi", approved_by=" ") == {"lint.no-approver"}

    @pytest.mark.parametrize("script_id", ["first-message", "first-message-stale-none"])
    def test_demands_office_and_way_out_in_first_texts(self, script_id: str) -> None:
        assert rules("Hello there", script_id) == {"lint.no-office", "lint.no-opt-out", "lint.no-disclosure"}
        assert rules("{office}, automated assistant: hello. Reply STOP to opt out.", script_id) == set()
        assert rules("Hello there", "first-messages") == set()
        assert not opens_with_us("first-messages")

    def test_sees_a_shortened_booking_link(self) -> None:
        office = OFFICE.model_copy(update={"booking_link": "https://tinyurl.com/maple"})
        script = default_scripts().get("link", "en")

        assert {f.rule for f in lint(script, office)} == {"lint.link-shortener"}

    def test_measures_with_the_offices_own_facts(self) -> None:
        office = OFFICE.model_copy(update={"name": "Maple Street Family Dental and Oral Care of Greater Springfield"})
        script = default_scripts().get("first-message", "en")

        (finding,) = lint(script, office)

        assert (finding.place, finding.rule) == ("first-message/en/v1", "lint.too-long")

    @pytest.mark.parametrize(("language", "text"), [("en", "Someone will call you."), ("es", "Le van a llamar.")])
    def test_wants_a_truthful_answer_about_the_bot(self, language: str, text: str) -> None:
        shipped = default_scripts().get("bot-question", language)
        evasive = shipped.model_copy(update={"text": text})

        assert lint(shipped, OFFICE) == ()
        assert {f.rule for f in lint(evasive, OFFICE)} == {"lint.bot-answer"}

    def test_holds_each_channel_to_what_it_may_carry(self) -> None:
        named = Script(id="x", version=1, language="en", text="Hi {first_name}", approved_by="Pat")
        crown = named.model_copy(update={"text": "About your crown"})
        bare = Texting(phi={Channel.SMS: PhiLevel.NONE, Channel.EMAIL: PhiLevel.GENERIC})
        detail = Texting(phi={Channel.SMS: PhiLevel.GENERIC, Channel.EMAIL: PhiLevel.DETAIL})
        everything = Texting(phi=dict.fromkeys(Channel, PhiLevel.DETAIL))

        assert {f.rule for f in lint(named, OFFICE, bare)} == {"lint.phi"}
        assert {f.rule for f in lint(named, OFFICE)} == set()
        assert {f.rule for f in lint(crown, OFFICE, detail)} == {"lint.phi"}
        assert {f.rule for f in lint(crown, OFFICE, everything)} == set()

    def test_measures_length_against_the_offices_limit(self) -> None:
        script = default_scripts().get("first-message", "en")

        assert {f.rule for f in lint(script, OFFICE, Texting(most_segments=1))} == {"lint.too-long"}


PLAIN = "We have a time for you on that day. Call us and we will help you find one that suits you."
STIFF = (
    "Our administrative coordinators will facilitate comprehensive availability notifications accordingly, provided "
    "that preliminary documentation requirements have been satisfactorily completed."
)
LLANO = "Tenemos una hora para usted ese dia. Llame y le ayudamos a buscar otra que le quede bien a usted."
TIESO = (
    "Agradeceremos oportunamente su confirmacion administrativa correspondiente mediante comunicacion telefonica "
    "anticipada, considerando especialmente nuestras disponibilidades institucionales previamente establecidas."
)


class TestGrade:
    @pytest.mark.parametrize(("plain", "stiff", "language"), [(PLAIN, STIFF, "en"), (LLANO, TIESO, "es")])
    def test_rises_with_long_words_and_sentences(self, plain: str, stiff: str, language: str) -> None:
        low, high = grade(plain, language), grade(stiff, language)

        assert low is not None
        assert high is not None
        assert low < 4 < 6 < high

    def test_needs_a_whole_text_in_a_language_with_a_formula(self) -> None:
        assert grade("Thank you!", "en") is None
        assert grade(PLAIN, "de") is None
