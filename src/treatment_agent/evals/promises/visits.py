"""P6: visits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from treatment_agent.domain.books import OutboxRow
from treatment_agent.domain.scheduling import Booking, BookingStatus, Slot
from treatment_agent.domain.treatment import Family
from treatment_agent.evals.evidence import Books, Thread
from treatment_agent.evals.promises.breach import Broken
from treatment_agent.evals.witness import Departure

_LIVE: Final = (BookingStatus.REQUESTED, BookingStatus.CONFIRMED)
_SAYS_BOOKED: Final = ("booked", "moved")


def one_true_visit(books: Books) -> Iterator[Broken]:
    """P6: a booking is for an offered slot that fits, at most once per procedure, and "booked" is said only if so."""
    yield from _at_most_once(books)
    for thread in books.threads:
        for booking in _made(books, thread):
            for complaint in _complaints(books, thread, booking):
                yield Broken("P6", thread.id, f"booking {booking.key} {complaint}")
    for thread, row, departure in books.left():
        if row.message.script_id in _SAYS_BOOKED and not _is_true(thread, row, departure):
            yield Broken("P6", thread.id, f"{row.message.script_id} {row.message.key} without a confirmed visit")


def _made(books: Books, thread: Thread) -> list[Booking]:
    """Bookings of a conversation: by the calendar's own word where somebody watched it, and by the books'."""
    known = {b.key: b for _, record in thread.handled if (b := record.booking) is not None}
    watched = books.watched.bookings if books.watched else ()
    known |= {b.key: b for b in watched if b.key.startswith(f"{thread.id}:")}
    return list(known.values())


def _at_most_once(books: Books) -> Iterator[Broken]:
    for thread in books.threads:
        calendar = {b.key: b for b in books.watched.bookings} if books.watched else {}
        live = [b for b in _made(books, thread) if b.status in _LIVE and (not calendar or b.key in calendar)]
        counted = Counter(procedure for booking in live for procedure in booking.procedure_ids)
        for procedure, times in counted.items():
            if calendar and times > 1:
                yield Broken("P6", thread.id, f"procedure {procedure} is booked {times} times")


def _complaints(books: Books, thread: Thread, booking: Booking) -> Iterator[str]:
    event_id = booking.key.removeprefix(f"{thread.id}:").removesuffix(":book")
    offered = {s for _, record in thread.before(event_id) for send in record.sends for s in send.facts.slots}
    if booking.slot not in offered:
        yield "is for a slot that was never offered in this conversation"
    case = thread.facts.case
    procedures = {p.id: p for p in case.procedures} if case else {}
    families = {procedures[p].family for p in booking.procedure_ids if p in procedures}
    if not booking.procedure_ids or not set(booking.procedure_ids) <= set(procedures):
        yield "is for procedures that are not the case's"
    elif not _fits(books, booking.slot, families):
        yield "does not fit the template of its family"


def _fits(books: Books, slot: Slot, families: set[Family]) -> bool:
    """Long enough for one of the families that are done together, and an opening of such a family."""
    templates = [t for family in families if (t := books.policy.template_for(family)) is not None]
    right = slot.family in (*families, Family.OTHER)
    return right and any(slot.length >= timedelta(minutes=t.minutes) for t in templates)


def _is_true(thread: Thread, row: OutboxRow, departure: Departure) -> bool:
    """The visit stood as confirmed when the text left: in the calendar, or on the books if nobody watched."""
    if departure.confirmed is not None:
        return bool(departure.confirmed)
    seen = [*thread.before(row.event_id), *((s, r) for s, r in thread.handled if s.event.id == row.event_id)]
    statuses = [record.booking.status for _, record in seen if record.booking is not None]
    return bool(statuses) and statuses[-1] is BookingStatus.CONFIRMED
