"""The days a patient may mean: stretches of dates, weeks, months, named days, and how they combine."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache

DAYS_AHEAD = 42
"""How far an open stretch reaches unless a farther date is named."""
HABIT_DAYS = 21
"""How far a habit ("mornings", "not Fridays") is spelled out, from tomorrow on."""
_BEYOND_DAYS = 14
FARTHEST_DAYS = 730

_FEDERAL = {
    "thanksgiving": "Thanksgiving", "christmas": "Christmas", "new_year": "New Year", "mlk": "Martin Luther",
    "presidents": "Washington", "memorial": "Memorial", "labor": "Labor", "july4": "Independence",
    "veterans": "Veterans", "columbus": "Columbus", "juneteenth": "Juneteenth",
}  # fmt: skip
_FIXED = {
    "christmas_eve": (12, 24), "new_years_eve": (12, 31), "halloween": (10, 31), "valentines": (2, 14),
    "st_patricks": (3, 17), "holidays": (1, 1), "tax_day": (4, 15), "school_out": (5, 31), "three_kings": (1, 6),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Days:
    """Dates that were named.

    `weekdays` is filled for plain weekday names, which a week or month beside them narrows. `wide` marks a week, a
    month or an open stretch. `habit` marks "mondays" and "any monday". `until` is the day before which not to write,
    where the words put the matter off; `open_ended` marks "from then on". `doubtful` is True when the words fit two
    dates or contradict themselves. `vague` marks "when I get my tax refund", which any date replaces.
    """

    dates: frozenset[date]
    weekdays: frozenset[int] = frozenset()
    wide: bool = False
    habit: bool = False
    until: date | None = None
    open_ended: bool = False
    doubtful: bool = False
    vague: bool = False

    @property
    def first(self) -> date:
        """The first date."""
        return min(self.dates)

    @property
    def last(self) -> date:
        """The last date."""
        return max(self.dates)


Found = tuple[Days, int] | None
"""Days that were read, and the index of the token behind them."""


def one_day(day: date, *, doubtful: bool = False) -> Days:
    """A single date."""
    return Days(frozenset((day,)), doubtful=doubtful)


def stretch(first: date, last: date, *, until: date | None = None) -> Days | None:
    """All dates from `first` to `last`, both included; None if there is none. At most a year's worth."""
    count = min((last - first).days + 1, 366)
    if count <= 0:
        return None
    return Days(frozenset(first + timedelta(days=step) for step in range(count)), wide=True, until=until)


def onwards(first: date, today: date) -> Days | None:
    """An open stretch from `first`: to the horizon, or two weeks when it begins beyond it. It also defers."""
    last = max(today + timedelta(days=DAYS_AHEAD), first + timedelta(days=_BEYOND_DAYS))
    days = stretch(first, last, until=first)
    return replace(days, open_ended=True) if days else None


def habit_dates(today: date, weekdays: Iterable[int] = range(7)) -> frozenset[date]:
    """The dates of the next 21 days, from tomorrow, that fall on `weekdays`."""
    wanted = frozenset(weekdays)
    days = (today + timedelta(days=step) for step in range(1, HABIT_DAYS + 1))
    return frozenset(day for day in days if day.weekday() in wanted)


def coming(weekday: int, after: date) -> date:
    """The first date after `after` that falls on `weekday`."""
    return after + timedelta(days=(weekday - after.weekday() - 1) % 7 + 1)


def this_monday(today: date) -> date:
    """The Monday of the week people call "this week"; on a Sunday that is tomorrow's."""
    return today + timedelta(days=1) if today.weekday() == 6 else today - timedelta(days=today.weekday())


def next_monday(today: date) -> date:
    """The Monday of next week."""
    return coming(0, today)


def add_months(day: date, months: int) -> date:
    """The same day of the month `months` later, or the last day of that month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def month_dates(year: int, month: int) -> tuple[date, date]:
    """The first and last date of a month."""
    return date(year, month, 1), date(year, month, monthrange(year, month)[1])


def valid_date(year: int, month: int, day: int) -> date | None:
    """The date, or None when there is no such day."""
    try:
        return date(year, month, day)
    except ValueError:
        return None


def next_date(month: int, day: int, today: date) -> date | None:
    """The next such date from today on. None for a date of the last three months: the patient speaks of the past."""
    here = valid_date(today.year, month, day)
    if here and here >= today:
        return here
    if here and (today - here).days <= 92:
        return None
    return valid_date(today.year + 1, month, day)


def next_day_of_month(day: int, today: date) -> date | None:
    """The next date after today with this day of the month: nobody calls today "the 23rd"."""
    for months in range(3):
        start = add_months(today.replace(day=1), months)
        found = valid_date(start.year, start.month, day)
        if found and found > today:
            return found
    return None


def named_day(key: str, today: date) -> date:
    """The next occurrence, from today on, of a holiday known by `key`."""
    days = (_named_in(key, year) for year in (today.year, today.year + 1))
    return next((day for day in days if day >= today), _named_in(key, today.year + 1))


@lru_cache(maxsize=256)
def _named_in(key: str, year: int) -> date:
    if key in _FIXED:
        return date(year, *_FIXED[key])
    if key == "easter":
        from dateutil.easter import easter

        return easter(year)
    if key == "black_friday":
        return _named_in("thanksgiving", year) + timedelta(days=1)
    if key == "mothers":
        return coming(6, date(year, 4, 30)) + timedelta(days=7)
    if key == "fathers":
        return coming(6, date(year, 5, 31)) + timedelta(days=14)
    return _federal_in(key, year)


@lru_cache(maxsize=256)
def _federal_in(key: str, year: int) -> date:
    """A federal holiday by the `holidays` library, which is loaded on first need: it costs start-up time."""
    from holidays import country_holidays

    calendar = country_holidays("US", years=year, observed=False)
    return calendar.get_named(_FEDERAL[key], lookup="istartswith")[0]


def merge_days(one: Days, other: Days) -> Days:
    """Both, for "tuesday or thursday" and "this week or next week"."""
    untils = [days.until for days in (one, other) if days.until]
    return Days(
        one.dates | other.dates,
        one.weekdays | other.weekdays,
        wide=one.wide or other.wide,
        habit=one.habit or other.habit,
        until=min(untils, default=None),
        doubtful=one.doubtful or other.doubtful,
    )


def narrow(days: Days, inside: Days, today: date) -> Days | None:
    """Weekdays inside a stretch: "wednesday next week". None when none of them falls into it."""
    kept = frozenset(day for day in inside.dates if day.weekday() in days.weekdays and day > today)
    return replace(days, dates=kept, weekdays=frozenset(), wide=False, until=inside.until) if kept else None
