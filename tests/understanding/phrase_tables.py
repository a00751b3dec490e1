"""Reads the phrase tables and spells out their notation for windows (see `phrases/days.toml`)."""

from __future__ import annotations

import tomllib
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from treatment_agent.domain.interpretation import Asked, Situation
from treatment_agent.domain.scheduling import Slot
from treatment_agent.understanding.times.calendar_days import HABIT_DAYS

OFFICE = ZoneInfo("America/Chicago")
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=OFFICE)
_FOLDER = Path(__file__).parent / "phrases"
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def slot(number: int, *when: int, provider: str = "lee") -> Slot:
    """An hour's slot on the given year, month, day, hour."""
    start = datetime(*when, tzinfo=OFFICE)
    return Slot(start, start + timedelta(hours=1), provider, f"s{number}")


SITUATION = Situation(
    now=NOW,
    asked=Asked.OFFER,
    offers=(slot(1, 2026, 12, 1, 9), slot(2, 2026, 12, 3, 14)),
    provider_names=(("lee", "Dr. Lee"),),
)


def cases_of(name: str) -> list[dict[str, object]]:
    """The cases of one table; unknown keys are mistakes."""
    cases = tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))["cases"]
    known = {"text", "windows", "visits", "instant", "until", "ambiguous", "option"}
    for case in cases:
        assert set(case) <= known, case
    return cases


def spelled_out(notation: list[str]) -> list[tuple[datetime, datetime]]:
    """Windows of a list like `["11-25..11-27 08:00-12:00"]`: sorted, merged, in the office's zone."""
    pieces = sorted(piece for entry in notation for piece in _pieces(entry))
    merged: list[tuple[datetime, datetime]] = []
    for start, end in pieces:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def moment(text: str) -> datetime:
    """ "11-25 14:00" as an aware datetime."""
    day, clock = text.split()
    return _at(_date(day), clock)


def _pieces(entry: str) -> list[tuple[datetime, datetime]]:
    words = entry.split()
    hours = words.pop() if ":" in words[-1] else "00:00-24:00"
    start, end = hours.split("-")
    return [(_at(day, start), _at(day, end)) for day in _days(words)]


def _days(words: list[str]) -> list[date]:
    if words[0] == "daily":
        wanted = words[1].split(",") if len(words) > 1 else _WEEKDAYS
        days = [NOW.date() + timedelta(days=step) for step in range(1, HABIT_DAYS + 1)]
        return [day for day in days if _WEEKDAYS[day.weekday()] in wanted]
    first, _, last = words[0].partition("..")
    count = (_date(last or first) - _date(first)).days + 1
    return [_date(first) + timedelta(days=step) for step in range(count)]


def _date(text: str) -> date:
    month, day = (int(part) for part in text.split("-"))
    return date(2026 if month >= 11 else 2027, month, day)


def _at(day: date, clock: str) -> datetime:
    hour, minute = (int(part) for part in clock.split(":"))
    return datetime(day.year, day.month, day.day, hour % 24, minute, tzinfo=OFFICE) + timedelta(days=hour // 24)
