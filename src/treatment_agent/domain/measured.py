"""What the ledger tells of each case for the measures: codes, times, counts and money, no name and no word of anybody.

Times are aware; money is in cents.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, NamedTuple

from treatment_agent.domain.conversation import Disposition, Phase

HOLD_OUT_RULE: Final = "queue.hold-out"
"""The skip rule of a case that is not written to, so that the others can be compared with it."""


@dataclass(slots=True)
class MeasuredCase:
    """One case that entered. Built up while the ledger is read, then left alone.

    `entered_at` is when it first passed the queue's rules. `held_out` says whether chance then kept it from being
    written to. `family` and `provider_id` are those of its most valuable procedure. `value_cents` is the most its open
    work was ever worth, `completed_cents` what of it the chart calls completed. `elsewhere_at` is when the chart first
    showed it booked or done without us. `arrived` tells whether an outreach text got there. `reason` is the last one
    given. `replied_at` is the first text of the patient, `reply_after_at` the first after ours.
    """

    id: str
    entered_at: datetime
    held_out: bool = False
    skip_rule: str | None = None
    provider_id: str = ""
    family: str = ""
    value_cents: int = 0
    completed_cents: int = 0
    diagnosed_on: date | None = None
    phase: Phase = Phase.QUEUED
    disposition: Disposition | None = None
    booked_at: datetime | None = None
    booked_on: date | None = None
    elsewhere_at: datetime | None = None
    first_sent_at: datetime | None = None
    arrived: bool = False
    replied_at: datetime | None = None
    reply_after_at: datetime | None = None
    reason: str | None = None

    @property
    def booked(self) -> bool:
        """A visit was booked, by us or by staff, and stands."""
        return self.booked_at is not None

    @property
    def declined(self) -> bool:
        """The patient said no."""
        return self.phase is Phase.DECLINED or self.disposition is Disposition.DECLINED

    @property
    def opted_out(self) -> bool:
        """The patient wants no more texts."""
        return self.phase is Phase.OPTED_OUT or self.disposition is Disposition.OPTED_OUT

    @property
    def kept_cents(self) -> int:
        """Booked work that was completed: never more than the case was worth."""
        return min(self.completed_cents, self.value_cents) if self.booked else 0


class MeasuredText(NamedTuple):
    """One outreach text that left: which step of the cadence, which script, by which channel.

    A tuple, because there are hundreds of thousands of them.
    """

    case_id: str
    sent_at: datetime
    step: int
    script_id: str
    channel: str
    arrived: bool


@dataclass(frozen=True, slots=True)
class MeasuredHandoff:
    """One handoff or task. `topic` is the one that names it; None for a task that no topic caused."""

    case_id: str
    kind: str
    topic: str | None
    owner: str
    opened_at: datetime
    due_at: datetime
    acknowledged_at: datetime | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MeasuredBooks:
    """Everything measures are made of: the cases that entered in a period, and what happened to them since.

    `cases` include those held out; texts, handoffs and reasons are of all of them. `texts` are in order of time per
    case. `reasons` are (case id, code). `left_out` counts cases that never entered, by rule.
    """

    cases: tuple[MeasuredCase, ...] = ()
    texts: tuple[MeasuredText, ...] = ()
    handoffs: tuple[MeasuredHandoff, ...] = ()
    reasons: tuple[tuple[str, str], ...] = ()
    left_out: dict[str, int] = field(default_factory=dict)
