"""Who is in a dialogue file: the practice, the patient, their treatment, and other people."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field, SecretStr

from treatment_agent.domain.messages import Channel
from treatment_agent.domain.patients import Contact, Flag, Patient, PatientStatus, Permission
from treatment_agent.domain.private import EmailAddress, PersonalText, PhoneNumber
from treatment_agent.domain.scheduling import Authority
from treatment_agent.domain.treatment import CaseKind, Procedure
from treatment_agent.domain.value import Value


class Person(Patient):
    """The patient. All fields have a default: an adult with a mobile number who agreed to texts."""

    id: str = Field(default="ana", pattern=r"^[a-z0-9-]{1,40}$")
    first_name: PersonalText = SecretStr("Ana")
    born_on: date | None = date(1980, 5, 4)
    mobile: PhoneNumber | None = PhoneNumber("+13125550117")
    sms: Permission = Permission.YES
    no_mobile: bool = False

    def as_patient(self) -> Patient:
        """The same person as a list has them; with `no_mobile` there is no number."""
        fields = {name: getattr(self, name) for name in Patient.model_fields}
        return Patient.model_validate(fields | ({"mobile": None} if self.no_mobile else {}))


class PatientChanges(Value):
    """What a newer list says differently about the patient."""

    first_name: PersonalText | None = None
    language: str | None = None
    status: PatientStatus | None = None
    mobile: PhoneNumber | None = None
    email: EmailAddress | None = None
    guardian: Contact | None = None
    born_on: date | None = None
    sms: Permission | None = None
    emailing: Permission | None = None
    detail_allowed: bool | None = None
    flags: frozenset[Flag] | None = None


class TreatmentRow(Procedure):
    """One planned procedure. All fields have a default: a crown, diagnosed at the visit, with Dr. Lee."""

    id: str = ""
    code: str = Field(default="D2740", pattern=r"^D\d{4}$")
    tooth: str = "30"
    fee_cents: int = Field(default=125_000, ge=0)
    provider_id: str = "lee"


class Other(Person):
    """Another patient of the practice, with a list of treatment of their own."""

    case: tuple[TreatmentRow, ...] = (TreatmentRow(),)
    kind: CaseKind = CaseKind.UNSCHEDULED


class PracticeSeed(Value):
    """The practice: Maple Dental of the demo, with the openings that are written here.

    `openings` are starting times, each `minutes` long, with `provider`; without them there is one on each of 20
    workdays from the fourth day after `now`, at 9 and at 2 in turn. `authority = "propose"`: the calendar only takes
    requests. `policy` overrides single settings of the policy: `[practice.policy.contact]`, then `max_per_week = 1`.
    """

    openings: tuple[datetime, ...] | None = None
    minutes: int = Field(default=90, gt=0)
    provider: str = "lee"
    authority: Authority = Authority.BOOK
    can_reschedule: bool = True
    channels: tuple[Channel, ...] = (Channel.SMS, Channel.EMAIL)
    policy: dict[str, object] = Field(default_factory=dict)


class InterpreterSeed(Value):
    """Who understands the messages: `local`, or `module:name` of an interpreter, its class or a function making one."""

    use: str = Field(default="local", pattern=r"^(local|[\w.]+:[\w.]+)$")
