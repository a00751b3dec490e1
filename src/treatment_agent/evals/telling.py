"""How values of a dialogue are compared and told."""

from __future__ import annotations

import re
from datetime import datetime
from enum import Enum
from zoneinfo import ZoneInfo

from treatment_agent.evals.expectations import ExpectedBooking, ExpectedHandoff, Pattern

NOTHING = "nothing"


def aware(moment: datetime, zone: ZoneInfo) -> datetime:
    """A time of a file: without an offset it is the office's."""
    return moment if moment.utcoffset() is not None else moment.replace(tzinfo=zone)


def matches(pattern: Pattern, text: str) -> bool:
    """True if the pattern is found anywhere in the text, in capitals or not."""
    return re.search(pattern, text, re.IGNORECASE) is not None


def told(value: object) -> str:
    """A value as people read it in a finding."""
    if isinstance(value, ExpectedHandoff | ExpectedBooking):
        return " ".join(told(part) for part in value.model_dump(exclude_none=True).values())
    if isinstance(value, tuple | list):
        return "[" + ", ".join(told(one) for one in value) + "]" if value else NOTHING
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M}"
    if isinstance(value, Enum):
        return str(value.value)
    if value is None or value == "":
        return NOTHING
    return str(value)


def counted(count: int, thing: str) -> str:
    """`1 hour`, `2 hours`."""
    return f"{count} {thing}{'' if count == 1 else 's'}"
