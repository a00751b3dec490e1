"""What the reader of a message knows while it goes through it, and what words behind a list do to its members."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from treatment_agent.understanding.times.calendar_days import Days
from treatment_agent.understanding.times.day_hours import Hours, Shape, hours_at, since_hours, upto_hours
from treatment_agent.understanding.times.day_phrases import after_days, before_days, days_at
from treatment_agent.understanding.times.happenings import happening_at
from treatment_agent.understanding.times.page import Page, phrase_at


class Join(StrEnum):
    """What stands between a mention and the one before it in the same part of the message."""

    NONE = "none"
    COMMA = "comma"
    AND = "and"
    OR = "or"


@dataclass(frozen=True, slots=True)
class Mention:
    """Days, hours or an instant that were named, at tokens `[first, behind)`.

    `segment` counts the parts that full stops and "but" divide the message into. `touching` is True when only list
    words stand between this mention and the one before. `ends_absence` marks "can't until february". `any_day`
    marks "anytime", which any other day replaces. `favoured` marks the first one behind "can do" and its like.
    """

    first: int
    behind: int
    segment: int
    days: Days | None = None
    hours: Hours | None = None
    moment: datetime | None = None
    join: Join = Join.NONE
    touching: bool = False
    negative: bool = False
    overridable: bool = False
    ends_absence: bool = False
    any_day: bool = False
    favoured: bool = False


_INTENSIFIERS = frozenset(
    "is are way really just a bit little definitely probably both totally so might be muy".split()
)


_SUBJECTS = frozenset("i we he she yo".split())
_HAVING_SUBJECTS = frozenset("ive weve hes shes".split())


@dataclass(slots=True)
class State:
    """What holds for the next mention. `segment` is the number of the part of the message that is being read."""

    segment: int = 0
    negative: bool = False
    soft: bool = False
    comma: bool = False
    age: int = 0
    join: Join = Join.NONE
    list_only: bool = False
    after_but: bool = False
    reason: bool = False
    so: bool = False
    favour: bool = False

    def clear(self) -> None:
        """Forget the denial."""
        self.negative = self.soft = self.comma = False
        self.age = 0

    def divide(self) -> None:
        """Begin a new part of the message."""
        self.segment += 1
        self.join, self.list_only = Join.NONE, False
        self.reason = self.so = self.favour = False


def moved_by_reference(page: Page, index: int, found: list[Mention], state: State) -> int | None:
    """Let "before that" and "after that" move the last mention, and "not then" or "so then" judge it."""
    side = phrase_at("reference", page, index)
    if side is None:
        return None
    place = next((at for at in range(len(found) - 1, -1, -1) if not found[at].any_day), None)
    if place is None:
        return None
    last = found[place]
    if side[0] in ("not", "yes"):
        found[place] = replace(last, negative=side[0] == "not")
        state.clear()
        return side[1]
    days, hours = last.days, last.hours
    if hours:
        hours = _moved_hours(hours, after=side[0] == "after")
    elif days:
        days = (after_days if side[0] == "after" else before_days)(page.today, days) or days
    before = found[place - 1] if place else None
    beside = before is not None and before.days is not None and hours is not None and before.segment == last.segment
    segment = last.segment if beside else state.segment
    found[place] = replace(last, days=days, hours=hours, negative=False, segment=segment)
    state.clear()
    return side[1]


def _moved_hours(hours: Hours, *, after: bool) -> Hours:
    """The hours after or before a clock time or a stretch with ends: "she naps from 1 to 3, after that is good"."""
    if hours.shape is Shape.POINT and hours.anchor is not None:
        return since_hours(hours.anchor, bare=hours.bare) if after else upto_hours(hours.anchor, bare=hours.bare)
    if after and hours.shape in (Shape.UNTIL, Shape.RANGE, Shape.PART):
        return since_hours(hours.end, bare=hours.bare)
    if not after and hours.shape in (Shape.SINCE, Shape.RANGE, Shape.PART):
        return upto_hours(hours.start, bare=hours.bare)
    return hours


def judged_behind(page: Page, index: int, found: list[Mention], state: State) -> int | None:
    """Apply "doesn't work" or "is fine" to the mentions right before it."""
    near = bool(found) and found[-1].segment == state.segment and index - found[-1].behind <= 2
    if not near or not state.list_only or state.join is not Join.NONE:
        return None
    against = phrase_at("not_behind", page, index) or phrase_at("not_behind", page, page.skip(index, _INTENSIFIERS))
    at = index + 1 if page.word(index) in _SUBJECTS else index if page.word(index) in _HAVING_SUBJECTS else -1
    if not against and at >= 0 and (happens := happening_at(page, at)):
        against = "alone", happens
    favour = phrase_at("yes_behind", page, index)
    if page.word(index - 1) == "que" and page.word(index) == "no":
        return None
    careless = phrase_at("marks", page, index)
    if against and careless and careless[0] == "neutral" and careless[1] > against[1]:
        return None
    if against and not (favour and favour[1] > against[1]):
        return _turn_down(page, against, found, state)
    longer = phrase_at("marks", page, index)
    if favour and not (longer and longer[1] > favour[1]):
        for place in _chain(found, over_commas=False):
            if found[place].overridable:
                found[place] = replace(found[place], negative=False)
        state.clear()
        state.list_only = False
        return favour[1]
    return None


def _turn_down(page: Page, against: tuple[str, int], found: list[Mention], state: State) -> int | None:
    behind = page.skip(against[1], frozenset(("on", "the", "in", "el", "los")))
    if against[0] == "alone" and (days_at(page, behind) or hours_at(page, behind)):
        return None
    for place in _chain(found, over_commas=against[0] != "alone"):
        # "Hasta febrero no puedo": from february on it suits.
        ends = found[place].days is not None and page.word(found[place].first) in ("until", "hasta")
        found[place] = replace(found[place], negative=not ends, ends_absence=ends)
    state.clear()
    state.list_only = False
    return against[1]


def _chain(found: list[Mention], *, over_commas: bool) -> list[int]:
    """Indices of the list that ends with the last mention."""
    places = [len(found) - 1]
    while places[-1] > 0:
        later = found[places[-1]]
        if not later.touching or (later.join is Join.COMMA and not over_commas):
            break
        before = found[places[-1] - 1]
        if later.segment != before.segment or (before.favoured and later.join is Join.COMMA):
            # "Can do thursday, tuesday is out" turns down tuesday only.
            break
        places.append(places[-1] - 1)
    return places
