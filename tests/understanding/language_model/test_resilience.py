"""The breaker opens, rests and tries again, for many threads at once."""

from __future__ import annotations

import threading

import pytest

from treatment_agent.domain.interpretation import ModelFailure
from treatment_agent.errors import ConfigurationError, ModelFailed
from treatment_agent.testing import ScriptedModel
from treatment_agent.understanding.language_model import Breaker, Patience, Reply, Request
from treatment_agent.understanding.language_model.resilience import Asking, Meter

REQUEST = Request("", (), "", {}, "")


class Watch:
    """A stopwatch that is moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class TestBreaker:
    def test_opens_after_failures_in_a_row_only(self):
        breaker = Breaker(failures=2)
        for ok in (False, True, False):
            breaker.count(ok=ok)
        assert breaker.admits()

        breaker.count(ok=False)

        assert not breaker.admits()

    def test_admits_one_trial_after_its_rest_and_closes_when_that_goes_well(self):
        watch = Watch()
        breaker = Breaker(failures=1, rest_seconds=60, stopwatch=watch)
        breaker.count(ok=False)
        watch.now = 59.9
        assert not breaker.admits()

        watch.now = 60

        assert [breaker.admits(), breaker.admits()] == [True, False]
        breaker.count(ok=True)
        assert [breaker.admits(), breaker.admits()] == [True, True]

    def test_rests_again_when_the_trial_fails(self):
        watch = Watch()
        breaker = Breaker(failures=1, rest_seconds=60, stopwatch=watch)
        breaker.count(ok=False)
        watch.now = 60
        assert breaker.admits()
        breaker.count(ok=False)

        watch.now = 119

        assert not breaker.admits()

    def test_does_not_make_others_wait_for_a_slow_call(self):
        entered, leave = threading.Barrier(3), threading.Event()

        class Slow:
            name, remote = "slow", False

            def ask(self, request: Request, *, timeout: float) -> Reply:
                entered.wait(5)
                leave.wait(5)
                return Reply("x")

        asking = Asking(Slow(), Patience(), Breaker())
        threads = [threading.Thread(target=asking.ask, args=(REQUEST, str, Meter())) for _ in range(2)]
        for thread in threads:
            thread.start()
        entered.wait(5)  # both are inside at once, or this times out
        leave.set()
        for thread in threads:
            thread.join(5)


class TestPatience:
    @pytest.mark.parametrize("wrong", [{"seconds": 0}, {"seconds": 61}, {"seconds": -1}, {"attempts": 0}])
    def test_ends_before_the_lease_of_the_conversation(self, wrong: dict[str, int]):
        with pytest.raises(ConfigurationError, match="Patience"):
            Patience(**wrong)


class TestAsking:
    def test_takes_a_failure_of_a_kind_it_does_not_know_for_a_broken_model(self):
        class Own:
            name, remote = "own", False

            def ask(self, request: Request, *, timeout: float) -> Reply:
                raise ModelFailed("out of paper")

        meter = Meter()

        assert Asking(Own(), Patience(attempts=1), Breaker()).ask(REQUEST, str, meter) is None
        assert meter.failures == [ModelFailure.BROKEN]

    def test_counts_no_refusal_against_the_service(self):
        breaker = Breaker(failures=1)
        asking = Asking(ScriptedModel([ModelFailure.REFUSED, "x"]), Patience(), breaker)
        meter = Meter()

        assert asking.ask(REQUEST, str, meter) is None
        assert asking.ask(REQUEST, str, meter) == "x"

    def test_stops_after_its_attempts(self):
        meter, slept = Meter(), list[float]()
        model = ScriptedModel([ModelFailure.SERVER] * 3)

        assert Asking(model, Patience(attempts=3), Breaker(), slept.append).ask(REQUEST, str, meter) is None
        assert (meter.calls, len(slept)) == (3, 2)
        assert slept[0] == pytest.approx(0.225, abs=0.08)
        assert slept[1] == pytest.approx(0.45, abs=0.16)

    def test_counts_the_tokens_of_answers_that_did_not_count(self):
        meter = Meter()
        model = ScriptedModel([Reply("bad", 100, 10, 5), Reply("7", 100, 90, 5)])

        def read(text: str) -> str:
            if text == "bad":
                raise ModelFailed(ModelFailure.MALFORMED)
            return text

        assert Asking(model, Patience(wait_seconds=0), Breaker()).ask(REQUEST, read, meter) == "7"
        assert (meter.input_tokens, meter.cached_tokens, meter.output_tokens) == (200, 100, 10)
