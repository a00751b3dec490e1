"""Whose word an event is, and for whom it counts."""

from __future__ import annotations

from collections.abc import Iterable

from treatment_agent.domain.books import StoredEvent
from treatment_agent.domain.consent import BY_STAFF, ConsentHow
from treatment_agent.domain.events import DeliveryReported, Event, PatientMessage, StaffAction
from treatment_agent.domain.turn import ConsentChange

COORDINATOR = "coordinator"  # who passes on what somebody else on the number said


def people(pending: Iterable[StoredEvent]) -> bool:
    """True while a person waits to be heard: what they said may forbid what is about to leave."""
    return any(isinstance(stored.event, PatientMessage | StaffAction) for stored in pending)


def for_others(event: Event) -> bool:
    """True for what was said on the number itself. An event that passes such a word on does not pass it on again."""
    return isinstance(event, PatientMessage | DeliveryReported) or (
        isinstance(event, StaffAction) and event.by != COORDINATOR
    )


def how_heard(change: ConsentChange) -> ConsentHow:
    """How a consent that is passed on was heard."""
    return change.how if change.how in BY_STAFF else ConsentHow.STAFF
