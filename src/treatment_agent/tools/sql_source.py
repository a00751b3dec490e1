"""Cases from a database query, through SQLAlchemy, streamed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, NoSuchModuleError, OperationalError, SQLAlchemyError

from treatment_agent.domain.treatment import Case
from treatment_agent.errors import AdapterUnavailable, BadRow, ConfigurationError
from treatment_agent.tools.case_rows import BoundSource, Reading, Row, RowMapper, repeated_headers
from treatment_agent.tools.columns import Columns, bind, require

_BATCH = 1000


class SqlCaseSource(BoundSource):
    """`ports.CaseSource` over a query that returns one row per procedure, ordered by patient.

    The query's column names are matched like the headers of a CSV export. The query runs twice: the first
    pass finds patients whose rows do not follow each other, and these are held until the end.
    """

    def __init__(
        self,
        engine: sa.Engine | str,
        query: str | sa.Select[tuple[object, ...]],
        *,
        columns: Columns | None = None,
        dates: str | tuple[str, ...] = "iso",
        zone: str = "America/Chicago",
        region: str = "US",
        synced_at: datetime | None = None,
    ) -> None:
        """Name the database and the query.

        Args:
            engine: An engine, or a URL such as `postgresql+psycopg://host/practice`.
            query: A `SELECT`; use `ORDER BY` the patient's id.
            columns: Names mapped by hand.
            dates: Order of dates in text columns; typed columns need none.
            zone: The office's zone, for times without one.
            region: Country assumed for phone numbers without `+`.
            synced_at: How fresh the data is; aware.

        Raises:
            ConfigurationError: the URL is not one, or its driver is not installed.
        """
        self._engine = engine if isinstance(engine, sa.Engine) else _engine(engine)
        self._query = sa.text(query) if isinstance(query, str) else query
        self._reading = Reading(
            columns=columns or Columns(), dates=dates, zone=zone, region=region, synced_at=synced_at
        )

    def read(self) -> Iterator[Case | BadRow]:
        """Yield cases in the order of the query, and a `BadRow` with its row number for each that cannot be read.

        Raises:
            AdapterUnavailable: the database cannot be reached, or the connection broke.
            ConfigurationError: the query is refused, or lacks a required column.
        """
        mapper = RowMapper(self._reading)
        scattered = mapper.scattered(self._rows())  # connects now, so that a refusal comes from here
        return mapper.cases(self._rows(), scattered)

    def _rows(self) -> Iterator[Row | BadRow]:
        """The repeated headers, then the rows, as the database hands them over."""
        columns = self._reading.columns
        try:
            with self._engine.connect().execution_options(stream_results=True, yield_per=_BATCH) as connection:
                result = connection.execute(self._query)
                binding = bind(columns, tuple(result.keys()))
                require(binding, columns, "query")
                self._bindings = (binding,)
                yield from repeated_headers(binding, "query")
                for number, row in enumerate(result, start=1):
                    yield Row(f"row {number}", row, binding)
        except OperationalError as error:
            raise _unavailable(error) from None
        except DBAPIError as error:
            if error.connection_invalidated:
                raise _unavailable(error) from None
            raise ConfigurationError(f"query: the database refused it ({_kind(error)}); run it by hand") from None
        except SQLAlchemyError as error:
            raise ConfigurationError(f"query: it cannot be run ({type(error).__name__})") from None


def _engine(url: str) -> sa.Engine:
    try:
        return sa.create_engine(url, hide_parameters=True)
    except (SQLAlchemyError, NoSuchModuleError, ModuleNotFoundError, ValueError):
        raise ConfigurationError(
            "engine: not a database URL, or its driver is not installed; write it like sqlite:///practice.db"
        ) from None


def _unavailable(error: DBAPIError) -> AdapterUnavailable:
    return AdapterUnavailable(f"query: the database cannot be read ({_kind(error)})")


def _kind(error: DBAPIError) -> str:
    """The driver's class of error, never its words: they may quote data."""
    return type(error.orig).__name__ if error.orig is not None else type(error).__name__
