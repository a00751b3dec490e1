"""Who gets a handoff that its owner did not acknowledge in time."""

from __future__ import annotations

from pydantic import Field

from treatment_agent.domain.handoff import Role, Urgency
from treatment_agent.domain.value import Value


def _next_owners() -> dict[Role, Role]:
    return {
        Role.FRONT_DESK: Role.TREATMENT_COORDINATOR,
        Role.TREATMENT_COORDINATOR: Role.OFFICE_MANAGER,
        Role.INSURANCE_COORDINATOR: Role.OFFICE_MANAGER,
        Role.CLINICIAN: Role.OFFICE_MANAGER,
    }


def _minutes() -> dict[Urgency, int]:
    return {Urgency.NOW: 5, Urgency.TODAY: 60, Urgency.SOON: 240}


class Escalation(Value):
    """Who gets a handoff that its owner did not acknowledge in time, and how long the next one has.

    `minutes` of open office time, for what is urgent now of wall time. Whoever has no next owner keeps it: it is shown
    as overdue. Nobody gets the same handoff twice.
    """

    next_owner: dict[Role, Role] = Field(default_factory=_next_owners)
    minutes: dict[Urgency, int] = Field(default_factory=_minutes)
