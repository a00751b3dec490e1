"""How names, days and times are written in each shipped language. GSM-7 letters only, so a text stays short."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import pairwise

from treatment_agent.policies.office import Hours

LONGEST_NAME = 30


@dataclass(frozen=True, slots=True)
class Words:
    """The words one language needs. `neutral_name` stands where no first name is known; empty drops it."""

    days: tuple[str, ...]
    months: tuple[str, ...]
    day: str
    at: str
    at_one: str
    on: str
    neutral_name: str


_ENGLISH = Words(
    days=("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    months=("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    day="{weekday} {month} {day}",
    at=" at ",
    at_one=" at ",
    on="on ",
    neutral_name="there",
)
_SPANISH = Words(
    days=("lun", "mar", "mié", "jue", "vie", "sab", "dom"),
    months=("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"),
    day="{weekday} {day} de {month}",
    at=" a las ",
    at_one=" a la ",
    on="el ",
    neutral_name="",
)


def words_of(language: str) -> Words | None:
    """The words of a language, or None when this library cannot write its dates."""
    return {"en": _ENGLISH, "es": _SPANISH}.get(language)


def day_in(day: date, words: Words) -> str:
    """A day as people write it: `Tue Dec 1`, `mar 1 de dic`."""
    named = words.day.replace("{weekday}", words.days[day.weekday()])
    return named.replace("{month}", words.months[day.month - 1]).replace("{day}", str(day.day))


def visit_day_in(day: date, words: Words) -> str:
    """A day after `thank you for coming in`: `on Tue Nov 24`, `el mar 24 de nov`."""
    return f"{words.on}{day_in(day, words)}"


def moment_in(local: datetime, words: Words) -> str:
    """A time as people write it: `Tue Dec 1 at 9:00 AM`, `mar 1 de dic a las 9:00 AM`. `local` is office time."""
    at = words.at_one if local.hour % 12 == 1 else words.at
    return f"{day_in(local.date(), words)}{at}{_clock(local.time())}"


def hours_in(hours: Sequence[Hours], words: Words) -> str:
    """Opening hours, neighbouring days with the same hours joined: `Mon-Thu 8:00 AM-5:00 PM, Fri 8:00 AM-1:00 PM`."""
    ordered = sorted(hours, key=lambda h: (h.weekday, h.opens))
    runs: list[list[Hours]] = [[h] for h in ordered[:1]]
    for before, after in pairwise(ordered):
        same = (before.opens, before.closes) == (after.opens, after.closes)
        if same and after.weekday == before.weekday + 1:
            runs[-1].append(after)
        else:
            runs.append([after])
    return ", ".join(_run_in(run, words) for run in runs)


def verified_name(name: str) -> str:
    """The first name if it can only be a name, else an empty string.

    Letters, marks, single spaces, apostrophes, hyphens and dots, at most 30 characters. A dot may end a word (`Ma.`)
    or follow single letters (`J.R.`): anything else could be a web address.
    """
    name = name.strip()
    if not name or len(name) > LONGEST_NAME:
        return ""
    return name if all(_is_name_part(part) for part in name.split(" ")) else ""


def _is_name_part(part: str) -> bool:
    initials = part.split(".")
    if len(initials) > 2 or (len(initials) == 2 and initials[1]):
        return all(len(i) == 1 and i.isalpha() for i in initials if i) and bool(initials[0]) and "" not in initials[:-1]
    word = initials[0]
    return bool(word) and unicodedata.category(word[0])[0] == "L" and all(_is_name_character(c) for c in word)


def _is_name_character(character: str) -> bool:
    return unicodedata.category(character)[0] in "LM" or character in "'\u2019-"


def _run_in(run: list[Hours], words: Words) -> str:
    days = words.days[run[0].weekday] + (f"-{words.days[run[-1].weekday]}" if len(run) > 1 else "")
    return f"{days} {_clock(run[0].opens)}-{_clock(run[0].closes)}"


def _clock(at: time) -> str:
    return f"{at.hour % 12 or 12}:{at.minute:02d} {'AM' if at.hour < 12 else 'PM'}"
