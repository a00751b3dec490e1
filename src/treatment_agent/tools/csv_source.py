"""Cases from a CSV export: any common delimiter and encoding, streamed, bad rows reported and passed over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from pathlib import Path

from treatment_agent.domain.treatment import Case
from treatment_agent.errors import BadRow
from treatment_agent.tools.case_rows import BoundSource, Reading, RowMapper, repeated_headers
from treatment_agent.tools.columns import Columns, require
from treatment_agent.tools.csv_text import DelimitedFile


class CsvCaseSource(BoundSource):
    """`ports.CaseSource` over a delimited text file.

    Delimiter (comma, semicolon, tab, bar), encoding (UTF-8, UTF-16, Windows-1252), a byte order mark and a title above
    the header are found out. The file is read twice. Memory does not grow with a file sorted by patient;
    patients whose rows are scattered are held until the end.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        columns: Columns | None = None,
        dates: str | tuple[str, ...] = "mdy",
        zone: str = "America/Chicago",
        region: str = "US",
        encoding: str | None = None,
        decimal_comma: bool = False,
        synced_at: datetime | None = None,
    ) -> None:
        """Name the file and how it is written.

        Args:
            path: The export.
            columns: Headers mapped by hand; all others are recognised by their names.
            dates: Order of dates (`mdy`, `dmy`, `iso`, `excel`, a pattern), or several to be tried.
            zone: The office's zone, for appointment times.
            region: Country assumed for phone numbers without `+`.
            encoding: Set it when the file's own bytes mislead.
            decimal_comma: Money is written `1.250,00`.
            synced_at: When the export was made; aware.
        """
        self._path = Path(path)
        self._encoding = encoding
        self._reading = Reading(
            columns=columns or Columns(),
            dates=dates,
            zone=zone,
            region=region,
            decimal_comma=decimal_comma,
            synced_at=synced_at,
        )

    def read(self) -> Iterator[Case | BadRow]:
        """Yield cases in the order of the file, and a `BadRow` with its line for each row that cannot be read.

        Raises:
            AdapterUnavailable: the file cannot be opened.
            ConfigurationError: the file is empty, a required column is missing, or a date style, zone or encoding is
                unknown.
        """
        file = DelimitedFile(self._path, self._reading.columns, self._encoding)
        require(file.binding, self._reading.columns, self._path.name)
        self._bindings = (file.binding,)
        mapper = RowMapper(self._reading)
        scattered = mapper.scattered(file.rows())
        rows = chain(repeated_headers(file.binding, f"line {file.header_line}"), file.rows())
        return mapper.cases(rows, scattered)
