"""Retries of a port call, for `AdapterUnavailable` only: the one error that promises that nothing was written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from treatment_agent.errors import AdapterUnavailable
from treatment_agent.ports import Clock

T = TypeVar("T")


def with_retries(
    call: Callable[[], T],
    *,
    clock: Clock,
    attempts: int = 3,
    first_wait: timedelta = timedelta(seconds=0.5),
    longest_wait: timedelta = timedelta(seconds=10),
) -> T:
    """Make `call`; if the other side is not there, wait longer each time, with jitter, and try again.

    Args:
        call: One port call, without arguments: `lambda: scheduler.book(booking)`.
        clock: Sleeps between attempts.
        attempts: How often to try in all, at least 1.
        first_wait: The wait after the first failure; doubled each time.
        longest_wait: No wait is longer.

    Returns:
        What the call returned.

    Raises:
        AdapterUnavailable: of the last attempt.
        Exception: any other error, at once: it may have been written.
    """
    jitter = first_wait.total_seconds()
    retrying = Retrying(
        retry=retry_if_exception_type(AdapterUnavailable),
        stop=stop_after_attempt(max(attempts, 1)),
        wait=wait_exponential_jitter(multiplier=jitter, max=longest_wait.total_seconds(), jitter=jitter),
        sleep=lambda seconds: clock.sleep(timedelta(seconds=seconds)),
        reraise=True,
    )
    return retrying(call)
