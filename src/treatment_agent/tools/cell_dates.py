"""Dates and times as exports write them, in orders that the developer declares once."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from treatment_agent.errors import ConfigurationError
from treatment_agent.tools.cell_values import Cell, CellProblem, text_of

_ORDERS: Final = {"mdy": (2, 0, 1), "dmy": (2, 1, 0), "ymd": (0, 1, 2), "iso": (0, 1, 2)}
"""Style -> where year, month and day stand among the three numbers."""

_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
_NUMERIC: Final = re.compile(r"(\d{1,4})[-/. ](\d{1,2})[-/. ](\d{1,4})", re.ASCII)
_COMPACT: Final = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_NAME_FIRST: Final = re.compile(r"([A-Za-z]{3,9})[-. ]+(\d{1,2})(?:st|nd|rd|th)?[-, ]+(\d{4}|\d{2})", re.ASCII)
_DAY_FIRST: Final = re.compile(r"(\d{1,2})[- ]*([A-Za-z]{3,9})[-., ]*(\d{4}|\d{2})", re.ASCII)
_TIME: Final = re.compile(
    r"(.+?)(?:[T, ]+)(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)? ?([AaPp])?\.?[Mm]?\.? ?(Z|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)
_WEEKDAY: Final = re.compile(r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*[., ]+", re.IGNORECASE)
_NO_DATE: Final = frozenset({"none", "na", "unknown", "never", "00/00/0000", "0000-00-00", "1/0/1900", "/ /", "//"})
_EXCEL_DAY_ZERO: Final = date(1899, 12, 30)
_FIRST_REAL_YEAR: Final = 1901
"""Systems write "no date" as 0001-01-01, 1/1/1880 or 1/1/1900: anything before this year reads as empty."""


class DateReader:
    """Reads dates in the declared styles.

    Styles are `mdy`, `dmy`, `ymd` (or `iso`), `excel` (day numbers such as 46349) and `strptime` patterns. They are
    tried in order. Dates that can only be read one way (`2026-11-17`, `Nov 17, 2026`, `17-Nov-26`) are read under
    every style. When two declared orders give different days, the date is refused: nothing is guessed.
    """

    def __init__(self, styles: str | tuple[str, ...] = "mdy", *, zone: str = "America/Chicago") -> None:
        """Declare the styles, and the office's zone for times that carry none.

        Raises:
            ConfigurationError: an unknown style or zone.
        """
        self._styles = (styles,) if isinstance(styles, str) else tuple(styles)
        for style in self._styles:
            if style not in _ORDERS and style != "excel" and "%" not in style:
                raise ConfigurationError(
                    f"dates: unknown style {style!r}; use mdy, dmy, iso, excel or a pattern such as '%d.%m.%Y'"
                )
        if not self._styles:
            raise ConfigurationError("dates: name at least one style, for example dates='mdy'")
        self._long_year_orders = tuple(_ORDERS[style] for style in self._styles if style in ("mdy", "dmy"))
        self._short_year_orders = tuple(_ORDERS[style] for style in self._styles if style in ("mdy", "dmy", "ymd"))
        try:
            self.zone = ZoneInfo(zone)
        except Exception:
            raise ConfigurationError(f"zone: unknown time zone {zone!r}; use a name such as America/Chicago") from None

    def day(self, value: Cell) -> date | None:
        """The day a cell names, None if it is empty or a system's way to say "no date".

        Raises:
            CellProblem: it cannot be read, or can be read as two different days.
        """
        if isinstance(value, datetime):
            return _real(value.date())
        if isinstance(value, date):
            return _real(value)
        text = text_of(value)
        if not text or text.casefold() in _NO_DATE:
            return None
        with_time = _TIME.fullmatch(text) if ":" in text else None
        return self._day_of(with_time[1] if with_time else text)

    def moment(self, value: Cell) -> datetime | None:
        """The instant a cell names, in UTC; times without an offset are office-local.

        A day without a time stands for its last minute, so that an appointment today still counts as to come.

        Raises:
            CellProblem: as for `day`.
        """
        if isinstance(value, datetime):
            if _real(value.date()) is None:
                return None
            return (value if value.tzinfo else value.replace(tzinfo=self.zone)).astimezone(UTC)
        text = "" if isinstance(value, date) else text_of(value)
        with_time = _TIME.fullmatch(text) if ":" in text else None
        day = self.day(value)
        if day is None:
            return None
        if with_time is None:
            return datetime.combine(day, time(23, 59), tzinfo=self.zone).astimezone(UTC)
        return self._at(day, with_time)

    def _at(self, day: date, parts: re.Match[str]) -> datetime:
        hour, minute, second = int(parts[2]), int(parts[3]), int(parts[4] or 0)
        if parts[5]:
            if not 1 <= hour <= 12:
                raise CellProblem("not a time of day; write it like 2:30 PM or 14:30")
            hour = hour % 12 + (12 if parts[5] in "pP" else 0)
        try:
            moment = datetime.combine(day, time(hour, minute, second), tzinfo=self.zone)
        except ValueError:
            raise CellProblem("not a time of day; write it like 2:30 PM or 14:30") from None
        if parts[6]:
            offset = "+00:00" if parts[6] == "Z" else parts[6]
            moment = datetime.fromisoformat(f"{moment.replace(tzinfo=None).isoformat()}{offset}")
        return moment.astimezone(UTC)

    def _day_of(self, text: str) -> date | None:
        if text[0].isalpha():
            text = _WEEKDAY.sub("", text, count=1).strip()
        numeric = _NUMERIC.fullmatch(text)
        if numeric:
            parts = (numeric[1], numeric[2], numeric[3])
            found = {day for order in self._orders(parts) if (day := _by_order(parts, order))}
        else:
            found = {day for day in (_plain(text),) if day}
        if not found:
            found = {day for style in self._styles if (day := _by_style(text, style))}
        match tuple(found):
            case (day,):
                return _real(day)
            case ():
                raise CellProblem(f"not a date in the declared order ({', '.join(self._styles)}); set dates=...")
            case _:
                raise CellProblem("this date can be read as two days; declare one order for the file, dates='mdy'")

    def _orders(self, parts: tuple[str, str, str]) -> tuple[tuple[int, int, int], ...]:
        if len(parts[0]) >= 3:
            return (_ORDERS["iso"],) if len(parts[0]) == 4 and len(parts[2]) <= 2 else ()
        if len(parts[2]) == 2:
            return self._short_year_orders
        return self._long_year_orders if len(parts[2]) == 4 else ()


def _by_order(parts: tuple[str, str, str], order: tuple[int, int, int]) -> date | None:
    year = parts[order[0]]
    return _date(_century(year), int(parts[order[1]]), int(parts[order[2]]))


def _by_style(text: str, style: str) -> date | None:
    if style == "excel":
        number = text.partition(".")[0]
        if number.isascii() and number.isdigit() and 367 <= int(number) <= 109_574:
            return _EXCEL_DAY_ZERO + timedelta(days=int(number))
    elif "%" in style:
        try:
            return datetime.strptime(text, style).date()  # noqa: DTZ007  a date only, zones do not apply
        except ValueError:
            return None
    return None


def _plain(text: str) -> date | None:
    """A date that can be read one way only: a name of a month, or eight digits that begin with the year."""
    if compact := _COMPACT.fullmatch(text):
        return _date(int(compact[1]), int(compact[2]), int(compact[3]))
    if named := _NAME_FIRST.fullmatch(text):
        return _date(_century(named[3]), _month(named[1]), int(named[2]))
    if named := _DAY_FIRST.fullmatch(text):
        return _date(_century(named[3]), _month(named[2]), int(named[1]))
    return None


def _month(name: str) -> int:
    return _MONTHS.get(name[:3].lower(), 0)


def _century(year: str) -> int:
    """Two digits follow POSIX: 69-99 are the 1900s. Birthdays are put right by `before`."""
    number = int(year)
    if len(year) > 2:
        return number
    return number + (1900 if number >= 69 else 2000)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _real(day: date) -> date | None:
    return day if day.year >= _FIRST_REAL_YEAR else None


def before(born: date, latest: date) -> date:
    """A birthday cannot lie after `latest`: two-digit years that do belong to the century before.

    29 February of a year that the earlier century lacks becomes 28 February.
    """
    if born <= latest:
        return born
    return _date(born.year - 100, born.month, born.day) or date(born.year - 100, 2, 28)
