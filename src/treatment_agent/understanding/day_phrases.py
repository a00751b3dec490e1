"""Reads everything that names days, with what turns one day into another: "week after thanksgiving", "after the 15th"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

from treatment_agent.understanding.calendar_days import (
    DAYS_AHEAD,
    FARTHEST_DAYS,
    Days,
    add_months,
    coming,
    one_day,
    onwards,
    stretch,
)
from treatment_agent.understanding.calendar_words import NUMBERS, weekday_of
from treatment_agent.understanding.day_names import Found, month_at, month_day_at, named_at, ordinal_at, weekday_at
from treatment_agent.understanding.periods import period_at, week_of
from treatment_agent.understanding.time_page import Page, table
from treatment_agent.understanding.time_tokens import Kind

_ARTICLES = frozenset("the el la on in of de del en for".split())
_AFTER = table({True: "after|past|following|despues de|despues del|despues|luego de|later than|pasado el|once|pasando|pasada|sometime after|post"})
_BEFORE = table({True: "before|prior to|earlier than|sooner than|antes de|antes del|antes que"})
_BY = table({True: "by|no later than|on or before|para antes de"})
_FROM = table(
    {True: "starting|beginning|from|as of|on or after|not before|no earlier than|a partir de|a partir del|desde|desde el|starting on|beginning on"
     "|not until|not till|back on|back in|back after|home on|return on|returning on|wait until|wait till|hold off until|regreso|vuelvo|get back on|get back|back by|back"
     "|no antes de|no antes del|hasta despues de_|empezando"}
)  # fmt: skip
_UNTIL = table({True: "until|hasta|hasta el|up until|through|hasta que"})
_DAY_AFTER = table({1: "day after|the day after|dia despues de|el dia despues de|un dia despues de|dia despues del", -1: "day before|the day before|dia antes de|el dia antes de|un dia antes de"})
_WEEK_BY = table(
    {
        0: "week of|the week of|semana de|la semana de|semana del|la semana del|same week as",
        1: "week after|the week after|week following|the week following|semana despues de|la semana despues de|semana despues del|la semana despues del|week post",
        -1: "week before|the week before|semana antes de|la semana antes de|semana antes del",
    }
)
_FREE = frozenset("free available open town libre disponible anytime flexible".split())
_RANGE = frozenset("to through until al a hasta".split())
_IN = table({True: "in|in about|in like|in another|in maybe|dentro de|en|en unos|en unas|dentro de unas|dentro de unos|give me|give it|another|for another|after|in around|como en|despues de|in at least|at least another|deme|dame|en como"})
_WITHIN = table({True: "within|within the next|in the next|over the next|next|the next|sometime in the next|anytime in the next|en las proximas|en los proximos|in the coming|dentro de las proximas|within about|for the next"})
_FROM_NOW = table({True: "from now|from today|out|a partir de hoy|from this week"})
_COUNTS = table({1: "a|an|one|un|una|another", 2: "a couple|couple|a couple of|couple of|un par de|two|a coupla|coupla", 3: "a few|few|unos|unas|several|pocas|algunas|algunos"})
_UNIT_WORDS = table({"day": "day|days|dia|dias", "week": "week|weeks|semana|semanas", "month": "month|months|mes|meses", "year": "year|years|ano|anos",
                     "hour": "hour|hours|hora|horas", "minute": "minute|minutes|minuto|minutos"})  # fmt: skip
_MOST = {"day": 365, "week": 104, "month": 24, "year": 2, "hour": 48, "minute": 600}


def days_at(page: Page, index: int) -> Found:
    """The days that begin at token `index` and the index behind them, or None. Never an empty set of dates."""
    return _shifted_at(page, index) or _bounded_at(page, index) or _range_at(page, index)


def plain_days_at(page: Page, index: int) -> Found:
    """Days without "after", "before" or "until" in front of them."""
    readers: tuple[Callable[[Page, int], Found], ...] = (
        _counted_at,
        _beside_at,
        named_at,
        month_day_at,
        period_at,
        _weekday_beside_at,
        weekday_at,
        month_at,
        ordinal_at,
    )
    for read in readers:
        found = read(page, index)
        if found and found[0].dates:
            return found
    return None


def _after_articles(page: Page, index: int) -> Found:
    """Plain days, with or without an article before them: "after the 15th", "after the holidays"."""
    found = plain_days_at(page, index)
    while found is None and page.word(index) in _ARTICLES:
        index += 1
        found = plain_days_at(page, index)
    return found


def _shifted_at(page: Page, index: int) -> Found:
    """ "in two weeks", "two weeks from now", "within 3 days"."""
    within = _WITHIN.at(page, index)
    amount = _amount_at(page, within[1]) if within else None
    if amount and amount[1] in ("day", "week", "month") and (amount[0] > 1 or page.word(index) != "next"):
        days = stretch(page.today + timedelta(days=1), _moved(page.today, amount[0], amount[1]))
        return (days, amount[2]) if days else None
    if within and page.word(index) == "next" and page.word(index + 1) == "few":
        return None
    opener = _IN.at(page, index)
    amount = _amount_at(page, opener[1]) if opener else None
    if opener and amount and not (page.word(index) == "after" and _AFTER.at(page, amount[2])):
        return _later(page, amount)
    amount = _amount_at(page, index)
    ahead = _FROM_NOW.at(page, amount[2]) if amount else None
    return _later(page, (amount[0], amount[1], ahead[1])) if amount and ahead else None


def _later(page: Page, amount: tuple[int, str, int]) -> Found:
    count, unit, behind = amount
    if unit in ("hour", "minute"):
        return None
    first = _moved(page.today, count, unit)
    width = {"day": 0, "week": 6, "month": 29, "year": 29}[unit]
    days = one_day(first) if unit == "day" else stretch(first, first + timedelta(days=width))
    return (replace(days, until=first), behind) if days else None


def _moved(today: date, count: int, unit: str) -> date:
    if unit in ("day", "week"):
        return today + timedelta(days=count * (7 if unit == "week" else 1))
    return add_months(today, count * (12 if unit == "year" else 1))


def _amount_at(page: Page, index: int) -> tuple[int, str, int] | None:
    """ "3 weeks", "a couple of months", "2-3 days" (the smaller): count, unit, index behind."""
    if page.kind(index) is Kind.NUMBER:
        count, at = page.value(index), index + 1
    else:
        found = _COUNTS.at(page, index)
        word = page.word(index)
        count, at = (found[0], found[1]) if found else (NUMBERS.get(word, 0), index + 1)
    if not count:
        return None
    if (page.kind(at) is Kind.DASH or page.word(at) in ("or", "to", "o")) and (
        page.kind(at + 1) is Kind.NUMBER or page.word(at + 1) in NUMBERS
    ):
        at += 2
    at = page.skip(at, frozenset(("more", "full", "mas", "of", "business", "short")))
    unit = _UNIT_WORDS.at(page, at)
    if not unit or count > _MOST[unit[0]]:
        return None
    behind = unit[1] + 2 if page.word(unit[1]) == "or" and page.word(unit[1] + 1) in ("so", "two") else unit[1]
    return count, unit[0], behind


def moment_at(page: Page, index: int) -> tuple[datetime, int] | None:
    """ "in 30 minutes", "an hour from now", "en media hora": the instant and the index behind it."""
    opener = _IN.at(page, index)
    place = opener[1] if opener and page.word(index) not in ("another", "after") else index
    found = _minutes_at(page, place)
    ahead = _FROM_NOW.at(page, found[1]) if found else None
    if not found or not (place > index or ahead):
        return None
    moment = (page.now.astimezone(timezone.utc) + timedelta(minutes=found[0])).astimezone(page.now.tzinfo)
    return moment, ahead[1] if ahead else found[1]


def _minutes_at(page: Page, place: int) -> tuple[int, int] | None:
    half = table({30: "half an hour|half hour|a half hour|media hora|about half an hour", 90: "an hour and a half|hora y media|una hora y media", 15: "a quarter hour"}).at(page, place)
    if half:
        return half
    amount = _amount_at(page, place)
    if not amount or amount[1] not in ("hour", "minute"):
        return None
    return (amount[0] * 60 if amount[1] == "hour" else amount[0]), amount[2]


def _counted_at(page: Page, index: int) -> Found:
    """ "a week from tuesday", "two weeks after thanksgiving", "3 days before christmas"."""
    amount = _amount_at(page, index)
    if not amount or amount[1] in ("hour", "minute") or page.word(amount[2]) not in ("from", "after", "before"):
        return None
    found = _after_articles(page, amount[2] + 1)
    if not found:
        return None
    sign = -1 if page.word(amount[2]) == "before" else 1
    moved = _moved(found[0].first, sign * amount[0], amount[1])
    return (one_day(moved), found[1]) if _within_reach(page, moved) else None


def _within_reach(page: Page, day: date) -> bool:
    return 0 <= (day - page.today).days <= FARTHEST_DAYS


def _beside_at(page: Page, index: int) -> Found:
    """ "day after christmas", "the week of the 7th", "week after thanksgiving"."""
    day, week = _DAY_AFTER.at(page, index), _WEEK_BY.at(page, index)
    opener = day or week
    found = _after_articles(page, opener[1]) if opener else None
    if not opener or not found:
        return None
    base = found[0].last if day and opener[0] > 0 else found[0].first
    days = one_day(base + timedelta(days=opener[0])) if day else week_of(base, opener[0])
    return (days, found[1]) if days and days.last >= page.today else None


def _weekday_beside_at(page: Page, index: int) -> Found:
    """ "the tuesday after thanksgiving", "monday before christmas", "tuesday week"."""
    place = page.skip(index, frozenset(("the", "el")))
    weekday = weekday_of(page.word(place)) if page.word(place) else None
    side = page.word(place + 1)
    if weekday is None or side not in ("after", "before", "following", "despues"):
        return None
    found = _after_articles(page, page.skip(place + 2, frozenset(("de", "del"))))
    if not found or found[0].weekdays:
        return None
    day = coming(weekday, found[0].first - timedelta(days=8)) if side == "before" else coming(weekday, found[0].last)
    return (one_day(day), found[1]) if _within_reach(page, day) else None


def _bounded_at(page: Page, index: int) -> Found:
    """Days with "after", "before", "by", "from" or "until" in front."""
    for openers, make in ((_AFTER, _after), (_FROM, _from), (_UNTIL, _until), (_BEFORE, _before), (_BY, _by)):
        opener = openers.at(page, index)
        if not opener or (openers is _UNTIL and (_AFTER.at(page, opener[1]))):
            continue
        found = _after_articles(page, opener[1])
        if found and openers is _FROM and _range_join(page, found[1]):
            return _range_at(page, index)
        if openers is _UNTIL and any(page.word(index - back) in _FREE for back in range(1, 5)):
            make = _by
        days = make(page.today, found[0]) if found else None
        if found and days:
            return days, found[1]
    return None


def _after(today: date, days: Days) -> Days | None:
    """From the day after; "after the holidays" is already such a stretch."""
    return days if _is_open(days) else onwards(days.last + timedelta(days=1), today)


def _from(today: date, days: Days) -> Days | None:
    return days if _is_open(days) else onwards(max(days.first, today), today)


_until = _from


def _is_open(days: Days) -> bool:
    return days.until is not None and len(days.dates) > 31 and days.wide and days.until == days.first


def _before(today: date, days: Days) -> Days | None:
    return stretch(today + timedelta(days=1), min(days.first - timedelta(days=1), today + timedelta(days=FARTHEST_DAYS)))


def _by(today: date, days: Days) -> Days | None:
    last = days.first if days.until and days.wide else days.last
    return stretch(today + timedelta(days=1), last)


def _range_join(page: Page, index: int) -> bool:
    return page.kind(index) is Kind.DASH or page.word(index) in _RANGE


def _range_at(page: Page, index: int) -> Found:
    """Plain days, or two of them with what lies between: "the 1st to the 5th", "between dec 1 and dec 8"."""
    between = page.word(index) in ("between", "entre")
    place = index + 1 if between or page.word(index) in ("from", "desde", "del", "de") else index
    found = _after_articles(page, place) if place > index else plain_days_at(page, index)
    if not found:
        return None
    join = _range_join(page, found[1]) or (between and page.word(found[1]) in ("and", "y"))
    other = _after_articles(page, found[1] + 1) if join else None
    if not other or (found[0].weekdays and not other[0].weekdays and len(found[0].weekdays) > 1):
        return found
    days = stretch(found[0].first, other[0].last, until=found[0].until)
    return (days, other[1]) if days and (days.last - days.first).days <= DAYS_AHEAD * 4 else found
