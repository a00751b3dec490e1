"""What names a person does not leave, and every place is led back to the message as it came."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from treatment_agent.domain.interpretation import Situation, Span
from treatment_agent.understanding.language_model.pseudonyms import hide

SITUATION = Situation(
    now=datetime(2026, 11, 24, 18, tzinfo=ZoneInfo("America/Chicago")),
    provider_names=(("lee", "Dr. Lee Marker"),),
    hidden=(SecretStr("Ana"), SecretStr("Marker-Lopez")),
)


class TestHide:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("its ana again", "its [NAME1] again"),
            ("ana Marker-Lopez here, ANA", "[NAME1] [NAME2] here, [NAME1]"),
            ("call me at (312) 555-0117 ok", "call me at [PHONE1] ok"),
            ("3125550117 or 312.555.0118", "[PHONE1] or [PHONE2]"),
            ("mail ana.l@example.com", "mail [EMAIL1]"),
            ("born 05/04/1980", "born [DATE1]"),
            ("my ssn 123-45-6789", "my ssn [NUMBER1]"),
            ("member id XKQ12345678", "member id [NUMBER1]"),
            ("moved to 1200 N Maple Ave apt 4", "moved to [ADDRESS1]"),
            ("vivo en calle Olmo 12", "vivo en [ADDRESS1]"),
            ("this is Rosa Diaz her mom", "this is [NAME1] her mom"),
            ("soy Rosa, la hermana", "soy [NAME1], la hermana"),
            ("see https://maple.example/x?y=1", "see [LINK1]"),
            ("is Dr. Lee Marker in? Lee?", "is [PROVIDER1] in? [PROVIDER2]?"),
        ],
    )
    def test_puts_stand_ins_for_what_names_somebody(self, text: str, shown: str):
        assert hide(text, SITUATION).text == shown

    @pytest.mark.parametrize(
        "text",
        [
            "2",
            "1 works for dr smith",
            "12/3 at 9:30 or 1030am",
            "10:30-11:30 tue, or after 5",
            "option 2 in december 2026",
            "banana",
            "how much, 1200?",
        ],
    )
    def test_leaves_what_is_needed_to_understand(self, text: str):
        assert hide(text, SITUATION).text == text


class TestBack:
    def test_leads_to_the_words_as_they_came(self):
        raw = "hi its Ana, call (312) 555-0117 after 5"
        shown = hide(raw, SITUATION)
        start = shown.text.index("call")

        assert shown.back(Span(start, len(shown.text))).of(raw) == "call (312) 555-0117 after 5"
        assert shown.back(Span(0, start)).of(raw) == "hi its Ana, "

    def test_of_a_part_of_a_stand_in_is_all_it_hides(self):
        raw = "call 312-555-0117"
        shown = hide(raw, SITUATION)

        assert shown.back(Span(6, 9)).of(raw) == "312-555-0117"

    @given(st.text(alphabet="ana Ana 312-5550117.@x/\n", max_size=80))
    def test_property_every_place_lies_in_the_message_and_in_order(self, raw: str):
        shown = hide(raw, SITUATION)
        places = [shown.back(Span(n, n + 1)) for n in range(len(shown.text))]

        assert all(0 <= p.start <= p.end <= len(raw) for p in places)
        assert all(a.start <= b.start for a, b in pairwise(places))
        assert shown.back(Span(0, len(shown.text))) == Span(0, len(raw))
