"""`report` sums up a language model only where one was asked."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from treatment_agent.cli.books import show_tally
from treatment_agent.demo.policy import maple_policy
from treatment_agent.domain.books import ModelTally, Tally
from treatment_agent.domain.measures import Measures
from treatment_agent.domain.review import Review
from treatment_agent.web.report_page import render

NOW = datetime(2026, 11, 24, 16, tzinfo=UTC)


class TestPage:
    def test_tells_it_too(self):
        model = ModelTally(conversations=1, messages=2, calls=3, input_tokens=100, disagreed=1, models=("<b> p1",))

        page = render(Measures(at=NOW), Review(since=NOW, until=NOW), maple_policy().office, model=model)

        assert "Language model: &lt;b&gt; p1" in page
        assert '<th scope="row">read otherwise than here</th><td>1</td>' in page
        assert "Language model" not in render(Measures(at=NOW), Review(since=NOW, until=NOW), maple_policy().office)


class TestReport:
    def test_tells_what_a_model_added_and_took(self, capsys: pytest.CaptureFixture[str]):
        model = ModelTally(
            conversations=2, messages=4, calls=5, input_tokens=4000, cached_tokens=3000, output_tokens=200,
            milliseconds=2000, slowest=900, unanswered=1, disagreed=2, resolved=1, added=1,
            failures={"timeout": 2}, models=("small p1",),
        )  # fmt: skip

        show_tally(Tally(entered=2, model=model))

        told = " ".join(capsys.readouterr().out.split())
        for piece in (
            "Language model: small p1",
            "4 in 2 conversations",
            "timeout 2",
            "calls per conversation 2.5",
            "2000 in, 100 out",
            "cache 75%",
            "500 ms, at most 900 ms",
        ):
            assert piece in told

    def test_is_silent_without_one(self, capsys: pytest.CaptureFixture[str]):
        show_tally(Tally(entered=2))

        assert "Language model" not in capsys.readouterr().out
