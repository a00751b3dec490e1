"""The person in a row: reads one `Patient`, and joins what several rows say about the same one."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from treatment_agent.domain.patients import Contact, Flag, Patient, PatientStatus, Permission
from treatment_agent.domain.private import EmailAddress, PhoneNumber
from treatment_agent.tools.cell_dates import DateReader, before
from treatment_agent.tools.cell_plans import count, end_month
from treatment_agent.tools.cell_values import (
    Cell,
    CellProblem,
    contact_text,
    household,
    language_code,
    marked,
    permission,
    person_name,
    phone_candidates,
    split_name,
    text_of,
)
from treatment_agent.tools.cell_words import FLAG_WORDS, NO_CONTACT_METHODS, NO_TEXT_METHODS, PATIENT_STATUS
from treatment_agent.tools.columns import Binding, Columns, normal

T = TypeVar("T")

_METHODS: Final = ("contact_method", "recall_method")
_BETWEEN_FLAGS: Final = re.compile(r"[;,|/]")
_STATUS_ORDER: Final = (PatientStatus.ACTIVE, PatientStatus.PROSPECTIVE, PatientStatus.INACTIVE, PatientStatus.DECEASED)
_PERMISSION_ORDER: Final = (Permission.YES, Permission.UNKNOWN, Permission.NO)


class RowView:
    """The cells of one row by field; problems get the column's own header."""

    __slots__ = ("_binding", "_cells", "_index", "_size", "notes")

    def __init__(self, binding: Binding, cells: Sequence[Cell]) -> None:
        """Look at `cells` as `binding` says."""
        self._binding = binding
        self._index = binding.index
        self._cells = cells
        self._size = len(cells)
        self.notes: list[CellProblem] = []
        """What could not be read and did not cost the row."""

    def __contains__(self, field: str) -> bool:
        return field in self._index

    def cell(self, field: str) -> Cell:
        """The cell, None when the source has no such column or the row is short."""
        position = self._index.get(field)
        return None if position is None or position >= self._size else self._cells[position]

    def text(self, field: str) -> str:
        """The cell as one line of text."""
        cell = self.cell(field)
        return "" if cell is None else text_of(cell)

    def read(self, field: str, reader: Callable[[Cell], T]) -> T | None:
        """The cell read by `reader`; None when the column is not there or the cell is empty.

        Raises:
            CellProblem: with the column filled in.
        """
        position = self._index.get(field)
        if position is None or position >= self._size:
            return None
        cell = self._cells[position]
        if cell is None or cell == "":
            return None
        try:
            return reader(cell)
        except CellProblem as problem:
            raise self.problem(field, problem.fix) from None

    def problem(self, field: str, fix: str) -> CellProblem:
        """A problem with the column of `field`."""
        problem = CellProblem(fix)
        position = self._index.get(field)
        problem.column = field if position is None else self._binding.headers[position]
        return problem


class PatientReader:
    """Reads the patient of a row."""

    def __init__(self, columns: Columns, dates: DateReader, *, region: str) -> None:
        """Use these words for flags, this reader for dates, this country for phones."""
        self._dates = dates
        self._region = region
        self._flag_words: dict[str, Flag | None] = dict(FLAG_WORDS)
        self._flag_words.update((normal(word), flag) for word, flag in columns.flag_words)

    def read(self, view: RowView, patient_id: str, *, latest: date | None) -> Patient:
        """The patient. `latest` is a day on which the patient was alive: it settles two-digit birth years.

        Raises:
            CellProblem: some cell cannot be read.
        """
        first, last = self._names(view)
        if not first:
            raise view.problem("first_name" if "first_name" in view else "full_name", "the first name is empty")
        flags, blocked = self._flags(view)
        sms, emailing = (view.read(name, permission) or Permission.UNKNOWN for name in ("sms", "emailing"))
        return Patient(
            id=patient_id,
            first_name=SecretStr(first),
            last_name=SecretStr(last),
            born_on=self._birthday(view, latest),
            language=view.read("language", language_code) or "en",
            status=_status(view),
            mobile=self._mobile(view, "mobile"),
            email=_email(view, "email"),
            guardian=self._guardian(view),
            household_id=view.read("household_id", household),
            zone=_zone(view),
            state=(view.text("state")[:40].upper() or None),
            postal_code=self._postal_code(view),
            sms=Permission.NO if blocked else sms,
            emailing=Permission.NO if blocked else emailing,
            detail_allowed=view.read("detail_allowed", permission) is Permission.YES,
            benefits_end_month=view.read("benefits_end_month", end_month),
            missed_visits=view.read("missed_visits", count) or 0,
            flags=flags,
        )

    def _names(self, view: RowView) -> tuple[str, str]:
        first = view.read("preferred_name", person_name) or view.read("first_name", person_name) or ""
        last = view.read("last_name", person_name) or ""
        if not first and (full := view.read("full_name", person_name)):
            first, own_last = split_name(full)
            return first, last or own_last
        return first, last

    def _birthday(self, view: RowView, latest: date | None) -> date | None:
        born = view.read("born_on", self._dates.day)
        return before(born, latest) if born and latest else born

    def _mobile(self, view: RowView, field: str) -> PhoneNumber | None:
        text = view.read(field, contact_text)
        if not text:
            return None
        problem = ""
        for candidate in phone_candidates(text):
            try:
                return PhoneNumber.parse(candidate, region=self._region)
            except ValueError as error:
                problem = problem or str(error)
        view.notes.append(view.problem(field, f"{problem}; the case is kept without this phone"))
        return None

    def _guardian(self, view: RowView) -> Contact | None:
        first = view.read("guardian_first_name", person_name)
        mobile, email = self._mobile(view, "guardian_mobile"), _email(view, "guardian_email")
        if not first and mobile is None and email is None:
            return None
        return Contact(first_name=SecretStr(first or ""), mobile=mobile, email=email)

    def _postal_code(self, view: RowView) -> SecretStr | None:
        text = view.text("postal_code")
        if self._region == "US" and text.isdigit() and len(text) == 4:
            text = "0" + text  # spreadsheets drop the leading zero of New England
        return SecretStr(text[:20]) if text else None

    def _flags(self, view: RowView) -> tuple[frozenset[Flag], bool]:
        """The flags, and whether the preferred way of contact rules out automated messages."""
        flags: set[Flag] = set()
        words = view.text("flags")
        for name in map(normal, _BETWEEN_FLAGS.split(words) if words else ()):
            if name and name not in self._flag_words:
                known = ", ".join(flag.value for flag in Flag)
                fix = f"a flag we do not know; known are {known}; teach others with Columns(flag_words=...)"
                raise view.problem("flags", fix)
            if name and (flag := self._flag_words[name]):
                flags.add(flag)
        methods = {normal(method) for field in _METHODS if (method := view.text(field))}
        asked_not_to = view.read("do_not_contact", marked)
        if asked_not_to or methods & NO_CONTACT_METHODS:
            flags.add(Flag.DO_NOT_CONTACT)
        if view.read("medical_alert", marked):
            flags.add(Flag.MEDICAL_ALERT)
        blocked = bool(methods & NO_TEXT_METHODS)
        if blocked:
            flags.add(Flag.PREFERS_OTHER_WAY)
        return frozenset(flags), blocked


def _status(view: RowView) -> PatientStatus:
    word = view.text("patient_status").casefold()
    if word and word not in PATIENT_STATUS:
        raise view.problem("patient_status", "not a status we know; use active, inactive, deceased or prospective")
    return PATIENT_STATUS.get(word or view.text("status").casefold(), PatientStatus.ACTIVE)


def _email(view: RowView, field: str) -> EmailAddress | None:
    text = view.read(field, contact_text)
    if not text:
        return None
    try:
        return EmailAddress.parse(text)
    except ValueError as error:
        raise view.problem(field, str(error)) from None


def _zone(view: RowView) -> str | None:
    name = view.text("zone")
    if not name:
        return None
    try:
        return ZoneInfo(name).key
    except Exception:
        raise view.problem("zone", "not a time zone; use a name such as America/Chicago") from None


def join(one: Patient, other: Patient) -> Patient:
    """One person out of two rows: what is missing is filled in, and the strictest permission, status and flags win.

    Raises:
        CellProblem: name or birthday differ: the same id may stand for two people, and nobody guesses which.
    """
    if one is other or one == other:
        return one
    if one.first_name != other.first_name or (one.born_on and other.born_on and one.born_on != other.born_on):
        raise CellProblem("another row with this patient id has another name or birthday; correct the id in the chart")
    return one.model_copy(
        update={
            "born_on": one.born_on or other.born_on,
            "mobile": one.mobile or other.mobile,
            "email": one.email or other.email,
            "guardian": one.guardian or other.guardian,
            "household_id": one.household_id or other.household_id,
            "status": max(one.status, other.status, key=_STATUS_ORDER.index),
            "sms": max(one.sms, other.sms, key=_PERMISSION_ORDER.index),
            "emailing": max(one.emailing, other.emailing, key=_PERMISSION_ORDER.index),
            "detail_allowed": one.detail_allowed and other.detail_allowed,
            "benefits_end_month": one.benefits_end_month or other.benefits_end_month,
            "missed_visits": max(one.missed_visits, other.missed_visits),
            "flags": one.flags | other.flags,
        }
    )
