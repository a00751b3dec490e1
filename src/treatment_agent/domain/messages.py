"""What comes in, what goes out, and the permit without which nothing goes out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from pydantic import AwareDatetime, Field, SecretStr

from treatment_agent.domain.private import EmailAddress, PhoneNumber
from treatment_agent.domain.scheduling import Slot
from treatment_agent.domain.value import Storable, Value


class Channel(StrEnum):
    """How a text travels."""

    SMS = "sms"
    EMAIL = "email"


class InboundMessage(Value):
    """A text from outside.

    `id` is the provider's own message id: the same id is the same message, handled once. `media` counts attached
    pictures or sounds. `carrier_opt_out` is set when the carrier or provider already answered a STOP keyword itself.
    """

    id: Storable = Field(min_length=1, max_length=200)
    sender: PhoneNumber | EmailAddress
    text: SecretStr = SecretStr("")
    received_at: AwareDatetime
    channel: Channel = Channel.SMS
    media: int = Field(default=0, ge=0)
    carrier_opt_out: bool = False


class SendKind(StrEnum):
    """Why a text goes out; decides which rules apply at the boundary.

    `OUTREACH` is us writing first: quiet hours and caps apply. `REPLY` answers a patient's own message. `HANDOFF`,
    `EMERGENCY` and `OPT_OUT` are the one approved text each that P1 and P2 allow.
    """

    OUTREACH = "outreach"
    REPLY = "reply"
    HANDOFF = "handoff"
    EMERGENCY = "emergency"
    OPT_OUT = "opt_out"


@dataclass(frozen=True, slots=True)
class ScriptFacts:
    """The verified facts a script may be filled with, beside the office profile and the patient's first name.

    All are enums, times or ids; nothing here is a patient's words.
    """

    slots: tuple[Slot, ...] = ()
    visit_on: date | None = None
    provider_id: str | None = None
    call_at: datetime | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class PlannedSend:
    """A decision to send one script, before it is rendered. Small enough for a checkpoint: no text, no name."""

    key: str
    script_id: str
    language: str
    kind: SendKind
    facts: ScriptFacts = ScriptFacts()
    channel: Channel = Channel.SMS


@dataclass(frozen=True, slots=True)
class ApprovedMessage:
    """The permit a messenger needs to send. Only `policies.outbound` constructs one.

    `key` is the idempotency key `conversation:event:action`. `body` is the script filled with verified facts;
    `content_hash` is the SHA-256 of the script as approved (before filling).
    """

    key: str
    conversation_id: str
    to: PhoneNumber | EmailAddress
    channel: Channel
    body: SecretStr
    subject: str
    script_id: str
    script_version: int
    language: str
    approved_by: str
    content_hash: str
    kind: SendKind


@dataclass(frozen=True, slots=True)
class Receipt:
    """The messenger's word that it took a message: the provider's own id for it."""

    provider_message_id: str
    segments: int = 1


class Lookup(StrEnum):
    """Answer to "did this key go out?": `UNKNOWN` means the provider cannot tell, so a person decides."""

    SENT = "sent"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"


class DeliveryStatus(StrEnum):
    """What became of a message, in the order it may only move forward."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"


class DeliveryReport(Value):
    """A provider's status callback. `opted_out`: the carrier refused because the person opted out (Twilio 21610)."""

    id: Storable
    provider_message_id: Storable
    status: DeliveryStatus
    reported_at: AwareDatetime
    error_code: Storable = ""
    opted_out: bool = False
