"""What came of playing a dialogue: every turn with what was said and done, and the final books."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from treatment_agent.coordinator.answers import TurnOutcome
from treatment_agent.domain.books import OutboxRow, StoredEvent
from treatment_agent.domain.consent import ConsentStatus
from treatment_agent.domain.consent_file import ContactFile
from treatment_agent.domain.conversation import Conversation
from treatment_agent.domain.handoff import HandoffPacket
from treatment_agent.domain.messages import ApprovedMessage
from treatment_agent.domain.scheduling import Booking, Slot
from treatment_agent.domain.treatment import Case
from treatment_agent.evals.dialogue import Dialogue
from treatment_agent.evals.moves import Edge
from treatment_agent.policies.practice import PracticePolicy


class Who(StrEnum):
    """Who did something, as the transcript tells it."""

    PATIENT = "patient"
    US = "us"
    STAFF = "staff"
    CHART = "chart"
    OFFICE = "office"
    FAULT = "fault"
    PLAYER = "player"


@dataclass(frozen=True, slots=True)
class Said:
    """One line of the transcript. `rule` decided it, `note` is a script id or a code, `reads` how it was understood."""

    at: datetime
    who: Who
    words: str
    note: str = ""
    rule: str = ""
    reads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """One text that a messenger took, when, and the case as the books had it then."""

    at: datetime
    message: ApprovedMessage
    case: Case | None = None


@dataclass(slots=True)
class PlayedTurn:
    """One turn. Number 0 is what happened before the first. `calls` are `port.method`, in order.

    After it, `holding` are the handoffs by which staff hold the writer's conversation, `standing` is the consent for
    the writer's address, and `waiting` the rules by which texts to the patient have not left.
    """

    number: int
    said: list[Said] = field(default_factory=list)
    outcomes: list[TurnOutcome] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    calls: tuple[str, ...] = ()
    rules: list[str] = field(default_factory=list)
    conversation: Conversation | None = None
    holding: tuple[HandoffPacket, ...] = ()
    standing: ConsentStatus = ConsentStatus.NONE
    waiting: tuple[str, ...] = ()
    unused_faults: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Books:
    """The final books. `journal`: the rule of every entry about a patient of the file, whoever it is."""

    conversations: dict[str, Conversation]
    cases: dict[str, Case]
    outbox: dict[str, tuple[OutboxRow, ...]]
    history: dict[str, tuple[StoredEvent, ...]]
    handoffs: tuple[HandoffPacket, ...]
    bookings: tuple[Booking, ...]
    contacts: tuple[ContactFile, ...]
    slots: tuple[Slot, ...]
    journal: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Played:
    """A dialogue that was played to its end, or to the turn that could not be played (`error`)."""

    dialogue: Dialogue
    policy: PracticePolicy
    turns: tuple[PlayedTurn, ...]
    books: Books
    sent: tuple[Sent, ...]
    edges: tuple[Edge, ...] = ()

    @property
    def main(self) -> str:
        """The id of the conversation with the file's patient."""
        return f"case-{self.dialogue.patient.id}"
