"""Everything on the books about one contact point: what a lawyer asks for, in order of time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pydantic import SecretStr

from treatment_agent.domain.consent import ConsentHow, ConsentStatus, concerns_us
from treatment_agent.domain.messages import Channel, SendKind
from treatment_agent.domain.private import EmailAddress, PhoneNumber


@dataclass(frozen=True, slots=True)
class ConsentEntry:
    """One grant or revocation: when it was said (`at`), when written down, by whom, how, for what, and the proof.

    `words` is what the patient wrote, where the proof is a message of theirs.
    """

    at: datetime
    recorded_at: datetime
    status: ConsentStatus
    how: ConsentHow
    by: str
    purpose: str
    evidence: str
    patient_id: str | None
    words: SecretStr | None = None


@dataclass(frozen=True, slots=True)
class SentEntry:
    """One text of ours and what became of it. `status_at` is when it was sent, cancelled or refused.

    `approved_by` and `content_hash` belong to the script as it was approved; `rule` says why it was not sent.
    """

    created_at: datetime
    status_at: datetime
    status: str
    kind: SendKind
    script_id: str
    script_version: int
    language: str
    approved_by: str
    content_hash: str
    rule: str
    provider_message_id: str | None
    delivery: str | None
    body: SecretStr


@dataclass(frozen=True, slots=True)
class ReceivedEntry:
    """One message from this contact point, and the rules by which it was handled."""

    at: datetime
    event_id: str
    rules: tuple[str, ...]
    words: SecretStr


@dataclass(frozen=True, slots=True)
class ContactFile:
    """The whole file of a phone number or mailbox. `patients` have it now, `former_patients` had it before."""

    address: PhoneNumber | EmailAddress
    channel: Channel
    patients: tuple[str, ...]
    former_patients: tuple[str, ...]
    incapable_rule: str | None
    consents: tuple[ConsentEntry, ...]
    sent: tuple[SentEntry, ...]
    received: tuple[ReceivedEntry, ...]

    def standing_at(self, moment: datetime) -> ConsentStatus:
        """What stood for a text of ours that left at `moment`; a revocation of that very instant came after it."""
        said = [
            c.status
            for c in self.consents
            if concerns_us(c.purpose) and (c.at < moment or (c.at == moment and c.status is ConsentStatus.GRANTED))
        ]
        return said[-1] if said else ConsentStatus.NONE

    @property
    def standing(self) -> ConsentStatus:
        """What stands now."""
        said = [c.status for c in self.consents if concerns_us(c.purpose)]
        return said[-1] if said else ConsentStatus.NONE

    @property
    def sent_after_revocation(self) -> tuple[SentEntry, ...]:
        """Texts that left while a revocation stood, other than its confirmation and an emergency text.

        The confirmation is told by its kind; of a second one, or a late one, `sent` tells.
        """
        allowed = (SendKind.OPT_OUT, SendKind.EMERGENCY)
        return tuple(
            text
            for text in self.sent
            if text.status == "sent"
            and text.kind not in allowed
            and self.standing_at(text.status_at) is ConsentStatus.REVOKED
        )
