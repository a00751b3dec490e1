"""One conversation from the books as a readable thread: what was said, what was done, and the rule behind each."""

from __future__ import annotations

from collections import defaultdict
from zoneinfo import ZoneInfo

from treatment_agent.domain.books import ConversationRow, OutboxRow, OutboxStatus, StoredEvent
from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.events import (
    BookingSettled,
    ChartChanged,
    DeliveryReported,
    PatientMessage,
    StaffAction,
    StaffVerb,
    TouchDue,
)
from treatment_agent.domain.handoff import HandoffPacket
from treatment_agent.domain.interpretation import Facts, Interpretation, Span
from treatment_agent.domain.scheduling import Booking, BookingStatus
from treatment_agent.domain.treatment import Case
from treatment_agent.domain.turn import TurnRecord
from treatment_agent.policies.office import OfficeProfile
from treatment_agent.policies.rules import sentence
from treatment_agent.ports import Ledger
from treatment_agent.web import labels, times
from treatment_agent.web.view import ClauseView, Entry, Side, ThreadView, Tone

_STAFF = {
    StaffVerb.TAKE_OVER: "took the conversation over",
    StaffVerb.ACKNOWLEDGE: "has seen it",
    StaffVerb.RESOLVE: "dealt with it",
    StaffVerb.BOOK: "booked the visit",
    StaffVerb.CLOSE: "closed the follow-up",
    StaffVerb.RECORD_CONSENT: "recorded consent to texts",
    StaffVerb.RECORD_REVOCATION: "recorded: no more texts",
}
_ENDS = {
    Phase.DECLINED: ("Declined, nothing more is sent", Tone.STOP),
    Phase.OPTED_OUT: ("Opted out, nothing more is sent", Tone.STOP),
    Phase.DEFERRED: ("Deferred", Tone.PLAIN),
    Phase.NEEDS_REVIEW: ("Waits for a person to look", Tone.CARE),
    Phase.CLOSED: ("Closed", Tone.STOP),
}


def thread(row: ConversationRow, ledger: Ledger, office: OfficeProfile) -> ThreadView:
    """The whole conversation as staff would want to read it."""
    conversation, case = row.conversation, row.case
    packets = ledger.handoffs(conversation_id=conversation.id, open_only=False)
    topics = dict.fromkeys(labels.words(p.topics[0]) for p in packets if p.topics)
    return ThreadView(
        id=conversation.id,
        patient_id=conversation.patient_id or "unknown sender",
        name=_name(case),
        phase=labels.words(conversation.phase),
        tone=labels.tone(conversation.phase),
        outcome=labels.words(conversation.disposition) if conversation.disposition else "",
        language=conversation.language,
        subject=_subject(case, office),
        score=row.score if case else None,
        topics=tuple(topics),
        reasons=tuple(labels.reason(code) for code in conversation.reasons),
        entries=_entries(conversation.id, ledger, packets, office),
    )


def _name(case: Case | None) -> str:
    if case is None:
        return "Unknown sender"
    first = case.patient.first_name.get_secret_value()
    last = case.patient.last_name.get_secret_value()
    return f"{first} {last[:1]}." if last else first


def _subject(case: Case | None, office: OfficeProfile) -> str:
    if case is None:
        return ""
    families = dict.fromkeys(labels.words(p.family) for p in case.procedures)
    provider = office.provider_name(case.provider_id or case.procedures[0].provider_id)
    return ", ".join((*families, provider)) if provider else ", ".join(families)


def _entries(
    conversation_id: str, ledger: Ledger, packets: tuple[HandoffPacket, ...], office: OfficeProfile
) -> tuple[Entry, ...]:
    texts: dict[str, list[OutboxRow]] = defaultdict(list)
    for row in ledger.outbox(conversation_id):
        texts[row.event_id].append(row)
    by_id = {p.id: p for p in packets}
    entries: list[Entry] = []
    for stored in ledger.history(conversation_id):
        entries.extend(_of_event(stored, texts.get(stored.event.id, []), by_id, office))
    return tuple(entries)


def _of_event(
    stored: StoredEvent, texts: list[OutboxRow], packets: dict[str, HandoffPacket], office: OfficeProfile
) -> list[Entry]:
    """What one event put on the page: the event itself, our texts, the handoff, and where it led."""
    record, tz = stored.outcome, office.tz
    entries = [_opening(stored, bool(texts), tz)]
    if record is not None:
        entries.extend(_text(row, record, tz) for row in texts)
        entries.extend(_handoff(packets[h.id], record, tz) for h in record.handoffs if h.id in packets)
        entries.append(_ending(record, office))
    return [entry for entry in entries if entry is not None]


def _opening(stored: StoredEvent, answered: bool, tz: ZoneInfo) -> Entry | None:
    event, record = stored.event, stored.outcome
    at = event.at.astimezone(tz)
    rules = record.rules if record else ()
    match event:
        case PatientMessage():
            return _message(stored, event, tz)
        case TouchDue():
            return None if answered else _note(record, tz, "Nothing sent")
        case ChartChanged():
            title = f"The chart says: {labels.words(event.change)}"
            return Entry(at, Side.NOTE, title=title, rules=rules, detail=_because(rules))
        case StaffAction():
            did = labels.released(event.next) if event.verb is StaffVerb.RELEASE else _STAFF[event.verb]
            visit = (("visit", times.moment(event.visit_at.astimezone(tz))),) if event.visit_at else ()
            return Entry(at, Side.STAFF, title=f"{event.by} {did}", rules=rules, detail=(*_because(rules), *visit))
        case BookingSettled():
            title = f"The calendar says: {labels.words(event.status)}"
            return Entry(at, Side.NOTE, title=title, rules=rules, detail=_because(rules))
        case DeliveryReported():
            title = f"Delivery: {labels.words(event.status)}"
            return Entry(at, Side.NOTE, title=title, rules=rules, detail=_because(rules))


def _message(stored: StoredEvent, event: PatientMessage, tz: ZoneInfo) -> Entry:
    text = stored.text.get_secret_value() if stored.text else ""
    record = stored.outcome
    heard = record.interpretation if record else None
    shown = text or ("(picture)" if event.media else "(empty)")
    return Entry(
        event.at.astimezone(tz),
        Side.PATIENT,
        text=shown,
        title="with a picture" if event.media and text else "",
        rules=record.rules if record else (),
        clauses=_clauses(heard, text) if heard else (),
        detail=_details(record, tz) if record else (),
    )


def _clauses(heard: Interpretation, text: str) -> tuple[ClauseView, ...]:
    return tuple(
        ClauseView(
            start=c.span.start,
            end=c.span.end,
            label=labels.words(c.label) if c.label else "",
            confidence=c.confidence,
            threshold=c.threshold,
            part=c.part,
            rule=c.rule,
            words=" / ".join(s.of(text) for s in _widest(c.evidence)) or c.span.of(text),
        )
        for c in heard.clauses
    )


def _widest(spans: tuple[Span, ...]) -> list[Span]:
    """Evidence without what lies inside other evidence."""
    return [s for s in spans if not any(o != s and o.start <= s.start and s.end <= o.end for o in spans)]


def _details(record: TurnRecord, tz: ZoneInfo) -> tuple[tuple[str, str], ...]:
    details = []
    if record.phase_before is not record.phase_after:
        details.append(("stood at", f"{labels.words(record.phase_before)}, then {labels.words(record.phase_after)}"))
    else:
        details.append(("stands at", labels.words(record.phase_after)))
    details.extend(_because(record.rules))
    if record.interpretation is not None:
        details.extend(_facts(record.interpretation.facts, tz))
    if record.reason is not None:
        details.append(("reason noted", labels.reason(record.reason.code)))
    return tuple(details)


def _because(rules: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """The deciding rule in words, where the catalogue has them."""
    said = sentence(rules[0]) if rules else ""
    return (("because", said),) if said else ()


def _facts(facts: Facts, tz: ZoneInfo) -> list[tuple[str, str]]:
    found = []
    if facts.option is not None:
        found.append(("picked", f"number {facts.option}"))
    if facts.windows:
        first = facts.windows[0]
        more = f" and {len(facts.windows) - 1} more" if len(facts.windows) > 1 else ""
        start, end = times.moment(first.start.astimezone(tz)), times.moment(first.end.astimezone(tz))
        found.append(("suits", f"{start} to {end}{more}"))
    if facts.call_at is not None:
        found.append(("call at", times.moment(facts.call_at.astimezone(tz))))
    if facts.until is not None:
        found.append(("not before", f"{facts.until:%a %b} {facts.until.day}"))
    return found


def _text(row: OutboxRow, record: TurnRecord, tz: ZoneInfo) -> Entry:
    message = row.message
    status = row.delivery.value if row.delivery else row.status.value
    unsent = row.status is not OutboxStatus.SENT
    return Entry(
        (row.sent_at or row.created_at).astimezone(tz),
        Side.OFFICE,
        text=message.body.get_secret_value(),
        title=f"{labels.words(status)}, not sent" if unsent else "",
        tone=Tone.STOP if unsent else Tone.PLAIN,
        rules=(row.rule,) if row.rule else record.rules,
        detail=(
            *_because((row.rule,) if row.rule else record.rules),
            ("script", f"{message.script_id} version {message.script_version}"),
            ("language", message.language),
            ("approved by", message.approved_by),
            ("status", labels.words(status)),
            ("kind", labels.words(message.kind)),
        ),
    )


def _handoff(packet: HandoffPacket, record: TurnRecord, tz: ZoneInfo) -> Entry:
    topic = labels.words(packet.topics[0]) if packet.topics else labels.words(packet.kind)
    to = "Given to" if packet.kind.holds else "Task for"
    return Entry(
        record.at.astimezone(tz),
        Side.NOTE,
        title=f"{to} the {labels.words(packet.owner)}: {topic}",
        tone=labels.urgency_tone(packet.urgency),
        rules=(next((h.rule for h in record.handoffs if h.id == packet.id), ""),),
        detail=(
            ("urgency", labels.words(packet.urgency)),
            ("due", times.moment(packet.due_at.astimezone(tz))),
            ("summary", packet.summary),
            *((("drafted", packet.draft.marked),) if packet.draft and packet.draft.text else ()),
            ("suggested", packet.suggestion),
        ),
    )


def _ending(record: TurnRecord, office: OfficeProfile) -> Entry | None:
    """Where the turn led, if the reader must know: a booking, or an end."""
    at = record.at.astimezone(office.tz)
    if record.booking is not None:
        confirmed = record.booking.status is BookingStatus.CONFIRMED
        what = "Booked" if confirmed else f"Booking {labels.words(record.booking.status)}"
        title = f"{what}: {_visit(record.booking, office)}"
        return Entry(at, Side.NOTE, title=title, tone=Tone.GOOD if confirmed else Tone.CARE)
    if record.phase_after is record.phase_before:
        return None
    if record.phase_after is Phase.BOOKED:
        return Entry(at, Side.NOTE, title="Booked by staff", tone=Tone.GOOD)
    if record.phase_after not in _ENDS:
        return None
    title, tone = _ENDS[record.phase_after]
    return Entry(at, Side.NOTE, title=title, tone=tone)


def _visit(booking: Booking, office: OfficeProfile) -> str:
    provider = office.provider_name(booking.slot.provider_id)
    when = times.moment(booking.slot.start.astimezone(office.tz))
    return f"{when} with {provider}" if provider else when


def _note(record: TurnRecord | None, tz: ZoneInfo, title: str) -> Entry | None:
    if record is None:
        return None
    said = sentence(record.rules[0]) if record.rules else ""
    return Entry(record.at.astimezone(tz), Side.NOTE, title=f"{title}. {said}".strip(), rules=record.rules)
