"""Reads `patients.toml`: what the invented patients write, when, and what the staff do about it."""

from __future__ import annotations

import re
import tomllib
from datetime import timedelta
from importlib.resources import files
from typing import Literal

from pydantic import AwareDatetime, Field, ValidationError, field_validator

from treatment_agent.domain.events import ChartChange
from treatment_agent.domain.handoff import HandoffKind
from treatment_agent.domain.interpretation import Topic
from treatment_agent.domain.value import Value
from treatment_agent.errors import ConfigurationError

_WAIT = re.compile(
    r"(?:(\d+) ?d(?:ays?)?)?\s*(?:(\d+) ?h(?:ours?)?)?\s*(?:(\d+) ?m(?:inutes?)?)?\s*(?:(\d+) ?s(?:econds?)?)?"
)


class Line(Value):
    """One text a patient sends.

    `after`: `text` waits for our next text, `message` counts from the patient's own last one, `staff` from the next
    thing staff do in the conversation, anything else is the id of the script that is answered. `{day1}`, `{date1}` and
    `{time1}` stand for the first offered slot, `{day2}` and so on for the second.
    """

    text: str = ""
    after: str = "text"
    wait: timedelta = timedelta(minutes=20)
    media: int = 0

    @field_validator("wait", mode="before")
    @classmethod
    def _read_wait(cls, value: object) -> object:
        return parse_wait(value) if isinstance(value, str) else value


class Character(Value):
    """One patient of the demo: who, why they are in it, and what they write."""

    id: str
    why: str
    says: tuple[Line, ...] = ()


class Habit(Value):
    """What staff do about a handoff or task of a topic or kind, in office hours.

    `sees` is how long until somebody acknowledges it, `works` how long until it ends as `ends` says. `open` leaves it.
    """

    topic: Topic | None = None
    kind: HandoffKind | None = None
    patient: str | None = None
    by: str = "Dana"
    sees: timedelta = timedelta(minutes=20)
    works: timedelta = timedelta(hours=2)
    ends: Literal["open", "resume", "close", "booked", "declined", "review", "done"] = "open"
    visit_in_days: int = 7

    @field_validator("sees", "works", mode="before")
    @classmethod
    def _read_wait(cls, value: object) -> object:
        return parse_wait(value) if isinstance(value, str) else value


class Outside(Value):
    """Something that happens in the office's own software, outside this one."""

    at: AwareDatetime
    patient: str
    change: ChartChange
    visit_at: AwareDatetime | None = None
    told: bool = True


class Export(Value):
    """A list of unscheduled treatment as the office's software writes it, and when it is read.

    `partial`: it holds only the day's new cases.
    """

    at: AwareDatetime
    file: str
    partial: bool = False


class Story(Value):
    """Everything that happens in the two weeks beside what the coordinator does."""

    starts: AwareDatetime
    ends: AwareDatetime
    export: tuple[Export, ...] = Field(min_length=1)
    patient: tuple[Character, ...] = ()
    staff: tuple[Habit, ...] = ()
    outside: tuple[Outside, ...] = ()

    def habit_for(self, *, patient: str | None, topic: Topic | None, kind: HandoffKind) -> Habit | None:
        """The most particular habit that fits: by patient, then by topic, then by kind."""
        fitting = [
            h
            for h in self.staff
            if (h.patient is None or h.patient == patient)
            and (h.topic is None or h.topic is topic)
            and (h.kind is None or h.kind is kind)
        ]
        return max(
            fitting, key=lambda h: (h.patient is not None, h.topic is not None, h.kind is not None), default=None
        )


def parse_wait(text: str) -> timedelta:
    """Read `35m`, `2h`, `1d 3h`, `10s`, or in words: `3 days`, `1 hour 30 minutes`.

    Raises:
        ValueError: it has another form.
    """
    found = _WAIT.fullmatch(text.strip())
    if not found or not any(found.groups()):
        raise ValueError(f"cannot read {text!r}; write a wait like 35m, 2h, 1d 3h or 3 days")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def load(text: str | None = None) -> Story:
    """The bundled story, or the one in `text`.

    Raises:
        ConfigurationError: the file is not valid; names the place.
    """
    source = text if text is not None else (files("treatment_agent.demo") / "patients.toml").read_text("utf-8")
    try:
        return Story.model_validate(tomllib.loads(source))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise ConfigurationError(f"patients.toml: {error}") from None
