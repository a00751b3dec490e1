"""Patients, the people who answer their phones, and how they wish to be written to."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from pydantic import Field, SecretStr

from treatment_agent.domain.private import EmailAddress, PersonalText, PhoneNumber
from treatment_agent.domain.value import Value


class PatientStatus(StrEnum):
    """Standing in the practice. Only `ACTIVE` patients are written to."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    DECEASED = "deceased"
    PROSPECTIVE = "prospective"


class Permission(StrEnum):
    """What the chart says about automated texts. `UNKNOWN` is not a yes."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Flag(StrEnum):
    """Things in the chart that change who follows up."""

    DO_NOT_CONTACT = "do_not_contact"
    PROTECTED = "protected"
    MEDICAL_ALERT = "medical_alert"
    BALANCE_DUE = "balance_due"
    OPEN_COMPLAINT = "open_complaint"
    PAYMENT_DISPUTE = "payment_dispute"
    PENDING_PREAUTHORIZATION = "pending_preauthorization"
    PREFERS_OTHER_WAY = "prefers_other_way"


class Contact(Value):
    """The owner of a phone or mailbox: the patient, or a guardian of a minor."""

    first_name: PersonalText
    mobile: PhoneNumber | None = None
    email: EmailAddress | None = None


class Patient(Value):
    """The person treated.

    `language` is ISO 639-1 (`en`, `es`); `zone` an IANA name if the chart knows where the patient lives, else None and
    the strictest of the number's, the address's and the office's zones is used. `household_id` groups people who share
    a guarantor. `detail_allowed`: the patient's recorded wish that texts may name the treatment.
    `benefits_end_month` is the last month of the dental plan's year, `missed_visits` how many visits were missed or
    cancelled late.
    """

    id: str
    first_name: PersonalText
    last_name: PersonalText = SecretStr("")
    born_on: date | None = None
    language: str = "en"
    status: PatientStatus = PatientStatus.ACTIVE
    mobile: PhoneNumber | None = None
    email: EmailAddress | None = None
    guardian: Contact | None = None
    household_id: str | None = None
    zone: str | None = None
    state: str | None = None
    postal_code: PersonalText | None = None
    sms: Permission = Permission.UNKNOWN
    emailing: Permission = Permission.UNKNOWN
    detail_allowed: bool = False
    benefits_end_month: int | None = Field(default=None, ge=1, le=12)
    missed_visits: int = Field(default=0, ge=0)
    flags: frozenset[Flag] = frozenset()

    def age_on(self, day: date) -> int | None:
        """Whole years on `day`, or None when the birthday is not known. The 18th birthday itself counts as 18."""
        if self.born_on is None:
            return None
        had_birthday = (day.month, day.day) >= (self.born_on.month, self.born_on.day)
        return day.year - self.born_on.year - (0 if had_birthday else 1)

    def contact_on(self, day: date) -> Contact:
        """Whom to write to on `day`: the patient, or for a minor the guardian (who may have no number: then nobody)."""
        age = self.age_on(day)
        if age is not None and age < 18:
            return self.guardian or Contact(first_name=SecretStr(""))
        return Contact(first_name=self.first_name, mobile=self.mobile, email=self.email)
