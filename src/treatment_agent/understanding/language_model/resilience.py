"""Asking a model within a deadline: retries, a breaker, and a hard stop for calls that hang.

The breaker is our own: `pybreaker` holds its lock for as long as a call takes, so that one slow answer would make every
other patient wait, and `purgatory` has no lock at all.
"""

from __future__ import annotations

import queue
import random
import threading
import time
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass, field
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt
from tenacity.nap import sleep as rest
from tenacity.stop import stop_base

from treatment_agent.domain.interpretation import ModelFailure
from treatment_agent.errors import ConfigurationError, ModelFailed
from treatment_agent.understanding.language_model.calls import SWITCH, ModelCalls, Reply, Request

T = TypeVar("T")

_KINDS = {kind.value: kind for kind in ModelFailure}
# A turn holds its conversation's lease meanwhile; this is well within it.
_LONGEST_SECONDS = 60.0
# What another try will not change.
_FINAL = frozenset({ModelFailure.REFUSED, ModelFailure.REJECTED, ModelFailure.RESTING})
# What says nothing about the health of the service: it is about one message.
_NOT_ITS_FAULT = frozenset({ModelFailure.REFUSED, ModelFailure.RESTING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a patient's turn waits for a model: `seconds` in all, over at most `attempts` of `attempt_seconds`.

    Between attempts it waits about `wait_seconds`, then twice that, or what the provider asks for if there is time.

    Raises:
        ConfigurationError: `seconds` is not above 0 and at most 60, or there is no attempt.
    """

    seconds: float = 10.0
    attempts: int = 3
    attempt_seconds: float = 6.0
    wait_seconds: float = 0.3

    def __post_init__(self) -> None:
        if not 0 < self.seconds <= _LONGEST_SECONDS or self.attempts < 1:
            raise ConfigurationError(
                "Patience: give `seconds` from above 0 to 60, and at least one attempt; the patient waits meanwhile"
            )


class Breaker:
    """Stops asking after `failures` failed messages in a row, for `rest_seconds`; then one message is a trial.

    Share one between interpreters that ask the same service. Safe for threads.
    """

    def __init__(
        self, *, failures: int = 5, rest_seconds: float = 60.0, stopwatch: Callable[[], float] = time.monotonic
    ) -> None:
        self._most, self._rest, self._stopwatch = failures, rest_seconds, stopwatch
        self._failed = 0
        self._again_at = 0.0
        self._lock = threading.Lock()

    def admits(self) -> bool:
        """True when a message may be asked about now. A trial is admitted once per rest."""
        with self._lock:
            if self._failed < self._most:
                return True
            now = self._stopwatch()
            if now < self._again_at:
                return False
            self._again_at = now + self._rest
            return True

    def count(self, *, ok: bool) -> None:
        """Say how a message went."""
        with self._lock:
            self._failed = 0 if ok else self._failed + 1
            if self._failed >= self._most:
                self._again_at = self._stopwatch() + self._rest


@dataclass(slots=True)
class Meter:
    """What asking about one message took, failed attempts included."""

    calls: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    failures: list[ModelFailure] = field(default_factory=list)

    def add(self, reply: Reply) -> None:
        """Count the tokens of a reply."""
        self.input_tokens += reply.input_tokens
        self.cached_tokens += reply.cached_tokens
        self.output_tokens += reply.output_tokens


@dataclass(frozen=True, slots=True)
class Asking:
    """Asks one service. `sleep` is how it waits between attempts."""

    calls: ModelCalls
    patience: Patience
    breaker: Breaker
    sleep: Callable[[float], None] = rest

    def ask(self, request: Request, read: Callable[[str], T], meter: Meter) -> T | None:
        """The answer, as `read` takes it; None when there is none that counts: `meter.failures` says why."""
        SWITCH.check()
        if not self.breaker.admits():
            meter.failures.append(ModelFailure.RESTING)
            return None
        until = time.monotonic() + self.patience.seconds
        retrying = Retrying(
            retry=retry_if_exception(_may_change),
            stop=stop_after_attempt(self.patience.attempts) | _NoTime(until),
            wait=self._wait,
            sleep=self.sleep,
            reraise=True,
        )
        try:
            found: T = retrying(self._once, request, read, meter, until)
        except ModelFailed:
            if meter.failures[-1] not in _NOT_ITS_FAULT:
                self.breaker.count(ok=False)
            return None
        self.breaker.count(ok=True)
        return found

    def _once(self, request: Request, read: Callable[[str], T], meter: Meter, until: float) -> T:
        seconds = min(self.patience.attempt_seconds, until - time.monotonic())
        meter.calls += 1
        try:
            reply = within(seconds, lambda: self.calls.ask(request, timeout=seconds))
            if not isinstance(reply, Reply):
                raise ModelFailed(ModelFailure.BROKEN)
            meter.add(reply)
            return read(reply.text)
        except ModelFailed as error:
            meter.failures.append(_KINDS.get(error.kind, ModelFailure.BROKEN))
            raise

    def _wait(self, state: RetryCallState) -> float:
        """Twice as long each time, a little by chance so that many turns do not come back at once."""
        error = state.outcome.exception() if state.outcome else None
        asked_for = error.retry_after if isinstance(error, ModelFailed) else None
        own: float = self.patience.wait_seconds * 2 ** (state.attempt_number - 1) * random.uniform(0.5, 1.0)  # noqa: S311
        return max(own, asked_for or 0.0)


@dataclass(frozen=True, slots=True)
class _NoTime(stop_base):
    """Stops when the next wait would end after the deadline."""

    until: float

    def __call__(self, retry_state: RetryCallState) -> bool:
        return time.monotonic() + retry_state.upcoming_sleep >= self.until


def _may_change(error: BaseException) -> bool:
    return isinstance(error, ModelFailed) and error.kind not in _FINAL


def within(seconds: float, call: Callable[[], T]) -> T:
    """Call, and come back in time even if the call does not.

    In a thread of its own: a server that sends a byte a second keeps every timeout of a client from running out. And in
    an empty context, so that a trace of the turn does not take the question in.
    """
    done: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            done.put((Context().run(call), None))
        except BaseException as error:
            done.put((None, error))

    threading.Thread(target=run, name="language-model", daemon=True).start()
    try:
        found, error = done.get(timeout=max(seconds, 0.0) + _GRACE)
    except queue.Empty:
        found, error = None, ModelFailed(ModelFailure.TIMEOUT)
    if isinstance(error, ModelFailed | AssertionError):
        raise error
    if error is not None:
        # Nothing of it is kept: it may quote what the patient wrote.
        raise ModelFailed(ModelFailure.BROKEN)
    return found  # type: ignore[return-value]  # without an error there is a result


# A client that keeps its own timeout comes back a moment after it.
_GRACE = 0.25
