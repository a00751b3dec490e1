from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from treatment_agent.domain.interpretation import Asked, Intent, ModelFailure, Situation, Topic
from treatment_agent.domain.patients import Patient
from treatment_agent.domain.treatment import Case, Procedure
from treatment_agent.errors import AdapterUnavailable, ModelFailed, NaiveDatetimeError
from treatment_agent.ports import Interpreter
from treatment_agent.testing import (
    ConstantInterpreter,
    Crash,
    Faults,
    Faulty,
    FrozenClock,
    OpenAIServer,
    ScriptedInterpreter,
    ScriptedModel,
    answer,
    no_model_calls,
    understood,
)
from treatment_agent.tools.memory import MemoryChart
from treatment_agent.understanding.language_model import ModelInterpreter, Reply, Request

NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)
SITUATION = Situation(now=NOW)


class Counter:
    """A port with an effect that can be seen."""

    label = "counter"

    def __init__(self) -> None:
        self.count = 0

    def add(self, amount: int = 1) -> int:
        self.count += amount
        return self.count

    def read(self) -> int:
        return self.count


class TestFrozenClock:
    def test_stands_still_until_moved(self) -> None:
        clock = FrozenClock(NOW)

        assert clock.now() == clock.now() == NOW
        clock.sleep(timedelta(seconds=5))
        assert clock.advance(timedelta(seconds=5)) == NOW + timedelta(seconds=10)
        clock.set(NOW)
        assert clock.now() == NOW
        assert clock.slept == [timedelta(seconds=5)]

    def test_gives_the_same_ids_in_every_run(self) -> None:
        assert [FrozenClock(NOW).new_id() for _ in range(2)] == ["id-1", "id-1"]
        clock = FrozenClock(NOW, id_prefix="x")
        assert [clock.new_id(), clock.new_id()] == ["x1", "x2"]

    def test_refuses_naive_times(self) -> None:
        with pytest.raises(NaiveDatetimeError):
            FrozenClock(datetime(2026, 11, 23))  # noqa: DTZ001  naive is the mistake


class TestFaults:
    def test_lists_every_boundary_and_changes_nothing_without_faults(self) -> None:
        faults = Faults()
        one, two = faults.wrap(Counter(), "one"), faults.wrap(Counter(), "two")

        assert (one.add(), one.add(amount=2), two.add(), one.read(), one.label) == (1, 3, 1, 3, "counter")
        assert [str(b) for b in faults.calls] == ["1 one.add", "2 one.add", "3 two.add", "4 one.read"]

    @pytest.mark.parametrize(("after", "effect"), [(False, 1), (True, 2)])
    def test_breaks_before_or_after_the_effect(self, after: bool, effect: int) -> None:
        faults, counter = Faults(), Counter()
        port = faults.wrap(counter, "port")
        plan = faults.fail_after if after else faults.fail_before
        plan(2, AdapterUnavailable("away"))
        port.add()

        with pytest.raises(AdapterUnavailable):
            port.add()
        assert counter.count == effect
        assert faults.unused == 0
        assert port.add() == effect + 1

    def test_counts_the_calls_of_one_method_only(self) -> None:
        faults = Faults().crash_before(2, port="b", method="add")
        a, b = faults.wrap(Counter(), "a"), faults.wrap(Counter(), "b")
        for port in (a, b, a):
            port.add()
        b.read()

        assert faults.unused == 1
        with pytest.raises(Crash):
            b.add()
        assert faults.unused == 0

    def test_a_dead_process_cannot_tidy_up(self) -> None:
        faults, counter = Faults().crash_after(1), Counter()
        port = faults.wrap(counter, "port")

        def protocol() -> None:
            try:
                port.add()
            except Exception:  # noqa: S110  what a careless caller does
                pass
            finally:
                port.add(-1)

        with pytest.raises(Crash):
            protocol()
        assert counter.count == 1
        assert faults.dead
        faults.restart()
        assert port.add() == 2
        assert len(faults.calls) == 2

    def test_works_for_every_port_alike(self) -> None:
        chart = Faults().fail_before(1, AdapterUnavailable("away")).wrap(MemoryChart(), "chart")
        case = Case(
            id="c", patient=Patient(id="1", first_name=SecretStr("Ann")), procedures=(Procedure(id="p", code="D2740"),)
        )

        with pytest.raises(AdapterUnavailable):
            chart.check(case)
        assert chart.check(case).patient_status == "active"
        assert isinstance(Faulty(ConstantInterpreter(understood()), Faults(), "i"), Interpreter)

    def test_happens_once_among_threads(self) -> None:
        faults, counter = Faults().fail_before(7, AdapterUnavailable("away")), Counter()
        port, errors = faults.wrap(counter, "port"), []

        def work() -> None:
            for _ in range(10):
                try:
                    port.read()
                except AdapterUnavailable as error:
                    errors.append(error)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(errors) == 1
        assert [b.number for b in faults.calls] == list(range(1, 81))

    def test_refuses_a_call_that_never_comes(self) -> None:
        with pytest.raises(ValueError, match="from 1"):
            Faults().crash_before(0)


class TestScriptedInterpreter:
    def test_answers_step_by_step(self) -> None:
        steps = [understood(Intent.ACCEPT), understood(Topic.CLINICAL, None)]

        with ScriptedInterpreter(steps) as interpreter:
            assert interpreter.interpret(SecretStr("yes"), SITUATION) is steps[0]
            assert interpreter.interpret(SecretStr("?"), SITUATION) is steps[1]

        assert steps[1].topics == (Topic.CLINICAL,)
        assert steps[1].abstained
        assert [s.asked for s in interpreter.situations] == [Asked.FIRST_MESSAGE] * 2

    def test_raises_a_step_that_is_an_error(self) -> None:
        with ScriptedInterpreter([AdapterUnavailable("away")]) as interpreter, pytest.raises(AdapterUnavailable):
            interpreter.interpret(SecretStr("yes"), SITUATION)

    def test_fails_when_a_step_is_left(self) -> None:
        with pytest.raises(AssertionError, match="0 calls for a script of 1"), ScriptedInterpreter([understood()]):
            pass

    def test_fails_for_a_call_too_many_even_when_the_error_was_swallowed(self) -> None:
        interpreter = ScriptedInterpreter([])
        with pytest.raises(AssertionError, match="call 1"):
            interpreter.interpret(SecretStr("Qz7Zebra"), SITUATION)

        with pytest.raises(AssertionError, match="1 calls for a script of 0") as caught:
            interpreter.done()
        assert "Zebra" not in str(caught.value)


class TestConstantInterpreter:
    def test_always_reads_the_same(self) -> None:
        interpreter = ConstantInterpreter(understood(Intent.ACK), version="ack-1")

        assert interpreter.interpret(SecretStr("a"), SITUATION) is interpreter.interpret(SecretStr("b"), SITUATION)
        assert interpreter.version == "ack-1"


class TestScriptedModel:
    REQUEST = Request("", (), "who?", {}, "")

    def test_answers_in_order_and_keeps_the_requests(self):
        with ScriptedModel(["a", Reply("b", 7)]) as model:
            assert [model.ask(self.REQUEST, timeout=1).text for _ in range(2)] == ["a", "b"]

        assert model.requests == (self.REQUEST, self.REQUEST)

    def test_fails_as_told(self):
        with ScriptedModel([ModelFailure.REFUSED]) as model, pytest.raises(ModelFailed) as caught:
            model.ask(self.REQUEST, timeout=1)

        assert caught.value.kind == "refused"

    def test_fails_on_a_call_too_many_and_again_at_the_end(self):
        model = ScriptedModel()
        with pytest.raises(AssertionError, match="call 1"):
            model.ask(self.REQUEST, timeout=1)

        with pytest.raises(AssertionError, match="1 calls for a script of 0"):
            model.done()

    def test_fails_on_a_step_that_nobody_asked_for(self):
        with pytest.raises(AssertionError, match="0 calls for a script of 1"), ScriptedModel(["a"]):
            pass


class TestNoModelCalls:
    def test_fails_where_a_model_is_asked_even_if_that_is_swallowed(self):
        interpreter = ModelInterpreter(ScriptedModel([answer(("hi", Intent.ACK))]))

        def swallows() -> None:
            with no_model_calls():
                try:
                    interpreter.interpret(SecretStr("hi"), SITUATION)
                except AssertionError:
                    pass

        with pytest.raises(AssertionError, match="1 calls"):
            swallows()

    def test_lets_everything_else_through_and_ends_with_its_block(self):
        with no_model_calls():
            pass

        interpreter = ModelInterpreter(ScriptedModel([answer(("hi", Intent.ACK))]))
        assert interpreter.interpret(SecretStr("hi"), SITUATION).intents == (Intent.ACK,)


class TestOpenAIServer:
    def test_fails_on_steps_that_nobody_asked_for(self):
        with pytest.raises(AssertionError, match="0 requests for a script of 1"), OpenAIServer(["a"]):
            pass
