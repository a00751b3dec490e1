"""Turns a dialogue file into a practice in memory: policy, calendar, chart, messenger, desk, books, frozen clock."""

from __future__ import annotations

import importlib
import tempfile
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path

from treatment_agent.coordinator import Coordinator, Tools
from treatment_agent.demo.policy import maple_policy
from treatment_agent.domain.messages import ApprovedMessage, Receipt
from treatment_agent.domain.scheduling import Slot
from treatment_agent.domain.treatment import Case, CaseKind, Procedure
from treatment_agent.errors import ConfigurationError
from treatment_agent.evals.cast import Person, PracticeSeed, TreatmentRow
from treatment_agent.evals.dialogue import Dialogue
from treatment_agent.evals.overrides import overridden
from treatment_agent.ledger.sql_ledger import SqlLedger
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.ports import Interpreter, Ledger
from treatment_agent.testing import Faults, FrozenClock
from treatment_agent.tools.memory import MemoryChart, MemoryDesk, MemoryMessenger, MemoryScheduler
from treatment_agent.understanding.local import LocalInterpreter
from treatment_agent.understanding.union import Union, beside_local

_IN_MEMORY = "sqlite://"
# Closed ledgers whose books are gone, used again: each knows the statements it has prepared, which take a while.
_EMPTY: list[SqlLedger] = []


class WatchedMessenger(MemoryMessenger):
    """Also keeps when each text was handed over."""

    def __init__(self, clock: FrozenClock, seed: PracticeSeed) -> None:
        """Take messages for the seed's channels."""
        super().__init__(seed.channels)
        self._clock = clock
        self.times: list[datetime] = []

    def send(self, message: ApprovedMessage) -> Receipt:
        """Keep the message and the moment."""
        receipt = super().send(message)
        self.times.append(self._clock.now())
        return receipt


@dataclass(slots=True)
class Stage:
    """The practice a dialogue is played in. The outside world stays when the coordinator starts again."""

    dialogue: Dialogue
    policy: PracticePolicy
    clock: FrozenClock
    scheduler: MemoryScheduler
    messenger: WatchedMessenger
    desk: MemoryDesk
    chart: MemoryChart
    interpreter: Interpreter
    slots: list[Slot]
    faults: Faults = field(default_factory=Faults)
    _coordinator: Coordinator | None = None
    _ledger: SqlLedger | None = None
    _folder: tempfile.TemporaryDirectory[str] | None = None

    @property
    def coordinator(self) -> Coordinator:
        """The process that runs; started when there is none."""
        if self._coordinator is None:
            self._coordinator = self._start()
        return self._coordinator

    @property
    def ledger(self) -> Ledger:
        """The books, past all faults."""
        if self._ledger is None:
            url = self._url()
            self._ledger = _EMPTY.pop() if url == _IN_MEMORY and _EMPTY else SqlLedger(url)
        return self._ledger

    def restart(self) -> None:
        """The process is gone; another one begins on the same books."""
        self.faults.restart()
        self._coordinator = None

    def add_opening(self, start: datetime) -> None:
        """One more opening in the calendar."""
        slot = opening(start, self.dialogue.practice)
        self.slots.append(slot)
        self.scheduler.add_opening(slot)

    def slot_at(self, start: datetime) -> Slot:
        """The opening that begins then.

        Raises:
            ConfigurationError: there is none.
        """
        for slot in self.slots:
            if slot.start == start:
                return slot
        raise ConfigurationError(f"calendar: no opening starts at {start:%Y-%m-%d %H:%M}")

    def local(self, moment: datetime) -> datetime:
        """A time of the file: without an offset it is the office's."""
        return moment if moment.utcoffset() is not None else moment.replace(tzinfo=self.policy.office.tz)

    def cases(self) -> tuple[Case, ...]:
        """The list of unscheduled treatment as the file has it."""
        told = self.dialogue
        others = (case_of(told, o, o.case, self).model_copy(update={"kind": o.kind}) for o in told.other)
        return (case_of(told, told.patient, told.case, self), *others)

    def close(self) -> None:
        """Let go of the books."""
        if self._coordinator is not None:
            self._coordinator.close()
        if self._ledger is not None:
            self._ledger.close()
        if self._folder is not None:
            self._folder.cleanup()
        elif self._ledger is not None:
            _EMPTY.append(self._ledger)
        self._ledger = None

    def _start(self) -> Coordinator:
        wrap, named = self.faults.wrap, _ports_with_faults(self.dialogue)
        ledger = wrap(self.ledger, "ledger") if "ledger" in named else self.ledger
        return Coordinator(
            policy=self.policy,
            tools=Tools(
                scheduler=wrap(self.scheduler, "scheduler"),
                messenger=wrap(self.messenger, "messenger"),
                chart=wrap(self.chart, "chart"),
                desk=wrap(self.desk, "desk"),
            ),
            ledger=ledger,
            checkpoints=self._url(),
            interpreter=_breakable(self.interpreter, self.faults) if "interpreter" in named else self.interpreter,
            clock=self.clock,
        )

    def _url(self) -> str:
        """In memory; a file only where a crash must find the checkpoints again."""
        if not any(fault.how.startswith("crash") for turn in self.dialogue.turn for fault in turn.fault):
            return _IN_MEMORY
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="dialogue-")
        return f"sqlite:///{Path(self._folder.name) / 'books.db'}"


def open_stage(
    dialogue: Dialogue, *, policy: PracticePolicy | None = None, interpreter: Interpreter | None = None
) -> Stage:
    """Build the practice; nothing has happened in it yet.

    Args:
        dialogue: What the file says.
        policy: Decisions to try instead of the demo practice's; the file's own overrides are put on top.
        interpreter: Understands the messages in place of the one the file names.

    Raises:
        ConfigurationError: an override or the interpreter cannot be used; names the place.
    """
    policy = overridden(policy or maple_policy(), dialogue.practice.policy)
    clock = FrozenClock(dialogue.now)
    seed, slots = dialogue.practice, openings(dialogue, policy)
    return Stage(
        dialogue=dialogue,
        policy=policy,
        clock=clock,
        scheduler=MemoryScheduler(slots, authority=seed.authority, can_reschedule=seed.can_reschedule),
        messenger=WatchedMessenger(clock, seed),
        desk=MemoryDesk(),
        chart=MemoryChart(),
        interpreter=beside_local(
            interpreter or named_interpreter(dialogue.interpreter.use), policy.baa_on_file, local=local_interpreter()
        ),
        slots=slots,
    )


def openings(dialogue: Dialogue, policy: PracticePolicy) -> list[Slot]:
    """The calendar's openings: those of the file, or one on each of 20 workdays, at 9 and at 2 in turn."""
    seed, zone = dialogue.practice, policy.office.tz
    starts = [s if s.utcoffset() is not None else s.replace(tzinfo=zone) for s in seed.openings or ()]
    if seed.openings is None:
        days = (dialogue.now.astimezone(zone).date() + timedelta(days=n) for n in range(4, 40))
        workdays = [d for d in days if d.weekday() < 5 and d not in policy.office.holidays][:20]
        starts = [datetime.combine(day, time((9, 14)[n % 2]), zone) for n, day in enumerate(workdays)]
    return [opening(start, seed) for start in starts]


def opening(start: datetime, seed: PracticeSeed) -> Slot:
    """An opening of the seed's length. Its id is its start."""
    return Slot(start, start + timedelta(minutes=seed.minutes), seed.provider, f"{start:%m-%d-%H%M}")


def case_of(dialogue: Dialogue, person: Person, rows: tuple[TreatmentRow, ...], stage: Stage) -> Case:
    """One line of the list: the case `case-<patient id>` with procedures `<patient id>-1` and so on."""
    seen_on = dialogue.visit_on or _day_before(dialogue, stage.policy)
    procedures = tuple(
        Procedure.model_validate(
            row.model_dump() | {"id": row.id or f"{person.id}-{n}", "diagnosed_on": row.diagnosed_on or seen_on}
        )
        for n, row in enumerate(rows, 1)
    )
    next_visit, contact = dialogue.next_visit_at, dialogue.last_staff_contact_at
    main = person.id == dialogue.patient.id
    return Case(
        id=f"case-{person.id}",
        patient=person.as_patient(),
        procedures=procedures,
        kind=dialogue.kind if main else CaseKind.UNSCHEDULED,
        provider_id=procedures[0].provider_id,
        visit_on=seen_on,
        next_visit_at=stage.local(next_visit) if next_visit and main else None,
        last_staff_contact_at=stage.local(contact) if contact and main else None,
        synced_at=stage.clock.now(),
    )


def _day_before(dialogue: Dialogue, policy: PracticePolicy) -> date:
    return dialogue.now.astimezone(policy.office.tz).date() - timedelta(days=1)


def _ports_with_faults(dialogue: Dialogue) -> set[str]:
    return {fault.port for turn in dialogue.turn for fault in turn.fault}


# -- who understands


@cache
def local_interpreter() -> LocalInterpreter:
    """The local interpreter; its model is loaded once, however many dialogues are played."""
    return LocalInterpreter()


def _breakable(interpreter: Interpreter, faults: Faults) -> Interpreter:
    return Union(faults.wrap(interpreter, "interpreter"), local_interpreter())


def named_interpreter(use: str) -> Interpreter:
    """The interpreter that `local` or `module:name` means; a class or function is called without arguments.

    Raises:
        ConfigurationError: there is no such thing, or it is no interpreter.
    """
    if use == "local":
        return local_interpreter()
    module, _, name = use.partition(":")
    try:
        found: object = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(f"interpreter {use}: {type(error).__name__}; write module:name") from None
    made: object = found
    if isinstance(found, type) or (callable(found) and not hasattr(found, "interpret")):
        try:
            made = found()
        except Exception as error:
            raise ConfigurationError(f"interpreter {use}: calling it raised {type(error).__name__}") from error
    if not hasattr(made, "interpret") or not hasattr(made, "version"):
        raise ConfigurationError(f"interpreter {use}: it has no `interpret` and `version`; see ports.Interpreter")
    return made
