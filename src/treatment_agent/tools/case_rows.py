"""From rows to cases: the one mapper behind the CSV, JSON and SQL sources.

A row is one procedure of one patient. Rows of one patient that follow each other make one `Case`, with the id
`case-<patient id>`. A row that cannot be read becomes a `BadRow` that names the place, the column and the fix, and
never what the cell holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from treatment_agent.domain.patients import Patient
from treatment_agent.domain.treatment import Case, Procedure, ProcedureStatus
from treatment_agent.errors import BadRow, ConfigurationError
from treatment_agent.tools.cell_dates import DateReader
from treatment_agent.tools.cell_values import Cell, CellProblem, cents, identifier, procedure_code, site, text_of
from treatment_agent.tools.cell_words import PATIENT_STATUS, PROCEDURE_STATUS
from treatment_agent.tools.columns import Binding, Columns
from treatment_agent.tools.patient_rows import PatientReader, RowView, join

_TOTALS: Final = ("total", "grand total", "subtotal", "sub total", "count:", "report ", "page ", "printed ")


@dataclass(frozen=True, slots=True)
class Reading:
    """How the cells of a source are written.

    `dates`: styles for `DateReader`. `zone`: the office's zone, for times without offset. `region`: the country
    assumed for phone numbers without `+`. `decimal_comma`: money is written `1.250,00`. `synced_at`: when the export
    was made, an aware datetime.
    """

    columns: Columns = field(default_factory=Columns)
    dates: str | tuple[str, ...] = "mdy"
    zone: str = "America/Chicago"
    region: str = "US"
    decimal_comma: bool = False
    synced_at: datetime | None = None

    def __post_init__(self) -> None:
        if self.synced_at is not None and self.synced_at.utcoffset() is None:
            raise ConfigurationError("synced_at: give an aware datetime, with a zone")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a source, where it stands (`line 17`), and what its cells are."""

    place: str
    cells: Sequence[Cell]
    binding: Binding


@dataclass(slots=True)
class _Gathering:
    """A case in the making: one patient's rows so far."""

    key: tuple[Cell, ...]
    patient: Patient
    procedures: dict[str, Procedure]
    visits: list[date]
    next_visit_at: datetime | None
    last_staff_contact_at: datetime | None


class RowMapper:
    """Reads rows and gathers them into cases."""

    def __init__(self, reading: Reading) -> None:
        """Read cells as `reading` says.

        Raises:
            ConfigurationError: an unknown date style or zone.
        """
        self._reading = reading
        self._dates = DateReader(reading.dates, zone=reading.zone)
        self._patients = PatientReader(reading.columns, self._dates, region=reading.region)

    def cases(self, rows: Iterable[Row | BadRow]) -> Iterator[Case | BadRow]:
        """Gather rows into cases; hand bad rows on where they come."""
        current: _Gathering | None = None
        for row in rows:
            if isinstance(row, BadRow):
                yield row
                continue
            try:
                current, done = self._take(row, current)
            except CellProblem as problem:
                yield _bad(row, problem)
                continue
            if done is not None:
                yield self._case(done)
        if current is not None:
            yield self._case(current)

    def _take(self, row: Row, current: _Gathering | None) -> tuple[_Gathering | None, _Gathering | None]:
        """Add a row to the current case, or start the next one and return the one that is complete."""
        view = RowView(row.binding, row.cells)
        patient_id = view.read("patient_id", identifier) or ""
        procedure = self._procedure(view, patient_id)
        key = tuple(row.cells[i] if i < len(row.cells) else None for i in row.binding.person)
        diagnosed_on = procedure.diagnosed_on
        visit_on = view.read("visit_on", self._dates.day) or diagnosed_on
        if current is not None and current.patient.id == patient_id and current.key == key and "status" not in view:
            patient = current.patient
        else:
            patient = self._patients.read(view, patient_id, latest=visit_on or diagnosed_on)
        gathered = _Gathering(
            key=key,
            patient=patient,
            procedures={procedure.id: procedure},
            visits=[visit_on] if visit_on else [],
            next_visit_at=view.read("next_visit_at", self._dates.moment),
            last_staff_contact_at=view.read("last_staff_contact_at", self._dates.moment),
        )
        if current is None or current.patient.id != patient_id:
            return gathered, current
        _merge(current, gathered)
        return current, None

    def _procedure(self, view: RowView, patient_id: str) -> Procedure:
        code = view.read("code", procedure_code) or ""
        for name, value in (("patient_id", patient_id), ("code", code)):
            if not value:
                raise view.problem(name, "the cell is empty; every row needs a patient id and a procedure code")
        fee = view.read("fee", lambda cell: cents(cell, decimal_comma=self._reading.decimal_comma)) or 0
        if fee < 0:
            raise view.problem("fee", "a negative fee: an adjustment is not a procedure; leave such rows out")
        tooth, surface = view.read("tooth", site) or "", view.read("surface", site) or ""
        provider_id, priority = view.text("provider_id")[:60], view.text("plan_priority")[:40]
        own = view.read("procedure_id", identifier)
        return Procedure(
            id=own or "-".join(part.replace(" ", "") for part in (patient_id, code, tooth, surface) if part),
            code=code,
            tooth=tooth,
            surface=surface,
            fee_cents=fee,
            provider_id=provider_id,
            status=_procedure_status(view),
            diagnosed_on=view.read("diagnosed_on", self._dates.day),
            plan_priority=priority,
        )

    def _case(self, gathered: _Gathering) -> Case:
        procedures = tuple(gathered.procedures.values())
        return Case(
            id=f"case-{gathered.patient.id}",
            patient=gathered.patient,
            procedures=procedures,
            provider_id=procedures[0].provider_id,
            visit_on=max(gathered.visits, default=None),
            next_visit_at=gathered.next_visit_at,
            last_staff_contact_at=gathered.last_staff_contact_at,
            synced_at=self._reading.synced_at,
        )


def repeated_headers(binding: Binding, place: str) -> Iterator[BadRow]:
    """Say which headers stand twice: the first is read, and that may be the wrong one."""
    for header in binding.repeated:
        fix = f"this header stands more than once and the first is read; map the other as {header + '#2'!r}"
        yield BadRow(place, header, fix)


def _bad(row: Row, problem: CellProblem) -> BadRow:
    """Say what is wrong; lines that are no data at all are named as such, so that nobody hunts for a fault."""
    texts = [text_of(cell) for cell in row.cells]
    first = next((text for text in texts if text), "").casefold()
    if texts == list(row.binding.headers):
        return BadRow(row.place, None, "the header line again, skipped; nothing to do")
    if first.startswith(_TOTALS):
        return BadRow(row.place, None, "a line of totals or a footer, skipped; nothing to do")
    if sum(1 for text in texts if text) == 1 and len(row.binding.headers) > 3:
        return BadRow(row.place, None, "a line with one cell only, skipped; a title or footer needs nothing done")
    return BadRow(row.place, problem.column, problem.fix)


def _merge(current: _Gathering, added: _Gathering) -> None:
    """Add a row of the same patient: the last word on a procedure, the strictest word on the person."""
    current.patient = join(current.patient, added.patient)
    current.key = added.key
    current.procedures |= added.procedures
    current.visits += added.visits
    visits = [at for at in (current.next_visit_at, added.next_visit_at) if at]
    contacts = [at for at in (current.last_staff_contact_at, added.last_staff_contact_at) if at]
    current.next_visit_at = min(visits, default=None)
    current.last_staff_contact_at = max(contacts, default=None)


def _procedure_status(view: RowView) -> ProcedureStatus:
    word = view.text("procedure_status").casefold()
    if word:
        if word not in PROCEDURE_STATUS:
            raise view.problem("procedure_status", "not a status we know; use planned, scheduled, completed, declined")
        return PROCEDURE_STATUS[word]
    word = view.text("status").casefold()
    if word and word not in PROCEDURE_STATUS and word not in PATIENT_STATUS:
        raise view.problem("status", "not a status we know; use planned, completed, declined, or active, inactive")
    return PROCEDURE_STATUS.get(word, ProcedureStatus.PLANNED)
