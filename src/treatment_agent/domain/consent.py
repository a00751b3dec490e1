"""Consent: permission per contact point and purpose, and its withdrawal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from pydantic import AwareDatetime, Field

from treatment_agent.domain.messages import Channel
from treatment_agent.domain.patients import Permission
from treatment_agent.domain.value import Value

FOLLOW_UP: Final = "treatment_follow_up"
"""The purpose of this coordinator's own texts."""
EVERYTHING: Final = "all"
"""Every purpose of the office: what a revocation means unless somebody recorded less."""


PASSED_ON: Final = "coordinator"
"""Who recorded a grant or revocation that somebody else on the same number said (`ConsentRecord.by`)."""


def concerns_us(purpose: str) -> bool:
    """True for what counts for our texts: follow-up itself, or everything. Empty means the default."""
    return purpose in ("", FOLLOW_UP, EVERYTHING)


class ConsentStatus(StrEnum):
    """`NONE` means nobody ever recorded anything: not a yes."""

    GRANTED = "granted"
    REVOKED = "revoked"
    NONE = "none"


class ConsentHow(StrEnum):
    """How a grant or revocation reached us. From `STAFF` on, a member of staff heard or read it and wrote it down."""

    CHART = "chart"
    KEYWORD = "keyword"
    WORDS = "words"
    CARRIER = "carrier"
    WRONG_NUMBER = "wrong_number"
    STAFF = "staff"
    PHONE = "phone"
    VOICEMAIL = "voicemail"
    IN_PERSON = "in_person"
    PAPER = "paper"
    WEB_FORM = "web_form"
    EMAIL = "email"
    LETTER = "letter"


BY_STAFF: Final = tuple(ConsentHow)[tuple(ConsentHow).index(ConsentHow.STAFF) :]


class ConsentNote(Value):
    """What staff write down beside a grant or revocation.

    `evidence` is where the proof is: the number of a form, a call or a note, never a name or somebody's words.
    `purpose` is empty for the default: a grant is for follow-up, a revocation for everything. `channel` narrows a grant
    to phones or mailboxes; a revocation always binds every contact point of the person.
    """

    how: ConsentHow = ConsentHow.STAFF
    evidence: str = Field(default="", pattern=r"^[\w.:/#-]{0,80}$")
    purpose: str = Field(default="", pattern=r"^[a-z_]{0,40}$")
    channel: Channel | None = None


class ConsentRecord(Value):
    """One entry: who said what, when and how. `evidence` is an event id or a staff note id, never a patient's text.

    Revocations apply to the whole office and every channel of the person by default (DOMAIN 5, revoke-all).
    """

    status: ConsentStatus
    at: AwareDatetime
    how: ConsentHow
    by: str = ""
    evidence: str = ""
    channel: Channel = Channel.SMS
    purpose: str = FOLLOW_UP


@dataclass(frozen=True, slots=True)
class ConsentWrite:
    """A wish that the chart has not heard of; `numbers` are the entries it sums up, the last one decides."""

    numbers: tuple[int, ...]
    patient_id: str
    channel: Channel
    permission: Permission


def is_active(status: ConsentStatus, at: datetime | None) -> bool:
    """True only for a recorded grant."""
    return status is ConsentStatus.GRANTED and at is not None
