"""The trained classifier, and how much say it has beside the lists."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from treatment_agent.domain.interpretation import Asked, ClauseReading, Intent, Situation, Span, Topic
from treatment_agent.domain.scheduling import Slot
from treatment_agent.domain.treatment import Family
from treatment_agent.understanding.classifier import Classifier, Reading, folded_text
from treatment_agent.understanding.options import OptionPick
from treatment_agent.understanding.second_reader import SecondReader, shipped_thresholds
from treatment_agent.understanding.times import TimeReading
from treatment_agent.understanding.wordpiece import WordPiece, words_in

NOW = datetime(2026, 11, 23, 10, tzinfo=ZoneInfo("America/Chicago"))
OFFERS = tuple(
    Slot(NOW + timedelta(days=n), NOW + timedelta(days=n, hours=1), "lee", f"o{n}", Family.CROWN) for n in (7, 9)
)
ASKED = Situation(now=NOW, asked=Asked.OFFER, offers=OFFERS)
LABELS = (*Topic, *Intent)
MESSAGE = "some words that stand here and others that stand there"
FIRST, SECOND = Span(0, 26), Span(27, len(MESSAGE))


def reading(**shares: float) -> Reading:
    rest = (1 - sum(shares.values())) / (len(LABELS) - len(shares))
    pairs = [(label, shares.get(label.value, rest)) for label in LABELS]
    return Reading(tuple(sorted(pairs, key=lambda pair: -pair[1])))


@dataclass(frozen=True)
class Says:
    """A classifier that answers what it is told to: one reading for the message, one for each of its clauses."""

    whole: Reading
    part: Reading

    def read_all(self, texts, situation):
        return tuple(self.whole if text == MESSAGE else self.part for text in texts)


def clause(span: Span, label: Topic | Intent | None, rule: str = "routine.unexplained") -> ClauseReading:
    return ClauseReading(span, label, 0.4, "lexicon", rule)


def judge(whole, clauses, part=None, pick=OptionPick(None), times=TimeReading()):  # noqa: B008  # frozen values
    reader = SecondReader(Says(whole, part or reading(accept=0.9)), shipped_thresholds())
    return reader.read(MESSAGE, clauses, ASKED, pick, times)


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
        assert list(words_in("ok \U0001f44d")) == ["ok", "thumbs", "up", "sign"]


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

    def test_folds_like_the_lists(self):
        assert folded_text("  MAÑANA   PuedO!! ") == "manana puedo!!"


class TestSecondReader:
    def test_explains_what_lists_leave_open_when_sure(self):
        (found,) = judge(reading(defer=0.9), [clause(FIRST, None)])
        assert (found.label, found.part, found.rule) == (Intent.DEFER, "classifier", "classifier.defer")
        assert found.confidence == 0.9
        assert found.threshold == shipped_thresholds().intent[Intent.DEFER]

    def test_abstains_when_topics_have_too_much(self):
        mass = shipped_thresholds().mass + 0.02
        (found,) = judge(reading(defer=0.97 - mass, clinical=mass), [clause(FIRST, None)])
        assert found.label is None

    def test_appointment_talk_may_hold_more_of_a_topic(self):
        mass = shipped_thresholds().mass + 0.02
        clauses = [clause(FIRST, Intent.AFFIRM, "routine.affirm"), clause(SECOND, None)]
        assert mass < shipped_thresholds().evident_mass
        assert all(c.label for c in judge(reading(affirm=0.97 - mass, clinical=mass), clauses))

    def test_sets_a_listed_topic_aside_only_when_the_office_wants_it(self):
        harmless, clauses = reading(defer=0.995), [clause(FIRST, Topic.CLINICAL, "clinical.risk")]
        never = [clause(FIRST, Topic.SENSITIVE, "sensitive.self-harm")]
        for veto, label in ((0.0, Topic.CLINICAL), (0.02, Intent.DEFER)):
            reader = SecondReader(Says(harmless, harmless), replace(shipped_thresholds(), veto=veto))
            assert reader.read(MESSAGE, clauses, ASKED, OptionPick(None), TimeReading())[0].label is label
            assert reader.read(MESSAGE, never, ASKED, OptionPick(None), TimeReading())[0].label is Topic.SENSITIVE

    def test_an_opt_out_in_no_list_is_honoured(self):
        read = judge(reading(opt_out=0.95), [clause(FIRST, None)])
        assert read[-1].label is Intent.OPT_OUT

    def test_abstains_when_no_intent_is_likely(self):
        shares = {intent.value: 0.99 / len(Intent) for intent in Intent}
        (found,) = judge(reading(**shares), [clause(FIRST, None)])
        assert found.label is None

    def test_adds_a_topic_to_what_lists_call_routine(self):
        read = judge(reading(financing=0.9), [clause(FIRST, Intent.ACCEPT, "routine.accept")])
        assert [c.label for c in read] == [Intent.ACCEPT, Topic.FINANCING]

    def test_one_clause_can_be_the_topic(self):
        clauses = [clause(FIRST, Intent.ACCEPT, "routine.accept"), clause(SECOND, None)]
        read = judge(reading(accept=0.95), clauses, part=reading(clinical=0.95))
        assert (read[-1].label, read[-1].span) == (Topic.CLINICAL, SECOND)

    def test_topics_and_opt_outs_of_the_lists_stay(self):
        for label in (Topic.OTHER, Intent.OPT_OUT):
            clauses = (clause(FIRST, label, "list"), clause(SECOND, None))
            assert judge(reading(accept=0.99), clauses) == clauses

    def test_an_emergency_is_added_to_an_opt_out(self):
        read = judge(reading(emergency=0.97), [clause(FIRST, Intent.OPT_OUT, "opt_out.words")])
        assert read[-1].label is Topic.EMERGENCY

    def test_another_language_is_left_to_people(self):
        clauses = (clause(FIRST, None, "language.vi"),)
        assert judge(reading(accept=0.99), clauses) == clauses

    def test_an_aside_does_not_repeat_the_answer(self):
        clauses = [clause(FIRST, Intent.OTHER_TIMES, "routine.other_times"), clause(SECOND, None)]
        assert [c.label for c in judge(reading(other_times=0.95), clauses)] == [Intent.OTHER_TIMES, Intent.ACK]

    def test_nothing_is_booked_when_the_message_as_a_whole_waits(self):
        clauses = [clause(FIRST, Intent.ACCEPT, "routine.accept"), clause(SECOND, None)]
        assert {c.label for c in judge(reading(defer=0.95), clauses)} == {Intent.DEFER}

    def test_a_picked_time_is_not_booked_when_the_message_surely_asks_for_another(self):
        clauses = [clause(FIRST, Intent.ACCEPT, "routine.accept")]
        assert judge(reading(other_times=0.9), clauses)[0].label is Intent.OTHER_TIMES
        assert judge(reading(other_times=0.5, accept=0.45), clauses)[0].label is Intent.ACCEPT

    def test_accepting_what_nobody_offered_is_not_booked(self):
        (found,) = judge(reading(accept=0.95), [clause(FIRST, None)])
        assert found.label is Intent.AFFIRM

    def test_a_long_letter_is_left_to_people(self):
        text = MESSAGE * 40
        clauses = (clause(Span(0, len(text)), None),)
        reader = SecondReader(Says(reading(accept=0.99), reading(accept=0.99)), shipped_thresholds())
        assert reader.read(text, clauses, ASKED, OptionPick(None), TimeReading()) == clauses
