"""LangGraph's own savers beside the ledger, with a serializer that gives back exactly what was stored.

LangGraph's serializer turns the tuples inside a dataclass into lists and writes a module path for each enum. Here each
value of a known type is one compact JSON text instead, read back by its own type: exact, and a third of the size. A
value of a type nobody named is refused when it is *written*, not dropped with a log line when it is read.
"""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Iterable, Mapping
from enum import Enum
from functools import cache
from typing import Any, get_args, get_type_hints

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from pydantic import BaseModel
from sqlalchemy.engine import URL
from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_random

from treatment_agent.domain.conversation import Conversation
from treatment_agent.domain.turn import TurnRecord
from treatment_agent.errors import ConfigurationError, StateTooNew, TreatmentAgentError
from treatment_agent.ledger import codec
from treatment_agent.ledger.database import BUSY_MILLISECONDS, LOCK_CLASS, in_memory, parse_url, use_write_ahead_log

_MARK = "treatment_agent"
_PATIENCE = BUSY_MILLISECONDS / 1000  # seconds
_SETUP_LOCK = (LOCK_CLASS, 4)  # beside those of `database.one_at_a_time`


class CheckpointUnreadable(TreatmentAgentError):
    """A stored checkpoint was damaged. The ledger has all that counts: drop it and decide again."""


@cache
def checkpoint_types(roots: tuple[type, ...] = (Conversation, TurnRecord)) -> tuple[type, ...]:
    """Every dataclass, enum and model that can occur in these types, found by walking their annotations.

    Sorted by name, each once.
    """
    found: set[type] = set()
    waiting: list[object] = list(roots)
    while waiting:
        kind = waiting.pop()
        waiting.extend(get_args(kind))
        if not isinstance(kind, type) or kind in found or not _is_ours(kind):
            continue
        found.add(kind)
        if not issubclass(kind, Enum):
            waiting.extend(get_type_hints(kind).values())
    return tuple(sorted(found, key=lambda kind: (kind.__name__, kind.__module__)))


def _is_ours(kind: type) -> bool:
    return dataclasses.is_dataclass(kind) or (issubclass(kind, Enum | BaseModel) and kind is not BaseModel)


class StateSerializer(JsonPlusSerializer):
    """LangGraph's serializer for everything but our own values, which are kept as JSON under the name of their type."""

    def __init__(self, types: Iterable[type]) -> None:
        known = tuple(types)
        super().__init__(allowed_msgpack_modules=known)
        self._types: Mapping[str, type] = {kind.__name__: kind for kind in known}
        if len(self._types) != len(set(known)):
            raise ConfigurationError("checkpoints: two state types have the same name; rename one")

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """As LangGraph's, but our own values exact.

        Raises:
            ConfigurationError: the state holds a value of a type that was not named.
        """
        return super().dumps_typed(self._pack(obj))

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """As LangGraph's.

        Raises:
            StateTooNew: a newer release wrote a type or a shape that this one does not know.
            CheckpointUnreadable: what is stored was damaged.
        """
        try:
            return self._unpack(super().loads_typed(data))
        except StateTooNew:
            raise
        except Exception as error:
            kind = type(error).__name__
        # Raised here, outside the handler: the original error may quote what was stored.
        raise CheckpointUnreadable(f"checkpoints: what is stored cannot be read ({kind})")

    def _pack(self, value: Any) -> Any:
        kind = type(value)
        if isinstance(value, BaseException):
            # LangGraph keeps the `repr` of what a node raised; another library's text may quote the patient (P11).
            return kind.__name__
        if self._types.get(kind.__name__) is kind:
            return {_MARK: [kind.__name__, codec.dump(value)]}
        if kind is dict:
            return {key: self._pack(inner) for key, inner in value.items()}
        if kind in (list, tuple):
            return [self._pack(inner) for inner in value]
        if _is_ours(kind) and not kind.__module__.startswith(("langgraph.", "langchain_core.")):
            raise ConfigurationError(f"checkpoints: name the state type {kind.__name__} in open_saver(state=...)")
        return value

    def _unpack(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._unpack(inner) for inner in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1 and _MARK in value:
            name, text = value[_MARK]
            if name not in self._types:
                raise StateTooNew(f"a checkpoint holds a {name}, which this release does not know")
            return codec.load(self._types[name], text)
        return {key: self._unpack(inner) for key, inner in value.items()}


def open_saver(url: str, *, state: Iterable[type] = (Conversation, TurnRecord)) -> BaseCheckpointSaver[str]:
    """LangGraph's saver in the ledger's own database, its tables ready; close it with `close_saver`.

    Args:
        url: The ledger's address. In memory, the saver has a database of its own.
        state: The types that stand in the graph's state; what they are made of is found by itself.

    Raises:
        ConfigurationError: the address is wrong, the database cannot be opened, or an extra is not installed.
    """
    parsed = parse_url(url)
    serde = StateSerializer(checkpoint_types(tuple(state)))
    if parsed.get_backend_name() == "postgresql":
        return _postgres_saver(parsed, serde)
    path = ":memory:" if in_memory(parsed) else str(parsed.database)
    try:
        conn = sqlite3.connect(path, check_same_thread=False, timeout=_PATIENCE)
        use_write_ahead_log(conn.cursor())
        saver = SqliteSaver(conn, serde=serde)
        saver.setup()
    except sqlite3.DatabaseError:
        raise ConfigurationError(
            "checkpoints: the SQLite file cannot be opened; check its folder and rights, and that it is a database"
        ) from None
    return saver


def _postgres_saver(url: URL, serde: StateSerializer) -> BaseCheckpointSaver[str]:
    try:
        from langgraph.checkpoint.postgres import PostgresSaver
        from psycopg import Connection, Error
        from psycopg.rows import DictRow, dict_row
        from psycopg_pool import ConnectionPool
    except ImportError:
        raise ConfigurationError(
            "checkpoints: PostgreSQL needs langgraph-checkpoint-postgres; pip install 'treatment-agent[postgres]'"
        ) from None
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    settings = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    pool: ConnectionPool[Connection[DictRow]] = ConnectionPool(
        address, connection_class=Connection[DictRow], min_size=1, max_size=8, kwargs=settings, open=True
    )
    saver = PostgresSaver(pool, serde=serde)
    try:
        _set_up_alone(saver, pool)
    except (Error, RetryError) as error:
        pool.close()
        raise ConfigurationError(
            f"checkpoints: cannot open the postgresql database ({type(error).__name__}); check that it exists, that it "
            "can be reached and that this user may make tables in it"
        ) from None
    return saver


def _set_up_alone(saver: Any, pool: Any) -> None:
    """Make the tables one process at a time: LangGraph's own statements fail when two do it at once.

    Nobody waits *inside* a statement: one of LangGraph's waits for every other statement to end.
    """
    asking = Retrying(
        retry=retry_if_result(lambda taken: not taken), stop=stop_after_delay(_PATIENCE), wait=wait_random(0.02, 0.1)
    )
    with pool.connection() as conn:
        asking(lambda: conn.execute("SELECT pg_try_advisory_lock(%s, %s) AS taken", _SETUP_LOCK).fetchone()["taken"])
        try:
            saver.setup()
        finally:
            conn.execute("SELECT pg_advisory_unlock(%s, %s)", _SETUP_LOCK)


def close_saver(saver: BaseCheckpointSaver[str]) -> None:
    """Close the connections that `open_saver` opened."""
    connection = getattr(saver, "conn", None)
    if connection is not None:
        connection.close()


def prune(saver: BaseCheckpointSaver[str], thread_id: str) -> None:
    """Keep only the newest checkpoint of a thread, and what belongs to it.

    The SQLite saver has no pruning of its own; a saver that cannot prune is left alone, it only costs space.
    """
    if isinstance(saver, SqliteSaver):
        _prune_sqlite(saver, thread_id)
        return
    try:
        saver.prune([thread_id], strategy="keep_latest")
    except NotImplementedError:
        return


_NEWEST = "(SELECT max(checkpoint_id) FROM checkpoints WHERE thread_id = :thread AND checkpoint_ns = '')"


def _prune_sqlite(saver: SqliteSaver, thread_id: str) -> None:
    thread = {"thread": thread_id}
    with saver.cursor() as cursor:
        # Losing a deletion in a power cut does no harm, so it need not wait for the disk.
        cursor.execute("PRAGMA synchronous=NORMAL")
        try:
            for table in ("writes", "checkpoints"):
                cursor.execute(
                    f"DELETE FROM {table} WHERE thread_id = :thread AND checkpoint_ns = ''"  # noqa: S608  our own words
                    f" AND checkpoint_id < {_NEWEST}",
                    thread,
                )
            saver.conn.commit()
        finally:
            cursor.execute("PRAGMA synchronous=FULL")
