"""Reads single days, weekdays, months and named days: "dec 8", "the 3rd", "el 8 de diciembre", "next friday"."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from treatment_agent.understanding.times.calendar_days import (
    DAYS_AHEAD,
    FARTHEST_DAYS,
    Days,
    Found,
    merge_days,
    month_dates,
    named_day,
    next_date,
    next_day_of_month,
    one_day,
    stretch,
    valid_date,
)
from treatment_agent.understanding.times.calendar_words import (
    NUMBERS,
    ORDINALS,
    SPANISH_NUMBERS,
    SPANISH_WEEKDAYS,
    month_of,
    weekday_of,
)
from treatment_agent.understanding.times.hour_numbers import UNITS
from treatment_agent.understanding.times.page import Page, phrase_at
from treatment_agent.understanding.times.tokens import Kind

_LONGEST_MONTH = 31
_MOST_LISTED = 5
_FEWEST_SPELLED = 3
_MONTH_REACHES = 20
_ARTICLES_TOO = frozenset("a an un una one".split())

_PAST = frozenset("last past previous pasado ultimo".split())
_MONTH_NEEDS_HINT = frozenset("may mar ago jun".split())
_MONTH_HINTS = frozenset(
    "in of until by before after next late early mid this en de hasta since or through for to end beginning".split()
)
_ORDINAL_NOUNS = frozenset(
    """
    one ones option time times grade tooth street floor visit appointment appt opinion slot choice party
    molar day week kid child opening st ave quarter avenue half attempt message text reminder opcion
    vez hora cita
    """.split()
)
_LIST_JOINS = frozenset("or and o y to through".split())
# Behind these a date bounds a stretch.
_BOUNDS = frozenset("after before until by past from despues antes desde hasta del".split())


def named_at(page: Page, index: int) -> Found:
    """A holiday or another day with a name."""
    found = phrase_at("named_days", page, index)
    if not found:
        return None
    days = one_day(named_day(found[0], page.today))
    return (replace(days, until=days.first) if found[0] == "new_year" else days), found[1]


def month_day_at(page: Page, index: int) -> Found:
    """Read "dec 8", "december the 8th", "8 de diciembre", "12/8", with lists and ranges: "dec 8-10", "dec 8 or 9"."""
    if page.kind(index) is Kind.DATE:
        return _written_date(page, index)
    place = page.skip(index, frozenset("the el on dia".split()))
    ahead = _day_number(page, place)
    if ahead:
        at = page.skip(place + 1, frozenset("of de del".split()))
        month = _month_word(page, at)
        if not month and (listed := _listed_before_month(page, place)):
            return listed
        # "the 8th may work": without "of" a doubtful month word is none.
        return _dated(page, month, ahead, at + 1) if month and (at > place + 1 or page.word(at) != "may") else None
    month = _month_word(page, place)
    if month is None:
        return None
    at = page.skip(place + 1, frozenset("the el".split()))
    day = _day_number(page, at)
    if not day or page.word(at + 1) in UNITS - {"of"}:
        return None
    return _more_days(page, month, _dated(page, month, day, at + 1), bound=page.word(index - 1) in _BOUNDS)


def _listed_before_month(page: Page, place: int) -> Found:
    """Read "el 7, 8 o 9 de diciembre" and "the 8th or 9th of december"."""
    days, at = [_day_number(page, place)], place + 1
    while len(days) < _MOST_LISTED and (page.kind(at) is Kind.COMMA or page.word(at) in ("or", "and", "o", "y")):
        at = page.skip(at + 1, frozenset("the el or and o y".split()))
        # "8 o 9" alone are hours.
        day = page.value(at) // 60 if page.kind(at) is Kind.CLOCK else _day_number(page, at)
        if not day:
            return None
        days.append(day)
        at += 1
    month = _month_word(page, at + 1) if len(days) > 1 and page.word(at) in ("of", "de") else None
    dates = [found for day in days if month and (found := _resolve(page.today, month, day, 0))]
    return (Days(frozenset(dates)), at + 2) if dates else None


def _month_word(page: Page, index: int) -> int | None:
    word = page.word(index)
    return month_of(word) if word else None


def _day_number(page: Page, index: int) -> int:
    """A day of the month in figures or letters, else 0."""
    if page.kind(index) in (Kind.NUMBER, Kind.ORDINAL) and 1 <= page.value(index) <= 31:
        return page.value(index)
    word = page.word(index)
    number = NUMBERS.get(word, 0) if word not in _ARTICLES_TOO else 0
    return ORDINALS.get(word, number if number <= _LONGEST_MONTH else 0)


def _dated(page: Page, month: int, day: int, behind: int) -> Found:
    at = behind + 1 if page.kind(behind) is Kind.COMMA else behind
    at = page.skip(at, frozenset("de del of".split()))
    year = page.value(at) if page.kind(at) is Kind.NUMBER and 2020 <= page.value(at) <= 2099 else 0
    found = _resolve(page.today, month, day, year)
    return (one_day(found), at + 1 if year else behind) if found else None


def _resolve(today: date, month: int, day: int, year: int) -> date | None:
    found = valid_date(year, month, day) if year else next_date(month, day, today)
    return found if found and 0 <= (found - today).days <= FARTHEST_DAYS else None


def _written_date(page: Page, index: int) -> Found:
    token = page.tokens[index]
    near = {page.word(index + step) for step in (-3, -2, -1, 1, 2)}
    if near & {"pain", "scale", "hurts", "dolor", "score"}:
        return None
    found = _resolve(page.today, token.month, token.value, token.year)
    return (one_day(found), index + 1) if found else None


def _more_days(page: Page, month: int, found: Found, *, bound: bool) -> Found:
    """Take in the rest of "dec 8-10" and "dec 8, 9 or 10"; the comma of "after dec 8, the 10th" ends a bound."""
    while found:
        days, behind = found
        dash = page.kind(behind) is Kind.DASH or page.word(behind) in ("to", "through")
        join = dash or (page.kind(behind) is Kind.COMMA and not bound) or page.word(behind) in _LIST_JOINS
        bare = not join and page.kind(behind) is Kind.NUMBER and days.last.day < page.value(behind) <= _LONGEST_MONTH
        join = join or (bare and page.word(behind + 1) in _LIST_JOINS)
        at = behind if bare else page.skip(behind + 1, frozenset("the el or and".split()))
        day = _day_number(page, at) if join and page.kind(at) in (Kind.NUMBER, Kind.ORDINAL) else 0
        following = page.word(at + 1)
        if not day or following in UNITS or following in _ORDINAL_NOUNS or month_of(following):
            return found
        other = _resolve(page.today, month, day, 0)
        if other is None:
            return found
        both = stretch(days.last, other) if dash else one_day(other)
        found = (merge_days(days, both), at + 1) if both else None
    return found


def ordinal_at(page: Page, index: int) -> Found:
    """Read "the 3rd", "8th", "el 15": the next such date, or the offered one."""
    place = page.skip(index, frozenset("the el on dia".split()))
    if page.kind(place) is Kind.ORDINAL and page.value(place) == 1 and page.word(place + 1) == "of":
        year = page.skip(place + 2, frozenset("the next new".split()))
        if page.word(year) == "year":
            first = named_day("new_year", page.today)
            return replace(one_day(first), until=first), year + 1
    said = {page.word(at) for at in range(index, place)}
    day = page.value(place)
    if page.kind(place) is Kind.ORDINAL:
        plain = (
            page.word(place + 1) not in (_ORDINAL_NOUNS | UNITS) - {"of"} and weekday_of(page.word(place + 1)) is None
        )
    elif page.kind(place) is Kind.NUMBER:
        plain = page.word(place + 1) not in UNITS and _number_is_day(page, place, said)
    else:
        day = _spelled_day(page, place, said)
        plain = page.word(place + 1) not in _ORDINAL_NOUNS | UNITS
    if not (plain and 1 <= day <= 31):
        return None
    return _day_of_month(page, day, place + 1)


def _spelled_day(page: Page, place: int, said: set[str]) -> int:
    """The day in "the ninth or tenth", "lunes siete", "para el diez"; those that may be options are left alone."""
    word, before = page.word(place), page.word(place - 1)
    ordinal = ORDINALS.get(word, 0)
    if ordinal > max(len(page.offers), _FEWEST_SPELLED):
        listed = before in ("or", "and") and (page.kind(place - 2) is Kind.ORDINAL or page.word(place - 2) in ORDINALS)
        return ordinal if "the" in said or listed else 0
    number = NUMBERS.get(word, 0)
    spanish = bool(said & {"el", "dia"}) or before in SPANISH_WEEKDAYS
    return number if spanish and word in SPANISH_NUMBERS and number > len(page.offers) else 0


def _day_of_month(page: Page, day: int, behind: int) -> Found:
    found = next_day_of_month(day, page.today)
    month = _month_named_before(page, behind - 1)
    if month is not None and found is not None and found.month != month:
        said = _resolve(page.today, month, day, 0)
        return (one_day(said), behind) if said else None
    offered = next((start.date() for start in page.offers if start.day == day), None)
    if offered is None or found is None or offered == found:
        return (one_day(found), behind) if found else None
    near = (found - page.today).days <= DAYS_AHEAD
    return one_day(offered, doubtful=near), behind


def _month_named_before(page: Page, index: int) -> int | None:
    """The month of "first week of january, the 5th maybe"; one that is being put off ("after january") too."""
    for place in range(index - 1, max(index - _MONTH_REACHES, -1), -1):
        if page.kind(place) is Kind.DATE:
            return page.tokens[place].month
        month = _month_word(page, place)
        if month is not None and page.word(place) not in _MONTH_NEEDS_HINT:
            return month
    return None


def _number_is_day(page: Page, place: int, said: set[str]) -> bool:
    if "dia" in said:
        return True
    weekday = weekday_of(page.word(place - len(said) - 1)) is not None or weekday_of(page.word(place - 1)) is not None
    spanish = bool(said & {"el"}) or page.word(place - 1) in ("del", "al", "el")
    if spanish and not weekday and page.value(place) <= len(page.offers):
        # "El 2" is the second offer, unless that date is offered or a time follows.
        offered = any(start.day == page.value(place) for start in page.offers)
        return offered or page.word(place + 1) in ("a", "de", "en", "como", "por")
    return spanish or weekday or ("the" in said and page.value(place) > 12)


def month_at(page: Page, index: int) -> Found:
    """A whole month: "in january", "december 2026"; what is left of it when it is this one."""
    place = page.skip(index, frozenset("in next this en the el".split()))
    month = _month_word(page, place)
    if month is None:
        return None
    if page.word(place) in _MONTH_NEEDS_HINT and page.word(place - 1) not in _MONTH_HINTS:
        return None
    if page.word(place - 1) in _PAST or _day_number(page, page.skip(place + 1, frozenset(("the",)))):
        return None
    year = page.value(place + 1) if page.kind(place + 1) is Kind.NUMBER else 0
    named = 2020 <= year <= 2099
    found = whole_month(month, page.today, year if named else 0)
    return (found, place + 2 if named else place + 1) if found else None


def whole_month(month: int, today: date, year: int = 0) -> Days | None:
    """All of a month from tomorrow on; it defers to its first day."""
    first, last = month_dates(year or today.year + (month < today.month), month)
    if last <= today or (first - today).days > FARTHEST_DAYS:
        return None
    return stretch(max(first, today + timedelta(days=1)), last, until=first if first > today else None)
