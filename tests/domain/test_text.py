from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treatment_agent.domain.text import fold, normalize

OURS = "Hi Anna, this is Maple Dental. Reply YES to schedule or STOP to opt out."


class TestNormalize:
    @pytest.mark.parametrize(
        ("raw", "text"),
        [
            ("STOP", "stop"),
            ("s.t.o.p", "stop"),
            ("S T O P", "stop"),
            ("st\u200bop", "stop"),
            ("\u0405\u0422\u041e\u0420", "stop"),
            ("st\u043ep", "stop"),
            ("\uff53\uff54\uff4f\uff50", "stop"),
            ("\U0001d412\U0001d413\U0001d40e\U0001d40f", "stop"),
            ("stoppppp", "stop"),
            ("noooo goooood", "no good"),
            ("can\u2019t", "can't"),
            ("  two   words \n", "two words"),
            ("1\ufe0f\u20e3", "1"),
            ("e\u0301l", "\u00e9l"),
        ],
    )
    def test_folds_disguises_and_stretching_to_plain_words(self, raw: str, text: str) -> None:
        assert normalize(raw).text == text

    def test_leaves_real_russian_alone(self) -> None:
        assert normalize("\u041f\u0440\u0438\u0432\u0435\u0442").text == "\u043f\u0440\u0438\u0432\u0435\u0442"

    def test_keeps_accents_beside_a_text_without_them(self) -> None:
        read = normalize("\u00bfMa\u00f1ana est\u00e1?")

        assert "\u00f1" in read.text
        assert read.folded == "\u00bfmanana esta?"

    def test_span_gives_the_raw_place_of_a_word(self) -> None:
        raw = "Hey\u200b,  PLEASE   s.t.o.p now"
        read = normalize(raw)
        start = read.text.index("stop")

        assert read.span(start, start + 4).of(raw) == "s.t.o.p"

    def test_span_is_empty_for_an_empty_stretch(self) -> None:
        span = normalize("yes").span(2, 2)

        assert span.start == span.end

    def test_survives_lone_surrogates(self) -> None:
        assert normalize("\ud800 bad \udfff").text == "bad"

    def test_repr_holds_no_words(self) -> None:
        assert "tooth" not in repr(normalize("my tooth hurts"))

    @given(st.text(alphabet=st.characters(), max_size=300))
    def test_never_raises_and_every_letter_has_a_place(self, raw: str) -> None:
        read = normalize(raw)

        assert len(read.text) == len(read.folded) == len(read.offsets)
        assert all(0 <= place < len(raw) for place in read.offsets)
        assert list(read.offsets) == sorted(read.offsets)


class TestQuotes:
    def test_drops_quoted_lines(self) -> None:
        assert normalize("> reply STOP to end\nyes please").text == "yes please"

    def test_drops_what_follows_a_reply_header(self) -> None:
        header = "On Mon, Nov 23, 2026 at 10:00 AM Maple Dental <hi@example.com> wrote:"
        raw = f"Tuesday works\n\n{header}\nReply STOP to opt out"

        assert normalize(raw).text == "tuesday works"

    def test_drops_a_quotation_of_ours(self) -> None:
        assert normalize(f"Liked \u201c{OURS}\u201d", [OURS]).text == "liked"

    def test_drops_the_quotation_of_a_reaction_without_knowing_our_texts(self) -> None:
        assert normalize(f"Liked \u201c{OURS}\u201d").text == "liked"

    def test_keeps_a_quotation_of_somebody_else(self) -> None:
        assert "worst pain" in normalize('my wife says "it is the worst pain ever"', [OURS]).text

    def test_keeps_everything_when_nothing_else_is_left(self) -> None:
        assert normalize("> stop").text == "> stop"


class TestFold:
    def test_keeps_the_length(self) -> None:
        assert fold("\u00e1\u00e9\u00ed\u00f1\u00fc \U0001f9b7") == "aeinu \U0001f9b7"
