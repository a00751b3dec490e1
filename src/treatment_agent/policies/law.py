"""The law as dated data: what each place demands on a given day, strictest wins.

Files in `jurisdictions/` hold the rules with their source and the days on which they begin and end. They are
engineering notes, not legal advice. An office adds or replaces files: `Law(jurisdictions=(*default_jurisdictions(),
load_jurisdiction(path)))`.
"""

from __future__ import annotations

import tomllib
from calendar import monthrange
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final, Literal

from pydantic import Field, ValidationError, model_validator

from treatment_agent.domain.value import Value
from treatment_agent.errors import ConfigurationError

FEDERAL: Final = "US"
SOON_DAYS: Final = 90

Period = Literal["day", "week"]


class Disclosure(StrEnum):
    """When a text says that it comes from an automated assistant; a later member is stricter.

    A question for it is answered truthfully whatever is chosen.
    """

    ON_REQUEST = "on_request"
    FIRST = "first"
    ALWAYS = "always"


class RevokeScope(StrEnum):
    """What a revocation binds: only the address it is recorded for, or everything the office sends."""

    ADDRESS = "address"
    OFFICE = "office"


class Window(Value):
    """When a text may go: on these weekdays (0 = Monday), wall time where the phone's owner is, half-open."""

    days: tuple[int, ...]
    opens: time
    closes: time

    @model_validator(mode="after")
    def _holds_together(self) -> Window:
        if self.closes <= self.opens or not set(self.days) <= set(range(7)):
            raise ValueError("a window closes after it opens, and its days are numbers from 0 (Monday) to 6")
        return self


class Holiday(Value):
    """A yearly holiday: a fixed `day`, or the `nth` `weekday` of the month (-1 is the last)."""

    name: str
    month: int = Field(ge=1, le=12)
    day: int | None = None
    weekday: int | None = Field(default=None, ge=0, le=6)
    nth: int | None = None
    since: int = 0

    @model_validator(mode="after")
    def _holds_together(self) -> Holiday:
        if (self.day is None) == (self.weekday is None) or (self.weekday is None) != (self.nth is None):
            raise ValueError("a holiday has a day, or a weekday with nth")
        return self

    def falls_on(self, day: date) -> bool:
        """True on the holiday, and on the Friday or Monday that stands for one on a weekend."""
        if self.day is None:
            return day.month == self.month and day.year >= self.since and self._is_nth(day)
        next_to_weekend = {4: timedelta(days=1), 0: timedelta(days=-1)}
        kept = (day, day + next_to_weekend.get(day.weekday(), timedelta()))
        return any((d.month, d.day) == (self.month, self.day) and d.year >= self.since for d in kept)

    def _is_nth(self, day: date) -> bool:
        if day.weekday() != self.weekday:
            return False
        if self.nth == -1:
            return day.day + 7 > monthrange(day.year, day.month)[1]
        return (day.day - 1) // 7 + 1 == self.nth


class LawRule(Value):
    """One demand of one place, in force from `effective_from` up to, but not on, `effective_until`.

    `hours` empty demands no hours. `checked` says how sure we are of it: read in the `source`, or `general` knowledge.
    """

    id: str
    effective_from: date
    effective_until: date | None = None
    source: str = Field(min_length=1)
    checked: Literal["source", "general"]
    says: str = Field(min_length=1)
    hours: tuple[Window, ...] = ()
    no_holidays: bool = False
    max_per_day: int | None = Field(default=None, ge=1)
    max_per_week: int | None = Field(default=None, ge=1)
    confirmation_minutes: int | None = Field(default=None, ge=0)
    disclose: Disclosure | None = None
    revoke_all: bool = False

    @model_validator(mode="after")
    def _holds_together(self) -> LawRule:
        if self.effective_until is not None and self.effective_until <= self.effective_from:
            raise ValueError("effective_until is the first day on which the rule no longer holds: after effective_from")
        return self

    def in_force(self, on: date) -> bool:
        """True on the days on which the rule holds."""
        return self.effective_from <= on and (self.effective_until is None or on < self.effective_until)

    def allows(self, local: datetime) -> bool:
        """True when its hours leave room for a text at this wall time."""
        wall, weekday = local.time(), local.weekday()
        return not self.hours or any(weekday in w.days and w.opens <= wall < w.closes for w in self.hours)


class Jurisdiction(Value):
    """What one place demands. `id` is `US` or `US-` and the state; after `review_by` somebody must look again."""

    id: str = Field(pattern=r"^[A-Z]{2}(-[A-Z]{2})?$")
    title: str
    verified_on: date
    review_by: date
    rules: tuple[LawRule, ...] = ()
    holidays: tuple[Holiday, ...] = ()


def load_jurisdiction(path: Path | Traversable) -> Jurisdiction:
    """Read one file; `jurisdictions/us.toml` shows the format.

    Raises:
        ConfigurationError: it cannot be read; names the file, the place and the fix.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"{path.name}: cannot be read as TOML ({type(error).__name__}); see policies/jurisdictions/us.toml"
        ) from None
    content["rules"], content["holidays"] = content.pop("rule", []), content.pop("holiday", [])
    try:
        return Jurisdiction.model_validate(content)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ConfigurationError(f"{path.name}: {wrong}") from None


@cache
def default_jurisdictions() -> tuple[Jurisdiction, ...]:
    """The shipped files: federal, and the states whose rules are known to be stricter."""
    folder = files("treatment_agent.policies") / "jurisdictions"
    found = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    return tuple(load_jurisdiction(f) for f in found)


class Law(Value):
    """Which law the office keeps, and its own choices where the law leaves one.

    `state` is the office's own (two letters); empty: read from its address. With `federal_holidays`, nothing is sent
    on them anywhere. The choices never loosen what a place demands.
    """

    jurisdictions: tuple[Jurisdiction, ...] = Field(default_factory=default_jurisdictions)
    state: str = ""
    federal_holidays: bool = False
    disclosure: Disclosure = Disclosure.FIRST
    revoke_scope: RevokeScope = RevokeScope.OFFICE

    def binding(self, states: Iterable[str] = ()) -> Binding:
        """Federal law and the law of each of these states."""
        wanted = {FEDERAL, *(f"{FEDERAL}-{state}" for state in states)}
        return Binding(self, tuple(j for j in self.jurisdictions if j.id in wanted))

    def is_holiday(self, day: date) -> bool:
        """True on a legal holiday of any file."""
        return any(h.falls_on(day) for j in self.jurisdictions for h in j.holidays)


@dataclass(frozen=True, slots=True)
class Binding:
    """The law that one text has to keep: every place whose people it may reach. The strictest demand counts."""

    law: Law
    places: tuple[Jurisdiction, ...]

    def rules_on(self, on: date) -> Iterator[LawRule]:
        """Every rule of these places that is in force on a day."""
        return (rule for place in self.places for rule in place.rules if rule.in_force(on))

    def blocked_by(self, local: datetime) -> str | None:
        """The rule that forbids writing first at this wall time: `contact.law-holiday`, `contact.law-hours`, or None.

        `local` is the time in one place where the phone's owner may be.
        """
        on = local.date()
        rules = tuple(self.rules_on(on))
        if (self.law.federal_holidays or any(r.no_holidays for r in rules)) and self.law.is_holiday(on):
            return "contact.law-holiday"
        return None if all(r.allows(local) for r in rules) else "contact.law-hours"

    def openings(self) -> tuple[time, ...]:
        """Wall times at which some rule's hours begin, past and future rules included."""
        return tuple(sorted({w.opens for place in self.places for rule in place.rules for w in rule.hours}))

    def cap(self, on: date, period: Period, own: int) -> int:
        """The lowest of the office's own cap and what the places demand on a day."""
        found = (rule.max_per_day if period == "day" else rule.max_per_week for rule in self.rules_on(on))
        return min([own, *(c for c in found if c is not None)])

    def disclosure(self, on: date) -> Disclosure:
        """The strictest of the office's choice and what the places demand on a day."""
        order = list(Disclosure)
        demanded = (rule.disclose for rule in self.rules_on(on))
        return max([self.law.disclosure, *(d for d in demanded if d is not None)], key=order.index)


def revoke_scope(law: Law, on: date) -> RevokeScope:
    """What a revocation binds on a day: everything, once federal law says so (31 January 2027) or the office does."""
    demanded = any(rule.revoke_all for rule in law.binding().rules_on(on))
    return RevokeScope.OFFICE if demanded else law.revoke_scope


def confirmation_minutes(law: Law, on: date, own: int) -> int:
    """How long after a revocation it may be confirmed: the office's minutes, or fewer where the law says so."""
    found = (rule.confirmation_minutes for rule in law.binding().rules_on(on))
    return min([own, *(m for m in found if m is not None)])


def stale(law: Law, on: date) -> tuple[Jurisdiction, ...]:
    """Files past the day by which somebody should have looked again."""
    return tuple(j for j in law.jurisdictions if on > j.review_by)


def coming(law: Law, on: date, within_days: int = SOON_DAYS) -> tuple[tuple[date, Jurisdiction, LawRule], ...]:
    """Rules that begin or end within some days after `on`, with that day, soonest first."""
    until = on + timedelta(days=within_days)
    found = [
        (day, place, rule)
        for place in law.jurisdictions
        for rule in place.rules
        for day in (rule.effective_from, rule.effective_until)
        if day is not None and on < day <= until
    ]
    return tuple(sorted(found, key=lambda item: (item[0], item[1].id, item[2].id)))
