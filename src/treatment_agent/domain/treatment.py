"""Diagnosed treatment: procedures, families, and the case that gathers one patient's open treatment."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from pydantic import AwareDatetime, Field

from treatment_agent.domain.patients import Patient
from treatment_agent.domain.value import Value


class Family(StrEnum):
    """What kind of work a procedure is; booking templates and scope are set per family."""

    CROWN = "crown"
    BRIDGE = "bridge"
    FILLING = "filling"
    INLAY_ONLAY = "inlay_onlay"
    VENEER = "veneer"
    BUILD_UP = "build_up"
    ROOT_CANAL = "root_canal"
    EXTRACTION = "extraction"
    IMPLANT = "implant"
    DENTURE = "denture"
    PERIODONTAL = "periodontal"
    SURGERY = "surgery"
    SEDATION = "sedation"
    RECALL = "recall"
    OTHER = "other"


class ProcedureStatus(StrEnum):
    """Where a procedure stands in the chart."""

    PLANNED = "planned"
    SCHEDULED = "scheduled"
    COMPLETED = "completed"
    DECLINED = "declined"
    REFERRED = "referred"


# CDT code ranges -> family, first match wins. Ranges only: descriptors are licensed by the ADA (DOMAIN 6).
_RANGES: tuple[tuple[int, int, Family], ...] = (
    (100, 1999, Family.RECALL),
    (2140, 2394, Family.FILLING),
    (2510, 2664, Family.INLAY_ONLAY),
    (2710, 2799, Family.CROWN),
    (2928, 2934, Family.CROWN),
    (2949, 2957, Family.BUILD_UP),
    (2960, 2962, Family.VENEER),
    (3310, 3348, Family.ROOT_CANAL),
    (4341, 4342, Family.PERIODONTAL),
    (4910, 4910, Family.RECALL),
    (5000, 5899, Family.DENTURE),
    (6010, 6199, Family.IMPLANT),
    (6205, 6253, Family.BRIDGE),
    (6545, 6634, Family.BRIDGE),
    (6710, 6793, Family.BRIDGE),
    (7111, 7251, Family.EXTRACTION),
    (7252, 7999, Family.SURGERY),
    (9219, 9248, Family.SEDATION),
)


def family_of(code: str) -> Family:
    """The family of a CDT code such as `D2740`; `OTHER` for anything not in the table."""
    digits = code.strip().upper().removeprefix("D")[:4]
    if not digits.isdigit() or len(digits) != 4:
        return Family.OTHER
    number = int(digits)
    return next((family for low, high, family in _RANGES if low <= number <= high), Family.OTHER)


class CaseKind(StrEnum):
    """Why a case is on the list. Each kind has its own cadence and texts (`policies.workflows`)."""

    UNSCHEDULED = "unscheduled"
    CALL_BACK = "call_back"
    PREAUTHORIZED = "preauthorized"
    MISSED_VISIT = "missed_visit"


class Procedure(Value):
    """One line of a treatment plan: code + tooth + surface. `fee_cents` is the office's fee, never texted."""

    id: str
    code: str = Field(pattern=r"^D\d{4}$")
    tooth: str = ""
    surface: str = ""
    fee_cents: int = Field(default=0, ge=0)
    provider_id: str = ""
    status: ProcedureStatus = ProcedureStatus.PLANNED
    diagnosed_on: date | None = None
    plan_priority: str = ""
    family: Family = Family.OTHER

    def model_post_init(self, context: object, /) -> None:
        """Read the family off the code where the source gave none."""
        if self.family is Family.OTHER:
            object.__setattr__(self, "family", family_of(self.code))


class Case(Value):
    """One patient's open treatment, and what the conversation is about.

    `visit_on` is the day of the visit at which it was diagnosed. `next_visit_at` is any future appointment the source
    knows of, with its provider and teeth where those are known. `confirmed_on` is the last day on which the doctor said
    that the diagnosis still stands. `synced_at` tells how fresh the source was. `id` is also the conversation's id and
    the first part of every idempotency key, so it holds no colon and no space.
    """

    id: str = Field(pattern=r"^[^\s:]{1,120}$")
    patient: Patient
    kind: CaseKind = CaseKind.UNSCHEDULED
    procedures: tuple[Procedure, ...] = Field(min_length=1)
    provider_id: str = ""
    visit_on: date | None = None
    next_visit_at: AwareDatetime | None = None
    next_visit_provider_id: str = ""
    next_visit_teeth: str = ""
    confirmed_on: date | None = None
    last_staff_contact_at: AwareDatetime | None = None
    synced_at: AwareDatetime | None = None

    @property
    def diagnosed_on(self) -> date | None:
        """The earliest day on which any of the procedures was diagnosed."""
        days = [p.diagnosed_on for p in self.procedures if p.diagnosed_on]
        return min(days, default=self.visit_on)

    @property
    def open_procedures(self) -> tuple[Procedure, ...]:
        """Procedures that are planned and not yet scheduled."""
        return tuple(p for p in self.procedures if p.status is ProcedureStatus.PLANNED)

    @property
    def value_cents(self) -> int:
        """Sum of the fees of the open procedures, in cents."""
        return sum(p.fee_cents for p in self.open_procedures)


class ChartStatus(Value):
    """What the system of record says right now about a patient and the case's procedures (the P9 question).

    `procedures` maps procedure id -> status; an id that is missing is unknown to the chart. `next_visit_at` is any
    future appointment, whoever made it. `as_of` is when these answers were true; None means at the moment of asking.
    """

    patient_status: str = "active"
    procedures: dict[str, ProcedureStatus] = Field(default_factory=dict)
    next_visit_at: AwareDatetime | None = None
    next_visit_provider_id: str = ""
    next_visit_teeth: str = ""
    do_not_contact: bool = False
    last_staff_contact_at: datetime | None = None
    as_of: AwareDatetime | None = None
