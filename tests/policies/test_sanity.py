"""An interpreter may be broken or malicious: what survives of its answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from policy_samples import NOW

from treatment_agent.domain.interpretation import (
    ClauseReading,
    Facts,
    Intent,
    Interpretation,
    ModelFailure,
    ModelUse,
    Span,
    Topic,
)
from treatment_agent.domain.scheduling import Window
from treatment_agent.policies.sanity import checked

CLAUSE = ClauseReading(Span(0, 4), Intent.ACCEPT, 0.9, "model", "accept.option")
GOOD = Interpretation((CLAUSE,), "en", "test-1")


def check(answer: object) -> Interpretation:
    return checked(answer, length=10, offers=2, now=NOW)


class TestChecked:
    def test_lets_a_sensible_answer_through(self):
        window = Window(NOW + timedelta(days=1), NOW + timedelta(days=2))
        facts = Facts(option=2, windows=(window,), call_at=NOW + timedelta(hours=1), until=date(2027, 1, 1))
        assert check(replace(GOOD, facts=facts)).facts == facts

    @pytest.mark.parametrize(
        "nonsense",
        [
            None,
            "accept",
            {"label": "accept"},
            replace(GOOD, clauses=[CLAUSE]),  # type: ignore[arg-type]
            replace(GOOD, clauses=("accept",)),  # type: ignore[arg-type]
            replace(GOOD, language="x" * 50),
            replace(GOOD, language=None),  # type: ignore[arg-type]
            replace(GOOD, facts={"option": 1}),  # type: ignore[arg-type]
            replace(GOOD, clauses=(replace(CLAUSE, label="book_everything"),)),  # type: ignore[arg-type]
            replace(GOOD, clauses=(replace(CLAUSE, confidence=7.0),)),
            replace(GOOD, clauses=(replace(CLAUSE, confidence=float("nan")),)),
            replace(GOOD, clauses=(replace(CLAUSE, span=Span(0, 11)),)),
            replace(GOOD, clauses=(replace(CLAUSE, span=Span(-1, 4)),)),
            replace(GOOD, clauses=(replace(CLAUSE, evidence=(Span(5, 99),)),)),
            replace(GOOD, clauses=(replace(CLAUSE, rule="the patient's own words \u00e9"),)),
            replace(GOOD, clauses=(CLAUSE,) * 500),
        ],
    )
    def test_refuses_nonsense(self, nonsense):
        with pytest.raises(ValueError, match=r"interpret|clause|facts"):
            check(nonsense)

    def test_leaves_out_facts_beyond_reason(self):
        facts = Facts(
            option=9,
            windows=(Window(NOW - timedelta(days=2), NOW - timedelta(days=1)), "friday"),  # type: ignore[arg-type]
            call_at=datetime(1999, 1, 1, tzinfo=NOW.tzinfo),
            until=date(2099, 1, 1),
            reason="because",  # type: ignore[arg-type]
            ambiguous=("all",),  # type: ignore[arg-type]
            asks="everything",  # type: ignore[arg-type]
        )
        assert check(replace(GOOD, facts=facts)).facts == Facts()

    def test_never_turns_a_topic_into_anything_else(self):
        topic = replace(CLAUSE, label=Topic.EMERGENCY)
        assert check(replace(GOOD, clauses=(topic,))).topics == (Topic.EMERGENCY,)


class TestModelUse:
    USE = ModelUse("small", "p1", 2, True, (ModelFailure.TIMEOUT,), 900, 800, 50, 700, (Intent.DEFER,), (None,))

    def test_is_kept(self):
        assert check(replace(GOOD, model=self.USE)).model == self.USE

    @pytest.mark.parametrize(
        "changes",
        [
            {"model": "the patient's own words"},
            {"prompt": ""},
            {"calls": -1},
            {"input_tokens": True},
            {"milliseconds": 10**12},
            {"failures": ("my tooth hurts",)},
            {"said": ("my tooth hurts",)},
            {"local": (None,) * 2000},
            {"answered": "yes"},
        ],
    )
    def test_is_left_out_where_it_holds_more_than_names_counts_and_labels(self, changes: dict[str, object]):
        checked_answer = check(replace(GOOD, model=replace(self.USE, **changes)))  # type: ignore[arg-type]

        assert checked_answer.model is None
        assert checked_answer.clauses == GOOD.clauses
