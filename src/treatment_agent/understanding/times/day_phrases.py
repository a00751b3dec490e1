"""Reads everything that names days, and what turns one day into another: "week after thanksgiving", "in two weeks"."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from treatment_agent.understanding.times.calendar_days import (
    DAYS_AHEAD,
    FARTHEST_DAYS,
    Days,
    Found,
    coming,
    one_day,
    onwards,
    stretch,
)
from treatment_agent.understanding.times.calendar_words import weekday_of
from treatment_agent.understanding.times.day_names import month_at, month_day_at, named_at, ordinal_at
from treatment_agent.understanding.times.page import Page, phrase_at
from treatment_agent.understanding.times.periods import period_at, week_of
from treatment_agent.understanding.times.shifts import amount_at, moved_by, shifted_at
from treatment_agent.understanding.times.tokens import Kind
from treatment_agent.understanding.times.weekdays import weekday_at

_Reader = Callable[[Page, int], Found]
_ARTICLES = frozenset("the el la on in of de del en for".split())
_FREE = frozenset("free available open town libre disponible anytime flexible".split())
_RANGE = frozenset("to through until al a hasta".split())
_IN_EIGHT = {"ocho": 7, "8": 7, "quince": 14, "15": 14}
_THAT = frozenset("that those this eso ese esa".split())
_BEGINS = frozenset("starts begins comes hits empieza".split())


def days_at(page: Page, index: int) -> Found:
    """The days that begin at token `index` and the index behind them, or None. Never an empty set of dates."""
    return shifted_at(page, index) or _in_eight_at(page, index) or _bounded_at(page, index) or _open_at(page, index)


def _open_at(page: Page, index: int) -> Found:
    """Days, or the days from them on or up to them: "the 9th or later", "el 4 o antes"."""
    found = _range_at(page, index)
    side = phrase_at("onwards", page, found[1]) if found else None
    if (
        not found
        or not side
        or side[1] < found[1] + 2
        or page.kind(side[1]) is Kind.CLOCK
        or page.word(side[1]) == "de"
    ):
        # "Los viernes o despues de las 4".
        return found
    days = (_from if side[0] == "since" else _by)(page.today, found[0])
    return (days, side[1]) if days else found


def _in_eight_at(page: Page, index: int) -> Found:
    """Read "de hoy en ocho" and "el lunes en quince": a week and two weeks later."""
    place = page.skip(index, frozenset("de del el".split()))
    found = _first_of((period_at, weekday_at), page, place)
    if not found or page.word(found[1]) != "en" or len(found[0].dates) != 1:
        return None
    at = found[1] + 1
    number = page.value(at) // 60 if page.kind(at) is Kind.CLOCK else page.value(at)
    days = _IN_EIGHT.get(page.word(at) or str(number))
    return (one_day(found[0].first + timedelta(days=days)), at + 1) if days else None


def plain_days_at(page: Page, index: int) -> Found:
    """Days without "after", "before" or "until" in front of them."""
    return _first_of((_counted_at, _beside_at), page, index) or _single_at(page, index)


def _single_at(page: Page, index: int) -> Found:
    """Days that are not counted from other days: what other days may be counted from. Nothing nests deeper."""
    return _first_of(
        (named_at, month_day_at, period_at, _weekday_beside_at, weekday_at, month_at, ordinal_at), page, index
    )


def _first_of(readers: tuple[_Reader, ...], page: Page, index: int) -> Found:
    for read in readers:
        found = read(page, index)
        if found and found[0].dates:
            return found
    return None


def _after_articles(page: Page, index: int, read: _Reader = plain_days_at) -> Found:
    """Days with or without an article before them: "after the 15th", "after the holidays"."""
    for place in range(index, page.skip(index, _ARTICLES) + 1):
        found = _dated_weekday_at(page, place) or read(page, place)
        if found:
            return found
    return None


def _dated_weekday_at(page: Page, index: int) -> Found:
    """Read "monday the 7th" and "friday dec 4" as the date, where no other wish could be meant."""
    weekday = weekday_of(page.word(index)) if page.word(index) else None
    if weekday is None:
        return None
    found = _first_of((month_day_at, ordinal_at), page, index + 1)
    return found if found and found[0].first.weekday() == weekday else None


def _counted_at(page: Page, index: int) -> Found:
    """Read "a week from tuesday", "two weeks after thanksgiving", "3 days before christmas"."""
    amount = amount_at(page, index)
    if not amount or amount[1] in ("hour", "minute") or page.word(amount[2]) not in ("from", "after", "before"):
        return None
    found = _counted_from(page, amount[2] + 1)
    if not found:
        return None
    sign = -1 if page.word(amount[2]) == "before" else 1
    moved = moved_by(found[0].first, sign * amount[0], amount[1])
    return (one_day(moved), found[1]) if _within_reach(page, moved) else None


def _counted_from(page: Page, index: int) -> Found:
    """The days others are counted from; "that tuesday" is the one we offered."""
    if page.word(index) not in _THAT:
        return _after_articles(page, index, _single_at)
    found = weekday_at(page, index + 1)
    return (_as_offered(page, found[0]), found[1]) if found else None


def _within_reach(page: Page, day: date) -> bool:
    return 0 <= (day - page.today).days <= FARTHEST_DAYS


def _beside_at(page: Page, index: int) -> Found:
    """Read "day after christmas", "the week of the 7th", "week after thanksgiving"."""
    named = named_at(page, index)
    if named and page.word(named[1]) == "week":
        days = week_of(named[0].first)
        return (days, named[1] + 1) if days else None
    day, week = phrase_at("day_beside", page, index), phrase_at("week_beside", page, index)
    opener = day or week
    found = _counted_from(page, opener[1]) if opener else None
    if not opener or not found:
        return None
    step = int(opener[0])
    base = found[0].last if day and step > 0 else found[0].first
    days = one_day(base + timedelta(days=step)) if day else week_of(base, step)
    return (days, found[1]) if days and days.last >= page.today else None


def _anchor_at(page: Page, index: int) -> Found:
    return _first_of((named_at, month_day_at, period_at, month_at, ordinal_at), page, index)


def _weekday_beside_at(page: Page, index: int) -> Found:
    """Read "the tuesday after thanksgiving", "monday before christmas", "tuesday week"."""
    place = page.skip(index, frozenset(("the", "el")))
    weekday = weekday_of(page.word(place)) if page.word(place) else None
    side = page.word(place + 1)
    right = side in ("right", "justo", "just")
    side = page.word(place + 2) if right else side
    if weekday is None or side not in ("after", "before", "following", "despues", "antes"):
        return None
    behind = place + 3 if right else place + 2
    found = _after_articles(page, page.skip(behind, frozenset(("de", "del"))), _anchor_at)
    if not found:
        return _beside_offers(page, weekday, side, page.skip(behind, _THAT)) if right or place > index else None
    day = coming(weekday, found[0].first - timedelta(days=8)) if side == "before" else coming(weekday, found[0].last)
    return (one_day(day), found[1]) if _within_reach(page, day) else None


def _beside_offers(page: Page, weekday: int, side: str, behind: int) -> Found:
    """Read "the monday after" and "the monday right before that": counted from the visit or from what we offered."""
    known = (page.visit,) if page.visit else page.offers
    if (
        not known
        or page.kind(behind) in (Kind.CLOCK, Kind.NUMBER)
        or (page.word(behind) and weekday_of(page.word(behind)) is None)
    ):
        return None
    behind = behind + 1 if page.word(behind) else behind
    first, last = min(known).date(), max(known).date()
    day = coming(weekday, first - timedelta(days=8)) if side in ("before", "antes") else coming(weekday, last)
    return (one_day(day), behind) if day > page.today and _within_reach(page, day) else None


def _after_at(page: Page, index: int) -> Found:
    """Read "after christmas" behind "until" and "not until"."""
    opener = phrase_at("days_after", page, index)
    found = _after_articles(page, opener[1]) if opener else None
    days = after_days(page.today, found[0]) if found else None
    return (days, found[1]) if found and days else None


def _bounded_at(page: Page, index: int) -> Found:
    """Days with "after", "before", "by", "from" or "until" in front."""
    for table, make in _BOUNDS:
        opener = phrase_at(table, page, index)
        if not opener:
            continue
        if page.word(index) == "following" and weekday_of(page.word(index + 1)) is not None:
            continue
        if table == "days_until" and page.word(index) == "through":
            make = after_days
        if table in ("days_from", "days_until") and (later := _after_at(page, opener[1])):
            return later
        found = _after_articles(page, opener[1])
        if found and page.word(index) == "once" and page.word(found[1]) in _BEGINS:
            make, found = _from, (found[0], found[1] + 1)
        if found and table == "days_from" and _range_join(page, found[1]):
            return _range_at(page, index)
        if table == "days_until" and _is_free(page, index):
            make = _by
        days = make(page.today, _as_offered(page, found[0])) if found else None
        if found and days:
            return days, found[1]
    return None


def _as_offered(page: Page, days: Days) -> Days:
    """A bare weekday on which we offered a time is that day: "before tuesday" is before the tuesday on the table."""
    if len(days.weekdays) != 1 or days.habit or page.for_call:
        return days
    known = (page.visit,) if page.visit else page.offers
    offered = [start.date() for start in known if start.weekday() in days.weekdays]
    return one_day(offered[0]) if offered else days


def _is_free(page: Page, index: int) -> bool:
    """True for "I'm free until friday", which ends there, unlike "I'm out of town until friday"."""
    near = [page.word(index - back) for back in range(1, 6)]
    return bool(_FREE & set(near[:4])) and not {"not", "isnt", "wont", "arent", "no", "unavailable", "out"} & set(near)


def after_days(today: date, days: Days) -> Days | None:
    """From the day after; "after the holidays" is already such a stretch."""
    return days if days.open_ended else onwards(days.last + timedelta(days=1), today)


def _from(today: date, days: Days) -> Days | None:
    return days if days.open_ended else onwards(max(days.first, today), today)


def before_days(today: date, days: Days) -> Days | None:
    """From tomorrow to the day before."""
    return stretch(
        today + timedelta(days=1), min(days.first - timedelta(days=1), today + timedelta(days=FARTHEST_DAYS))
    )


def _by(today: date, days: Days) -> Days | None:
    last = days.first if days.until and days.wide else days.last
    return stretch(today + timedelta(days=1), last)


_BOUNDS: tuple[tuple[str, Callable[[date, Days], Days | None]], ...] = (
    ("days_after", after_days),
    ("days_from", _from),
    ("days_until", _from),
    ("days_before", before_days),
    ("days_by", _by),
)


def _range_join(page: Page, index: int) -> bool:
    return page.kind(index) is Kind.DASH or page.word(index) in _RANGE


def _range_at(page: Page, index: int) -> Found:
    """Plain days, or two of them with what lies between: "the 1st to the 5th", "between dec 1 and dec 8"."""
    between = page.word(index) in ("between", "entre")
    opened = between or page.word(index) in ("from", "desde", "del", "de")
    found = plain_days_at(page, index) or (_after_articles(page, index + 1) if opened else None)
    if not found:
        return None
    join = _range_join(page, found[1]) or (between and page.word(found[1]) in ("and", "y"))
    other = _after_articles(page, found[1] + 1) if join else None
    if not other or (found[0].weekdays and not other[0].weekdays and len(found[0].weekdays) > 1):
        return found
    days = stretch(found[0].first, other[0].last, until=found[0].until)
    return (days, other[1]) if days and (days.last - days.first).days <= DAYS_AHEAD * 4 else found
