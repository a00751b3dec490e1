"""A page from the books of a coordinator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from treatment_agent.coordinator import Coordinator
from treatment_agent.domain.books import ConversationRow, OutboxStatus, Tally
from treatment_agent.domain.conversation import Disposition, Phase
from treatment_agent.domain.events import PatientMessage
from treatment_agent.domain.handoff import HandoffPacket
from treatment_agent.errors import BadRow
from treatment_agent.ports import Ledger
from treatment_agent.web import labels
from treatment_agent.web.threads import thread
from treatment_agent.web.view import Count, Day, HandoffView, PageView, ThreadView, Tone

MOST_CONVERSATIONS = 1000
_MOST_DAYS = 31
_ORDER = (Tone.URGENT, Tone.CARE, Tone.PLAIN, Tone.GOOD, Tone.STOP)


def page_of(
    coordinator: Coordinator,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    rejected: Iterable[BadRow] = (),
    sample: bool = False,
    notes: tuple[str, ...] = (),
) -> PageView:
    """Everything on the books as view values.

    Args:
        coordinator: Whose books; only read.
        since: First moment of the period for the funnel; default: the first thing on the books.
        until: The moment after the period; default: now.
        rejected: Rows that could not be read, from the enrolment reports.
        sample: True for invented people, so that the page says so.
        notes: Remarks for the foot of the page.
    """
    office, ledger = coordinator.policy.office, coordinator.ledger
    eligible = (row for row in coordinator.work_list() if row.entered)
    rows = list(islice(eligible, MOST_CONVERSATIONS + 1))
    if len(rows) > MOST_CONVERSATIONS:
        rows.pop()
        notes = (*notes, f"Only the {MOST_CONVERSATIONS} conversations with the best scores are shown day by day.")
    threads = [t for t in (thread(row, ledger, office) for row in rows) if t.entries]
    tally = coordinator.report(since=since, until=until)
    end = (until or coordinator.clock.now()).astimezone(office.tz)
    start = (since or min((row.enrolled_at for row in rows), default=end)).astimezone(office.tz)
    return PageView(
        office=office.name,
        since=start,
        until=end,
        days=_days(rows, ledger, start, end, office.tz),
        handoffs=tuple(_handoff(p, office.tz) for p in coordinator.handoffs(open_only=False)),
        threads=tuple(sorted(threads, key=_for_reading)),
        rejected=tuple(str(row) for row in rejected),
        sample=sample,
        notes=notes,
        funnel=_funnel(tally),
        topics=labels.counted(tally.handoffs_by_topic),
        reasons=labels.counted(tally.reasons, labels.reason),
        declined=labels.counted(tally.declined_by_reason, labels.reason),
        outcomes=labels.counted(tally.phases),
        paths=labels.counted(tally.booked_by_path, labels.path),
        skipped=labels.counted(tally.skipped, labels.left_out),
        days_to_scheduled=tally.days_to_scheduled,
        value_entered_cents=tally.value_entered_cents,
        value_booked_cents=tally.value_booked_cents,
    )


def _funnel(tally: Tally) -> tuple[Count, ...]:
    by_staff = tally.dispositions.get(Disposition.BOOKED_BY_STAFF, 0)
    return (
        Count("Entered", tally.entered, f"{sum(tally.skipped.values())} more were left out with a reason"),
        Count("Contacted", tally.contacted),
        Count("Answered", tally.responded),
        Count("Booked", tally.booked, f"{by_staff} of them booked by staff" if by_staff else ""),
    )


def _handoff(packet: HandoffPacket, tz: ZoneInfo) -> HandoffView:
    topic = packet.topics[0] if packet.topics else packet.kind
    return HandoffView(
        thread_id=packet.conversation_id,
        patient_id=packet.patient_id or "unknown sender",
        topic=labels.words(topic),
        urgency=packet.urgency.value,
        owner=labels.words(packet.owner),
        status=labels.words(packet.status),
        opened_at=packet.opened_at.astimezone(tz),
        due_at=packet.due_at.astimezone(tz),
        summary=packet.summary,
        kind=packet.kind.value,
        draft=packet.draft.marked if packet.draft else "",
    )


def _days(
    rows: Iterable[ConversationRow], ledger: Ledger, start: datetime, end: datetime, tz: ZoneInfo
) -> tuple[Day, ...]:
    """Texts, bookings and handoffs per day of the period; at most the last 31 days."""
    sent: Counter[date] = Counter()
    received: Counter[date] = Counter()
    booked: Counter[date] = Counter()
    handed: Counter[date] = Counter()
    for row in rows:
        for text in ledger.outbox(row.conversation.id):
            if text.status is OutboxStatus.SENT and text.sent_at is not None:
                sent[text.sent_at.astimezone(tz).date()] += 1
        for stored in ledger.history(row.conversation.id):
            day = stored.event.at.astimezone(tz).date()
            received[day] += isinstance(stored.event, PatientMessage)
            record = stored.outcome
            if record is not None:
                booked[day] += record.phase_after is Phase.BOOKED and record.phase_before is not Phase.BOOKED
                handed[day] += sum(1 for h in record.handoffs if h.kind.holds)
    first = max(start.date(), end.date() - timedelta(days=_MOST_DAYS - 1))
    days = (first + timedelta(days=n) for n in range((end.date() - first).days + 1))
    return tuple(Day(d, sent[d], received[d], booked[d], handed[d]) for d in days)


def _for_reading(view: ThreadView) -> tuple[int, float]:
    """What a person must look at first, then by the latest happening."""
    last = view.last_at
    return _ORDER.index(view.tone), -(last.timestamp() if last else 0.0)
