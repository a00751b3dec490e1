"""P7 and P9: when we may write first, and that the chart agreed in that moment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from treatment_agent.domain.books import OutboxRow
from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.events import ChartChange, ChartChanged, PatientMessage, TouchDue
from treatment_agent.domain.messages import SendKind
from treatment_agent.domain.private import EmailAddress, PhoneNumber
from treatment_agent.domain.treatment import Case, ChartStatus, ProcedureStatus
from treatment_agent.evals.evidence import Books, Thread
from treatment_agent.evals.promises.breach import Broken
from treatment_agent.evals.witness import Departure
from treatment_agent.policies.zones import plausible_zones

_MAY_WRITE_FIRST: Final = (
    Phase.QUEUED,
    Phase.CONTACTED,
    Phase.IN_CONVERSATION,
    Phase.OFFER_OPEN,
    Phase.DEFERRED,
)
_DAY, _WEEK = timedelta(hours=24), timedelta(days=7)


def outreach_keeps_its_times(books: Books) -> Iterator[Broken]:
    """P7: writing first keeps quiet hours, caps, deferrals and the wait after staff spoke, and stops by itself."""
    sent: dict[PhoneNumber | EmailAddress | str, list[datetime]] = {}
    first = [found for found in books.left() if found[2].message.kind is SendKind.OUTREACH]
    for thread, row, departure in sorted(first, key=lambda found: found[2].at):
        for complaint in _complaints(books, thread, row, departure):
            yield Broken("P7", thread.id, f"{row.message.script_id} {row.message.key} {complaint}")
        marks = sent.setdefault(departure.message.to, [])
        household = thread.facts.case.patient.household_id if thread.facts.case else None
        shared = sent.setdefault(household, []) if household else []
        for seen in (marks, shared):
            for complaint in _caps(books, seen, departure.at):
                yield Broken("P7", thread.id, f"{row.message.script_id} {row.message.key} {complaint}")
        marks.append(departure.at)
        shared.append(departure.at)
    for thread in books.threads:
        count = sum(1 for owner, _, _ in first if owner is thread)
        if count > books.policy.contact.max_per_case:
            yield Broken("P7", thread.id, f"{count} texts of ours in one case")


def _complaints(books: Books, thread: Thread, row: OutboxRow, departure: Departure) -> Iterator[str]:
    rules, office = books.policy.contact, books.policy.office
    patient = thread.facts.case.patient if thread.facts.case else None
    for zone in plausible_zones(departure.message.to, patient, office):
        local = departure.at.astimezone(zone)
        if not rules.quiet_until <= local.time() < rules.quiet_from:
            yield f"left in quiet hours of {zone.key}"
        if local.weekday() in rules.no_weekdays:
            yield f"left on a closed weekday in {zone.key}"
        if local.date() in office.holidays:
            yield f"left on a holiday in {zone.key}"
    own = next((pair for pair in thread.handled if pair[0].event.id == row.event_id), None)
    if own is None or not isinstance(own[0].event, TouchDue):
        yield "was no due touch"
    elif own[1].phase_before not in _MAY_WRITE_FIRST:
        yield f"was sent from phase {own[1].phase_before}"
    yield from _too_early(books, thread, row, departure)


def _too_early(books: Books, thread: Thread, row: OutboxRow, departure: Departure) -> Iterator[str]:
    """Before a deferral is over, or too soon after staff spoke with the patient."""
    zone = books.policy.office.tz
    until = None
    for stored, record in thread.before(row.event_id):
        event = stored.event
        if isinstance(event, PatientMessage):
            until = None
            if record.phase_after is Phase.DEFERRED:
                until = next((send.facts.until for send in record.sends if send.facts.until), None)
        spoke = isinstance(event, ChartChanged) and event.change is ChartChange.STAFF_CONTACT
        wait = timedelta(days=books.policy.contact.staff_contact_days)
        if spoke and timedelta() <= departure.at - event.at < wait:
            yield f"left too soon after staff contact {event.id}"
    if until is not None and departure.at.astimezone(zone).date() < until:
        yield "left before the day the patient asked for"


def _caps(books: Books, marks: list[datetime], at: datetime) -> Iterator[str]:
    rules = books.policy.contact
    for most, period, name in ((rules.max_per_day, _DAY, "day"), (rules.max_per_week, _WEEK, "week")):
        if sum(1 for mark in marks if at - period < mark <= at) >= most:
            yield f"left over the cap per {name}"


def chart_agreed_when_it_left(books: Books) -> Iterator[Broken]:
    """P9: no text of ours leaves for a case that the system of record says is booked, closed or changed by then.

    Judged on what a witness saw; books alone do not tell what the chart said.
    """
    for thread, row, departure in books.left():
        case, chart = thread.facts.case, departure.chart
        if departure.message.kind is SendKind.OUTREACH and case is not None and chart is not None:
            against = _against(case, chart)
            if against is not None:
                yield Broken("P9", thread.id, f"{row.message.script_id} {row.message.key}: the chart says {against}")


def _against(case: Case, chart: ChartStatus) -> str | None:
    if chart.do_not_contact or chart.patient_status != "active":
        return "not to be written to"
    if chart.next_visit_at is not None:
        return "a visit is coming"
    standing = [chart.procedures.get(p.id, p.status) for p in case.procedures]
    if any(s is ProcedureStatus.SCHEDULED for s in standing):
        return "scheduled"
    return None if any(s is ProcedureStatus.PLANNED for s in standing) else "nothing is open"
