"""A delimited text file as records: encoding, delimiter and header found, stray quotes survived, read as a stream."""

from __future__ import annotations

import codecs
import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from treatment_agent.errors import AdapterUnavailable, BadRow, ConfigurationError
from treatment_agent.tools.case_rows import Row
from treatment_agent.tools.columns import Binding, Columns, bind, looks_like_header

_DELIMITERS: Final = (",", ";", "\t", "|")
_HEADER_WITHIN: Final = 25
"""Reports print a title, the office and a date first: the header stands within so many lines."""
_LONGEST_RECORD: Final = 40
"""A record of more lines than this is a quote that somebody forgot to close."""
_CHUNK: Final = 1 << 20
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def find_encoding(path: Path) -> str:
    """UTF-8, UTF-16 or Windows-1252, from the file's own bytes; reads it once in pieces.

    Raises:
        AdapterUnavailable: the file cannot be opened.
        ConfigurationError: it is a workbook or an archive, not a text.
    """
    try:
        with path.open("rb") as file:
            start = file.read(4096)
            if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x1f\x8b", b"%PDF")):
                raise ConfigurationError(
                    f"{path.name}: this is a workbook or archive, not a text; save it as 'CSV UTF-8' first"
                )
            for bom, name in _BOMS:
                if start.startswith(bom):
                    return name
            if start[1::2].count(0) > len(start) // 8:
                return "utf-16-le"
            if start[0::2].count(0) > len(start) // 8:
                return "utf-16-be"
            decoder = codecs.getincrementaldecoder("utf-8")()
            decoder.decode(start)
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    except OSError as error:
        raise AdapterUnavailable(f"{path.name}: the file cannot be opened ({type(error).__name__})") from None
    return "utf-8"


def checked_encoding(name: str) -> str:
    """The name itself.

    Raises:
        ConfigurationError: nobody knows this encoding.
    """
    try:
        codecs.lookup(name)
    except LookupError:
        raise ConfigurationError(f"encoding: unknown encoding {name!r}; use utf-8, cp1252 or utf-16") from None
    return name


@dataclass(frozen=True, slots=True)
class Record:
    """One record and the physical lines it spans; `cells` is None when its quotes are not closed."""

    first: int
    last: int
    cells: list[str] | None


class _Feed:
    """Lines for `csv.reader`: remembers those it took, and takes some back."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._again: deque[str] = deque()
        self.taken: list[str] = []

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self.taken.append(line)
        return line

    def take_back(self) -> None:
        """Give all but the first line of the last record again."""
        self._again.extendleft(reversed(self.taken[1:]))


def records(lines: Iterator[str], delimiter: str, width: int | None) -> Iterator[Record]:
    """Split lines into records. A quote that is never closed costs its own line only, not the rest of the file."""
    feed = _Feed(lines)
    reader = csv.reader(feed, delimiter=delimiter, skipinitialspace=True, strict=True)
    line = 1
    while True:
        feed.taken.clear()
        cells: list[str] | None
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            cells = None
        count = len(feed.taken)
        if cells is None or (count > 1 and _runaway(cells, count, width)):
            feed.take_back()
            reader = csv.reader(feed, delimiter=delimiter, skipinitialspace=True, strict=True)
            cells, count = None, 1
        yield Record(line, line + count - 1, cells)
        line += count


def _runaway(cells: list[str], lines: int, width: int | None) -> bool:
    """True when a record of several lines looks as if an open quote had swallowed its neighbours.

    Most of these are caught by `strict`: where the quote ends at last, no delimiter follows.
    """
    if lines > _LONGEST_RECORD or width is None:
        return lines > _LONGEST_RECORD
    return len(cells) > width or (len(cells) < width and "\n" in cells[-1])


class DelimitedFile:
    """Rows of one file, each with the number of the line on which it begins (the first line is 1)."""

    def __init__(self, path: Path, columns: Columns, encoding: str | None = None) -> None:
        """Look at the first lines and settle encoding, delimiter and header.

        Raises:
            AdapterUnavailable: the file cannot be opened.
            ConfigurationError: unknown encoding, or not a text file.
        """
        self._path = path
        self._encoding = checked_encoding(encoding) if encoding else find_encoding(path)
        self._delimiter, self.header_line, self.binding = self._header(columns)

    def rows(self) -> Iterator[Row | BadRow]:
        """Rows below the header, one at a time; broken ones as `BadRow`. Blank lines are passed over."""
        width = len(self.binding.headers)
        for record in records(self._lines(), self._delimiter, width):
            cells, place = record.cells, f"line {record.first}"
            if record.first <= self.header_line:
                continue
            if cells is None:
                yield BadRow(place, None, "a quote is opened and not closed; close it, or double quotes inside a cell")
            elif not any(cell and not cell.isspace() for cell in cells):
                continue
            elif len(cells) > width and any(cell.strip() for cell in cells[width:]):
                yield BadRow(place, None, "more cells than the header; put quotes around cells that hold the delimiter")
            else:
                yield Row(place, cells, self.binding)

    def _lines(self) -> Iterator[str]:
        try:
            with self._path.open(encoding=self._encoding, errors="replace", newline="") as file:
                yield from file
        except OSError as error:
            raise AdapterUnavailable(f"{self._path.name}: cannot be read ({type(error).__name__})") from None

    def _header(self, columns: Columns) -> tuple[str, int, Binding]:
        """The delimiter and line under which most fields are recognised."""
        lines = list(islice(self._lines(), _HEADER_WITHIN))
        if not any(line.strip(" \t\r\n\ufeff\x00") for line in lines) and len(lines) < _HEADER_WITHIN:
            raise ConfigurationError(f"{self._path.name}: the file is empty; export it again")
        best = (",", 0, bind(columns, ()))
        for delimiter in _DELIMITERS:
            for record in records(iter(lines), delimiter, None):
                binding = bind(columns, record.cells or ())
                better = len(binding.index) > len(best[2].index)
                if better and (looks_like_header(binding) or columns.mapped()):
                    best = (delimiter, record.last, binding)
        return best
