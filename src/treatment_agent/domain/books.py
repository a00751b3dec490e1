"""What the ledger keeps and hands back: the rows behind the `Ledger` port."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pydantic import SecretStr

from treatment_agent.domain.consent import ConsentRecord, ConsentStatus
from treatment_agent.domain.conversation import Conversation, Disposition
from treatment_agent.domain.events import Event
from treatment_agent.domain.handoff import HandoffPacket
from treatment_agent.domain.messages import ApprovedMessage, Channel, DeliveryStatus, SendKind
from treatment_agent.domain.private import EmailAddress, PhoneNumber
from treatment_agent.domain.treatment import Case
from treatment_agent.domain.turn import TurnRecord

if TYPE_CHECKING:
    from treatment_agent.domain.inputs import TurnInputs

NOT_IN_EXPORT: Final = "queue.not-in-export"
"""The skip rule of a case that the last complete export left out: on hold until a later one names it again."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One action or one non-action, with its machine-readable reason (P10).

    `action` is a short verb (`send`, `skip`, `hand_off`, `book`, `defer`, `close`, ...); `detail` holds codes such as
    script ids, points per factor or dates. Never a name, an address or a patient's words.
    """

    at: datetime
    action: str
    rule: str
    detail: str = ""
    conversation_id: str | None = None
    patient_id: str | None = None
    event_id: str | None = None


@dataclass(frozen=True, slots=True)
class Enrolment:
    """One case to be put on the books: eligible (queued, due) or skipped (`skip_rule` says why)."""

    case: Case
    score: int = 0
    due_at: datetime | None = None
    skip_rule: str | None = None
    journal: tuple[JournalEntry, ...] = ()
    consents: tuple[ConsentRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class FamilyChange:
    """A case that now speaks for others on its number, rides along with one, or stands alone again."""

    before: Conversation
    after: Conversation
    skip_rule: str | None
    entry: JournalEntry


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event on the books with the text that came with it, if any. `outcome` is set once it has been handled."""

    seq: int
    conversation_id: str
    event: Event
    text: SecretStr | None = None
    outcome: TurnRecord | None = None
    sender: PhoneNumber | EmailAddress | None = None


class Freshness(StrEnum):
    """Whether a claim was the first of its provider message id."""

    NEW = "new"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class Claim:
    """Answer to claiming an event id: stored now, or already known (then `stored` is the first one)."""

    freshness: Freshness
    stored: StoredEvent


class OutboxStatus(StrEnum):
    """pending -> sending -> sent | failed | doubtful; or cancelled before it was sent."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    DOUBTFUL = "doubtful"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One approved text on its way. `rule` says why it was cancelled or failed."""

    message: ApprovedMessage
    event_id: str
    status: OutboxStatus
    created_at: datetime
    sent_at: datetime | None = None
    provider_message_id: str | None = None
    delivery: DeliveryStatus | None = None
    rule: str = ""
    seq: int = 0


@dataclass(frozen=True, slots=True)
class SendCheck:
    """What is asked before a text that we write first may start, with nobody else starting one meanwhile.

    `refusal` gets the facts of the conversation and how many such texts went out since `day_began_at`; it returns the
    rule that forbids the text, or None. It must not call the ledger.
    """

    day_began_at: datetime
    refusal: Callable[[ConversationFacts, int], str | None]


@dataclass(frozen=True, slots=True)
class SentMark:
    """When and why something went out to a contact point: what caps are counted on."""

    at: datetime
    kind: SendKind
    conversation_id: str


@dataclass(frozen=True, slots=True)
class ContactFacts:
    """Consent for one contact point, now.

    `told_staff`: what stands is a revocation that this person told the office, not one that came from the number.
    `shared`: known to be another patient's number too; asked only where `told_staff` is true.
    `wrong_number`: whoever has it said that it is not the patient's, and no consent was recorded by staff since.
    """

    channel: Channel
    address: PhoneNumber | EmailAddress
    consent: ConsentStatus
    consent_at: datetime | None = None
    capable: bool = True
    told_staff: bool = False
    shared: bool = False
    wrong_number: bool = False


@dataclass(frozen=True, slots=True)
class ConversationFacts:
    """All that the ledger knows of one conversation, read in one go at the start of a turn.

    `sent` lists outreach and replies to the same contact points *and* household, newest first, for 60 days.
    `shared_with` are other conversations on the same number that were written to and are not ended.
    `last_patient_at` is when the patient last wrote. `call_made`: staff have seen to the call that the case is about.
    """

    conversation: Conversation
    case: Case | None
    contacts: tuple[ContactFacts, ...] = ()
    sent: tuple[SentMark, ...] = ()
    shared_with: tuple[str, ...] = ()
    open_handoffs: tuple[HandoffPacket, ...] = ()
    last_staff_at: datetime | None = None
    last_patient_at: datetime | None = None
    revoked_at: datetime | None = None
    skip_rule: str | None = None
    call_made: bool = False

    @property
    def unlisted(self) -> bool:
        """True while the case is on hold because the last complete export left it out."""
        return self.skip_rule == NOT_IN_EXPORT


@dataclass(frozen=True, slots=True)
class TurnCommit:
    """Everything one turn writes, in one transaction. Committing the same `record.id` twice changes nothing.

    `undelivered` are the ids of handoffs that the staff desk refused: it is asked again until it takes them.
    `inputs` is what the turn was decided on, for a replay.
    """

    record: TurnRecord
    conversation: Conversation
    outbox: tuple[ApprovedMessage, ...] = ()
    handoffs: tuple[HandoffPacket, ...] = ()
    journal: tuple[JournalEntry, ...] = ()
    attach_words_to: str | None = None
    undelivered: tuple[str, ...] = ()
    inputs: TurnInputs | None = None


@dataclass(frozen=True, slots=True)
class ConversationRow:
    """One line of the work list."""

    conversation: Conversation
    case: Case | None
    score: int
    enrolled_at: datetime
    skip_rule: str | None = None

    @property
    def entered(self) -> bool:
        """True when it is followed up, or was until an export left it out."""
        return self.skip_rule is None or self.conversation.first_sent_at is not None


@dataclass(frozen=True, slots=True)
class ModelTally:
    """What a language model did and took: messages it was asked about, and the conversations they belong to.

    `resolved` and `added` count messages where it made routine of what was unclear here, and where it found a topic
    that was not found here; `disagreed` all where it read something else. `failures` counts attempts by kind,
    `unanswered` messages that it did not help with. `milliseconds` is the waiting of all turns together, `slowest` that
    of the slowest one. `cached_tokens` are part of `input_tokens`. What summaries drafted for staff took stands apart.
    """

    conversations: int = 0
    messages: int = 0
    calls: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    milliseconds: int = 0
    slowest: int = 0
    unanswered: int = 0
    disagreed: int = 0
    resolved: int = 0
    added: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    drafts: int = 0
    draft_calls: int = 0
    draft_input_tokens: int = 0
    draft_output_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts for the funnel (`Coordinator.report`). Denominator: cases entered in the period."""

    entered: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    contacted: int = 0
    responded: int = 0
    booked: int = 0
    dispositions: dict[Disposition, int] = field(default_factory=dict)
    phases: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    declined_by_reason: dict[str, int] = field(default_factory=dict)
    handoffs_by_topic: dict[str, int] = field(default_factory=dict)
    booked_by_path: dict[str, int] = field(default_factory=dict)
    days_to_scheduled: tuple[int, ...] = ()
    opted_out: int = 0
    value_entered_cents: int = 0
    value_booked_cents: int = 0
    model: ModelTally = ModelTally()
