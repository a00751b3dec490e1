"""Scheduler, chart and interpreter with a tape running: what they answered in a turn is kept for a replay."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import SecretStr

from treatment_agent.coordinator.adapters import expected
from treatment_agent.domain.inputs import Answer, Asking
from treatment_agent.domain.interpretation import Interpretation, Situation
from treatment_agent.domain.scheduling import ApprovedBooking, Authority, Booking, Slot, SlotRequest
from treatment_agent.domain.treatment import Case, ChartStatus
from treatment_agent.ports import Chart, Interpreter, Scheduler

T = TypeVar("T")


@dataclass(slots=True)
class Tape:
    """The answers of one turn, in order."""

    answers: list[Answer] = field(default_factory=list)

    def run(
        self, asked: Asking, call: Callable[[], T], kept: Callable[[T], Answer], request: SlotRequest | None = None
    ) -> T:
        """Make a call and keep what came of it. An error is kept by its name: its words may hold a patient's data."""
        try:
            value = call()
        except Exception as error:
            code = getattr(error, "rule", None) or getattr(error, "code", None)
            text = code if isinstance(code, str) else ""
            self.answers.append(Answer(asked, request, error=type(error).__name__, code=text))
            raise
        self.answers.append(kept(value))
        return value


@dataclass(frozen=True, slots=True)
class TapedScheduler:
    """`ports.Scheduler`, taped."""

    real: Scheduler
    tape: Tape

    @property
    def authority(self) -> Authority:
        """That of the real one."""
        return self.real.authority

    @property
    def can_reschedule(self) -> bool:
        """As the real one."""
        return self.real.can_reschedule

    def find_slots(self, request: SlotRequest) -> tuple[Slot, ...]:
        """See `ports.Scheduler`."""
        return self.tape.run(
            Asking.SLOTS,
            lambda: _slots(self.real.find_slots(request)),
            lambda found: Answer(Asking.SLOTS, request, slots=found),
            request,
        )

    def book(self, booking: ApprovedBooking) -> Booking:
        """See `ports.Scheduler`."""
        return self.tape.run(
            Asking.BOOK,
            lambda: expected("Scheduler.book", self.real.book(booking), Booking),
            lambda made: Answer(Asking.BOOK, booking=made),
        )

    def find_booking(self, key: str) -> Booking | None:
        """See `ports.Scheduler`."""
        return self.tape.run(
            Asking.BOOKING,
            lambda: expected("Scheduler.find_booking", self.real.find_booking(key), Booking, none=True),
            lambda found: Answer(Asking.BOOKING, booking=found),
        )

    def release(self, key: str) -> None:
        """See `ports.Scheduler`."""
        self.real.release(key)


@dataclass(frozen=True, slots=True)
class TapedChart:
    """`ports.Chart`, taped."""

    real: Chart
    tape: Tape

    def check(self, case: Case) -> ChartStatus:
        """See `ports.Chart`."""
        return self.tape.run(
            Asking.CHART,
            lambda: expected("Chart.check", self.real.check(case), ChartStatus),
            lambda status: Answer(Asking.CHART, status=status),
        )


@dataclass(frozen=True, slots=True)
class TapedInterpreter:
    """`ports.Interpreter`, taped; a reading itself stands in the turn's record."""

    real: Interpreter
    tape: Tape

    @property
    def version(self) -> str:
        """That of the real one."""
        return self.real.version

    def interpret(self, text: SecretStr, situation: Situation) -> Interpretation:
        """See `ports.Interpreter`."""
        return self.tape.run(
            Asking.INTERPRETER, lambda: self.real.interpret(text, situation), lambda _: Answer(Asking.INTERPRETER)
        )


def _slots(found: Iterable[Slot]) -> tuple[Slot, ...]:
    """Any sequence of slots will do."""
    place = "Scheduler.find_slots"
    slots = tuple(found) if isinstance(found, Iterable) else (expected(place, found, tuple),)
    return tuple(expected(place, slot, Slot) for slot in slots)
