"""The measures of the follow-up (DOMAIN 7): rates with their denominators and intervals, times, money, comparisons.

Denominator of a rate, where its name does not say otherwise: the cases that entered in the period. A rate is a `Share`,
so it always carries its counts and its Wilson interval. Money is in cents, times to staff are in hours.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from treatment_agent.domain.shares import Difference, Share
from treatment_agent.domain.survival import Survival

NO_SHARE: Final = Share(0, 0)
NO_TIMES: Final = Survival()


@dataclass(frozen=True, slots=True)
class Funnel:
    """From the list to the chair, for some set of cases that were to be written to.

    contacted: at least one text of ours arrived, of entered. responded: the patient wrote after it, of contacted.
    booked: a visit was booked by us or staff and stands, of entered; `booked_of_contacted` the same of contacted.
    declined, opted_out, complained: of contacted. false_contacts, of contacted: it was the wrong person, or the work
    was booked or done before our first text, by the chart or as the patient says. handed_off: staff got the
    conversation, of entered. elsewhere: the chart showed it booked or done without us, of entered. `value_kept_cents`
    is booked work that the chart calls completed.
    """

    entered: int = 0
    contacted: Share = NO_SHARE
    responded: Share = NO_SHARE
    booked: Share = NO_SHARE
    booked_of_contacted: Share = NO_SHARE
    declined: Share = NO_SHARE
    opted_out: Share = NO_SHARE
    complained: Share = NO_SHARE
    false_contacts: Share = NO_SHARE
    handed_off: Share = NO_SHARE
    elsewhere: Share = NO_SHARE
    value_entered_cents: int = 0
    value_booked_cents: int = 0
    value_kept_cents: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """The funnel of one provider or family. `code` is the provider's id, or the family."""

    code: str
    funnel: Funnel


@dataclass(frozen=True, slots=True)
class Cohort:
    """The cases that entered in one week (from Monday) or month, in the office's zone.

    `is_running`: the youngest case of it may still get a text, so its rates will grow.
    """

    starts_on: date
    funnel: Funnel
    is_running: bool = False


@dataclass(frozen=True, slots=True)
class Path:
    """One outreach text and what came of it: the last before a case's first answer, or its booking, is credited.

    `step` counts the cadence's steps from 0. Shares are of the texts of this kind that arrived.
    """

    step: int
    script_id: str
    channel: str
    sent: int
    answered: Share
    booked: Share


@dataclass(frozen=True, slots=True)
class DeskTime:
    """How staff got on with handoffs on one topic (or tasks of one kind). Times in hours; open ones count as waiting.

    `on_time`: acknowledged by the due time, of those that are acknowledged or past due.
    """

    topic: str
    count: int
    cases: Share
    open: int
    to_acknowledge: Survival
    to_close: Survival
    on_time: Share


@dataclass(frozen=True, slots=True)
class Comparison:
    """What writing adds: booked within `within_days` of entry, however it came about, among written and held out.

    Only cases that entered that long ago count; `maturing` are too young. `released` were held out and then written to
    in that time, so they are in neither group. `first_on` is when the first comparison can be made, if it cannot yet.
    """

    within_days: int
    written: Share = NO_SHARE
    held_out: Share = NO_SHARE
    maturing: int = 0
    released: int = 0
    first_on: date | None = None

    @property
    def lift(self) -> Difference:
        """Written less held out: a share of cases, with its interval."""
        return Difference(self.written, self.held_out)

    @property
    def is_clear(self) -> bool:
        """True when the interval of the lift leaves out nought."""
        low, high = self.lift.interval
        return low > 0 or high < 0


@dataclass(frozen=True, slots=True)
class Measures:
    """Everything a report tells of the cases that entered in `[since, until)`, as things stood at `at`.

    `days_to_scheduled` runs from diagnosis to the day on which the visit was booked; unbooked cases wait until today.
    `days_to_booked` runs from our first text. `cases_held_out` were not written to. `left_out` never entered, by rule.
    `staff_items` are the handoffs and tasks that staff got.
    `reasons` counts cases per reason given (a case may give several); `declined_by_reason` declined cases by the last.
    """

    at: datetime
    since: datetime | None = None
    until: datetime | None = None
    funnel: Funnel = Funnel()
    booked_by_staff: int = 0
    staff_items: int = 0
    by_week: tuple[Cohort, ...] = ()
    by_month: tuple[Cohort, ...] = ()
    by_provider: tuple[Group, ...] = ()
    by_family: tuple[Group, ...] = ()
    paths: tuple[Path, ...] = ()
    reasons: dict[str, int] = field(default_factory=dict)
    declined_by_reason: dict[str, int] = field(default_factory=dict)
    handoffs: tuple[DeskTime, ...] = ()
    tasks: tuple[DeskTime, ...] = ()
    phases: dict[str, int] = field(default_factory=dict)
    dispositions: dict[str, int] = field(default_factory=dict)
    days_to_scheduled: Survival = NO_TIMES
    days_to_booked: Survival = NO_TIMES
    cases_held_out: int = 0
    comparison: Comparison | None = None
    left_out: dict[str, int] = field(default_factory=dict)

    def staff_minutes_per_booking(self, minutes_each: float) -> float | None:
        """Staff's minutes per booked case if each handoff or task takes `minutes_each`; None while nothing is booked.

        How long somebody was really busy with one is not on the books, so the office says what it takes there.
        """
        booked = self.funnel.booked.hits
        return self.staff_items * minutes_each / booked if booked else None
