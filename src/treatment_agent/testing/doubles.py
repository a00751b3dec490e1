"""Doubles for tests: a frozen clock, an interpreter by script, and ports that break where you say.

    clock = FrozenClock(datetime(2026, 11, 23, 16, tzinfo=UTC))
    faults = Faults()
    messenger = faults.wrap(MemoryMessenger(), "messenger")
    faults.crash_after(3)          # the third boundary call takes effect, then the process "dies"

Run once without faults and read `faults.calls`: it lists every boundary that was passed. Then run once per boundary,
crashed before and after it, with `faults.restart()` and fresh objects in between.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast

from pydantic import SecretStr

from treatment_agent.domain.interpretation import ClauseReading, Facts, Intent, Interpretation, Situation, Span, Topic
from treatment_agent.domain.value import require_aware

T = TypeVar("T")


class FrozenClock:
    """`ports.Clock` that stands still until it is moved. `sleep` moves it; ids are `id-1`, `id-2`, ..."""

    def __init__(self, now: datetime, *, id_prefix: str = "id-") -> None:
        """Start at `now`, an aware datetime."""
        self._now = require_aware(now, "FrozenClock").astimezone(UTC)
        self._id_prefix = id_prefix
        self._ids = 0
        self._lock = threading.Lock()
        self.slept: list[timedelta] = []

    def now(self) -> datetime:
        """Where the clock stands, in UTC."""
        with self._lock:
            return self._now

    def sleep(self, duration: timedelta) -> None:
        """Move the clock on at once, and remember how long was slept."""
        with self._lock:
            self._now += max(duration, timedelta())
            self.slept.append(duration)

    def new_id(self) -> str:
        """The next id: unique within this clock, the same in every run."""
        with self._lock:
            self._ids += 1
            return f"{self._id_prefix}{self._ids}"

    def advance(self, duration: timedelta) -> datetime:
        """Move the clock on and return where it stands."""
        with self._lock:
            self._now += duration
            return self._now

    def set(self, now: datetime) -> None:
        """Put the clock to `now`, an aware datetime; backwards too."""
        with self._lock:
            self._now = require_aware(now, "FrozenClock.set").astimezone(UTC)


class Crash(BaseException):
    """The process is gone, as after `kill -9`. No `except Exception` survives it."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """One call over a port. `number` counts all calls of a plan from 1."""

    number: int
    port: str
    method: str

    def __str__(self) -> str:
        return f"{self.number} {self.port}.{self.method}"


@dataclass(slots=True)
class _Fault:
    error: BaseException
    nth: int
    after: bool
    port: str | None
    method: str | None
    seen: int = 0

    def counts(self, boundary: Boundary) -> bool:
        """Count a call that this fault watches; True when it is the one to break."""
        if self.port not in (None, boundary.port) or self.method not in (None, boundary.method):
            return False
        self.seen += 1
        return self.seen == self.nth


class Faults:
    """A plan: which calls over which ports fail, and whether before or after they took effect.

    `nth` counts the calls that match `port` and `method`; without those, all calls over all wrapped ports. After a
    `Crash` every further call crashes too, without effect, so that `finally` blocks of the dead process cannot tidy
    up; `restart()` begins the next process. Safe for threads.
    """

    def __init__(self) -> None:
        """A plan without faults: it only counts."""
        self._faults: list[_Fault] = []
        self._calls: list[Boundary] = []
        self._dead = False
        self._lock = threading.Lock()

    @property
    def calls(self) -> tuple[Boundary, ...]:
        """Every boundary passed so far, in order, the broken ones included."""
        with self._lock:
            return tuple(self._calls)

    @property
    def dead(self) -> bool:
        """True from a crash to the restart."""
        return self._dead

    @property
    def unused(self) -> int:
        """How many planned faults have not happened: a test with unused faults proves nothing."""
        with self._lock:
            return sum(1 for fault in self._faults if fault.seen < fault.nth)

    def crash_before(self, nth: int, *, port: str | None = None, method: str | None = None) -> Faults:
        """The process dies before the call takes effect."""
        return self._plan(_Fault(Crash(), nth, False, port, method))

    def crash_after(self, nth: int, *, port: str | None = None, method: str | None = None) -> Faults:
        """The process dies after the call took effect, before its result is seen."""
        return self._plan(_Fault(Crash(), nth, True, port, method))

    def fail_before(
        self, nth: int, error: BaseException, *, port: str | None = None, method: str | None = None
    ) -> Faults:
        """The call raises `error` and has no effect."""
        return self._plan(_Fault(error, nth, False, port, method))

    def fail_after(
        self, nth: int, error: BaseException, *, port: str | None = None, method: str | None = None
    ) -> Faults:
        """The call takes effect, and then raises `error`."""
        return self._plan(_Fault(error, nth, True, port, method))

    def restart(self) -> None:
        """A new process: calls work again. Numbers go on counting; faults that happened do not happen again."""
        self._dead = False

    def wrap(self, port: T, name: str) -> T:
        """The port with every method call numbered and breakable, under the port's own type."""
        return cast(T, Faulty(port, self, name))

    def passes(self, port: str, method: str, call: Callable[[], T]) -> T:
        """Make one call over a boundary, under this plan."""
        with self._lock:
            if self._dead:
                raise Crash
            boundary = Boundary(len(self._calls) + 1, port, method)
            self._calls.append(boundary)
            due = next(iter([fault for fault in self._faults if fault.counts(boundary)]), None)  # each one counts
            if due is not None and not due.after:
                raise self._happens(due)
        result = call()
        if due is not None:
            with self._lock:
                raise self._happens(due)
        return result

    def _happens(self, fault: _Fault) -> BaseException:
        self._dead = self._dead or isinstance(fault.error, Crash)
        return fault.error

    def _plan(self, fault: _Fault) -> Faults:
        if fault.nth < 1:
            raise ValueError("Faults: calls are counted from 1")
        with self._lock:
            self._faults.append(fault)
        return self


class Faulty:
    """Any adapter, or the ledger, with a boundary around each method. Attributes and properties pass through."""

    def __init__(self, port: object, faults: Faults, name: str) -> None:
        """Wrap `port`; `name` is what its calls are called in `faults.calls`."""
        self._port = port
        self._faults = faults
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(self._port, attribute)
        if attribute.startswith("_") or not callable(value):
            return value

        def call(*args: Any, **kwargs: Any) -> Any:
            return self._faults.passes(self._name, attribute, lambda: value(*args, **kwargs))

        return call


def understood(
    *labels: Topic | Intent | None, language: str = "en", confidence: float = 0.99, facts: Facts | None = None
) -> Interpretation:
    """An interpretation with one clause per label; None is a clause that was not understood."""
    clauses = tuple(
        ClauseReading(
            span=Span(number, number + 1),
            label=label,
            confidence=confidence if label else 0.0,
            part="script",
            rule=f"script.{label or 'abstain'}",
        )
        for number, label in enumerate(labels)
    )
    return Interpretation(clauses=clauses, language=language, interpreter="script-1", facts=facts or Facts())


class ConstantInterpreter:
    """`ports.Interpreter` that reads every message as the same."""

    def __init__(self, interpretation: Interpretation, *, version: str = "constant-1") -> None:
        """Answer with `interpretation`, always."""
        self._interpretation = interpretation
        self._version = version

    @property
    def version(self) -> str:
        """As given to the constructor."""
        return self._version

    def interpret(self, text: SecretStr, situation: Situation) -> Interpretation:
        """The one interpretation."""
        return self._interpretation


class ScriptedInterpreter:
    """`ports.Interpreter` that answers from a script, one step per message; a step may be an error to raise.

    The coordinator turns an interpreter's error into a handoff, so a call too many is also remembered: `done()`, or
    leaving the `with` block, fails for calls too many and for steps that nobody asked for.
    """

    def __init__(self, steps: Iterable[Interpretation | Exception], *, version: str = "script-1") -> None:
        """Answer with these steps in order."""
        self._steps = tuple(steps)
        self._version = version
        self._asked: list[Situation] = []
        self._lock = threading.Lock()

    @property
    def version(self) -> str:
        """As given to the constructor."""
        return self._version

    @property
    def situations(self) -> tuple[Situation, ...]:
        """The situations of all calls so far; the texts are not kept."""
        return tuple(self._asked)

    def interpret(self, text: SecretStr, situation: Situation) -> Interpretation:
        """The next step.

        Raises:
            AssertionError: the script has no step left.
            Exception: the step itself, when it is an error.
        """
        with self._lock:
            self._asked.append(situation)
            number = len(self._asked)
        if number > len(self._steps):
            raise AssertionError(f"ScriptedInterpreter: call {number}, but the script has {len(self._steps)} steps")
        step = self._steps[number - 1]
        if isinstance(step, Exception):
            raise step
        return step

    def done(self) -> None:
        """Check that every step was used, and no call was too many.

        Raises:
            AssertionError: with both numbers.
        """
        if len(self._asked) != len(self._steps):
            calls, steps = len(self._asked), len(self._steps)
            raise AssertionError(f"ScriptedInterpreter: {calls} calls for a script of {steps} steps")

    def __enter__(self) -> ScriptedInterpreter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is None:
            self.done()
