"""Cells about the dental plan's year, missed and coming visits, and the kind of a case."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from treatment_agent.domain.treatment import CaseKind
from treatment_agent.tools.cell_dates import DateReader
from treatment_agent.tools.cell_values import Cell, CellProblem, site, text_of
from treatment_agent.tools.cell_words import CASE_KIND
from treatment_agent.tools.columns import normal

if TYPE_CHECKING:
    from treatment_agent.tools.patient_rows import RowView

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LARGEST: Final = 1000


@dataclass(frozen=True, slots=True)
class NextVisit:
    """A coming visit as the source tells it; an unknown time sorts first, as if nobody knew of a visit."""

    at: datetime | None = None
    provider_id: str = ""
    teeth: str = ""

    def __lt__(self, other: NextVisit) -> bool:
        if self.at is None or other.at is None:
            return self.at is None and other.at is not None
        return self.at < other.at


def next_visits(view: RowView, dates: DateReader) -> list[NextVisit]:
    """The coming visit of a row, with its provider and teeth; empty when it has none.

    Raises:
        CellProblem: the time or the tooth cannot be read.
    """
    at = view.read("next_visit_at", dates.moment)
    if at is None:
        return []
    teeth = view.read("next_visit_teeth", site) or ""
    return [NextVisit(at, view.text("next_visit_provider_id")[:60], teeth)]


def case_kind(cell: Cell) -> CaseKind:
    """The kind of a case, by its word.

    Raises:
        CellProblem: no such kind.
    """
    kind = CASE_KIND.get(normal(text_of(cell)))
    if kind is None:
        known = ", ".join(k.value for k in CaseKind)
        raise CellProblem(f"not a kind of case we know; use {known}, or leave the cell empty")
    return kind


def end_month(cell: Cell) -> int:
    """The last month of a benefit year: `12`, `June`, `Jun 30`, `06/30`, `calendar`.

    Raises:
        CellProblem: no month can be read.
    """
    text = text_of(cell).casefold()
    if "calendar" in text:
        return 12
    word = next((m for m in re.findall(r"[a-z]{3,}", text) if m[:3] in _MONTHS), None)
    if word is not None:
        return _MONTHS.index(word[:3]) + 1
    numbers = [int(n) for n in re.findall(r"\d+", text)]
    # 2026-06-30 begins with the year; 06/30 and 6 with the month.
    months = [n for n in numbers if n <= _LARGEST]
    if not months or not 1 <= months[0] <= 12:
        raise CellProblem("not a month; write the month in which the benefit year ends, such as 12 or June")
    return months[0]


def count(cell: Cell) -> int:
    """How many.

    Raises:
        CellProblem: not a whole number, or too large to be one of visits.
    """
    text = text_of(cell).removesuffix(".0")
    if not text.isascii() or not text.isdecimal() or int(text[:9]) > _LARGEST:
        raise CellProblem("not a number of visits; write a whole number such as 2, or leave the cell empty")
    return int(text)
