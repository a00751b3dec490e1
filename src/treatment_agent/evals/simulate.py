"""Thousands of simulated patients against whole offices in memory: how it ends for them, and every broken promise.

    found = simulate(200, seed=7)
    print(found.outcomes(), found.broken)

Patients come in offices of twenty that share a calendar, staff and bad luck. The same seed tells the same story, and
one office can be told alone: `simulate(200, seed=7, only=63)` plays the office of patient 63.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import partial
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from treatment_agent.coordinator.answers import TurnOutcome
from treatment_agent.domain.conversation import Conversation
from treatment_agent.domain.events import ChartChange
from treatment_agent.domain.handoff import HandoffPacket, NextStep
from treatment_agent.domain.private import EmailAddress, PhoneNumber
from treatment_agent.domain.treatment import Case, ProcedureStatus
from treatment_agent.errors import AdapterUnavailable, TreatmentAgentError
from treatment_agent.evals import invented
from treatment_agent.evals.acting import Author
from treatment_agent.evals.evidence import Books
from treatment_agent.evals.personas import Persona, drawn
from treatment_agent.evals.promises import Broken, check
from treatment_agent.evals.stage import Stage, TickingClock
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.ports import Interpreter
from treatment_agent.understanding.local import LocalInterpreter

OFFICE_SIZE: Final = 20
DAYS: Final = 45
_STARTS: Final = datetime(2026, 11, 23, 18, tzinfo=ZoneInfo("America/Chicago"))
_ROUNDS: Final = (time(9, 5), time(11, 35), time(15, 5))
_BOOKED_BY_PHONE, _AWAY = 0.03, 0.02
_RELEASES: Final = (NextStep.RESUME, NextStep.RESUME, NextStep.CLOSE, NextStep.BOOKED, NextStep.DECLINED)

Job = Callable[[], object]
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Line:
    """One text in a simulated conversation: when, who wrote it, and under which script or rule."""

    at: datetime
    who: str
    text: str
    why: str


@dataclass(frozen=True, slots=True)
class Ended:
    """How it ended for one simulated patient. `outcome` is the disposition, or else the phase where it stands."""

    number: int
    persona: str
    outcome: str
    received: int
    sent: int
    handoffs: int
    lines: tuple[Line, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Simulated:
    """All patients, and each broken promise with the number of a patient of its office."""

    seed: int
    patients: tuple[Ended, ...]
    broken: tuple[tuple[int, Broken], ...]

    def outcomes(self) -> dict[str, Counter[str]]:
        """For each persona, how many ended how."""
        table: dict[str, Counter[str]] = {}
        for ended in self.patients:
            table.setdefault(ended.persona, Counter())[ended.outcome] += 1
        return table

    def funnel(self) -> tuple[tuple[str, int], ...]:
        """How many were enrolled, written to, wrote back, were given to a person, and booked."""
        people = self.patients
        return (
            ("enrolled", len(people)),
            ("written to", sum(1 for p in people if p.sent)),
            ("wrote back", sum(1 for p in people if p.received)),
            ("given to a person", sum(1 for p in people if p.handoffs)),
            ("booked", sum(1 for p in people if p.outcome.startswith("booked"))),
        )


def simulate(
    patients: int,
    *,
    policy: PracticePolicy,
    seed: int = 7,
    only: int | None = None,
    interpreter: Interpreter | None = None,
    author: Author | None = None,
    progress: Progress | None = None,
) -> Simulated:
    """Let simulated patients live through six weeks.

    Args:
        patients: How many; they are numbered from 1.
        policy: The office's decisions.
        seed: The same seed is the same story.
        only: Play only the office of this patient; the patients of that office come back with their transcripts.
        interpreter: What reads their messages; the local one by default. With a model's, every message is a call.
        author: Finds the words of patients with a model; without it they are picked from the personas' texts. With it
            a story is the same only if the model says the same.
        progress: Called with the number of patients done so far.

    Raises:
        ValueError: `only` is not the number of one of the patients.
    """
    if only is not None and not 1 <= only <= patients:
        raise ValueError(f"only: there is no patient {only}; they are numbered from 1 to {patients}")
    reader = interpreter or LocalInterpreter()
    ended: list[Ended] = []
    broken: list[tuple[int, Broken]] = []
    for first in range(1, patients + 1, OFFICE_SIZE):
        numbers = range(first, min(first + OFFICE_SIZE, patients + 1))
        if only is not None and only not in numbers:
            continue
        office = _Office(policy, seed, numbers, reader, author)
        try:
            books = office.live()
            broken.extend((first, found) for found in check(books))
            ended.extend(office.ended(books, with_lines=only is not None))
        finally:
            office.stage.close()
        if progress is not None:
            progress(len(ended))
    return Simulated(seed, tuple(ended), tuple(broken))


class _Office:
    """One office and its patients, over six weeks."""

    def __init__(
        self, policy: PracticePolicy, seed: int, numbers: range, reader: Interpreter, author: Author | None
    ) -> None:
        self.chance = Random(f"{seed}:{numbers[0]}")  # noqa: S311 - the same story for the same seed, nothing secret
        self.zone = policy.office.tz
        openings = invented.openings(policy, self.chance, starts=_STARTS)
        self.stage = Stage(policy, TickingClock(_STARTS), openings, interpreter=reader)
        self.people: dict[str, Persona] = {}
        self.author = author
        self.said: defaultdict[str, list[str]] = defaultdict(list)
        self.turns: Counter[str] = Counter()
        self.cases = [self._case(number) for number in numbers]
        self._agenda: list[tuple[datetime, int, Job]] = []
        self._order = itertools.count()
        self._read = 0

    def live(self) -> Books:
        """Everything that happens, and the books at the end."""
        self.stage.enroll(*self.cases)
        for day, at in itertools.product(range(1, DAYS), _ROUNDS):
            self._at(datetime.combine(_STARTS.date() + timedelta(days=day), at, self.zone), self._round)
        while self._agenda:
            moment, _, job = heapq.heappop(self._agenda)
            self.stage.clock.set(max(moment, self.stage.clock.now()))
            self._something_away()
            job()
            self._phones_ring()
        self.stage.heal()
        self.stage.coordinator.resume()
        return self.stage.books()

    def ended(self, books: Books, *, with_lines: bool) -> Iterator[Ended]:
        """How it ended for each patient."""
        threads = {thread.id: thread for thread in books.threads}
        for case in self.cases:
            thread = threads[case.id]
            came = [s for s in thread.events if s.text is not None]
            left = [d for t, _, d in books.left() if t is thread]
            theirs = (Line(s.event.at, "patient", s.text.get_secret_value(), s.outcome.rules[0])
                      for s in came if s.text and s.outcome)  # fmt: skip
            ours = (Line(d.at, "office", d.message.body.get_secret_value(), d.message.script_id) for d in left)
            yield Ended(
                number=int(case.id.removeprefix("case-")),
                persona=self.people[case.id].name,
                outcome=_outcome(thread.facts.conversation),
                received=len(came),
                sent=len(left),
                handoffs=sum(1 for h in thread.handoffs if h.kind.holds),
                lines=tuple(sorted((*theirs, *ours), key=lambda line: line.at)) if with_lines else (),
            )

    # -- what happens

    def _at(self, moment: datetime, job: Job) -> None:
        if moment < _STARTS + timedelta(days=DAYS):
            heapq.heappush(self._agenda, (moment, next(self._order), job))

    def _round(self) -> None:
        self.stage.coordinator.run_due()
        for packet in self.stage.coordinator.handoffs():
            self._staff_see(packet)
        if self.chance.random() < _BOOKED_BY_PHONE:
            self._booked_by_phone(self.chance.choice(self.cases), told=self.chance.random() < 0.5)

    def _staff_see(self, packet: HandoffPacket) -> None:
        """Staff are at it within a day or so; most of what they resolve goes back to the coordinator."""
        coordinator, chance = self.stage.coordinator, self.chance
        if not packet.kind.holds:
            if chance.random() < 0.5:
                coordinator.complete_task(packet.id, by="staff-1")
        elif packet.acknowledged_at is None:
            if chance.random() < 0.7:
                coordinator.acknowledge(packet.conversation_id, by="staff-1")
        elif chance.random() < 0.5:
            coordinator.resolve(packet.conversation_id, by="staff-1")
            coordinator.release(packet.conversation_id, by="staff-1", next=chance.choice(_RELEASES))

    def _booked_by_phone(self, case: Case, *, told: bool) -> None:
        for procedure in case.procedures:
            self.stage.chart.set_procedure(case.patient.id, procedure.id, ProcedureStatus.SCHEDULED)
        if told:
            self.stage.coordinator.chart_changed(case.patient.id, ChartChange.BOOKED)

    def _something_away(self) -> None:
        """Now and then another system does not answer once."""
        if self.chance.random() < _AWAY:
            port = self.chance.choice(("scheduler", "messenger", "chart", "desk"))
            self.stage.faults.fail_before(1, AdapterUnavailable("away"), port=port)

    def _phones_ring(self) -> None:
        """Whoever got a text may answer after a while."""
        new = self.stage.messenger.departures[self._read :]
        self._read += len(new)
        for departure in new:
            name = departure.message.conversation_id
            self.said[name].append(f"office: {departure.message.body.get_secret_value()}")
            person = self.people.get(name)
            text = person.answers(departure.message.script_id, self.turns[name], self.chance) if person else None
            if person is None or text is None:
                continue
            if self.author is not None:
                text = self.author.writes(person, self.said[name], text)
            self.said[name].append(f"patient: {text}")
            self.turns[name] += 1
            answer = partial(self._write, departure.message.to, text, f"{name}-{self.turns[name]}")
            self._at(self.stage.clock.now() + person.waits(self.chance), answer)

    def _write(self, sender: PhoneNumber | EmailAddress, text: str, id: str) -> TurnOutcome | None:
        try:
            outcome = self.stage.write(sender, text, id=id)
            return self.stage.write(sender, text, id=id) if self.chance.random() < _AWAY else outcome
        except TreatmentAgentError:
            return None

    def _case(self, number: int) -> Case:
        person = drawn(self.chance)
        self.people[f"case-{number}"] = person
        return invented.case(number, self.chance, language=person.language, starts=_STARTS)


def _outcome(conversation: Conversation) -> str:
    return (conversation.disposition or conversation.phase).value
