"""Consent: permission per contact point and purpose, and its withdrawal."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import AwareDatetime

from treatment_agent.domain.messages import Channel
from treatment_agent.domain.value import Value


class ConsentStatus(StrEnum):
    """`NONE` means nobody ever recorded anything: not a yes."""

    GRANTED = "granted"
    REVOKED = "revoked"
    NONE = "none"


class ConsentHow(StrEnum):
    """How a grant or revocation reached us."""

    CHART = "chart"
    KEYWORD = "keyword"
    WORDS = "words"
    STAFF = "staff"
    CARRIER = "carrier"
    WRONG_NUMBER = "wrong_number"


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
    purpose: str = "treatment_follow_up"


def is_active(status: ConsentStatus, at: datetime | None) -> bool:
    """True only for a recorded grant."""
    return status is ConsentStatus.GRANTED and at is not None
