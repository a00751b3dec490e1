"""Opening the ledger's database: SQLite or PostgreSQL, its transactions, its schema and its errors."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Literal, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Insert,
    Row,
    Select,
    Table,
    bindparam,
    create_engine,
    event,
    inspect,
    select,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects import sqlite as sqlite_dialect
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, OperationalError, StatementError
from sqlalchemy.pool import StaticPool
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random

from treatment_agent.errors import (
    AdapterRejected,
    AdapterUnavailable,
    ConfigurationError,
    StateTooNew,
    TreatmentAgentError,
)
from treatment_agent.ledger import tables
from treatment_agent.ledger.upgrades import bring_up_to_date

T = TypeVar("T")

BUSY_MILLISECONDS = 30_000

AnyRow = Row[*tuple[Any, ...]]
"""A row read by column name."""

AnySelect = Select[*tuple[Any, ...]]
"""A query whose rows are read by column name."""

LOCK_CLASS = 0x7472_6561  # any number, the same in every process: keeps our advisory locks apart from other software's
_EXAMPLES = "sqlite:///practice.db or postgresql+psycopg://user@host/practice"


def parse_url(url: str) -> URL:
    """Read a ledger address and say how to mend it if it is wrong.

    Raises:
        ConfigurationError: it is no database address, names another database, or its folder or driver is missing.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigurationError(f"ledger: not a database address; write {_EXAMPLES}") from None
    backend = parsed.get_backend_name()
    if backend == "postgres":
        raise ConfigurationError("ledger: write postgresql+psycopg:// instead of postgres://")
    if backend not in ("sqlite", "postgresql"):
        raise ConfigurationError(f"ledger: {backend} is not supported; write {_EXAMPLES}")
    if backend == "postgresql":
        return _with_psycopg(parsed)
    if not in_memory(parsed) and not Path(str(parsed.database)).parent.is_dir():
        raise ConfigurationError("ledger: the folder of the SQLite file does not exist; create it or change the path")
    return parsed


def _with_psycopg(url: URL) -> URL:
    if url.drivername not in ("postgresql", "postgresql+psycopg"):
        raise ConfigurationError(f"ledger: the driver {url.drivername} is not supported; write postgresql+psycopg://")
    try:
        import psycopg  # noqa: F401  (an optional extra: looked for only when a PostgreSQL ledger is asked for)
    except ImportError:
        raise ConfigurationError("ledger: PostgreSQL needs psycopg; pip install 'treatment-agent[postgres]'") from None
    return url.set(drivername="postgresql+psycopg")


def in_memory(url: URL) -> bool:
    """True for a SQLite database that lives only as long as its one connection."""
    return url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:")


def insert_into(dialect: str, table: Table) -> sqlite_dialect.Insert:
    """An insert that can say what to do on a conflict.

    The two dialects spell it alike; PostgreSQL's own class is handed back under SQLite's type.
    """
    if dialect == "postgresql":
        return postgresql.insert(table)  # type: ignore[return-value]
    return sqlite_dialect.insert(table)


def among(column: ColumnElement[T], values: Iterable[T]) -> ColumnElement[bool]:
    """`column IN (values)`, for many values: checked as one parameter instead of one by one."""
    return column.in_(bindparam(None, list(values), unique=True, expanding=True))


def write_many(conn: Connection, insert: Insert, rows: Sequence[Mapping[str, object]]) -> None:
    """Run one insert for many rows that have the same columns.

    `Connection.execute` prepares each row's parameters anew, which costs more than the database does; here that is done
    column by column. Only for the bulk of an enrolment.
    """
    if not rows:
        return
    compiled = insert.compile(dialect=conn.dialect, column_keys=list(rows[0]))
    names = [c.name for c in insert.table.c if c.name in rows[0]]
    columns = []
    for name in names:
        prepare = insert.table.c[name].type.dialect_impl(conn.dialect).bind_processor(conn.dialect)
        values = [row[name] for row in rows]
        if prepare is not None:
            prepared = {value: prepare(value) for value in set(values)}
            values = [prepared[value] for value in values]
        columns.append(values)
    lines = zip(*columns, strict=True)
    if conn.dialect.positional:
        conn.exec_driver_sql(str(compiled), list(lines))
    else:
        conn.exec_driver_sql(str(compiled), [dict(zip(names, line, strict=True)) for line in lines])


def one_at_a_time(conn: Connection, purpose: Literal["schema", "enroll", "outreach"]) -> None:
    """Wait until no other transaction does the same; SQLite has a single writer anyway."""
    if conn.dialect.name == "postgresql":
        number = {"schema": 1, "enroll": 2, "outreach": 3}[purpose]
        conn.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK_CLASS}, {number})")


class Database:
    """One engine, its schema made on first use, and transactions that never tell a patient's data in an error."""

    def __init__(self, url: str) -> None:
        self._url = parse_url(url)
        self._engine = _engine(self._url)
        self._sqlite = self._engine.dialect.name == "sqlite"
        # A database in memory is one connection; two threads must not share a transaction on it.
        self._turnstile: AbstractContextManager[Any] = threading.RLock() if in_memory(self._url) else nullcontext()
        self._opening = threading.Lock()
        self._open = False

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the books (SQLite) or what is committed (PostgreSQL)."""
        self._ensure_schema()
        with self._transaction(write=False) as conn:
            yield conn

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[Connection]:
        """A transaction that writes.

        Args:
            durable: False lets the commit return before the disk has it; the next durable commit takes it along. For
                what a power cut may lose because nobody has been told of it yet, or because it can be asked again.
        """
        self._ensure_schema()
        with self._transaction(write=True, durable=durable) as conn:
            yield conn

    def dispose(self) -> None:
        """Close every connection. A database in memory is gone with it; the next use begins an empty one."""
        self._engine.dispose()
        self._open = self._open and not in_memory(self._url)

    @contextmanager
    def _transaction(self, *, write: bool, durable: bool = True) -> Iterator[Connection]:
        with self._turnstile, _without_values(), self._engine.connect() as conn:
            conn.execution_options(ledger_write=write)
            if durable:
                with conn.begin():
                    yield conn
            elif self._sqlite:
                raw = conn.connection.cursor()
                raw.execute("PRAGMA synchronous=NORMAL")
                try:
                    with conn.begin():
                        yield conn
                finally:
                    raw.execute("PRAGMA synchronous=FULL")
                    raw.close()
            else:
                with conn.begin():
                    conn.exec_driver_sql("SET LOCAL synchronous_commit TO OFF")
                    yield conn

    def _schema_made(self) -> bool:
        return self._open

    def _ensure_schema(self) -> None:
        if self._open:
            return
        with self._opening:
            if self._schema_made():
                return
            try:
                with self._transaction(write=True) as conn:
                    _create_schema(conn)
            except (AdapterUnavailable, AdapterRejected):
                raise ConfigurationError(
                    f"ledger: cannot open the {self._engine.dialect.name} database; check that it exists and is a "
                    "database, that it can be reached and that this user may write to it"
                ) from None
            self._open = True


def _engine(url: URL) -> Engine:
    # `hide_parameters`: errors and echo never show values. `_without_values` does the same for the driver's own text.
    if url.get_backend_name() == "postgresql":
        return create_engine(url, hide_parameters=True, pool_pre_ping=True, max_overflow=-1)
    if in_memory(url):
        engine = create_engine(
            url, hide_parameters=True, poolclass=StaticPool, connect_args={"check_same_thread": False}
        )
    else:
        engine = create_engine(url, hide_parameters=True, max_overflow=-1)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, record: object) -> None:
    """Write-ahead log, power-loss safe commits, foreign keys, and patience while another process writes."""
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
    use_write_ahead_log(cursor)
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def use_write_ahead_log(cursor: sqlite3.Cursor) -> None:
    """Change the file to a write-ahead log, however many processes open it at once.

    The change needs the file alone, and fails at once where it would have to wait: SQLite's own patience
    (`busy_timeout`) does not hold for it.
    """
    trying = Retrying(
        retry=retry_if_exception(_is_busy),
        stop=stop_after_delay(BUSY_MILLISECONDS / 1000),
        wait=wait_random(0.005, 0.05),
        reraise=True,
    )
    trying(cursor.execute, "PRAGMA journal_mode=WAL")


def _is_busy(error: BaseException) -> bool:
    name = getattr(error, "sqlite_errorname", "")
    return isinstance(error, sqlite3.OperationalError) and name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


def _begin_sqlite(conn: Connection) -> None:
    # A writer asks for the write lock at once: two readers that both turn writers would otherwise deadlock.
    writes = conn.get_execution_options().get("ledger_write", False)
    conn.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _create_schema(conn: Connection) -> None:
    one_at_a_time(conn, "schema")
    if not inspect(conn).has_table(tables.schema_version.name):
        tables.metadata.create_all(conn)
        conn.execute(tables.schema_version.insert().values(version=tables.SCHEMA_VERSION))
    found = conn.execute(select(tables.schema_version.c.version)).scalar_one()
    if found > tables.SCHEMA_VERSION:
        raise StateTooNew(
            f"ledger: its tables have version {found}, this release knows {tables.SCHEMA_VERSION}; upgrade the library"
        )
    if found < tables.SCHEMA_VERSION:
        bring_up_to_date(conn, found)


@contextmanager
def _without_values() -> Iterator[None]:
    """Turn a database error into one of ours, and drop the original: the driver may quote a whole row (P11)."""
    try:
        yield
    except StatementError as error:
        if isinstance(error.orig, TreatmentAgentError):
            raise error.orig from None  # a column type refused the value
        code = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorname", None)
        name = type(error).__name__
        if isinstance(error, OperationalError) or getattr(error, "connection_invalidated", False):
            raise AdapterUnavailable(
                f"ledger: the database could not be used ({name}, {code}); nothing was written"
            ) from None
        raise AdapterRejected(f"ledger: the database refused ({name}, {code})", code=code) from None
