"""Who waits to be heard before anything may leave."""

from __future__ import annotations

from collections.abc import Iterable

from treatment_agent.domain.books import StoredEvent
from treatment_agent.domain.events import PatientMessage, StaffAction


def people(pending: Iterable[StoredEvent]) -> bool:
    """True while a person waits to be heard: what they said may forbid what is about to leave."""
    return any(isinstance(stored.event, PatientMessage | StaffAction) for stored in pending)
