"""What a patient's message was understood to mean.

Evidence is kept as offsets into the message, never as words: an interpretation may stand in a checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

from pydantic import SecretStr

from treatment_agent.domain.scheduling import Slot, Window


class Topic(StrEnum):
    """What a person must answer. The order is the order of precedence: the first one names a message with several."""

    EMERGENCY = "emergency"
    SENSITIVE = "sensitive"
    CLINICAL = "clinical"
    COMPLAINT = "complaint"
    IDENTITY = "identity"
    INSURANCE = "insurance"
    FINANCING = "financing"
    HUMAN = "human"
    OTHER = "other"


class Intent(StrEnum):
    """Routine things the coordinator may act on alone (the allow-list of P4), the one to act on first coming first."""

    OPT_OUT = "opt_out"
    DECLINE = "decline"
    ALREADY = "already"
    CHANGE = "change"
    CALLBACK = "callback"
    ACCEPT = "accept"
    OTHER_TIMES = "other_times"
    DEFER = "defer"
    LINK = "link"
    AFFIRM = "affirm"
    LOGISTICS = "logistics"
    WHO = "who"
    ACK = "ack"


class Reason(StrEnum):
    """Why a patient has not scheduled yet (DOMAIN 7)."""

    COST = "cost"
    INSURANCE = "insurance_coverage"
    FEAR = "fear_anxiety"
    TIME = "time_work_childcare"
    TRAVEL = "travel_distance"
    NOT_URGENT = "no_symptoms_not_urgent"
    UNCERTAIN = "unsure"
    SECOND_OPINION = "wants_second_opinion"
    ASK_OTHERS = "needs_spouse_or_caregiver"
    MEDICAL = "medical_reason"
    ELSEWHERE = "doing_elsewhere"
    DISSATISFIED = "dissatisfied"
    DONE = "already_done"
    UNSPECIFIED = "unspecified"


class Ambiguity(StrEnum):
    """Something the patient said that can be read two ways. It is asked about, never guessed."""

    OPTION = "option"
    DATE = "date"
    TIME = "time"


class LogisticsAsk(StrEnum):
    """Which practical question was asked, where one of the approved answers fits."""

    ADDRESS = "address"
    HOURS = "hours"
    PHONE = "phone"
    PARKING = "parking"
    DURATION = "duration"
    PROVIDER = "provider"
    GENERAL = "general"


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open character offsets `[start, end)` into the message as it was received."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """The words themselves, for a person who may read them."""
        return text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class ClauseReading:
    """One clause and what it was read as.

    `label` is None when the reader abstained: a person gets the message. `confidence` and `threshold` are
    probabilities in [0, 1]; a label below its threshold is reported as None. `part` names what decided: `keyword`,
    `lexicon`, `parser`, `classifier`, `judge` (all of these weighed together), `model`. `rule` is the stable id of the
    pattern or part. `evidence` are the words that weighed most.
    """

    span: Span
    label: Topic | Intent | None
    confidence: float
    part: str
    rule: str
    threshold: float = 0.5
    evidence: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What the message says beside its intent. Times are aware, in the office's zone.

    `option` is the 1-based number of the offered slot that was picked. `windows` are times that suit, already free of
    what was excluded. `call_at` is when to call back. `until` is the day before which not to write again. `cancels`:
    it speaks of cancelling a visit, and not of moving it.
    """

    option: int | None = None
    windows: tuple[Window, ...] = ()
    call_at: datetime | None = None
    until: date | None = None
    reason: Reason | None = None
    ambiguous: tuple[Ambiguity, ...] = ()
    asks: LogisticsAsk | None = None
    cancels: bool = False


class ModelFailure(StrEnum):
    """Why a language model's answer does not count. What the local interpreter read stands then."""

    TIMEOUT = "timeout"
    RATE_LIMITED = "rate_limited"
    REFUSED = "refused"
    MALFORMED = "malformed"
    TRUNCATED = "truncated"
    UNKNOWN_LABEL = "unknown_label"
    NOT_IN_TEXT = "evidence_not_in_text"
    EMPTY = "empty"
    LANGUAGE = "wrong_language"
    CONNECTION = "connection"
    SERVER = "server"
    REJECTED = "rejected"
    RESTING = "circuit_open"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class ModelUse:
    """What a language model was asked for one message and made of it: counts, labels and names, never words.

    `prompt` is the version of the instructions. `calls` counts attempts, `failures` names those that did not count, in
    order; without `answered` the message was read by the local interpreter alone. `cached_tokens` are those of
    `input_tokens` that the provider had kept. `milliseconds` is how long the patient's turn waited. `said` and `local`
    are the labels of both sides, None for what was not understood.
    """

    model: str
    prompt: str
    calls: int = 0
    answered: bool = False
    failures: tuple[ModelFailure, ...] = ()
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    # Not compared: a turn made again is the same turn, however long the model took.
    milliseconds: int = field(default=0, compare=False)
    said: tuple[Topic | Intent | None, ...] = ()
    local: tuple[Topic | Intent | None, ...] = ()

    def and_more(self, later: ModelUse) -> ModelUse:
        """The later use with what this one took added to it."""
        return replace(
            later,
            calls=self.calls + later.calls,
            failures=self.failures + later.failures,
            input_tokens=self.input_tokens + later.input_tokens,
            cached_tokens=self.cached_tokens + later.cached_tokens,
            output_tokens=self.output_tokens + later.output_tokens,
            milliseconds=self.milliseconds + later.milliseconds,
        )

    @property
    def disagrees(self) -> bool:
        """True when the model read something else than the local interpreter."""
        return self.answered and set(self.said) != set(self.local)


@dataclass(frozen=True, slots=True)
class Interpretation:
    """The whole message: one reading per clause, the facts, the language (ISO 639-1, `und` if not known).

    `model` tells what a language model had to do with it; None when none was asked.
    """

    clauses: tuple[ClauseReading, ...]
    language: str
    interpreter: str
    facts: Facts = Facts()
    model: ModelUse | None = None

    @property
    def topics(self) -> tuple[Topic, ...]:
        """Topics found in any clause, in order of precedence."""
        found = {c.label for c in self.clauses}
        return tuple(t for t in Topic if t in found)

    @property
    def intents(self) -> tuple[Intent, ...]:
        """Routine intents found in any clause, in order of precedence."""
        found = {c.label for c in self.clauses}
        return tuple(i for i in Intent if i in found)

    @property
    def abstained(self) -> bool:
        """True when some clause was not confidently understood, or nothing was."""
        return not self.clauses or any(c.label is None for c in self.clauses)

    @property
    def confidence(self) -> float:
        """The confidence of the weakest clause."""
        return min((c.confidence for c in self.clauses), default=0.0)


class Asked(StrEnum):
    """What the patient was last asked: the same word answers different questions."""

    NOTHING = "nothing"
    FIRST_MESSAGE = "first_message"
    REMINDER = "reminder"
    OFFER = "offer"
    CALLBACK_ASK = "callback_ask"
    REASON_ASK = "reason_ask"
    BOOKED = "booked"


@dataclass(frozen=True, slots=True)
class Situation:
    """What an interpreter may know: what was asked and offered, and when it is. No number, no chart.

    `now` is aware and in the office's zone. `offers` are the slots on the table, in the order they were numbered.
    `visit` is the start of the visit that stands, aware, where a visit was booked.
    `ours` are recent texts of ours, so that a quoted one is not read as the patient's own words. `hidden` are words
    that must not leave this machine, such as the patient's name: an interpreter elsewhere gets stand-ins for them.
    """

    now: datetime
    asked: Asked = Asked.FIRST_MESSAGE
    offers: tuple[Slot, ...] = ()
    language: str = "en"
    channel: str = "sms"
    provider_names: tuple[tuple[str, str], ...] = ()
    ours: tuple[str, ...] = ()
    hidden: tuple[SecretStr, ...] = ()
    visit: datetime | None = None


def strictest(topics: Iterable[Topic]) -> Topic | None:
    """The topic that names a message with several, or None."""
    found = set(topics)
    return next((t for t in Topic if t in found), None)
