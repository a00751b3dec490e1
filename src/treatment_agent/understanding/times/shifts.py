"""Reads days and moments that are counted from now: "in two weeks", "a week's notice", "in 30 minutes", "now"."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from treatment_agent.understanding.times.calendar_days import Found, add_months, one_day, onwards, stretch
from treatment_agent.understanding.times.calendar_words import NUMBERS
from treatment_agent.understanding.times.page import Page, phrase_at
from treatment_agent.understanding.times.tokens import Kind

_FEW_WORDS = 3
_MOST = {"day": 365, "week": 104, "month": 24, "year": 2, "hour": 48, "minute": 600}


def shifted_at(page: Page, index: int) -> Found:
    """Read "in two weeks", "two weeks from now", "within 3 days"."""
    within = phrase_at("shift_within", page, index)
    amount = amount_at(page, within[1]) if within else None
    if amount and amount[1] in ("day", "week", "month") and (amount[0] > 1 or page.word(index) != "next"):
        days = stretch(page.today + timedelta(days=1), moved_by(page.today, amount[0], amount[1]))
        return (days, amount[2]) if days else None
    if within and page.word(index) == "next" and page.word(index + 1) == "few":
        return None
    opener = phrase_at("shift_in", page, index)
    amount = amount_at(page, opener[1]) if opener else None
    if opener and amount and not (page.word(index) == "after" and phrase_at("days_after", page, amount[2])):
        return _later(page, amount)
    amount = amount_at(page, index)
    if amount and amount[1] in ("day", "week") and page.word(amount[2]) in ("notice", "ahead"):
        days = onwards(moved_by(page.today, amount[0], amount[1]), page.today)
        return (replace(days, until=None), amount[2] + 1) if days else None
    ahead = phrase_at("shift_from_now", page, amount[2]) if amount else None
    return _later(page, (amount[0], amount[1], ahead[1])) if amount and ahead else None


def _later(page: Page, amount: tuple[int, str, int]) -> Found:
    count, unit, behind = amount
    if unit in ("hour", "minute"):
        return None
    first = moved_by(page.today, count, unit)
    width = {"day": 0, "week": 6, "month": 29, "year": 29}[unit]
    days = one_day(first) if unit == "day" else stretch(first, first + timedelta(days=width))
    return (replace(days, until=first), behind) if days else None


def moved_by(today: date, count: int, unit: str) -> date:
    """The date `count` days, weeks, months or years later; earlier when it is negative."""
    if unit in ("day", "week"):
        return today + timedelta(days=count * (7 if unit == "week" else 1))
    return add_months(today, count * (12 if unit == "year" else 1))


def amount_at(page: Page, index: int) -> tuple[int, str, int] | None:
    """Read "3 weeks", "a couple of months", "2-3 days" (the smaller): count, unit, index behind."""
    if page.kind(index) is Kind.NUMBER:
        count, at = page.value(index), index + 1
    else:
        found = phrase_at("counts", page, index)
        word = page.word(index)
        count, at = (int(found[0]), found[1]) if found else (NUMBERS.get(word, 0), index + 1)
    if not count:
        return None
    if (page.kind(at) is Kind.DASH or page.word(at) in ("or", "to", "o")) and (
        page.kind(at + 1) is Kind.NUMBER or page.word(at + 1) in NUMBERS
    ):
        at += 2
    at = page.skip(at, frozenset(("more", "full", "mas", "of", "business", "short")))
    unit = phrase_at("units", page, at)
    if not unit or count > _MOST[unit[0]]:
        return None
    behind = unit[1] + 2 if page.word(unit[1]) == "or" and page.word(unit[1] + 1) in ("so", "two") else unit[1]
    return count, unit[0], behind


def moment_at(page: Page, index: int) -> tuple[datetime, int] | None:
    """Read "in 30 minutes", "an hour from now", "en media hora": the instant and the index behind it.

    "Now" is one only as an answer to when we may call.
    """
    now = phrase_at("moments", page, index) if page.for_call else None
    if now or (page.for_call and page.word(index) == "now" and len(page.tokens) <= _FEW_WORDS):
        return page.now, now[1] if now else index + 1
    opener = phrase_at("shift_in", page, index)
    place = opener[1] if opener and page.word(index) not in ("another", "after") else index
    found = _minutes_at(page, place)
    ahead = phrase_at("shift_from_now", page, found[1]) if found else None
    if not found or not (place > index or ahead):
        return None
    moment = (page.now.astimezone(UTC) + timedelta(minutes=found[0])).astimezone(page.now.tzinfo)
    return moment, ahead[1] if ahead else found[1]


def _minutes_at(page: Page, place: int) -> tuple[int, int] | None:
    half = phrase_at("half_hours", page, place)
    if half:
        return int(half[0]), half[1]
    amount = amount_at(page, place)
    if not amount or amount[1] not in ("hour", "minute"):
        return None
    return (amount[0] * 60 if amount[1] == "hour" else amount[0]), amount[2]
