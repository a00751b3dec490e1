"""An office in memory on which anything may happen: watched from outside, its process may die and start again."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import SecretStr

from treatment_agent.coordinator import Coordinator, Tools
from treatment_agent.coordinator.answers import TurnOutcome
from treatment_agent.domain.messages import InboundMessage
from treatment_agent.domain.private import EmailAddress, PhoneNumber
from treatment_agent.domain.scheduling import Slot
from treatment_agent.domain.treatment import Case
from treatment_agent.evals.evidence import Books, read_books, watched_by
from treatment_agent.evals.witness import Arrival, BookingLog, WitnessMessenger
from treatment_agent.ledger.sql_ledger import SqlLedger
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.ports import Interpreter, Scheduler
from treatment_agent.testing import Faults, FrozenClock
from treatment_agent.tools.memory import MemoryCaseSource, MemoryChart, MemoryDesk, MemoryMessenger, MemoryScheduler

_DOWNTIME = timedelta(minutes=6)
_TICK = timedelta(milliseconds=1)


class TickingClock(FrozenClock):
    """A frozen clock that moves on by a millisecond whenever it is read, so that nothing happens at one instant."""

    def now(self) -> datetime:
        """Where the clock stands; the next reading is later."""
        return self.advance(_TICK)


class _Lines(logging.Handler):
    """Keeps every log line of the package."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it as it would be written."""
        self.lines.append(record.getMessage())


@dataclass
class Stage:
    """The world outside (calendar, provider, chart, desk, books) and the coordinator that runs in it at the moment.

    `url` is where the books are kept; in memory they outlive the coordinator all the same, the checkpoints do not.
    """

    policy: PracticePolicy
    clock: FrozenClock
    openings: Iterable[Slot] = ()
    url: str = "sqlite://"
    interpreter: Interpreter | None = None
    faults: Faults = field(default_factory=Faults)
    chart: MemoryChart = field(default_factory=MemoryChart)
    desk: MemoryDesk = field(default_factory=MemoryDesk)
    arrivals: list[Arrival] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    _running: Coordinator | None = None

    def __post_init__(self) -> None:
        self.calendar = MemoryScheduler(self.openings)
        self.bookings = BookingLog(self.calendar)
        self.ledger = SqlLedger(self.url)
        self.provider = MemoryMessenger()
        self.messenger = WitnessMessenger(
            self.provider, clock=self.clock, ledger=self.ledger, chart=self.chart, bookings=self.bookings
        )
        self._lines = _Lines()
        self._logger = logging.getLogger("treatment_agent")
        self._logger.addHandler(self._lines)

    @property
    def coordinator(self) -> Coordinator:
        """The process that runs; started when there is none."""
        if self._running is None:
            wrap = self.faults.wrap
            scheduler: Scheduler = wrap(self.bookings, "scheduler")
            self._running = Coordinator(
                policy=self.policy,
                tools=Tools(
                    scheduler=scheduler,
                    messenger=wrap(self.messenger, "messenger"),
                    chart=wrap(self.chart, "chart"),
                    desk=wrap(self.desk, "desk"),
                ),
                ledger=wrap(self.ledger, "ledger"),
                checkpoints=self.url,
                interpreter=self.interpreter,
                clock=self.clock,
            )
        return self._running

    def die(self, downtime: timedelta = _DOWNTIME) -> None:
        """The process is gone; after `downtime`, longer than any lease, the next one may start."""
        self._running = None
        self.faults.restart()
        self.clock.advance(downtime)

    def heal(self) -> None:
        """Another process starts in which no planned fault happens any more."""
        self.die()
        self.faults = Faults()

    def close(self) -> None:
        """Let go of files, connections and the log."""
        self._logger.removeHandler(self._lines)
        self.faults.restart()
        if self._running is not None:
            self._running.close()
        self.ledger.close()

    # -- what happens

    def enroll(self, *cases: Case) -> None:
        """Put cases on the books; what they hold of patients is what must not leak."""
        for case in cases:
            patient = case.patient
            self.secrets.append(patient.last_name.get_secret_value())
            self.secrets += [address.reveal() for address in (patient.mobile, patient.email) if address is not None]
        self.coordinator.enroll(MemoryCaseSource(cases))

    def write(self, sender: PhoneNumber | EmailAddress, words: str, *, id: str, media: int = 0) -> TurnOutcome:
        """A patient writes. Under an id that came before, the provider delivers that message once more."""
        known = next((a.message for a in self.arrivals if a.message.id == id), None)
        if known is None:
            now = self.clock.now()
            known = InboundMessage(id=id, sender=sender, text=SecretStr(words), received_at=now, media=media)
            self.arrivals.append(Arrival(known, now))
        return self.coordinator.receive(known)

    # -- what there is to see

    def books(self, *, settled: bool = True) -> Books:
        """Everything on the books, what the world saw, and every log line so far."""
        exposed = (("a log line", line) for line in self._lines.lines)
        watched = watched_by(
            self.messenger, self.bookings, arrivals=self.arrivals, exposed=exposed, secrets=filter(None, self.secrets)
        )
        return read_books(self.coordinator, watched=watched, settled=settled)
