"""Makes one thing happen: what a patient, staff, the chart, the calendar, a provider or the office does in a turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from pydantic import SecretStr

from treatment_agent.coordinator.answers import TurnOutcome
from treatment_agent.demo.patients import filled
from treatment_agent.domain.events import ChartChange
from treatment_agent.domain.messages import Channel, DeliveryReport, InboundMessage
from treatment_agent.domain.patients import PatientStatus
from treatment_agent.domain.private import EmailAddress, PhoneNumber
from treatment_agent.domain.scheduling import BookingStatus
from treatment_agent.domain.treatment import Case, ChartStatus, ProcedureStatus
from treatment_agent.errors import AdapterUnavailable, BadRow, ConfigurationError
from treatment_agent.evals.cast import Person
from treatment_agent.evals.happenings import Chart, Staff, Turn
from treatment_agent.evals.naming import address_of
from treatment_agent.evals.played import PlayedTurn, Said, Who
from treatment_agent.evals.staging import Stage, case_of
from treatment_agent.evals.telling import counted
from treatment_agent.tools.memory import MemoryCaseSource

Step = Callable[[PlayedTurn], TurnOutcome | None]
_NEXT_TEXT = timedelta(seconds=20)
_PROCEDURE_AFTER = {
    ChartChange.BOOKED: ProcedureStatus.SCHEDULED,
    ChartChange.DONE: ProcedureStatus.COMPLETED,
    ChartChange.DECLINED: ProcedureStatus.DECLINED,
}


class _BrokenSource(MemoryCaseSource):
    """The office's software, of which nobody gets to the end of the list."""

    def read(self) -> Iterator[Case | BadRow]:
        """Yield the cases, then break."""
        yield from super().read()
        raise AdapterUnavailable("cases: the office's software did not answer")


class Doing:
    """Does what turns say, on one stage."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.strangers: dict[PhoneNumber | EmailAddress, str] = {}
        self._cases = {case.patient.id: case for case in stage.cases()}
        self._messages = 0

    def prepare(self, turn: Turn) -> list[Step]:
        """The steps of a turn. Doing one again, as after a crash, is the same event again."""
        if turn.patient is not None:
            return list(self._texts(turn))
        if turn.staff is not None:
            return [partial(self._staff, turn, turn.staff)]
        if turn.chart is not None:
            return [partial(self._chart, turn, turn.chart, self.stage.clock.new_id())]
        if turn.export is not None:
            return [partial(self._export, turn)]
        if turn.calendar is not None:
            return [partial(self._calendar, turn)]
        if turn.delivery is not None:
            return [partial(self._delivery, turn, self.stage.clock.new_id())]
        return [partial(self._office, turn)] if turn.office is not None else []

    # -- who is meant

    def about(self, turn: Turn) -> str:
        """The conversation that staff, chart and calendar mean."""
        return f"case-{turn.about or self.stage.dialogue.patient.id}"

    def writer(self, turn: Turn) -> str | None:
        """The conversation that the turn's message reaches, or the one it is about."""
        if turn.patient is None or turn.sender is None:
            return self.about(turn)
        if turn.sender in self._cases:
            return f"case-{turn.sender}"
        address = self.sender(turn)
        found = self.stage.ledger.conversations_of(address)
        return found[0].id if found else self.strangers.get(address)

    def sender(self, turn: Turn | None) -> PhoneNumber | EmailAddress:
        """The address the turn's message comes from."""
        channel, given = (turn.channel, turn.sender) if turn else (Channel.SMS, None)
        if given is not None and given not in self._cases:
            return address_of(given)
        case = self._cases[given or self.stage.dialogue.patient.id]
        today = self.stage.clock.now().astimezone(self.stage.policy.office.tz).date()
        contact = case.patient.contact_on(today)
        wanted = contact.email if channel is Channel.EMAIL else contact.mobile
        address = wanted or contact.mobile or contact.email
        if address is None:
            raise ConfigurationError(f"patient {case.patient.id}: has no number and no mailbox to write from")
        return address

    # -- patients

    def _texts(self, turn: Turn) -> Iterator[Step]:
        for number, text in enumerate(turn.patient or ()):
            self._messages += 1
            first = partial(self._text, turn, text, f"in-{self._messages}", number > 0)
            yield first
            if turn.twice:
                yield partial(self._text, turn, text, f"in-{self._messages}", False)

    def _text(self, turn: Turn, text: str, message_id: str, later: bool, played: PlayedTurn) -> TurnOutcome:
        stage = self.stage
        now = stage.clock.advance(_NEXT_TEXT if later else timedelta())
        address = self.sender(turn)
        about = self.writer(turn)
        offers = stage.ledger.facts(about, at=now).conversation.offers if about else ()
        words = filled(text, offers, now.astimezone(stage.policy.office.tz))
        note = counted(turn.media, "picture") if turn.media else ""
        if turn.sender:
            note = f"from {turn.sender}{', ' if note else ''}{note}"
        played.said.append(Said(now, Who.PATIENT, words, note=note))
        message = InboundMessage(
            id=message_id,
            sender=address,
            text=SecretStr(words),
            received_at=now,
            channel=Channel.EMAIL if isinstance(address, EmailAddress) else Channel.SMS,
            media=turn.media,
            carrier_opt_out=turn.carrier_opt_out,
        )
        outcome = stage.coordinator.receive(message)
        if about is None:
            self.strangers[address] = outcome.conversation_id
        return outcome

    # -- staff and the office

    def _staff(self, turn: Turn, staff: Staff, played: PlayedTurn) -> TurnOutcome | None:
        stage, about = self.stage, self.about(turn)
        detail = f" and {staff.next.value}" if staff.does == "release" else ""
        played.said.append(Said(stage.clock.now(), Who.STAFF, f"{staff.does}{detail}", note=staff.by))
        coordinator = stage.coordinator
        match staff.does:
            case "release":
                return coordinator.release(about, by=staff.by, next=staff.next, until=staff.until)
            case "book":
                visit_at = stage.local(staff.visit_at) if staff.visit_at else None
                return coordinator.staff_booked(about, by=staff.by, visit_at=visit_at)
            case "record_consent":
                return coordinator.record_consent(about, by=staff.by, note=staff.note)
            case "record_revocation":
                return coordinator.record_revocation(about, by=staff.by, note=staff.note)
            case "acknowledge_task":
                coordinator.acknowledge_task(self._task(staff, about), by=staff.by)
                return None
            case "complete_task":
                coordinator.complete_task(self._task(staff, about), by=staff.by)
                return None
            case "close":
                return coordinator.close_case(about, by=staff.by)
            case "take_over":
                return coordinator.take_over(about, by=staff.by)
            case "acknowledge":
                return coordinator.acknowledge(about, by=staff.by)
            case _:
                return coordinator.resolve(about, by=staff.by)

    def _task(self, staff: Staff, about: str) -> str:
        for packet in self.stage.ledger.handoffs(conversation_id=about):
            if not packet.kind.holds and staff.task in (None, packet.kind):
                return packet.id
        raise ConfigurationError(f"staff: there is no open task{f' of kind {staff.task}' if staff.task else ''}")

    def _office(self, turn: Turn, played: PlayedTurn) -> TurnOutcome | None:
        coordinator = self.stage.coordinator
        played.said.append(Said(self.stage.clock.now(), Who.OFFICE, turn.office or ""))
        match turn.office:
            case "pause":
                played.rules.append(coordinator.pause_outreach(by="dana").rule)
            case "stop":
                played.rules.append(coordinator.pause_outreach(by="dana", everything=True).rule)
            case "resume":
                played.rules.append(coordinator.resume_outreach(by="dana").rule)
            case verb:
                waiting = [a for a in coordinator.pending_texts() if a.conversation_id == self.about(turn)]
                if not waiting:
                    raise ConfigurationError(f"office: no text waits for approval, so there is none to {verb}")
                decide = coordinator.approve_text if verb == "approve" else coordinator.reject_text
                return decide(waiting[0].id, by="dana")
        return None

    # -- the office's own software, and providers

    def _chart(self, turn: Turn, chart: Chart, event_id: str, played: PlayedTurn) -> TurnOutcome | None:
        stage = self.stage
        case = self._cases[turn.about or stage.dialogue.patient.id]
        visit_at = stage.local(chart.visit_at) if chart.visit_at else None
        stage.chart.set_patient(case.patient.id, _status_after(chart.change, case, visit_at, stage.clock.now()))
        note = "" if chart.told else "nobody says so"
        played.said.append(Said(stage.clock.now(), Who.CHART, chart.change.value, note=note))
        if not chart.told:
            return None
        return stage.coordinator.chart_changed(case.patient.id, chart.change, visit_at=visit_at, event_id=event_id)

    def _export(self, turn: Turn, played: PlayedTurn) -> None:
        stage, export = self.stage, turn.export
        if export is None:
            return
        main = stage.dialogue.patient
        changes = {n: getattr(export.patient, n) for n in export.patient.model_fields_set} if export.patient else {}
        person = Person.model_validate({name: getattr(main, name) for name in Person.model_fields} | changes)
        case = case_of(stage.dialogue, person, export.case or stage.dialogue.case, stage)
        if export.next_visit_at is not None:
            case = case.model_copy(update={"next_visit_at": stage.local(export.next_visit_at)})
        self._cases[main.id] = case
        rows = [known for one, known in self._cases.items() if one not in export.without]
        if export.failed:
            with suppress(AdapterUnavailable):
                stage.coordinator.enroll(_BrokenSource(rows), partial=export.partial)
            played.said.append(Said(stage.clock.now(), Who.OFFICE, "a newer list could not be read"))
            return
        report = stage.coordinator.enroll(MemoryCaseSource(rows), partial=export.partial)
        told = f"a newer list: {report.refreshed} as before, {report.enrolled} new, {report.missing} missing"
        played.said.append(Said(stage.clock.now(), Who.OFFICE, told, note=", ".join(report.skipped)))

    def _calendar(self, turn: Turn, played: PlayedTurn) -> TurnOutcome | None:
        stage, calendar = self.stage, turn.calendar
        if calendar is None:
            return None
        now = stage.clock.now()
        if calendar.take is not None:
            stage.scheduler.take(stage.slot_at(stage.local(calendar.take)).id)
            played.said.append(Said(now, Who.CHART, f"somebody takes {calendar.take:%b %d %H:%M}"))
        if calendar.open is not None:
            stage.add_opening(stage.local(calendar.open))
            played.said.append(Said(now, Who.CHART, f"{calendar.open:%b %d %H:%M} is open"))
        if calendar.settle is None:
            return None
        booking = stage.ledger.facts(self.about(turn), at=now).conversation.booking
        if booking is None:
            raise ConfigurationError("calendar.settle: no booking is waiting")
        settled = stage.scheduler.settle(booking.key, confirmed=calendar.settle == "confirmed")
        played.said.append(Said(now, Who.CHART, f"the requested visit is {calendar.settle}"))
        return stage.coordinator.settle_booking(
            booking.key, BookingStatus(calendar.settle), appointment_id=settled.appointment_id
        )

    def _delivery(self, turn: Turn, event_id: str, played: PlayedTurn) -> TurnOutcome | None:
        stage, told = self.stage, turn.delivery
        if told is None:
            return None
        texts = [n for n, m in enumerate(stage.messenger.sent, 1) if told.script in (None, m.script_id)]
        if not texts:
            raise ConfigurationError("delivery: no such text has left")
        note = f"code {told.code}" if told.code else ""
        played.said.append(Said(stage.clock.now(), Who.CHART, f"our text is {told.status.value}", note=note))
        report = DeliveryReport(
            id=event_id,
            provider_message_id=f"memory-{texts[-1]}",
            status=told.status,
            reported_at=stage.clock.now(),
            error_code=told.code,
            opted_out=told.opted_out,
        )
        return stage.coordinator.delivery(report)


def _status_after(change: ChartChange, case: Case, visit_at: datetime | None, now: datetime) -> ChartStatus:
    """What the chart answers once this has changed."""
    after = _PROCEDURE_AFTER.get(change)
    return ChartStatus(
        patient_status=PatientStatus.DECEASED.value if change is ChartChange.DECEASED else "active",
        procedures={p.id: after or p.status for p in case.procedures},
        next_visit_at=visit_at,
        do_not_contact=change is ChartChange.DO_NOT_CONTACT,
        last_staff_contact_at=now if change is ChartChange.STAFF_CONTACT else None,
    )
