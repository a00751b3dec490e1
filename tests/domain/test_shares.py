from __future__ import annotations

import pytest

from treatment_agent.domain.shares import Difference, Share


class TestShare:
    def test_has_the_interval_of_wilson(self) -> None:
        # Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263 gives 0.2553 to 0.3662.
        low, high = Share(81, 263).interval

        assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)

    @pytest.mark.parametrize(("share", "low", "high"), [(Share(0, 10), 0.0, 0.2775), (Share(10, 10), 0.7225, 1.0)])
    def test_stays_within_bounds_when_none_or_all_hit(self, share: Share, low: float, high: float) -> None:
        assert share.interval == pytest.approx((low, high), abs=0.0001)

    def test_of_nothing_may_be_anything(self) -> None:
        assert (Share(0, 0).value, Share(0, 0).interval) == (0.0, (0.0, 1.0))


class TestDifference:
    def test_has_the_interval_of_newcombe(self) -> None:
        # Newcombe, Statistics in Medicine 17 (1998), table II, method 10: 56/70 - 48/80 gives 0.0524 to 0.3339.
        lift = Difference(Share(56, 70), Share(48, 80))

        assert lift.value == pytest.approx(0.2)
        assert lift.interval == pytest.approx((0.0524, 0.3339), abs=0.0001)

    def test_with_an_empty_group_may_be_anything(self) -> None:
        assert Difference(Share(5, 9), Share(0, 0)).interval == (-1.0, 1.0)
