"""P8 and P10: nothing lost, nothing twice, and a reason for everything."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from treatment_agent.domain.books import OutboxStatus
from treatment_agent.evals.evidence import Books, Thread
from treatment_agent.evals.promises.breach import Broken
from treatment_agent.ledger.tables import storable

_RULE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,79}")
_UNFINISHED: Final = (OutboxStatus.PENDING, OutboxStatus.SENDING)


def once_and_none_lost(books: Books) -> Iterator[Broken]:
    """P8: every message that reached us is on the books once and handled, every text left at most once."""
    for thread in books.threads:
        yield from _unfinished(books, thread)
        yield from _sent_twice(books, thread)
    events = Counter(stored.event.id for thread in books.threads for stored in thread.events)
    yield from (Broken("P8", "", f"event {name} is on the books twice") for name, n in events.items() if n > 1)
    for arrival in books.watched.arrivals if books.watched else ():
        sender, said = arrival.message.sender, storable(arrival.message.text.get_secret_value())
        kept = [
            stored
            for thread in books.threads
            for stored in thread.events
            if stored.event.id.startswith(arrival.message.id) and stored.sender == sender
        ]
        if not kept:
            yield Broken("P8", "", f"message {arrival.message.id} was lost")
        elif all(stored.text is None or stored.text.get_secret_value() != said for stored in kept):
            yield Broken("P8", kept[0].conversation_id, f"message {arrival.message.id} lost its words")


def _unfinished(books: Books, thread: Thread) -> Iterator[Broken]:
    if not books.settled:
        return
    for stored in thread.events:
        if stored.outcome is None:
            yield Broken("P8", thread.id, f"event {stored.event.id} was never handled")
    for row in thread.outbox:
        if row.status is OutboxStatus.SENDING:
            yield Broken("P8", thread.id, f"text {row.message.key} is left between sending and sent")
        if row.status is OutboxStatus.DOUBTFUL and not _a_person_knows(thread, row.message.key):
            yield Broken("P8", thread.id, f"nobody knows that text {row.message.key} is in doubt")


def _a_person_knows(thread: Thread, key: str) -> bool:
    return any(getattr(stored.event, "send_key", None) == key and record.rules for stored, record in thread.handled)


def _sent_twice(books: Books, thread: Thread) -> Iterator[Broken]:
    if books.watched is None:
        return
    ours = [d.message.key for d in books.watched.departures if d.message.conversation_id == thread.id]
    known = {row.message.key for row in thread.outbox}
    for key, times in Counter(ours).items():
        if times > 1:
            yield Broken("P8", thread.id, f"text {key} left {times} times")
        if key not in known:
            yield Broken("P8", thread.id, f"text {key} left and is not on the books")


def every_step_has_a_reason(books: Books) -> Iterator[Broken]:
    """P10: every event, every text that did not leave and every patient has a machine-readable reason."""
    for thread in books.threads:
        for stored, record in thread.handled:
            if not record.rules or not all(_RULE.fullmatch(rule) for rule in record.rules):
                yield Broken("P10", thread.id, f"event {stored.event.id} was handled without a rule")
        for row in thread.outbox:
            if row.status not in (*_UNFINISHED, OutboxStatus.SENT) and not _RULE.fullmatch(row.rule):
                yield Broken("P10", thread.id, f"text {row.message.key} was {row.status} without a rule")
    for why in books.whys:
        if not why.lines:
            yield Broken("P10", why.patient_id, "`why` has no answer")
        for line in why.lines:
            if not line.action or not _RULE.fullmatch(line.rule):
                yield Broken("P10", why.patient_id, f"`why` tells of {line.action!r} without a rule")
