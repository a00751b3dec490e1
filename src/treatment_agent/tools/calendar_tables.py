"""The calendar's one table in SQLite, and transactions on it that other processes respect."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random

from treatment_agent.domain.value import require_aware
from treatment_agent.errors import AdapterUnavailable, ConfigurationError

_WAIT_SECONDS = 30


class UtcTime(sa.TypeDecorator[datetime]):
    """An aware datetime, kept in UTC. A naive one is refused."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """To UTC, without the zone, as SQLite sorts it."""
        return value and require_aware(value, "calendar").astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Back to an aware UTC datetime."""
        return value and value.replace(tzinfo=UTC)


METADATA = sa.MetaData()

APPOINTMENTS = sa.Table(
    "calendar_appointments",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("key", sa.String(300), unique=True, nullable=True),
    sa.Column("provider_id", sa.String(64), nullable=False),
    sa.Column("patient_id", sa.String(64), nullable=True, index=True),
    sa.Column("family", sa.String(32), nullable=False),
    sa.Column("starts_at", UtcTime, nullable=False),
    sa.Column("ends_at", UtcTime, nullable=False),
    sa.Column("slot_id", sa.String(200), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("procedure_ids", sa.JSON, nullable=False),
    sa.Column("replaces", sa.Integer, nullable=True),
    sa.Index("calendar_by_provider", "provider_id", "starts_at"),
    sqlite_autoincrement=True,
)
"""Appointments of staff (`key` is null) and bookings of ours. Nothing is ever deleted; `status` tells."""


def open_calendar(url: str) -> sa.Engine:
    """Open the calendar, and make its table if it is new.

    Raises:
        ConfigurationError: not a URL of an SQLite file.
        AdapterUnavailable: the file cannot be opened.
    """
    try:
        address = sa.make_url(url)
    except ArgumentError:
        raise ConfigurationError("calendar: not a database URL; write it like sqlite:///calendar.db") from None
    if address.get_backend_name() != "sqlite" or address.database in (None, "", ":memory:"):
        raise ConfigurationError(
            "calendar: TemplateScheduler keeps its calendar in an SQLite file, which every process can see; "
            "write it like sqlite:///calendar.db"
        )
    engine = sa.create_engine(
        address, isolation_level="AUTOCOMMIT", connect_args={"timeout": _WAIT_SECONDS}, hide_parameters=True
    )
    with reading(engine) as connection:
        # SQLite's own patience does not hold for this change: whoever makes the file at the same time fails it at once.
        trying = Retrying(
            retry=retry_if_exception_type(OperationalError),
            stop=stop_after_delay(_WAIT_SECONDS),
            wait=wait_random(0.005, 0.05),
            reraise=True,
        )
        trying(connection.exec_driver_sql, "PRAGMA journal_mode=WAL")
    with writing(engine) as connection:
        METADATA.create_all(connection)
    return engine


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection for single reads.

    Raises:
        AdapterUnavailable: the file is locked or broken.
    """
    try:
        with engine.connect() as connection:
            yield connection
    except (DBAPIError, PoolTimeout) as error:
        kind = type(error.orig if isinstance(error, DBAPIError) else error).__name__
        raise AdapterUnavailable(f"calendar: {kind}; nothing was written") from None


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that holds the write lock from its first statement: what it reads stays true until it commits.

    Raises:
        AdapterUnavailable: the lock was not to be had, or the commit failed; nothing was written.
    """
    with reading(engine) as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.exec_driver_sql("COMMIT")
        except BaseException:
            connection.exec_driver_sql("ROLLBACK")
            raise
