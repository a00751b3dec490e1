"""A world that outlives the coordinator: calendar, provider, desk and database stay, processes die and start again."""

from __future__ import annotations

import copy
import shutil
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TypeVar

import pytest
from langgraph.checkpoint.base import BaseCheckpointSaver
from office_samples import ANA_PHONE, CHICAGO, FIRST_MORNING, OPENINGS, ana, office_profile
from pydantic import SecretStr

from treatment_agent import Case, Coordinator, InboundMessage, PracticePolicy, Tools
from treatment_agent.coordinator import facade
from treatment_agent.coordinator.answers import TurnOutcome
from treatment_agent.coordinator.hold import LEASE
from treatment_agent.domain.books import StoredEvent
from treatment_agent.domain.conversation import Conversation
from treatment_agent.domain.interpretation import Interpretation, Situation
from treatment_agent.domain.messages import Lookup, Receipt
from treatment_agent.domain.private import PhoneNumber
from treatment_agent.domain.scheduling import Authority, Booking, BookingStatus, Slot
from treatment_agent.graph.build import Graph, build_graph
from treatment_agent.ledger.sql_ledger import SqlLedger
from treatment_agent.ports import Ledger, Scheduler
from treatment_agent.testing import Faults, FrozenClock, understood
from treatment_agent.tools.memory import MemoryCaseSource, MemoryChart, MemoryDesk, MemoryMessenger, MemoryScheduler

ENROLLED = datetime(2026, 11, 24, 18, tzinfo=CHICAGO)
ANA, BEN = ANA_PHONE, PhoneNumber("+13125550118")

T = TypeVar("T")


class KnownWords:
    """`ports.Interpreter` by lookup: the same words are always read the same, also after a restart."""

    version = "known-words-1"

    def __init__(self, readings: dict[str, Interpretation]) -> None:
        self._readings = readings

    def interpret(self, text: SecretStr, situation: Situation) -> Interpretation:
        return self._readings.get(text.get_secret_value(), understood(None))


class ForgetfulMessenger(MemoryMessenger):
    """A provider that cannot be asked what it sent."""

    def find(self, key: str) -> tuple[Lookup, Receipt | None]:
        return Lookup.UNKNOWN, None


class SlowCalendar(MemoryScheduler):
    """A calendar that books by itself but confirms later, as `settle` says."""

    def __init__(self, openings: tuple[Slot, ...]) -> None:
        super().__init__(openings, authority=Authority.PROPOSE)

    @property
    def authority(self) -> Authority:
        return Authority.BOOK


class StandingClock(FrozenClock):
    """Stands still however long a thread waits: with several threads, a waiter must not age another's lease."""

    def sleep(self, duration: timedelta) -> None:
        threading.Event().wait(min(duration.total_seconds(), 0.005))


@dataclass
class World:
    """Everything outside the process, and the process that runs at the moment."""

    folder: Path
    readings: dict[str, Interpretation]
    policy: PracticePolicy = field(default_factory=lambda: PracticePolicy(id="maple", office=office_profile()))
    clock: FrozenClock = field(default_factory=lambda: FrozenClock(ENROLLED))
    scheduler: MemoryScheduler = field(default_factory=lambda: MemoryScheduler(OPENINGS))
    messenger: MemoryMessenger = field(default_factory=MemoryMessenger)
    desk: MemoryDesk = field(default_factory=MemoryDesk)
    chart: MemoryChart = field(default_factory=MemoryChart)
    faults: Faults = field(default_factory=Faults)
    delivered: list[InboundMessage] = field(default_factory=list)
    address: str = ""
    _running: list[Coordinator] = field(default_factory=list)
    _ledgers: dict[str, SqlLedger] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.address or f"sqlite:///{self.folder / 'practice.db'}"

    @property
    def ledger(self) -> SqlLedger:
        """The books, read past the faults. Holds nothing but compiled queries, which are dear, so it is kept."""
        return self._ledgers.setdefault(self.url, SqlLedger(self.url))

    @property
    def coordinator(self) -> Coordinator:
        """The process that runs; started when there is none."""
        if not self._running:
            self._running.append(self.start())
        return self._running[-1]

    def start(self) -> Coordinator:
        """A fresh coordinator on the same database and the same outside world, each boundary breakable."""
        wrap = self.faults.wrap
        ledger: Ledger = wrap(self.ledger, "ledger")
        scheduler: Scheduler = wrap(self.scheduler, "scheduler")
        with pytest.MonkeyPatch.context() as patch:
            # Compiling it takes most of a start; it is the same code in every process.
            patch.setattr(facade, "build_graph", _same_graph)
            made = self._process(ledger, scheduler)
        _breakable(made.graph.checkpointer, self.faults, ("put", "put_writes", "get_tuple"))
        return made

    def _process(self, ledger: Ledger, scheduler: Scheduler) -> Coordinator:
        wrap = self.faults.wrap
        return Coordinator(
            policy=self.policy,
            tools=Tools(
                scheduler=scheduler,
                messenger=wrap(self.messenger, "messenger"),
                chart=wrap(self.chart, "chart"),
                desk=wrap(self.desk, "desk"),
            ),
            ledger=ledger,
            checkpoints=self.url,
            interpreter=wrap(KnownWords(self.readings), "interpreter"),
            clock=self.clock,
        )

    def restart(self, downtime: timedelta = LEASE + timedelta(minutes=1)) -> None:
        """The process is gone; after `downtime` another one starts."""
        self.stop()
        self.faults.restart()
        self.clock.advance(downtime)

    def stop(self) -> None:
        """Drop the process. Its files are closed for it, as the operating system would."""
        self.faults.restart()
        while self._running:
            self._running.pop().close()

    # -- what happens

    def enroll(self, *cases: Case) -> None:
        self.coordinator.enroll(MemoryCaseSource(cases or (ana(),)))

    def first_touch(self, *cases: Case) -> None:
        self.enroll(*cases)
        self.clock.set(FIRST_MORNING)
        self.coordinator.run_due()

    def text(self, words: str, *, id: str = "", sender: PhoneNumber = ANA) -> TurnOutcome:
        """The patient writes; the provider delivers it."""
        name = id or f"in-{words.replace(' ', '-')}"
        known = next((m for m in self.delivered if m.id == name), None)
        message = known or InboundMessage(
            id=name, sender=sender, text=SecretStr(words), received_at=self.clock.now(), carrier_opt_out=False
        )
        if known is None:
            self.delivered.append(message)
        return self.coordinator.receive(message)

    # -- what there is to see

    def conversation(self, name: str = "ana") -> Conversation:
        return self.ledger.facts(f"case-{name}", at=self.clock.now()).conversation

    def history(self, name: str = "ana") -> tuple[StoredEvent, ...]:
        return self.ledger.history(f"case-{name}")

    def scripts(self) -> list[str]:
        return [m.script_id for m in self.messenger.sent]

    def live(self) -> list[Booking]:
        return [b for b in self.scheduler.bookings if b.status in (BookingStatus.CONFIRMED, BookingStatus.REQUESTED)]

    # -- a copy to break

    def fork(self, folder: Path, faults: Faults | None = None) -> World:
        """The world as it is at this moment, in another folder: what a power cut now would leave behind."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("practice.db", "practice.db-wal", "practice.db-shm"):
            (folder / name).unlink(missing_ok=True)
            if (self.folder / name).exists() and not name.endswith("-shm"):
                shutil.copyfile(self.folder / name, folder / name)
        twin = copy.copy(self)
        twin.folder, twin.faults, twin._running = folder, faults or Faults(), []
        twin.delivered = list(self.delivered)
        for port in ("clock", "scheduler", "messenger", "desk", "chart"):
            setattr(twin, port, _twin(getattr(self, port)))
        return twin


@cache
def _compiled() -> Graph:
    return build_graph()


def _same_graph(saver: BaseCheckpointSaver[str] | None = None) -> Graph:
    graph = copy.copy(_compiled())
    graph.checkpointer = saver
    return graph


def _twin(thing: T) -> T:
    """A copy that shares no container and no lock."""
    made = copy.copy(thing)
    for name, value in vars(thing).items():
        if isinstance(value, dict | list | set):
            setattr(made, name, copy.copy(value))
        elif isinstance(value, type(threading.Lock())):
            setattr(made, name, threading.Lock())
    return made


def _breakable(saver: object, faults: Faults, methods: tuple[str, ...]) -> None:
    """Put a boundary around LangGraph's own saver; it must stay an instance of its class."""
    for method in methods:
        call = getattr(saver, method)

        def guarded(*args: object, _call: object = call, _method: str = method, **kwargs: object) -> object:
            return faults.passes("saver", _method, lambda: _call(*args, **kwargs))  # type: ignore[operator]

        setattr(saver, method, guarded)
