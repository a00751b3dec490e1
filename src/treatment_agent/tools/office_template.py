"""When an office can be booked: blocks per provider, weekday and family; holidays; closed days.

Pure values and functions: no clock, no database.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from treatment_agent.domain.scheduling import Slot, SlotRequest
from treatment_agent.domain.treatment import Family
from treatment_agent.domain.value import Value


class Block(Value):
    """A stretch of a weekday (0 = Monday) in which a provider takes visits of these families, office wall time."""

    provider_id: str = Field(min_length=1)
    weekday: int = Field(ge=0, le=6)
    start: time
    end: time
    families: tuple[Family, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _ends_later(self) -> Self:
        if self.end <= self.start:
            raise ValueError("Block: end must be after start; split a block that passes midnight")
        return self


class Closure(Value):
    """Days, both included, on which the office (or one provider) is away."""

    first: date
    last: date
    provider_id: str | None = None

    @model_validator(mode="after")
    def _ends_later(self) -> Self:
        if self.last < self.first:
            raise ValueError("Closure: last must not be before first")
        return self


class OfficeTemplate(Value):
    """The whole template. `zone` is the office's; visits begin every `step_minutes` from the start of a block."""

    zone: str
    blocks: tuple[Block, ...]
    holidays: tuple[date, ...] = ()
    closures: tuple[Closure, ...] = ()
    step_minutes: int = Field(default=30, ge=5, le=480)

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except Exception:
            raise ValueError("unknown time zone; use an IANA name such as America/Chicago") from None
        return value

    @property
    def tz(self) -> ZoneInfo:
        """The office's zone."""
        return ZoneInfo(self.zone)

    def open_on(self, day: date, provider_id: str) -> bool:
        """False on holidays, closed days, and days on which this provider is away."""
        return day not in self.holidays and not any(
            c.first <= day <= c.last and c.provider_id in (None, provider_id) for c in self.closures
        )

    def stretches(self, first: date, last: date, family: Family) -> Iterator[Stretch]:
        """Bookable stretches of these days (both included) for a family, in UTC."""
        for offset in range((last - first).days + 1):
            day = first + timedelta(days=offset)
            for block in self.blocks:
                fits = block.weekday == day.weekday() and family in block.families
                if fits and self.open_on(day, block.provider_id):
                    yield Stretch(block.provider_id, _utc(day, block.start, self.tz), _utc(day, block.end, self.tz))

    def fits(self, provider_id: str, start: datetime, end: datetime, family: Family) -> bool:
        """True when `[start, end)` lies within one block of this provider for this family on an open day."""
        day = start.astimezone(self.tz).date()
        return any(
            s.provider_id == provider_id and s.start <= start.astimezone(UTC) and end.astimezone(UTC) <= s.end
            for s in self.stretches(day, day, family)
        )


@dataclass(frozen=True, slots=True)
class Stretch:
    """Time of one provider, half-open, in UTC: bookable, or taken."""

    provider_id: str
    start: datetime
    end: datetime


def slot_id(provider_id: str, start: datetime, minutes: int) -> str:
    """The id of an opening: the same opening has the same id in every search and process."""
    return f"{provider_id}@{start.astimezone(UTC):%Y%m%dT%H%MZ}+{minutes}"


def openings(template: OfficeTemplate, request: SlotRequest, taken: Iterable[Stretch]) -> list[Slot]:
    """Every opening that answers the request, in order of time; `limit` is not applied here.

    A visit starts in `[earliest, latest)`, inside one of the windows if there are any, and ends within its block.
    Stepping is done in UTC, so a visit keeps its length over a change of the clocks.
    """
    visit, tz = request.visit, template.tz
    length, step = timedelta(minutes=visit.minutes), timedelta(minutes=template.step_minutes)
    busy: dict[str, list[Stretch]] = {}
    for stretch in taken:
        busy.setdefault(stretch.provider_id, []).append(stretch)
    first, last = (moment.astimezone(tz).date() for moment in (request.earliest, request.latest))
    excluded = frozenset(request.exclude)
    found: dict[str, Slot] = {}
    for stretch in template.stretches(first, last, visit.family):
        provider = stretch.provider_id
        if visit.provider_ids and provider not in visit.provider_ids:
            continue
        start = stretch.start
        while start + length <= stretch.end:
            end = start + length
            in_range = request.earliest <= start < request.latest
            if in_range and not any(b.start < end and start < b.end for b in busy.get(provider, ())):
                name = slot_id(provider, start, visit.minutes)
                slot = Slot(start.astimezone(tz), end.astimezone(tz), provider, name, visit.family)
                if name not in excluded and (not request.windows or any(w.holds(slot) for w in request.windows)):
                    found[name] = slot
            start += step
    return sorted(found.values(), key=lambda slot: (slot.start.astimezone(UTC), slot.provider_id))


# Who asks for so many wants to know how much room there is, not a choice.
_COUNTING = 1000


def spread(slots: Sequence[Slot], limit: int) -> tuple[Slot, ...]:
    """Pick `limit` openings that are a real choice, in order of time.

    The first is the earliest. Each next one is, as far as there is such a one: on another day and in another half of
    the day; on another day; in another half; not overlapping a picked one; at another time.
    """
    if limit >= max(len(slots), _COUNTING):
        return tuple(sorted(slots, key=lambda slot: slot.start.astimezone(UTC)))
    picked: list[Slot] = []
    rest = list(slots)
    while rest and len(picked) < limit:
        best = min(rest, key=lambda slot: (_sameness(slot, picked), slot.start.astimezone(UTC)))
        picked.append(best)
        rest = [s for s in rest if s.start.timestamp() != best.start.timestamp()]
    return tuple(sorted(picked, key=lambda slot: slot.start.astimezone(UTC)))


def _sameness(slot: Slot, picked: Sequence[Slot]) -> int:
    """How much a slot repeats what is picked: 0 another day and half, ... 3 overlapping."""
    day, half = slot.start.date(), slot.start.hour < 12
    worst = 0
    for other in picked:
        same_day, same_half = other.start.date() == day, (other.start.hour < 12) == half
        overlaps = other.start.timestamp() < slot.end.timestamp() and slot.start.timestamp() < other.end.timestamp()
        worst = max(worst, 4 if overlaps else 3 if same_day and same_half else 2 if same_day else 1 if same_half else 0)
    return worst


def _utc(day: date, at: time, tz: ZoneInfo) -> datetime:
    return datetime.combine(day, at, tzinfo=tz).astimezone(UTC)


def public_holidays(years: Iterable[int], *, country: str = "US", state: str | None = None) -> tuple[date, ...]:
    """Public holidays of a country or state, from the `holidays` library, for `OfficeTemplate.holidays`."""
    from holidays import country_holidays  # here: it is slow to import and only set-up needs it

    return tuple(sorted(country_holidays(country, subdiv=state, years=list(years))))
