"""Shadow mode: real lists, calendar and messages; nothing leaves. What would have been sent, beside what staff did."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from treatment_agent.coordinator.adapters import Tools
from treatment_agent.domain.books import ConversationRow, OutboxStatus, StoredEvent
from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.events import ChartChange, ChartChanged, StaffAction, StaffVerb
from treatment_agent.domain.messages import SendKind
from treatment_agent.domain.office import LogEntry, LogKind
from treatment_agent.errors import ConfigurationError
from treatment_agent.ports import Ledger
from treatment_agent.tools.shadow import ShadowMessenger, ShadowScheduler


def in_shadow(ledger: Ledger, wanted: bool | None, *, now: datetime) -> bool:
    """Whether this ledger is kept in shadow mode; it is marked as such when that is `wanted` and it is empty yet.

    Raises:
        ConfigurationError: it is kept the other way. Texts that were only recorded must not count as sent, nor the
            other way round, so a ledger never changes sides.
    """
    kept = ledger.last_log(LogKind.MODE) is not None
    if wanted is None or wanted is kept:
        return kept
    if kept:
        raise ConfigurationError(
            "this ledger was kept in shadow mode: what it calls sent was only recorded; go live with another one"
        )
    if next(ledger.work_list(limit=1), None) is not None:
        raise ConfigurationError(
            "this ledger has live cases; shadow mode needs a ledger of its own, from its first day"
        )
    ledger.log(LogEntry(now, LogKind.MODE, "shadow"))
    return True


def shadowed(tools: Tools) -> Tools:
    """The same tools with nothing behind them that could leave: texts, bookings and handoffs are only recorded."""
    return replace(
        tools, messenger=ShadowMessenger(tools.messenger), scheduler=ShadowScheduler(tools.scheduler), desk=None
    )


class Compared(StrEnum):
    """Who would have been first. `WAITING`: neither has done anything about the case yet."""

    WE_FIRST = "we first"
    STAFF_FIRST = "staff first"
    ONLY_WE = "only we"
    ONLY_STAFF = "only staff"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class ShadowText:
    """A text that would have been sent."""

    at: datetime
    script_id: str
    kind: SendKind
    body: str


@dataclass(frozen=True, slots=True)
class StaffDeed:
    """What staff really did, and when we learnt of it: `booked`, `called`, `treated`, `declined`, `closed`, ..."""

    at: datetime
    what: str


@dataclass(frozen=True, slots=True)
class ShadowCase:
    """One case: what would have been sent, what would have come of it, and what staff did. `days` between the two."""

    conversation_id: str
    patient_id: str | None
    phase: Phase
    texts: tuple[ShadowText, ...]
    deeds: tuple[StaffDeed, ...]
    handoffs: int = 0

    @property
    def compared(self) -> Compared:
        """By our first text and the first thing staff did; staff win a tie."""
        ours, theirs = self.texts[:1], self.deeds[:1]
        if ours and theirs:
            return Compared.WE_FIRST if ours[0].at < theirs[0].at else Compared.STAFF_FIRST
        if ours:
            return Compared.ONLY_WE
        return Compared.ONLY_STAFF if theirs else Compared.WAITING

    @property
    def days(self) -> float | None:
        """Days by which our first text came before the first thing staff did; negative when staff were first."""
        if not self.texts or not self.deeds:
            return None
        return (self.deeds[0].at - self.texts[0].at).total_seconds() / 86_400


_CHART = {
    ChartChange.BOOKED: "booked",
    ChartChange.STAFF_CONTACT: "called",
    ChartChange.DONE: "treated",
    ChartChange.DECLINED: "declined",
}
_STAFF = {StaffVerb.BOOK: "booked", StaffVerb.CLOSE: "closed", StaffVerb.TAKE_OVER: "took over"}


def compare(ledger: Ledger) -> tuple[ShadowCase, ...]:
    """Every case that is followed up, in order of priority. One or two questions to the ledger for each."""
    return tuple(_case(ledger, row) for row in ledger.work_list() if row.skip_rule is None)


def _case(ledger: Ledger, row: ConversationRow) -> ShadowCase:
    conversation = row.conversation
    history = ledger.history(conversation.id)
    deeds = (*_from_export(row), *(deed for stored in history if (deed := _deed(stored)) is not None))
    # Who was never written to has no texts to look for.
    sent = ledger.outbox(conversation.id) if any(stored.outcome for stored in history) else ()
    texts = tuple(
        ShadowText(r.sent_at or r.created_at, r.message.script_id, r.message.kind, r.message.body.get_secret_value())
        for r in sent
        if r.status is OutboxStatus.SENT
    )
    return ShadowCase(
        conversation_id=conversation.id,
        patient_id=conversation.patient_id,
        phase=conversation.phase,
        texts=texts,
        deeds=tuple(sorted(set(deeds), key=lambda d: (d.at, d.what))),
        handoffs=sum(len(stored.outcome.handoffs) for stored in history if stored.outcome),
    )


def _from_export(row: ConversationRow) -> tuple[StaffDeed, ...]:
    """A call that a later list told of."""
    at = row.case.last_staff_contact_at if row.case else None
    return (StaffDeed(at, "called"),) if at is not None and at >= row.enrolled_at else ()


def _deed(stored: StoredEvent) -> StaffDeed | None:
    """What staff did, from an event; a visit that we found in the chart counts from when we found it."""
    event = stored.event
    if isinstance(event, ChartChanged):
        what = _CHART.get(event.change)
    elif isinstance(event, StaffAction):
        what = _STAFF.get(event.verb)
    else:
        found = stored.outcome is not None and "chart.booked" in stored.outcome.rules
        what = "booked" if found else None
    return None if what is None else StaffDeed(event.at, what)
