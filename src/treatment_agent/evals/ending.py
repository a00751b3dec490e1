"""Judges the final books of a played dialogue against its `[end]`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar
from zoneinfo import ZoneInfo

from treatment_agent.domain.books import OutboxStatus
from treatment_agent.domain.conversation import Conversation
from treatment_agent.domain.handoff import HandoffPacket
from treatment_agent.domain.interpretation import Reason
from treatment_agent.domain.scheduling import Booking
from treatment_agent.evals.expectations import ExpectedBooking, ExpectedHandoff
from treatment_agent.evals.findings import Finding
from treatment_agent.evals.played import Played
from treatment_agent.evals.telling import NOTHING, aware, told

STRANGER = "stranger"
Wanted = TypeVar("Wanted")
Got = TypeVar("Got")
Wrong = Callable[[str, object, object], Finding]


def judge(played: Played) -> Iterator[Finding]:
    """Everything that does not stand as `[end]` says."""
    end, books, main = played.dialogue.end, played.books, played.books.conversations.get(played.main)
    if main is None:
        yield Finding(None, "end", "a conversation with the patient", NOTHING)
        return
    rule = next((r for turn in reversed(played.turns) for o in reversed(turn.outcomes) for r in o.rules[:1]), "")

    def wrong(key: str, expected: object, got: object) -> Finding:
        return Finding(None, f"end.{key}", told(expected), told(got), rule)

    for key, expected, got in _compared(played, main):
        if expected != got:
            yield wrong(key, expected, got)
    if not _same(end.bookings, books.bookings, _booking_fits(played.policy.office.tz)):
        yield wrong("bookings", end.bookings, tuple(_booking_told(b) for b in books.bookings))
    if not _same(end.handoffs, books.handoffs, _handoff_fits):
        yield wrong("handoffs", end.handoffs, tuple(_handoff_told(h) for h in books.handoffs))
    yield from _others(played, wrong)


def _compared(played: Played, main: Conversation) -> Iterator[tuple[str, object, object]]:
    """What must simply be equal, as (key, expected, got)."""
    end = played.dialogue.end
    yield "phase", end.phase, main.phase
    yield "disposition", end.disposition or main.disposition, main.disposition
    yield "language", end.language or main.language, main.language
    yield "sent", end.sent, _left(played, played.main)
    yield "reasons", end.reasons, _reasons_on_books(played)
    yield "consent", end.consent, _standing(played)


def _others(played: Played, wrong: Wrong) -> Iterator[Finding]:
    books = played.books
    for name, expected in played.dialogue.end.others.items():
        strangers = [one for one in books.conversations if one not in books.cases]
        conversation_id = strangers[0] if name == STRANGER and strangers else f"case-{name}"
        found = books.conversations.get(conversation_id)
        if found is None:
            yield wrong(f"others.{name}", "a conversation", NOTHING)
            continue
        if found.phase is not expected.phase:
            yield wrong(f"others.{name}.phase", expected.phase, found.phase)
        if expected.disposition is not None and found.disposition is not expected.disposition:
            yield wrong(f"others.{name}.disposition", expected.disposition, found.disposition)
        if _left(played, conversation_id) != expected.sent:
            yield wrong(f"others.{name}.sent", expected.sent, _left(played, conversation_id))


def _left(played: Played, conversation_id: str) -> tuple[str, ...]:
    rows = played.books.outbox.get(conversation_id, ())
    return tuple(row.message.script_id for row in rows if row.status is OutboxStatus.SENT)


def _standing(played: Played) -> object:
    """What stands for the patient's number, or mailbox if there is no number."""
    case = played.books.cases.get(played.main)
    address = (case.patient.mobile or case.patient.email) if case else None
    for file in played.books.contacts:
        if file.address == address:
            return file.standing
    return played.turns[-1].standing


def _reasons_on_books(played: Played) -> tuple[Reason, ...]:
    history = played.books.history.get(played.main, ())
    return tuple(e.outcome.reason.code for e in history if e.outcome is not None and e.outcome.reason is not None)


def _same(expected: Sequence[Wanted], got: Sequence[Got], fits: Callable[[Wanted, Got], bool]) -> bool:
    return len(expected) == len(got) and all(fits(one, other) for one, other in zip(expected, got, strict=True))


def _booking_fits(zone: ZoneInfo) -> Callable[[ExpectedBooking, Booking], bool]:
    def fits(expected: ExpectedBooking, booking: Booking) -> bool:
        return (
            booking.status is expected.status
            and (expected.at is None or booking.slot.start == aware(expected.at, zone))
            and (expected.procedures is None or booking.procedure_ids == expected.procedures)
        )

    return fits


def _handoff_fits(expected: ExpectedHandoff, packet: HandoffPacket) -> bool:
    return (
        packet.kind is expected.kind
        and packet.urgency is expected.urgency
        and (expected.topic is None or packet.topics[:1] == (expected.topic,))
        and expected.owner in (None, packet.owner)
        and expected.status in (None, packet.status)
    )


def _booking_told(booking: Booking) -> str:
    procedures = ", ".join(booking.procedure_ids)
    return f"{booking.status.value} at {booking.slot.start:%Y-%m-%dT%H:%M} for {procedures}"


def _handoff_told(packet: HandoffPacket) -> str:
    topics = f" {', '.join(packet.topics)}" if packet.topics else ""
    return f"{packet.kind.value}{topics} {packet.urgency.value} for {packet.owner.value}, {packet.status.value}"
