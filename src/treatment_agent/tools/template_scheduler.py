"""A scheduler over an office template, with its calendar in an SQLite file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from treatment_agent.domain.scheduling import (
    ApprovedBooking,
    Authority,
    Booking,
    BookingStatus,
    Slot,
    SlotRequest,
)
from treatment_agent.domain.treatment import Family
from treatment_agent.domain.value import require_aware
from treatment_agent.errors import AdapterRejected, NotFound, SlotTaken
from treatment_agent.tools.calendar_tables import APPOINTMENTS as T
from treatment_agent.tools.calendar_tables import open_calendar, reading, writing
from treatment_agent.tools.office_template import OfficeTemplate, Stretch, openings, slot_id, spread

_LIVE = (BookingStatus.CONFIRMED.value, BookingStatus.REQUESTED.value)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Appointment:
    """One live entry of the calendar, in UTC. `key` is ours, None for what staff entered."""

    id: str
    provider_id: str
    start: datetime
    end: datetime
    patient_id: str | None
    procedure_ids: tuple[str, ...]
    key: str | None
    status: BookingStatus


class TemplateScheduler:
    """`ports.Scheduler` over blocks, holidays and closed days.

    Times are kept in UTC and returned in the office's zone. Booking is one transaction that holds the file's write
    lock, so of two threads or processes that want overlapping times exactly one wins.
    """

    def __init__(self, url: str, template: OfficeTemplate, *, authority: Authority = Authority.BOOK) -> None:
        """Open the calendar at `url`, for example `sqlite:///calendar.db`; the file is made if it is new.

        Raises:
            ConfigurationError: not the URL of an SQLite file.
            AdapterUnavailable: the file cannot be opened.
        """
        self._engine = open_calendar(url)
        self._template = template
        self._authority = authority

    @property
    def authority(self) -> Authority:
        """`BOOK` confirms at once; with `PROPOSE` a booking stays requested until `settle`."""
        return self._authority

    @property
    def can_reschedule(self) -> bool:
        """Moves are honoured."""
        return True

    def find_slots(self, request: SlotRequest) -> tuple[Slot, ...]:
        """Openings for the visit, at most `limit`, in order of time.

        They are spread over different days and halves of days, so that a patient gets a choice. Nothing is held.

        Raises:
            NaiveDatetimeError: `earliest` or `latest` has no zone.
            AdapterUnavailable: the calendar cannot be read.
        """
        require_aware(request.earliest, "SlotRequest.earliest")
        require_aware(request.latest, "SlotRequest.latest")
        taken = self._taken(request.earliest, request.latest)
        return spread(openings(self._template, request, taken), request.limit)

    def book(self, booking: ApprovedBooking) -> Booking:
        """Book, once per key; a move gives up the old appointment in the same transaction.

        With `PROPOSE` the time is held, and the old appointment stays until `settle`.

        Raises:
            SlotTaken: somebody has the time, or the template no longer allows it.
            AdapterRejected: the length is not the visit's (`length`), or the appointment to be moved is not this
                patient's (`unknown_appointment`).
            AdapterUnavailable: nothing was written.
        """
        with writing(self._engine) as connection:
            known = connection.execute(sa.select(T).where(T.c.key == booking.key)).first()
            if known is not None:
                return self._booking(known)
            replaced = self._replaced(connection, booking)
            self._check(connection, booking, replaced)
            confirmed = self._authority is Authority.BOOK
            if confirmed and replaced is not None:
                _set_status(connection, replaced, BookingStatus.CANCELLED)
            row = connection.execute(sa.insert(T).values(_values(booking, replaced, confirmed)).returning(T)).one()
            return self._booking(row)

    def find_booking(self, key: str) -> Booking | None:
        """What became of the booking with this key, or None if it never got here."""
        with reading(self._engine) as connection:
            row = connection.execute(sa.select(T).where(T.c.key == key)).first()
        return None if row is None else self._booking(row)

    def release(self, key: str) -> None:
        """Give up the booking with this key; unknown or released keys are fine."""
        with writing(self._engine) as connection:
            connection.execute(
                sa.update(T).where(T.c.key == key, T.c.status.in_(_LIVE)).values(status=BookingStatus.CANCELLED.value)
            )

    def settle(self, key: str, *, confirmed: bool) -> Booking:
        """Staff complete a requested booking, or refuse it. Settling again changes nothing.

        Raises:
            NotFound: no booking has this key.
        """
        with writing(self._engine) as connection:
            row = connection.execute(sa.select(T).where(T.c.key == key)).first()
            if row is None:
                raise NotFound("calendar: no booking has this key")
            if row.status == BookingStatus.REQUESTED.value:
                _set_status(connection, row.id, BookingStatus.CONFIRMED if confirmed else BookingStatus.FAILED)
                if confirmed and row.replaces is not None:
                    _set_status(connection, row.replaces, BookingStatus.CANCELLED)
            return self._booking(connection.execute(sa.select(T).where(T.c.key == key)).one())

    def add_appointment(
        self,
        provider_id: str,
        start: datetime,
        end: datetime,
        *,
        patient_id: str | None = None,
        procedure_ids: Sequence[str] = (),
    ) -> str:
        """Enter what staff booked or blocked, anywhere they like, and return its id.

        Raises:
            NaiveDatetimeError: a time without zone.
            ValueError: the end is not after the start.
        """
        if require_aware(end, "end").timestamp() <= require_aware(start, "start").timestamp():
            raise ValueError("add_appointment: end must be after start")
        minutes = round((end.astimezone(UTC) - start.astimezone(UTC)).total_seconds() / 60)
        values = {
            "provider_id": provider_id,
            "patient_id": patient_id,
            "family": Family.OTHER.value,
            "starts_at": start,
            "ends_at": end,
            "slot_id": slot_id(provider_id, start, minutes),
            "status": BookingStatus.CONFIRMED.value,
            "procedure_ids": list(procedure_ids),
        }
        with writing(self._engine) as connection:
            return _name(connection.execute(sa.insert(T).values(values).returning(T.c.id)).scalar_one())

    def cancel_appointment(self, appointment_id: str) -> None:
        """Staff take an appointment out; ours or theirs. Unknown ids are fine."""
        with writing(self._engine) as connection:
            _set_status(connection, _number(appointment_id), BookingStatus.CANCELLED)

    def appointments(self, *, patient_id: str | None = None) -> tuple[Appointment, ...]:
        """Live appointments in order of time, of everybody or of one patient."""
        query = sa.select(T).where(T.c.status.in_(_LIVE)).order_by(T.c.starts_at, T.c.id)
        if patient_id is not None:
            query = query.where(T.c.patient_id == patient_id)
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return tuple(
            Appointment(
                id=_name(row.id),
                provider_id=row.provider_id,
                start=row.starts_at,
                end=row.ends_at,
                patient_id=row.patient_id,
                procedure_ids=tuple(row.procedure_ids),
                key=row.key,
                status=BookingStatus(row.status),
            )
            for row in rows
        )

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def _taken(self, earliest: datetime, latest: datetime) -> list[Stretch]:
        """What is taken from `earliest` to a day after `latest`: a visit starts before `latest` and may end later."""
        query = sa.select(T.c.provider_id, T.c.starts_at, T.c.ends_at).where(
            T.c.status.in_(_LIVE), T.c.ends_at > earliest, T.c.starts_at < latest + _DAY
        )
        with reading(self._engine) as connection:
            return [Stretch(*row) for row in connection.execute(query)]

    def _replaced(self, connection: sa.Connection, booking: ApprovedBooking) -> int | None:
        """The row that this booking moves. One that is already given up is fine: there is nothing left to move."""
        if booking.replaces is None:
            return None
        match = sa.or_(T.c.id == _number(booking.replaces), T.c.key == booking.replaces)
        row = connection.execute(sa.select(T).where(match)).first()
        if row is None or row.patient_id != booking.patient_id:
            raise AdapterRejected("calendar: no such appointment of this patient to move", code="unknown_appointment")
        return int(row.id) if row.status in _LIVE else None

    def _check(self, connection: sa.Connection, booking: ApprovedBooking, replaced: int | None) -> None:
        slot, visit = booking.slot, booking.visit
        if slot.length.total_seconds() != visit.minutes * 60:
            raise AdapterRejected(f"calendar: the slot is not {visit.minutes} minutes long", code="length")
        allowed = not visit.provider_ids or slot.provider_id in visit.provider_ids
        if not allowed or not self._template.fits(slot.provider_id, slot.start, slot.end, visit.family):
            raise SlotTaken(f"calendar: {slot.id} is not open for this kind of visit any more")
        clash = sa.select(T.c.id).where(
            T.c.provider_id == slot.provider_id,
            T.c.status.in_(_LIVE),
            T.c.starts_at < slot.end,
            T.c.ends_at > slot.start,
            T.c.id != (replaced or 0),
        )
        if connection.execute(clash.limit(1)).first() is not None:
            raise SlotTaken(f"calendar: {slot.id} is taken")

    def _booking(self, row: sa.Row[tuple[object, ...]]) -> Booking:
        tz, status = self._template.tz, BookingStatus(row.status)
        slot = Slot(
            start=row.starts_at.astimezone(tz),
            end=row.ends_at.astimezone(tz),
            provider_id=row.provider_id,
            id=row.slot_id,
            family=Family(row.family),
        )
        known = status is BookingStatus.CONFIRMED or status is BookingStatus.CANCELLED
        return Booking(
            key=row.key,
            slot=slot,
            status=status,
            procedure_ids=tuple(row.procedure_ids),
            appointment_id=_name(row.id) if known else None,
        )


def _values(booking: ApprovedBooking, replaced: int | None, confirmed: bool) -> dict[str, object]:
    slot = booking.slot
    return {
        "key": booking.key,
        "provider_id": slot.provider_id,
        "patient_id": booking.patient_id,
        "family": booking.visit.family.value,
        "starts_at": slot.start,
        "ends_at": slot.end,
        "slot_id": slot.id,
        "status": (BookingStatus.CONFIRMED if confirmed else BookingStatus.REQUESTED).value,
        "procedure_ids": list(booking.visit.procedure_ids),
        "replaces": replaced,
    }


def _set_status(connection: sa.Connection, row_id: int, status: BookingStatus) -> None:
    connection.execute(sa.update(T).where(T.c.id == row_id, T.c.status.in_(_LIVE)).values(status=status.value))


def _name(row_id: int) -> str:
    return f"appointment-{row_id}"


def _number(appointment_id: str) -> int:
    number = appointment_id.removeprefix("appointment-")
    return int(number) if number.isdecimal() else 0
