"""From rows to cases: the one mapper behind the CSV, JSON and SQL sources.

A row is one procedure of one patient. All rows of one patient make one `Case`, with the id `case-<patient id>`, so that
the strictest word of any row holds. Patients whose rows follow each other are handed on as they come; those whose rows
are scattered over the file are found in a first pass, held together, and handed on at the end. A row that cannot be
read becomes a `BadRow` that names the place, the column and the fix, and never what the cell holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Final, Self

from treatment_agent.domain.patients import Patient
from treatment_agent.domain.treatment import Case, CaseKind, Procedure, ProcedureStatus
from treatment_agent.errors import BadRow, ConfigurationError
from treatment_agent.tools.cell_dates import DateReader
from treatment_agent.tools.cell_plans import NextVisit, case_kind, next_visits
from treatment_agent.tools.cell_values import Cell, CellProblem, cents, identifier, procedure_code, site, text_of
from treatment_agent.tools.cell_words import PATIENT_STATUS, PROCEDURE_STATUS
from treatment_agent.tools.columns import Binding, Columns, absent, unread
from treatment_agent.tools.patient_rows import PatientReader, RowView, join

_TOTALS: Final = ("total", "grand total", "subtotal", "sub total", "count:", "report ", "page ", "printed ")


@dataclass(frozen=True, slots=True)
class Reading:
    """How the cells of a source are written.

    `dates`: styles for `DateReader`. `zone`: the office's zone, for times without offset. `region`: the country
    assumed for phone numbers without `+`. `decimal_comma`: money is written `1.250,00`. `synced_at`: when the export
    was made, an aware datetime. `now`: no diagnosis lies later than this; without it, `synced_at` says so.
    """

    columns: Columns = field(default_factory=Columns)
    dates: str | tuple[str, ...] = "mdy"
    zone: str = "America/Chicago"
    region: str = "US"
    decimal_comma: bool = False
    synced_at: datetime | None = None
    now: datetime | None = None

    def __post_init__(self) -> None:
        for name, moment in (("synced_at", self.synced_at), ("now", self.now)):
            if moment is not None and moment.utcoffset() is None:
                raise ConfigurationError(f"{name}: give an aware datetime, with a zone")


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
    next_visits: list[NextVisit]
    kind: CaseKind
    confirmed_on: date | None
    last_staff_contact_at: datetime | None


class BoundSource:
    """What the three sources share: how cells are written, and which headers were not read."""

    _reading: Reading
    _bindings: tuple[Binding, ...] = ()

    @property
    def unread_headers(self) -> tuple[str, ...]:
        """Headers that no field was read from, after `read`; those ignored on purpose are left out."""
        return unread(self._bindings, self._reading.columns)

    @property
    def absent_fields(self) -> tuple[str, ...]:
        """Fields that matter much and have no column, after `read`: mobile, sms, diagnosed_on, provider_id."""
        return absent(self._bindings)

    def as_of(self, now: datetime) -> Self:
        """Refuse planned treatment that was diagnosed after `now` (aware); returns the source itself.

        Raises:
            ConfigurationError: `now` has no offset.
        """
        self._reading = replace(self._reading, now=now)
        return self


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

    def scattered(self, rows: Iterable[Row | BadRow]) -> frozenset[int]:
        """The first pass: hashes of the ids of patients whose rows do not follow each other.

        Two ids with one hash are at worst held until the end without need.
        """
        seen: set[int] = set()
        again: set[int] = set()
        last: int | None = None
        for row in rows:
            if isinstance(row, BadRow):
                continue
            try:
                patient_id = RowView(row.binding, row.cells).read("patient_id", identifier)
            except CellProblem:
                continue
            key = hash(patient_id or "")
            if key != last and key in seen:
                again.add(key)
            seen.add(key)
            last = key
        return frozenset(again)

    def cases(self, rows: Iterable[Row | BadRow], scattered: frozenset[int] = frozenset()) -> Iterator[Case | BadRow]:
        """Gather rows into cases; hand bad rows on where they come. `scattered` patients come at the end, once each."""
        current: _Gathering | None = None
        held: dict[str, _Gathering] = {}
        for row in rows:
            if isinstance(row, BadRow):
                yield row
                continue
            view = RowView(row.binding, row.cells)
            try:
                patient_id = view.read("patient_id", identifier) or ""
                known = held.get(patient_id) or (current if current and current.patient.id == patient_id else None)
                added = self._read(row, view, patient_id, known)
                if known is not None:
                    _merge(known, added)
            except CellProblem as problem:
                yield _bad(row, problem)
                continue
            yield from (BadRow(row.place, note.column, note.fix) for note in view.notes)
            if known is not None:
                continue
            if hash(patient_id) in scattered:
                held[patient_id] = added
                continue
            if current is not None:
                yield self._case(current)
            current = added
        for gathered in (*([current] if current else []), *held.values()):
            yield self._case(gathered)

    def _read(self, row: Row, view: RowView, patient_id: str, known: _Gathering | None) -> _Gathering:
        """One row as a case of its own; the patient is not read again when the cells about it are the same."""
        procedure = self._procedure(view, patient_id)
        key = tuple(row.cells[i] if i < len(row.cells) else None for i in row.binding.person)
        diagnosed_on = procedure.diagnosed_on
        visit_on = view.read("visit_on", self._dates.day) or diagnosed_on
        if known is not None and known.key == key and "status" not in view:
            patient = known.patient
        else:
            patient = self._patients.read(view, patient_id, latest=visit_on or diagnosed_on)
        return _Gathering(
            key=key,
            patient=patient,
            procedures={procedure.id: procedure},
            visits=[visit_on] if visit_on else [],
            next_visits=next_visits(view, self._dates),
            kind=view.read("case_kind", case_kind) or CaseKind.UNSCHEDULED,
            confirmed_on=view.read("confirmed_on", self._dates.day),
            last_staff_contact_at=view.read("last_staff_contact_at", self._dates.moment),
        )

    def _diagnosed_on(self, view: RowView, status: ProcedureStatus) -> date | None:
        """The day of the diagnosis. Only treatment that is already on the calendar may carry a day to come."""
        day = view.read("diagnosed_on", self._dates.day)
        now = self._reading.now or self._reading.synced_at
        if day is None or now is None or status is not ProcedureStatus.PLANNED:
            return day
        if day > now.astimezone(self._dates.zone).date() + timedelta(days=1):
            raise view.problem("diagnosed_on", "the date lies in the future; check dates= (the order of day and month)")
        return day

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
        status = _procedure_status(view)
        return Procedure(
            id=own or "-".join(part.replace(" ", "") for part in (patient_id, code, tooth, surface) if part),
            code=code,
            tooth=tooth,
            surface=surface,
            fee_cents=fee,
            provider_id=provider_id,
            status=status,
            diagnosed_on=self._diagnosed_on(view, status),
            plan_priority=priority,
        )

    def _case(self, gathered: _Gathering) -> Case:
        procedures = tuple(gathered.procedures.values())
        coming = min(gathered.next_visits, default=NextVisit())
        kind = gathered.kind
        own = "case" if kind is CaseKind.UNSCHEDULED else f"case-{kind.value}"
        return Case(
            id=f"{own}-{gathered.patient.id}",
            kind=kind,
            patient=gathered.patient,
            procedures=procedures,
            provider_id=procedures[0].provider_id,
            visit_on=max(gathered.visits, default=None),
            next_visit_at=coming.at,
            next_visit_provider_id=coming.provider_id,
            next_visit_teeth=coming.teeth,
            confirmed_on=gathered.confirmed_on,
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
    current.next_visits += added.next_visits
    # A case of another kind that stands beside plain rows is of that kind: its texts are the more careful ones.
    current.kind = added.kind if current.kind is CaseKind.UNSCHEDULED else current.kind
    # Each procedure must have been looked at again: the oldest word counts, and none of one is none of all.
    confirmed = (current.confirmed_on, added.confirmed_on)
    current.confirmed_on = min((day for day in confirmed if day), default=None) if all(confirmed) else None
    contacts = [at for at in (current.last_staff_contact_at, added.last_staff_contact_at) if at]
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
