"""Reads stretches of days that have a name: "next week", "the first week of december", "end of the month", "spring"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta

from treatment_agent.understanding.times.calendar_days import (
    Days,
    Found,
    add_months,
    coming,
    habit_dates,
    month_dates,
    next_monday,
    one_day,
    onwards,
    stretch,
    this_monday,
)
from treatment_agent.understanding.times.calendar_words import NUMBERS, ORDINALS, month_of, weekday_of
from treatment_agent.understanding.times.day_names import whole_month
from treatment_agent.understanding.times.page import Page, phrase_at
from treatment_agent.understanding.times.tokens import Kind

_SEASONS = {"spring": (3, 20), "summer": (6, 21), "fall": (9, 22), "winter": (12, 21)}
_EDGES = {"early": (1, 10), "mid": (11, 20), "late": (21, 31), "first half": (1, 15), "second half": (16, 31)}
_FEW_DAYS_OF_WEEK = {"early": (0, 1), "mid": (1, 3), "late": (3, 4)}
_PARTS_OF_WEEKS = {"week begins": (0, 1), "week halfway": (1, 3), "week ends": (3, 4)}
_SEASON_HINTS = frozenset("the in this next until by come after before la el en spring summer maybe".split())
_FEMININE_ORDINALS = {"primera": 1, "primeras": 1, "segunda": 2, "tercera": 3, "cuarta": 4}
_LAST_WORDS = frozenset("last ultima ultimo ultimas".split())
_MOST_WEEKS = 4
_OF_MONTH = frozenset("of in de en the".split())


def period_at(page: Page, index: int) -> Found:
    """A stretch with a name that begins at `index`."""
    return _month_part_at(page, index) or _simple_at(page, index) or _season_at(page, index)


def _simple_at(page: Page, index: int) -> Found:
    found = phrase_at("periods", page, index)
    if not found or _other_meaning(page, index, found[1]):
        return None
    days = _part_of_weeks(page, found[0]) if found[0] in _PARTS_OF_WEEKS else _resolve(found[0], page.today)
    return (days, found[1]) if days else None


def _part_of_weeks(page: Page, key: str) -> Days | None:
    """The beginning, middle or end of "the week": this one and those we offered."""
    low, high = _PARTS_OF_WEEKS[key]
    mondays = {day - timedelta(days=day.weekday()) for day in (page.today, *(start.date() for start in page.offers))}
    days = {monday + timedelta(days=step) for monday in mondays for step in range(low, high + 1)}
    kept = frozenset(day for day in days if day > page.today)
    return Days(kept, wide=True) if kept else None


def _other_meaning(page: Page, index: int, behind: int) -> bool:
    """True for "la manana", which is the morning and not tomorrow, and for "last week", which is over."""
    morning = (
        page.word(index) == "manana" and behind == index + 1 and page.word(index - 1) in ("la", "las", "esta", "pasado")
    )
    return morning or page.word(index - 1) == "last"


def _resolve(key: str, today: date) -> Days | None:
    if key.endswith(("this week", "next week")):
        return _week(key, today)
    return _MAKERS[key](today)


def _week(key: str, today: date) -> Days | None:
    monday = next_monday(today) if key.endswith("next week") else this_monday(today)
    low, high = _FEW_DAYS_OF_WEEK.get(key.split()[0], (0, 6))
    first, last = monday + timedelta(days=low), monday + timedelta(days=high)
    found = stretch(max(first, today), last)
    if found is None and key != "this week":
        return stretch(today, monday + timedelta(days=6))
    return found


def week_of(day: date, weeks: int = 0) -> Days | None:
    """Monday to Sunday of the week that holds `day`, or of a later or earlier one."""
    monday = day - timedelta(days=day.weekday()) + timedelta(weeks=weeks)
    return stretch(monday, monday + timedelta(days=6))


def _weekend(today: date) -> Days | None:
    """Saturday and Sunday to come; on the weekend itself what is left of it."""
    sunday = coming(6, today - timedelta(days=1))
    return stretch(max(today, sunday - timedelta(days=1)), sunday)


def _month_slice(today: date, months: int, low: int, high: int, *, defers: bool = False) -> Days | None:
    first, last = month_dates(*_year_month(today, months))
    start = first + timedelta(days=low - 1)
    end = min(last, first + timedelta(days=high - 1))
    return stretch(max(start, today + timedelta(days=1)), end, until=start if defers else None)


def _year_month(today: date, months: int) -> tuple[int, int]:
    moved = add_months(today.replace(day=1), months)
    return moved.year, moved.month


def _month_end(today: date, months: int) -> Days | None:
    _, last = month_dates(*_year_month(today, months))
    first = last - timedelta(days=6)
    return stretch(max(first, today + timedelta(days=1)), last, until=first if months else None)


def _year_end(today: date) -> Days | None:
    return stretch(today + timedelta(days=1), date(today.year, 12, 31))


def _school_out(today: date) -> Days | None:
    june = date(today.year, 6, 1)
    return _vague(onwards(june if june > today else date(today.year + 1, 6, 1), today))


def _taxes_over(today: date) -> Days | None:
    april = date(today.year, 4, 16)
    return _vague(onwards(april if april > today else date(today.year + 1, 4, 16), today))


def _vague(days: Days | None) -> Days | None:
    return replace(days, vague=True) if days else None


def _after_holidays(today: date) -> Days | None:
    return onwards(date(today.year + (today > date(today.year, 1, 2)), 1, 2), today)


def _holidays(today: date) -> Days | None:
    year = today.year - 1 if today <= date(today.year, 1, 1) else today.year
    return stretch(max(today, date(year, 12, 24)), date(year + 1, 1, 1))


_MAKERS: Mapping[str, Callable[[date], Days | None]] = {
    "today": one_day,
    "tomorrow": lambda today: one_day(today + timedelta(days=1)),
    "overmorrow": lambda today: one_day(today + timedelta(days=2)),
    "workdays": lambda today: Days(habit_dates(today, range(5)), frozenset(range(5)), habit=True),
    "weekends": lambda today: Days(habit_dates(today, (5, 6)), frozenset((5, 6)), habit=True),
    "weekend": _weekend,
    "next weekend": lambda today: stretch(
        next_monday(today) + timedelta(days=5), next_monday(today) + timedelta(days=6)
    ),
    "both weeks": lambda today: stretch(today, next_monday(today) + timedelta(days=6)),
    "week after next": lambda today: week_of(next_monday(today), 1),
    "this month": lambda today: stretch(today + timedelta(days=1), month_dates(today.year, today.month)[1]),
    "next month": lambda today: _month_slice(today, 1, 1, 31, defers=True),
    "end of month": lambda today: _month_end(today, 0),
    "early next month": lambda today: _month_slice(today, 1, 1, 10, defers=True),
    "mid next month": lambda today: _month_slice(today, 1, 11, 20, defers=True),
    "end of next month": lambda today: _month_end(today, 1),
    "mid month": lambda today: _month_slice(today, 0 if today.day < 20 else 1, 11, 20),
    "next year": lambda today: onwards(date(today.year + 1, 1, 1), today),
    "end of year": _year_end,
    "holidays": _holidays,
    "after holidays": _after_holidays,
    "school out": _school_out,
    "tax refund": _taxes_over,
}


def _season_at(page: Page, index: int) -> Found:
    place = page.skip(index, frozenset("in the this next en la el".split()))
    found = phrase_at("seasons", page, place)
    hint = place > index or page.word(index - 1) in _SEASON_HINTS
    if (
        not found
        or not hint
        or page.word(found[1]) in ("break", "cleaning", "vacation", "semester", "off", "out", "apart")
    ):
        return None
    today = page.today
    month, day = _SEASONS[found[0]]
    first = date(today.year, month, day)
    end = add_months(first, 3) - timedelta(days=1)
    if first <= today <= end and page.word(place - 1) != "next":
        return (days, found[1]) if (days := stretch(today + timedelta(days=1), end)) else None
    if first <= today:
        first = date(today.year + 1, month, day)
    days = stretch(first, add_months(first, 3) - timedelta(days=1), until=first)
    return (days, found[1]) if days else None


def _month_part_at(page: Page, index: int) -> Found:
    """Read "early december", "the first week of january", "last friday of december"."""
    edge = phrase_at("month_edges", page, index)
    if edge:
        place = page.skip(edge[1], frozenset(("in",)))
        month = month_of(page.word(place)) if page.word(place) else None
        whole = whole_month(month, page.today) if month else None
        days = _clip(whole, *_EDGES[edge[0]]) if whole else None
        return (days, place + 1) if days else None
    return _counted_at(page, page.skip(index, frozenset("the la el".split())))


def _clip(days: Days, low: int, high: int) -> Days | None:
    kept = frozenset(day for day in days.dates if low <= day.day <= high)
    return replace(days, dates=kept, until=min(kept) if days.until else None) if kept else None


def _counted_at(page: Page, index: int) -> Found:
    """The N-th or last week or weekday of a month."""
    last = page.word(index) in _LAST_WORDS
    count = (
        page.value(index)
        if page.kind(index) is Kind.ORDINAL
        else ORDINALS.get(page.word(index), _FEMININE_ORDINALS.get(page.word(index), 0))
    )
    if not (last or 1 <= count <= 5):
        return None
    weeks = page.value(index + 1) if page.kind(index + 1) is Kind.NUMBER else NUMBERS.get(page.word(index + 1), 0)
    several = 1 < weeks <= _MOST_WEEKS and page.word(index + 2) in ("weeks", "semanas")
    place = index + 2 if several else index + 1
    word = page.word(place)
    weekday = weekday_of(word) if word else None
    if weekday is None and word not in ("week", "weeks", "semana", "semanas"):
        return None
    at = page.skip(place + 1, _OF_MONTH)
    whole, behind = _month_or_next(page, at, at > place + 1)
    if whole is None:
        return None
    if several:
        return _pick_weeks(whole, weeks, last=last), behind
    return _pick_counted(whole, 5 if last else count, weekday, last=last), behind


def _pick_weeks(whole: Days, weeks: int, *, last: bool) -> Days:
    """The first or last so many weeks of a month."""
    days = sorted(whole.dates)
    kept = days[-7 * weeks :] if last else [day for day in days if day.day <= 7 * weeks]
    picked = frozenset(kept or days)
    return Days(picked, wide=True, until=min(picked) if whole.until else None)


def _month_or_next(page: Page, at: int, linked: bool) -> tuple[Days | None, int]:
    if not linked:
        return None, at
    if page.word(at) in ("month", "mes"):
        return whole_month(page.today.month, page.today) or whole_month(page.today.month % 12 + 1, page.today), at + 1
    if page.word(at) in ("next", "proximo", "del"):
        return whole_month(page.today.month % 12 + 1, page.today), at + 2
    if page.word(at) in ("year", "ano"):
        return whole_month(1, page.today), at + 1
    month = month_of(page.word(at)) if page.word(at) else None
    return (whole_month(month, page.today) if month else None), at + 1


def _pick_counted(whole: Days, count: int, weekday: int | None, *, last: bool) -> Days:
    if weekday is not None:
        days = sorted(day for day in whole.dates if day.weekday() == weekday)
        return one_day(days[-1] if last or count > len(days) else days[count - 1])
    days = sorted(whole.dates)
    kept = days[-7:] if last else [day for day in days if (day.day - 1) // 7 == count - 1]
    picked = frozenset(kept or days[-7:])
    return Days(picked, wide=True, until=min(picked) if whole.until else None)


def any_day(today: date) -> Days:
    """Every day of the next three weeks: what "anytime" means when no other day is named."""
    return Days(habit_dates(today), wide=True, habit=True)
