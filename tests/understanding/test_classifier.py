"""The trained classifier."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from treatment_agent.domain.interpretation import Asked, Intent, Situation, Topic
from treatment_agent.domain.scheduling import Slot
from treatment_agent.domain.treatment import Family
from treatment_agent.understanding.classifier import Classifier, folded_text
from treatment_agent.understanding.wordpiece import WordPiece, words_in

NOW = datetime(2026, 11, 23, 10, tzinfo=ZoneInfo("America/Chicago"))
OFFERS = tuple(
    Slot(NOW + timedelta(days=n), NOW + timedelta(days=n, hours=1), "lee", f"o{n}", Family.CROWN) for n in (7, 9)
)
ASKED = Situation(now=NOW, asked=Asked.OFFER, offers=OFFERS)
LABELS = (*Topic, *Intent)


@pytest.fixture(scope="module")
def shipped() -> Classifier:
    return Classifier.load()


class TestWordPiece:
    def test_takes_the_longest_piece_first(self):
        cutter = WordPiece(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "thu", "thurs", "##day", "##s"])
        assert cutter.ids("thursday") == [5, 6]

    def test_says_unknown_when_a_word_cannot_be_cut(self):
        cutter = WordPiece(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "thurs"])
        assert cutter.ids("thursday thurs") == [1, 4]

    def test_reads_an_emoji_by_its_name(self):
        assert [word for word, _, _ in words_in("ok \U0001f44d")] == ["ok", "thumbs", "up", "sign"]


class TestShippedModel:
    def test_probabilities_cover_every_label_and_add_up_to_one(self, shipped):
        found = shipped.read("do you have anything on friday", ASKED)
        assert {label for label, _ in found.probabilities} == set(LABELS)
        assert sum(share for _, share in found.probabilities) == pytest.approx(1, abs=1e-4)

    @pytest.mark.parametrize(
        ("text", "label"),
        [
            ("I could only do a friday, what have you got", Intent.OTHER_TIMES),
            ("could somebody ring me tonight after dinner", Intent.CALLBACK),
            ("my cheek is the size of a baseball and I can't swallow", Topic.EMERGENCY),
            ("what's this going to run me out of pocket", Topic.FINANCING),
            ("¿me puede llamar mañana en la tarde?", Intent.CALLBACK),
        ],
    )
    def test_reads_plain_messages(self, shipped, text, label):
        assert shipped.read(text, ASKED).probabilities[0][0] is label

    def test_reads_the_same_word_by_what_was_asked(self, shipped):
        when = "tomorrow after 3"
        called = shipped.read(when, replace(ASKED, asked=Asked.CALLBACK_ASK)).of(Intent.CALLBACK)
        assert called > shipped.read(when, ASKED).of(Intent.CALLBACK) + 0.2

    def test_reading_together_changes_nothing(self, shipped):
        texts = ("ok", "is it dangerous to leave this another month, and can you do friday instead")
        apart = [shipped.read(text, ASKED).topic_mass for text in texts]
        assert [r.topic_mass for r in shipped.read_all(texts, ASKED)] == pytest.approx(apart, abs=1e-4)

    def test_finds_a_topic_at_the_end_of_a_long_message(self, shipped):
        chat = "friday would suit us well because the kids are at practice and my shift ends early. " * 8
        assert shipped.read(chat + "how much does it cost me without insurance", ASKED).topic_mass > 0.5

    @pytest.mark.parametrize("text", ["", " ", "\u200b", "\U0001f9b7" * 50, "a" * 500, "\x00\ud800"])
    def test_never_raises_when_the_text_is_no_text(self, shipped, text):
        assert len(shipped.read(text, ASKED).probabilities) == len(LABELS)

    def test_tells_which_words_weighed_most(self, shipped):
        text = "Gracias!! Also, is there PARKING behind the building?"
        found = shipped.read(text, ASKED)
        label = found.probabilities[0][0]
        words = [span.of(text) for span in found.weightiest(label, 4)]
        assert label is Intent.LOGISTICS
        assert "PARKING" in words

    def test_what_words_add_sums_up_to_the_score(self, shipped):
        found = shipped.read("can I park in the back", ASKED)
        assert len(found.words) == 6
        assert all(set(adds) == set(LABELS) for _, adds in found.words)

    def test_folds_like_the_lists(self):
        assert folded_text("  MAÑANA   PuedO!! ") == "manana puedo!!"
