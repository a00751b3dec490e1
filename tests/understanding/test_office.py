"""An office's own examples: they change what was in doubt, and never lift what is sure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from pydantic import SecretStr

from treatment_agent.domain.interpretation import Asked, ClauseReading, Intent, Situation, Span, Topic
from treatment_agent.domain.scheduling import Slot
from treatment_agent.domain.treatment import Family
from treatment_agent.errors import ConfigurationError
from treatment_agent.evals.tuning import Example, fit, read_all
from treatment_agent.understanding.classifier import Reading
from treatment_agent.understanding.evidence import Evidence
from treatment_agent.understanding.judge import Judge, Limits
from treatment_agent.understanding.local import LocalInterpreter
from treatment_agent.understanding.office import OfficeModel
from treatment_agent.understanding.options import OptionPick
from treatment_agent.understanding.times.reading import TimeReading

NOW = datetime(2026, 11, 23, 10, tzinfo=ZoneInfo("America/Chicago"))
OFFERS = tuple(
    Slot(NOW + timedelta(days=n), NOW + timedelta(days=n, hours=1), "lee", f"o{n}", Family.CROWN) for n in (7, 9)
)
ASKED = Situation(now=NOW, asked=Asked.OFFER, offers=OFFERS)
LABELS = (*Topic, *Intent)
TEXT = "the usual drill then"
HERE = np.array([1.0, 0.0], dtype=np.float32)
WHOLE = Span(0, len(TEXT))
JUDGE = Judge({"bias": 0.0, "whole": 1.0}, Limits(0.1, 0.3, 0.5, 0.2, 0.8))


def reading(**shares: float) -> Reading:
    rest = (1 - sum(shares.values())) / (len(LABELS) - len(shares))
    pairs = [(label, shares.get(label.value, rest)) for label in LABELS]
    return Reading(tuple(sorted(pairs, key=lambda pair: -pair[1])), meaning=HERE)


def seen(whole: Reading, label: Topic | Intent | None = None, part: Reading | None = None) -> Evidence:
    clause = ClauseReading(WHOLE, label, 0.4, "lexicon", "clinical.pain" if label else "routine.unexplained")
    return Evidence(
        TEXT, ASKED, "en", (clause,), (), OptionPick(None), None, TimeReading(), whole, (part or whole,), 0.0, 0.0, 0
    )


def office(*labels: Topic | Intent, vectors: tuple[tuple[float, float], ...] = ((1.0, 0.0),)) -> OfficeModel:
    every = (frozenset((Asked.OFFER,)),) * len(labels)
    return OfficeModel(JUDGE, labels, every, np.array(vectors, dtype=np.float32), "made with these")


# The classifier leans to `defer` and leaves enough to topics for the judge to hand off, in doubt.
DOUBT = reading(defer=0.7, financing=0.2)


class TestWhereTheJudgeIsInDoubt:
    def test_a_message_like_an_example_is_read_as_it(self):
        assert {c.label for c in JUDGE.settle(seen(DOUBT))} & set(Topic)
        (found,) = office(Intent.DEFER).settle(seen(DOUBT))
        assert (found.label, found.part, found.rule) == (Intent.DEFER, "office", "office.example-1")
        assert found.confidence >= found.threshold == 0.9

    def test_a_message_unlike_it_is_not(self):
        assert office(Intent.DEFER, vectors=((0.8, 0.6),)).settle(seen(DOUBT)) == JUDGE.settle(seen(DOUBT))

    def test_nor_one_that_answers_another_question(self):
        other = replace(seen(DOUBT), situation=replace(ASKED, asked=Asked.REASON_ASK))
        assert office(Intent.DEFER).settle(other) == JUDGE.settle(other)

    def test_a_topic_near_enough_counts_before_a_nearer_intent(self):
        both = office(Intent.DEFER, Topic.COMPLAINT, vectors=((1.0, 0.0), (0.95, 0.3122)))
        assert Topic.FINANCING in {c.label for c in both.settle(seen(DOUBT))}


class TestWhatIsNeverLifted:
    @pytest.mark.parametrize(
        "evidence",
        [
            pytest.param(seen(reading(defer=0.95), Topic.CLINICAL), id="a sure pattern of the word lists"),
            pytest.param(seen(reading(defer=0.6, emergency=0.35)), id="an emergency"),
            pytest.param(seen(reading(defer=0.6, sensitive=0.35)), id="a sensitive matter"),
            pytest.param(seen(reading(defer=0.3, financing=0.6)), id="more than even odds"),
            pytest.param(seen(DOUBT, part=reading(clinical=0.7)), id="a clause that is a topic"),
            pytest.param(seen(reading(defer=0.4, opt_out=0.55)), id="an opt-out"),
        ],
    )
    def test_stays_as_the_judge_has_it(self, evidence):
        assert office(Intent.DEFER).settle(evidence) == JUDGE.settle(evidence)
        assert {c.label for c in JUDGE.settle(evidence)} & {*Topic, Intent.OPT_OUT}


def test_an_example_of_a_topic_hands_off_what_was_routine():
    routine = seen(reading(defer=0.97))
    assert not {c.label for c in JUDGE.settle(routine)} & set(Topic)
    found = office(Topic.COMPLAINT).settle(routine)
    assert [c.label for c in found] == [Topic.COMPLAINT]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("office")
    taught = Example(text="the second one is good", label="human", contexts=(Asked.OFFER,))
    fit(list(read_all([taught]))).write(place)
    return place


class TestAFolder:
    def test_changes_a_verdict_of_the_shipped_interpreter(self, folder):
        text = SecretStr("the second one is good")
        plain, taught = LocalInterpreter(), LocalInterpreter(office=folder)
        assert not plain.interpret(text, ASKED).topics
        assert taught.interpret(text, ASKED).topics == (Topic.HUMAN,)
        assert taught.version != plain.version

    def test_holds_no_words(self, folder):
        assert all(b"second" not in file.read_bytes() for file in folder.iterdir())

    def test_says_what_to_do_when_it_was_made_for_other_weights(self, folder, tmp_path):
        replace(OfficeModel.read(folder), model="others").write(tmp_path)
        with pytest.raises(ConfigurationError, match="another version; run `treatment-agent tune`"):
            LocalInterpreter(office=tmp_path)

    def test_says_what_to_do_when_it_is_not_there(self, tmp_path):
        with pytest.raises(ConfigurationError, match="make it with `treatment-agent tune`"):
            LocalInterpreter(office=tmp_path / "none")
