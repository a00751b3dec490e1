"""Times as an office writes them."""

from __future__ import annotations

from datetime import date, datetime


def moment(at: datetime) -> str:
    """`Tue Nov 24, 9:05 AM`, in the zone the value carries."""
    return f"{day(at)}, {clock(at)}"


def clock(at: datetime) -> str:
    """`9:05 AM`."""
    return f"{at.hour % 12 or 12}:{at:%M %p}"


def day(on: date) -> str:
    """`Tue Nov 24`."""
    return f"{on:%a %b} {on.day}"
