"""Drives two weeks of Maple Dental: exports come in, texts go out, patients and staff do as `patients.toml` says."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from importlib.resources import as_file, files
from pathlib import Path

from treatment_agent.coordinator.answers import EnrolmentReport, TurnOutcome
from treatment_agent.demo.app import Practice, keep_time
from treatment_agent.demo.moments import Happened, What
from treatment_agent.demo.patients import Patients
from treatment_agent.demo.staff import Staff, enter_visit
from treatment_agent.demo.story import Export, Outside, Story
from treatment_agent.domain.events import ChartChange
from treatment_agent.tools.csv_source import CsvCaseSource

# The office lets the coordinator write a few first texts at a time, so that the desk can keep up with the answers.
ROUNDS = (time(10, 5), time(11, 35), time(13, 5), time(15, 5))
MOST_PER_ROUND = 4

Job = Callable[[datetime], Iterator[Happened]]


@dataclass(slots=True)
class Simulation:
    """The agenda of the two weeks. `happenings` yields everything in order of time."""

    practice: Practice
    story: Story
    enrolments: list[EnrolmentReport] = field(default_factory=list)
    _agenda: list[tuple[datetime, int, Job]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=itertools.count)

    def happenings(self) -> Iterator[Happened]:
        """Run the story from its first to its last moment."""
        patients = Patients(self.practice, self.story, self.at)
        staff = Staff(self.practice, self.story, self.at)
        self._plan(patients, staff)
        while self._agenda and self._agenda[0][0] <= self.story.ends:
            moment, _, job = heapq.heappop(self._agenda)
            self.practice.clock.set(max(moment, self.practice.clock.now()))
            for happened in job(moment):
                yield happened
                if happened.outcome is not None:
                    patients.heard(happened)
                    staff.heard(happened)
        self.practice.clock.set(self.story.ends)
        keep_time(self.practice.folder, self.story.ends)

    def at(self, moment: datetime, job: Job) -> None:
        """Put something on the agenda; of several at one moment the first put there is the first done."""
        heapq.heappush(self._agenda, (moment, next(self._order), job))

    def _plan(self, patients: Patients, staff: Staff) -> None:
        for export in self.story.export:
            self.at(export.at, self._enrolling(export))
        for outside in self.story.outside:
            self.at(outside.at, self._outside(outside))
        zone = self.practice.coordinator.policy.office.tz
        day = self.story.starts.astimezone(zone).date()
        while day <= self.story.ends.astimezone(zone).date():
            for round_at in ROUNDS:
                self.at(datetime.combine(day, round_at, zone), self._round)
            day += timedelta(days=1)

    def _enrolling(self, export: Export) -> Job:
        def job(moment: datetime) -> Iterator[Happened]:
            zone = self.practice.coordinator.policy.office.zone
            with ExitStack() as stack:
                path = stack.enter_context(as_file(files("treatment_agent.demo") / export.file))
                source = CsvCaseSource(path, zone=zone, synced_at=moment)
                report = self.practice.coordinator.enroll(source, partial=export.partial)
            self.enrolments.append(report)
            yield Happened(moment, What.ENROLLED, note=export.file, enrolment=report)

        return job

    def _round(self, moment: datetime) -> Iterator[Happened]:
        for outcome in self.practice.coordinator.run_due(limit=MOST_PER_ROUND).outcomes:
            yield Happened(moment, What.TOUCH, patient_id=self._patient(outcome), outcome=outcome)

    def _outside(self, outside: Outside) -> Job:
        def job(moment: datetime) -> Iterator[Happened]:
            coordinator = self.practice.coordinator
            if outside.change is ChartChange.BOOKED and outside.visit_at is not None:
                self._enter(outside.patient, outside.visit_at)
            if not outside.told:
                yield Happened(moment, What.UNTOLD, patient_id=outside.patient, note=outside.change.value)
                return
            outcome = coordinator.chart_changed(outside.patient, outside.change, visit_at=outside.visit_at)
            yield Happened(moment, What.CHART, patient_id=outside.patient, note=outside.change.value, outcome=outcome)

        return job

    def _enter(self, patient_id: str, visit_at: datetime) -> None:
        ledger = self.practice.coordinator.ledger
        conversation_id = ledger.conversation_ids_of_patient(patient_id)[0]
        case = ledger.facts(conversation_id, at=self.practice.clock.now()).case
        if case is not None:
            enter_visit(self.practice, case, visit_at)

    def _patient(self, outcome: TurnOutcome) -> str:
        facts = self.practice.coordinator.ledger.facts(outcome.conversation_id, at=self.practice.clock.now())
        return facts.conversation.patient_id or ""


def page_path(folder: Path) -> Path:
    """Where the demo writes its page."""
    return folder / "maple-dental.html"
