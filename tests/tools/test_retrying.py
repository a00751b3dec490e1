from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from treatment_agent.errors import AdapterUnavailable, DeliveryInDoubt
from treatment_agent.testing import FrozenClock
from treatment_agent.tools.clock import SystemClock
from treatment_agent.tools.retrying import with_retries


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(datetime(2026, 11, 23, 16, tzinfo=UTC))


class TestWithRetries:
    def test_tries_again_while_the_other_side_is_away(self, clock: FrozenClock) -> None:
        outcomes = [AdapterUnavailable("1"), AdapterUnavailable("2"), "done"]

        def call() -> str:
            outcome = outcomes.pop(0)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        assert with_retries(call, clock=clock) == "done"
        assert len(clock.slept) == 2
        assert timedelta(seconds=0.5) <= clock.slept[0] <= timedelta(seconds=1)
        assert timedelta(seconds=1) <= clock.slept[1] <= timedelta(seconds=1.5)

    def test_gives_up_with_the_last_error_and_never_waits_too_long(self, clock: FrozenClock) -> None:
        calls: list[int] = []

        def call() -> None:
            calls.append(1)
            raise AdapterUnavailable(f"attempt {len(calls)}")

        with pytest.raises(AdapterUnavailable, match="attempt 9"):
            with_retries(call, clock=clock, attempts=9, longest_wait=timedelta(seconds=4))
        assert max(clock.slept) == timedelta(seconds=4)
        assert len(clock.slept) == 8

    @pytest.mark.parametrize("error", [DeliveryInDoubt("x"), ValueError("x"), KeyboardInterrupt()])
    def test_never_repeats_a_call_that_may_have_been_written(self, clock: FrozenClock, error: BaseException) -> None:
        calls: list[int] = []

        def call() -> None:
            calls.append(1)
            raise error

        with pytest.raises(type(error)):
            with_retries(call, clock=clock)
        assert calls == [1]


class TestSystemClock:
    def test_reads_utc_sleeps_and_makes_ids(self) -> None:
        clock = SystemClock()

        before = clock.now()
        clock.sleep(timedelta(milliseconds=20))
        clock.sleep(timedelta(seconds=-5))

        assert before.utcoffset() == timedelta(0)
        assert clock.now() - before >= timedelta(milliseconds=20)
        ids = {clock.new_id() for _ in range(1000)}
        assert len(ids) == 1000
        assert {len(i) for i in ids} == {32}
