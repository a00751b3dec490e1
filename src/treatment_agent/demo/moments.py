"""What the simulation tells whoever watches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from treatment_agent.coordinator.answers import EnrolmentReport, TurnOutcome


class What(StrEnum):
    """The kinds of things that happen."""

    ENROLLED = "enrolled"
    TOUCH = "touch"
    WROTE = "wrote"
    STAFF = "staff"
    CHART = "chart"
    UNTOLD = "untold"


@dataclass(frozen=True, slots=True)
class Happened:
    """One thing that happened. `words` are an invented patient's text, `note` a code or a file name."""

    at: datetime
    what: What
    patient_id: str = ""
    words: str = ""
    note: str = ""
    by: str = ""
    outcome: TurnOutcome | None = None
    enrolment: EnrolmentReport | None = None
