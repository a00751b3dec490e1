from __future__ import annotations

import re
from datetime import date, datetime, time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from policy_samples import CHICAGO, OFFICE, SLOTS, instants, slot

from treatment_agent.domain.messages import ScriptFacts
from treatment_agent.errors import ScriptError
from treatment_agent.policies.office import Hours, OfficeProfile
from treatment_agent.policies.scripts import (
    ALLOWED_FIELDS,
    Script,
    ScriptBook,
    default_scripts,
    load_scripts,
    render,
    unfilled,
)

BOOK = default_scripts()
FACTS = ScriptFacts(
    slots=SLOTS,
    visit_on=date(2026, 11, 24),
    provider_id="lee",
    call_at=datetime(2026, 12, 1, 13, 30, tzinfo=CHICAGO),
    until=date(2027, 1, 5),
)
NEEDED = """
first-message first-message-stale reminder-1 reminder-2 wake offer offer-one no-slots ask-which ask-date
booked booking-requested slot-taken slot-taken-one moved booking-failed callback-ask callback-confirmed
callback-confirmed-at link declined deferred deferred-until ask-reason reason-noted already change-noted logistics
logistics-parking logistics-duration who thanks handoff-sensitive handoff-clinical handoff-complaint
handoff-identity handoff-insurance handoff-financing handoff-human handoff-other handoff-language handoff-media
bot-question emergency crisis opt-out-confirmation opt-in-confirmation wrong-number help first-message-one
first-message-none first-message-stale-one first-message-stale-none reminder-1-one reminder-1-none reminder-2-one
reminder-2-none
""".split()


def script(text: str, language: str = "en", **changes: object) -> Script:
    values = {"id": "own", "version": 1, "language": language, "text": text, "approved_by": "Pat", **changes}
    return Script.model_validate(values)


def filled(
    text: str, language: str = "en", *, facts: ScriptFacts = FACTS, office: OfficeProfile = OFFICE, name: str = "Ana"
) -> str:
    return render(script(text, language), facts=facts, office=office, first_name=name)


class TestRender:
    @pytest.mark.parametrize(
        ("field", "english", "spanish"),
        [
            ("slot", "Tue Dec 1 at 9:00 AM", "mar 1 de dic a las 9:00 AM"),
            ("slot_1", "Tue Dec 1 at 9:00 AM", "mar 1 de dic a las 9:00 AM"),
            ("slot_2", "Thu Dec 3 at 2:00 PM", "jue 3 de dic a las 2:00 PM"),
            ("call_time", "Tue Dec 1 at 1:30 PM", "mar 1 de dic a la 1:30 PM"),
            ("until", "Tue Jan 5", "mar 5 de ene"),
            ("visit_day", "on Tue Nov 24", "el mar 24 de nov"),
            ("hours", "Mon-Fri 8:00 AM-5:00 PM", "lun-vie 8:00 AM-5:00 PM"),
            ("provider", "Dr. Lee", "Dr. Lee"),
            ("office", "Maple Street Dental", "Maple Street Dental"),
            ("phone", "(312) 555-0100", "(312) 555-0100"),
            ("link", "https://maple.example/book", "https://maple.example/book"),
            ("address", "12 Crown St, Springfield", "12 Crown St, Springfield"),
            ("parking", "Free lot behind the building.", "Hay lugar gratis en la parte de atras."),
            (
                "financing_next_step",
                "Our treatment coordinator can go over payment options with you.",
                "Nuestro coordinador puede revisar con usted las opciones de pago.",
            ),
            ("first_name", "Ana", "Ana"),
        ],
    )
    def test_fills_each_field_as_people_write_it(self, field: str, english: str, spanish: str) -> None:
        assert filled(f"<{{{field}}}>") == f"<{english}>"
        assert filled(f"<{{{field}}}>", "es") == f"<{spanish}>"

    def test_knows_every_allowed_field(self) -> None:
        assert all(filled(f"{{{field}}}") for field in ALLOWED_FIELDS)

    def test_writes_times_in_the_offices_zone(self) -> None:
        office = OFFICE.model_copy(update={"zone": "America/Los_Angeles"})

        assert filled("{slot}", office=office) == "Tue Dec 1 at 7:00 AM"

    @pytest.mark.parametrize(
        ("hour", "written"), [(0, "12:05 AM"), (11, "11:05 AM"), (12, "12:05 PM"), (13, "1:05 PM"), (23, "11:05 PM")]
    )
    def test_writes_twelve_hour_times(self, hour: int, written: str) -> None:
        one = (slot(1, datetime(2026, 12, 1, hour, 5, tzinfo=CHICAGO)),)

        assert filled("{slot}", facts=ScriptFacts(slots=one)).endswith(written)

    @pytest.mark.parametrize(
        "name", ["Ana", "José", "Mary Ann", "O'Neil", "D\u2019Angelo", "Anne-Marie", "J.R.", "Ma. Elena"]
    )
    def test_uses_a_name_that_can_only_be_a_name(self, name: str) -> None:
        assert filled("Hi {first_name}!", name=name) == f"Hi {name}!"

    @pytest.mark.parametrize(
        "name",
        [
            "", "  ", "t.co", "evil.com", "a/b", "Ana1", "{phone}", "Ana\n", "Ana\u202e", "A" * 31, "Ana  B",
            "<b>", ".", "Ana..", "-", "\u0301", "Ana, call 9", "x.y.com", "\u2060",
        ],
    )  # fmt: skip
    def test_greets_neutrally_otherwise(self, name: str) -> None:
        name = name if name != "Ana\n" else "An\na"

        assert filled("Hi {first_name}, hello", name=name) == "Hi there, hello"
        assert filled("Hola {first_name}, buenas", "es", name=name) == "Hola, buenas"

    def test_drops_an_unknown_visit_day(self) -> None:
        assert filled("Thank you for coming in {visit_day}!", facts=ScriptFacts()) == "Thank you for coming in!"
        assert filled("Gracias por su visita {visit_day}.", "es", facts=ScriptFacts()) == "Gracias por su visita."

    @pytest.mark.parametrize("fact", ["{phone}", "{0.__class__}", "%s", "{{x}}", "{"])
    def test_leaves_braces_in_facts_alone(self, fact: str) -> None:
        assert filled("{office}.", office=OFFICE.model_copy(update={"name": fact})) == f"{fact}."

    @pytest.mark.parametrize(
        "text", ["{office.name}", "{office!r}", "{ office }", "{}", "{office", "office}", "{Office}"]
    )
    def test_refuses_braces_that_are_no_fill_in(self, text: str) -> None:
        with pytest.raises(ScriptError, match="brace"):
            filled(text)
        assert not script(text).well_formed

    def test_names_script_and_field_that_nobody_declared(self) -> None:
        with pytest.raises(ScriptError, match=r"'own' \(en\).*\{fee\}"):
            filled("{fee}")

    @pytest.mark.parametrize("field", ["slot", "slot_2", "call_time", "until", "provider"])
    def test_names_script_and_field_without_a_fact(self, field: str) -> None:
        with pytest.raises(ScriptError, match=rf"'own' \(en\).*\{{{field}\}}"):
            filled(f"{{{field}}}", facts=ScriptFacts())

    def test_never_puts_a_sentence_into_another_language(self) -> None:
        office = OFFICE.model_copy(update={"words": ()})

        with pytest.raises(ScriptError, match="parking"):
            filled("{parking}", "es", office=office)
        assert filled("{hours}", "es", office=office.model_copy(update={"hours_text": "Weekdays"})).startswith("lun")
        assert filled("{hours}", office=office.model_copy(update={"hours_text": "Weekdays"})) == "Weekdays"

    def test_refuses_dates_in_a_language_it_cannot_write(self) -> None:
        with pytest.raises(ScriptError):
            filled("{slot}", "vi")
        assert filled("{office} {first_name}", "vi") == "Maple Street Dental Ana"

    @pytest.mark.parametrize("fact", ["a\nb", "a\x00", "a\u202eb", "a\u2028"])
    def test_refuses_control_characters_in_facts(self, fact: str) -> None:
        with pytest.raises(ScriptError, match="control character") as error:
            filled("{address}", office=OFFICE.model_copy(update={"address": fact}))
        assert fact not in str(error.value)

    def test_joins_days_with_the_same_hours(self) -> None:
        long, short = (time(8), time(17)), (time(9), time(13))
        week = [(0, long), (1, long), (3, long), (4, short), (5, short)]
        hours = tuple(Hours(weekday=d, opens=o, closes=c) for d, (o, c) in week)

        assert filled("{hours}", office=OFFICE.model_copy(update={"hours": hours})) == (
            "Mon-Tue 8:00 AM-5:00 PM, Thu 8:00 AM-5:00 PM, Fri-Sat 9:00 AM-1:00 PM"
        )

    @given(name=st.text(max_size=40), office=st.text(min_size=1, max_size=20))
    @example(name="{office}", office="{first_name}")
    def test_property_is_made_of_script_and_verified_facts_only(self, name: str, office: str) -> None:
        profile = OFFICE.model_copy(update={"name": office})
        try:
            text = filled("A{office}B {first_name}C", office=profile, name=name)
        except ScriptError:
            return

        greeting = name.strip() if name.strip().isalpha() and len(name.strip()) <= 30 else text[len(office) + 3 : -1]
        assert text == f"A{office}B {greeting}C"
        assert not re.search(r"[\d/:@<>{}\x00-\x1f]|\.\w\w", greeting)

    @given(when=instants(2026, 2030, CHICAGO))
    def test_property_dates_are_gsm_and_unambiguous(self, when: datetime) -> None:
        facts = ScriptFacts(slots=(slot(1, when),))

        assert filled("{slot}", facts=facts).isascii()
        assert set(filled("{slot}", "es", facts=facts)) <= set("abcdefghijklmnopqrstuvwxyzé APM:0123456789")


class TestUnfilled:
    def test_lists_what_is_missing(self) -> None:
        bare = OFFICE.model_copy(update={"parking": ""})

        assert unfilled(BOOK.get("logistics-parking", "en"), facts=ScriptFacts(), office=bare) == ("parking",)
        assert unfilled(BOOK.get("first-message", "en"), facts=ScriptFacts(slots=SLOTS[:1]), office=OFFICE) == (
            "slot_2",
        )
        assert unfilled(BOOK.get("logistics", "es"), facts=ScriptFacts(), office=bare) == ()


class TestScriptBook:
    def test_gives_the_newest_version(self) -> None:
        newer = script("Newer", id="thanks", version=2)

        assert BOOK.with_script(newer).get("thanks", "en") == newer
        assert BOOK.get("thanks", "en").version == 1

    def test_falls_back_to_english_and_tells(self) -> None:
        assert BOOK.get("thanks", "vi").language == "en"
        assert not BOOK.has("thanks", "vi")
        assert BOOK.has("thanks", "es")
        assert not BOOK.has("unheard", "en")

    def test_refuses_unknown_and_unapproved(self) -> None:
        draft = BOOK.with_script(script("Draft", id="thanks", version=2, approved_by=""))

        with pytest.raises(ScriptError, match="unheard"):
            BOOK.get("unheard", "en")
        with pytest.raises(ScriptError, match=r"thanks.*version 2.*approved_by"):
            draft.get("thanks", "en")
        assert not draft.has("thanks", "en")

    def test_picks_a_variant_that_fits(self) -> None:
        assert [BOOK.fitting("offer", n) for n in (1, 2, 3)] == ["offer-one", "offer", "offer"]
        assert [BOOK.fitting("wake", n) for n in range(3)] == ["wake", "wake", "wake"]
        assert [BOOK.fitting("first-message", n) for n in range(3)] == [
            "first-message-none",
            "first-message-one",
            "first-message",
        ]

    def test_hashes_what_was_approved(self) -> None:
        one = script("Hello")
        others = [
            script("Hello!"),
            script("Hello", "es"),
            script("Hello", version=2),
            script("Hello", id="o"),
            script("Hello", subject="S"),
        ]

        assert re.fullmatch(r"[0-9a-f]{64}", one.content_hash)
        assert len({s.content_hash for s in (one, *others)}) == 6
        assert script("Hello", approved_by="Sam").content_hash == one.content_hash


class TestLoadScripts:
    def test_reads_a_file_with_defaults_at_the_top(self, tmp_path: Path) -> None:
        file = tmp_path / "own.toml"
        file.write_text(
            'language = "en"\napproved_by = "Pat"\n[[script]]\nid = "a"\ntext = "Hi"\n'
            '[[script]]\nid = "b"\nversion = 3\nlanguage = "es"\ntext = "Hola"\n'
        )

        assert load_scripts(file) == ScriptBook(
            scripts=(
                Script(id="a", version=1, language="en", text="Hi", approved_by="Pat"),
                Script(id="b", version=3, language="es", text="Hola", approved_by="Pat"),
            )
        )

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            ("= nonsense", "TOML"),
            ('script = "x"', "script"),
            ('language = "en"\napproved_by = "P"\n[[script]]\nid = "a"', r"script 1 \('a'\): text"),
            ('language = "en"\napproved_by = "P"\n[[script]]\nid = "a"\ntext = "x"\ntone = "warm"', "tone"),
        ],
    )
    def test_names_file_place_and_fix(self, tmp_path: Path, content: str, says: str) -> None:
        (tmp_path / "own.toml").write_text(content)

        with pytest.raises(ScriptError, match=rf"own\.toml.*{says}"):
            load_scripts(tmp_path / "own.toml")

    def test_names_a_missing_file(self, tmp_path: Path) -> None:
        with pytest.raises(ScriptError, match=r"gone\.toml"):
            load_scripts(tmp_path / "gone.toml")


class TestShippedScripts:
    @pytest.mark.parametrize("language", ["en", "es"])
    def test_hold_every_needed_text(self, language: str) -> None:
        assert [script_id for script_id in NEEDED if not BOOK.has(script_id, language)] == []

    def test_are_in_both_languages_with_the_same_facts(self) -> None:
        for english in (s for s in BOOK.scripts if s.language == "en"):
            spanish = BOOK.get(english.id, "es")
            assert spanish.language == "es"
            assert set(spanish.fields) == set(english.fields), english.id

    def test_fill(self) -> None:
        for text in BOOK.scripts:
            assert render(text, facts=FACTS, office=OFFICE, first_name="Ana")

    @pytest.mark.parametrize("language", ["en", "es"])
    def test_open_with_office_assistant_and_way_out(self, language: str) -> None:
        for script_id in (i for i in NEEDED if i.startswith("first-message")):
            text = BOOK.get(script_id, language).text
            assert text.startswith("{office}")
            assert "STOP" in text
            assert "automat" in text.split(":")[0]
            assert "{phone}" in text
            assert "{link}" in text

    def test_name_nobody_to_a_wrong_number(self) -> None:
        assert {BOOK.get("wrong-number", language).fields for language in ("en", "es")} == {()}

    def test_give_the_emergency_numbers(self) -> None:
        for language in ("en", "es"):
            assert {"911"} <= set(re.findall(r"\d{3}", BOOK.get("emergency", language).text))
            assert {"911", "988"} <= set(re.findall(r"\d{3}", BOOK.get("crisis", language).text))
            assert "{phone}" in BOOK.get("emergency", language).text

    @pytest.mark.parametrize("text", [s for s in BOOK.scripts if s.language == "en"], ids=lambda s: s.id)
    def test_english_reads_at_sixth_grade_or_below(self, text: Script) -> None:
        assert grade(text.text) <= 6

    @pytest.mark.parametrize("text", [s for s in BOOK.scripts if s.language == "es"], ids=lambda s: s.id)
    def test_spanish_reads_easily(self, text: Script) -> None:
        assert ease(text.text) >= 65


def _counts(text: str, vowels: str) -> tuple[int, int, int]:
    plain = re.sub(r"\{\w+\}", "Ana", text)
    words = re.findall(r"[^\W\d_]+", plain)
    sentences = len(re.findall(r"[.!?:\n]+", plain.strip())) + (plain.strip()[-1] not in ".!?")
    return len(words), max(sentences, 1), sum(max(len(re.findall(f"[{vowels}]+", w.lower())), 1) for w in words)


def grade(text: str) -> float:
    """Flesch-Kincaid grade; a silent final e is not counted."""
    words, sentences, syllables = _counts(re.sub(r"(?<=\w\w)e\b", "", text), "aeiouy")
    return 0.39 * words / sentences + 11.8 * syllables / words - 15.59


def ease(text: str) -> float:
    """Szigriszt-Pazos (INFLESZ): 65 and above reads quite easily."""
    words, sentences, syllables = _counts(text, "aeiouáéíóúü")
    return 206.835 - 62.3 * syllables / words - words / sentences


class TestApproved:
    def test_puts_a_persons_name_on_one_language(self) -> None:
        book = default_scripts().approved("es", by="Rosa Vega", on="2026-11-20")

        assert {s.approved_by for s in book.scripts if s.language == "es"} == {"Rosa Vega"}
        assert {s.approved_by for s in book.scripts if s.language == "en"} == {"library default"}
        assert book.get("thanks", "es").content_hash == default_scripts().get("thanks", "es").content_hash

    @pytest.mark.parametrize(("language", "name"), [("es", " "), ("fr", "Rosa Vega")])
    def test_needs_a_name_and_a_language_of_the_book(self, language: str, name: str) -> None:
        with pytest.raises(ScriptError, match="person's name"):
            default_scripts().approved(language, by=name)
