from __future__ import annotations

from datetime import date

import pytest
from phrase_tables import NOW, SITUATION, cases_of, moment, spelled_out
from treatment_agent.domain.text import normalize
from treatment_agent.understanding.times import TimeReading, read_times


def judge(case: dict[str, object], reading: TimeReading) -> None:
    """Compare a reading with its case; keys left out mean none, except `windows`."""
    if "windows" in case:
        assert [(window.start, window.end) for window in reading.windows] == spelled_out(case["windows"])
    assert reading.instant == (moment(case["instant"]) if "instant" in case else None)
    assert reading.until == (date.fromisoformat(case["until"]) if "until" in case else None)
    assert reading.ambiguous is case.get("ambiguous", False)


@pytest.mark.parametrize("table", ["days", "hours", "exclusions", "deferrals"])
class TestPhraseTables:
    def test_every_phrase_reads_as_written_down(self, table, subtests):
        for case in cases_of(table):
            with subtests.test(case["text"]):
                judge(case, read_times(normalize(case["text"]), SITUATION))
