"""How many patients may be invited: no more than there is bookable room for in the coming weeks."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta

from treatment_agent.domain.scheduling import Slot, SlotRequest, VisitPlan
from treatment_agent.policies import booking
from treatment_agent.policies.practice import PracticePolicy

# More than any office has in a few weeks; a calendar that counts starting times returns many that overlap.
MOST_OPENINGS = 20_000
_LAST_DAYS = timedelta(days=7)
_EPSILON = 1e-9

Kind = tuple[str, int, tuple[str, ...]]
"""What makes two visits need the same openings: family, minutes, providers."""


def kind_of(visit: VisitPlan) -> Kind:
    """The kind of a visit."""
    return (visit.family.value, visit.minutes, tuple(sorted(visit.provider_ids)))


def room_request(visit: VisitPlan, policy: PracticePolicy, now: datetime) -> SlotRequest:
    """What to ask the calendar: every opening for such a visit in the next `limits.weeks` weeks.

    In the crunch months only until the end of the year, unless that is less than a week away: then January counts.
    """
    asked = booking.slot_request(visit, policy, now, limit=MOST_OPENINGS)
    latest = now.astimezone(UTC) + timedelta(weeks=policy.limits.weeks)
    local = now.astimezone(policy.office.tz)
    year_ends = datetime.combine(local.date().replace(month=12, day=31) + timedelta(days=1), time(0), policy.office.tz)
    if local.month in policy.limits.crunch_months and year_ends - local > _LAST_DAYS:
        latest = min(latest, year_ends.astimezone(UTC))
    latest = max(latest, asked.earliest.astimezone(UTC))
    return replace(asked, latest=latest.astimezone(policy.office.tz))


@dataclass(slots=True)
class Room:
    """Openings that are not promised to anybody yet.

    An opening stands for `ratio` invitations (under 1: an invitation takes several). One that is taken is gone for
    every kind of visit that needs the same provider at the same time.
    """

    ratio: float
    _openings: dict[Kind, list[Slot]] = field(default_factory=dict)
    _taken: list[Slot] = field(default_factory=list)
    _credit: dict[Kind, float] = field(default_factory=dict)

    def knows(self, kind: Kind) -> bool:
        """True when the calendar has been asked for this kind."""
        return kind in self._openings

    def open(self, kind: Kind, openings: tuple[Slot, ...]) -> None:
        """What the calendar answered for this kind, whatever the order."""
        self._openings[kind] = sorted(openings, key=lambda s: (s.start.timestamp(), s.provider_id))

    def invite(self, kind: Kind) -> bool:
        """Take the room of one invitation; False when there is none left."""
        while self._credit.get(kind, 0.0) < 1 - _EPSILON:
            free = self._next_free(kind)
            if free is None:
                return False
            self._taken.append(free)
            self._credit[kind] = self._credit.get(kind, 0.0) + self.ratio
        self._credit[kind] -= 1
        return True

    def give_back(self, kind: Kind) -> None:
        """The invitation was not sent after all."""
        self._credit[kind] = self._credit.get(kind, 0.0) + 1

    def _next_free(self, kind: Kind) -> Slot | None:
        openings = self._openings.get(kind, [])
        while openings:
            slot = openings.pop(0)
            if not any(_clash(slot, taken) for taken in self._taken):
                return slot
        return None


def _clash(one: Slot, other: Slot) -> bool:
    if one.provider_id != other.provider_id:
        return False
    return one.start.timestamp() < other.end.timestamp() and other.start.timestamp() < one.end.timestamp()
