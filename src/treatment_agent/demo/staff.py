"""The invented staff: they see a handoff, work on it in office hours, and end it in their own way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from treatment_agent.coordinator.answers import TurnOutcome
from treatment_agent.demo.app import Practice
from treatment_agent.demo.moments import Happened, What
from treatment_agent.demo.patients import Plan
from treatment_agent.demo.story import Habit, Story
from treatment_agent.domain.handoff import HandoffPacket, NextStep
from treatment_agent.domain.treatment import Case
from treatment_agent.policies.office import OfficeProfile

_NEXT = {
    "resume": NextStep.RESUME,
    "close": NextStep.CLOSE,
    "declined": NextStep.DECLINED,
    "review": NextStep.REVIEW,
    "booked": NextStep.BOOKED,
}


@dataclass(slots=True)
class Staff:
    """Listens for handoffs and tasks and puts what staff do about them on the agenda."""

    practice: Practice
    story: Story
    plan: Plan
    _seen: set[str] = field(default_factory=set)

    def heard(self, happened: Happened) -> None:
        """A turn may have opened something for a person."""
        for packet in happened.outcome.handoffs if happened.outcome else ():
            topic = packet.topics[0] if packet.topics else None
            habit = self.story.habit_for(patient=packet.patient_id, topic=topic, kind=packet.kind)
            if habit is None or packet.id in self._seen:
                continue
            self._seen.add(packet.id)
            office = self.practice.coordinator.policy.office
            sees = in_office_hours(happened.at + habit.sees, office)
            ends = in_office_hours(sees + habit.works, office)
            if packet.kind.holds:
                self.plan(sees, lambda at, p=packet, h=habit: self._acknowledge(p, h, at))  # type: ignore[misc]
            if habit.ends != "open":
                self.plan(ends, lambda at, p=packet, h=habit: self._end(p, h, at))  # type: ignore[misc]

    def _acknowledge(self, packet: HandoffPacket, habit: Habit, at: datetime) -> Iterator[Happened]:
        outcome = self.practice.coordinator.acknowledge(packet.conversation_id, by=habit.by)
        yield self._told(at, packet, habit, "acknowledged", outcome)

    def _end(self, packet: HandoffPacket, habit: Habit, at: datetime) -> Iterator[Happened]:
        coordinator = self.practice.coordinator
        if not packet.kind.holds:
            coordinator.complete_task(packet.id, by=habit.by)
            yield self._told(at, packet, habit, "done", None)
            if habit.ends == "booked":
                yield self._told(at, packet, habit, "booked", self._book(packet, habit, at))
            return
        if habit.ends == "booked":
            self._enter(packet, self._visit_at(habit, at))
        outcome = coordinator.release(packet.conversation_id, by=habit.by, next=_NEXT[habit.ends])
        yield self._told(at, packet, habit, habit.ends, outcome)

    def _book(self, packet: HandoffPacket, habit: Habit, at: datetime) -> TurnOutcome:
        """After a call: the visit goes into the calendar and on the books."""
        visit_at = self._visit_at(habit, at)
        self._enter(packet, visit_at)
        return self.practice.coordinator.staff_booked(packet.conversation_id, by=habit.by, visit_at=visit_at)

    def _enter(self, packet: HandoffPacket, visit_at: datetime) -> None:
        case = self.practice.coordinator.ledger.facts(packet.conversation_id, at=self.practice.clock.now()).case
        if case is not None:
            enter_visit(self.practice, case, visit_at)

    def _visit_at(self, habit: Habit, at: datetime) -> datetime:
        office = self.practice.coordinator.policy.office
        day = at.astimezone(office.tz).date() + timedelta(days=habit.visit_in_days)
        return in_office_hours(datetime.combine(day, time(10), office.tz), office)

    def _told(
        self, at: datetime, packet: HandoffPacket, habit: Habit, note: str, outcome: TurnOutcome | None
    ) -> Happened:
        return Happened(at, What.STAFF, patient_id=packet.patient_id or "", by=habit.by, note=note, outcome=outcome)


def enter_visit(practice: Practice, case: Case, visit_at: datetime) -> None:
    """Put a visit for the case's open procedures into the office's calendar, as the front desk would."""
    procedures = case.open_procedures
    if procedures:
        practice.scheduler.add_appointment(
            case.provider_id or procedures[0].provider_id,
            visit_at,
            visit_at + timedelta(minutes=60),
            patient_id=case.patient.id,
            procedure_ids=tuple(p.id for p in procedures),
        )


def in_office_hours(at: datetime, office: OfficeProfile) -> datetime:
    """The moment itself if the office is open then, else the next opening."""
    local = at.astimezone(office.tz)
    for _ in range(30):
        hours = next((h for h in office.hours if h.weekday == local.weekday()), None)
        if hours is not None and local.date() not in office.holidays and local.time() < hours.closes:
            return max(local, datetime.combine(local.date(), hours.opens, office.tz))
        local = datetime.combine(local.date() + timedelta(days=1), time(0), office.tz)
    return local
