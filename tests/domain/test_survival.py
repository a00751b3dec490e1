from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treatment_agent.domain.survival import Survival

# Remission times in weeks of the 21 patients on 6-MP (Freireich et al., 1963), the textbook example; + is censored.
REMISSION = [(t, True) for t in (6, 6, 6, 7, 10, 13, 16, 22, 23)] + [
    (t, False) for t in (6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35)
]


class TestSurvival:
    def test_is_the_estimate_of_kaplan_and_meier(self) -> None:
        found = {step.time: round(step.waiting, 3) for step in Survival.of(REMISSION).steps}

        assert found == {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}

    def test_has_the_median_with_its_interval(self) -> None:
        survival = Survival.of(REMISSION)

        assert survival.median == 23
        assert survival.interval == (13, None)
        assert (survival.happened, survival.waiting, survival.total) == (9, 12, 21)

    def test_has_no_median_while_fewer_than_half_are_done(self) -> None:
        assert Survival.of([(3, True), (9, False), (9, False)]).median is None

    def test_counts_those_who_wait_where_a_plain_median_would_leave_them_out(self) -> None:
        assert Survival.of([(1, True), (2, True), *[(30, False)] * 2, (31, True)]).median == 31

    def test_of_nothing_is_empty(self) -> None:
        survival = Survival.of([])

        assert (survival.median, survival.interval, survival.total) == (None, (None, None), 0)
        assert survival.happened_by(10) == 0

    @pytest.mark.parametrize(("time", "share"), [(5, 0.0), (6, 1 / 7), (8, 0.193), (99, 0.552)])
    def test_tells_the_share_that_is_done_by_a_time(self, time: float, share: float) -> None:
        assert Survival.of(REMISSION).happened_by(time) == pytest.approx(share, abs=0.001)

    @given(st.lists(st.tuples(st.integers(-5, 60), st.booleans()), max_size=60))
    def test_only_falls_and_lies_within_its_band(self, spans: list[tuple[int, bool]]) -> None:
        steps = Survival.of(spans).steps

        assert all(one.waiting >= other.waiting for one, other in itertools.pairwise(steps))
        assert all(-1e-9 <= s.low <= s.waiting + 1e-9 <= s.high + 2e-9 <= 1 + 3e-9 for s in steps)
        assert [s.time for s in steps] == sorted({s.time for s in steps})
