"""Cases from JSON: an array, an object that holds one, or JSON lines (streamed); flat or nested."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

from treatment_agent.domain.treatment import Case
from treatment_agent.errors import AdapterUnavailable, BadRow, ConfigurationError
from treatment_agent.tools.case_rows import BoundSource, Reading, Row, RowMapper
from treatment_agent.tools.columns import Binding, Columns, bind, require
from treatment_agent.tools.csv_text import checked_encoding, find_encoding

_LISTS: Final = ("procedures", "treatments", "items")
_LOOK_AHEAD: Final = 200
"""Writers leave out empty keys: so many records are looked at before a column counts as missing."""
_MOST_KEYS: Final = 500
_MOST_SHAPES: Final = 1000

Flat = dict[str, Any]


class JsonCaseSource(BoundSource):
    """`ports.CaseSource` over a JSON file.

    A record is one procedure, or one patient with a list called `procedures`, `treatments` or `items`. Nested keys are
    joined with dots, so `Columns(mobile="patient.phones.cell")` maps one. JSON lines are streamed; a single array is
    read whole. The file is read twice; patients whose records are scattered are held until the end.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        columns: Columns | None = None,
        dates: str | tuple[str, ...] = "iso",
        zone: str = "America/Chicago",
        region: str = "US",
        encoding: str | None = None,
        decimal_comma: bool = False,
        synced_at: datetime | None = None,
    ) -> None:
        """Name the file and how it is written; the arguments are those of `CsvCaseSource`."""
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
        """Yield cases in the order of the file, and a `BadRow` for each record that cannot be read.

        Raises:
            AdapterUnavailable: the file cannot be opened.
            ConfigurationError: not JSON at all, or no record has a required field.
        """
        mapper, columns = RowMapper(self._reading), self._reading.columns
        encoding = checked_encoding(self._encoding) if self._encoding else find_encoding(self._path)
        records = self._records(encoding)
        ahead = list(islice(records, _LOOK_AHEAD))
        if not ahead:
            return iter(())
        keys = dict.fromkeys(key for item in ahead if not isinstance(item, BadRow) for key in item[1])
        require(bind(columns, tuple(keys)), columns, self._path.name)
        scattered = mapper.scattered(self._rows(chain(ahead, records)))
        return mapper.cases(self._rows(self._records(encoding)), scattered)

    def _rows(self, records: Iterable[tuple[str, Flat] | BadRow]) -> Iterator[Row | BadRow]:
        """Rows with the binding of their own keys: records of one file need not look alike."""
        bindings: dict[tuple[str, ...], Binding] = {}
        for item in records:
            if isinstance(item, BadRow):
                yield item
                continue
            place, flat = item
            keys = tuple(flat)
            if keys not in bindings:
                if len(bindings) >= _MOST_SHAPES:
                    bindings.clear()
                bindings[keys] = bind(self._reading.columns, keys)
                if len(self._bindings) < _MOST_SHAPES and bindings[keys] not in self._bindings:
                    self._bindings += (bindings[keys],)
            yield Row(place, tuple(flat.values()), bindings[keys])

    def _records(self, encoding: str) -> Iterator[tuple[str, Flat] | BadRow]:
        """Flat records with their places. JSON lines are told by their first two lines: one is a whole object."""
        try:
            with self._path.open(encoding=encoding, errors="replace") as file:
                first_two = list(islice((line for line in file if line.strip()), 2))
                if not first_two:
                    raise ConfigurationError(f"{self._path.name}: the file is empty; export it again")
                file.seek(0)
                if len(first_two) == 2 and any(_is_object(line) for line in first_two):
                    yield from _lines(file)
                    return
                try:
                    whole = json.load(file)
                except (ValueError, RecursionError):
                    raise ConfigurationError(
                        f"{self._path.name}: not JSON; write one array of records, or one record per line"
                    ) from None
        except OSError as error:
            raise AdapterUnavailable(f"{self._path.name}: cannot be read ({type(error).__name__})") from None
        for number, record in enumerate(_array(_whole_letters(whole), self._path.name), start=1):
            yield from _flat_rows(f"record {number}", record)


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _whole_letters(told: Any) -> Any:
    """The same with `?` for halves of surrogate pairs, which some exports write and nothing can store."""
    text = json.dumps(told, ensure_ascii=False)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return json.loads(text.encode("utf-8", "replace"))
    return told


def _lines(file: Iterator[str]) -> Iterator[tuple[str, Flat] | BadRow]:
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            record = _whole_letters(record) if "\\ud" in line.lower() else record
        except (ValueError, RecursionError):
            yield BadRow(f"line {number}", None, "not a JSON object; write one record per line")
            continue
        yield from _flat_rows(f"line {number}", record)


def _array(whole: object, name: str) -> list[Any]:
    if isinstance(whole, list):
        return whole
    if isinstance(whole, dict):
        lists = [value for key, value in whole.items() if isinstance(value, list) and key not in _LISTS]
        if len(lists) == 1:
            return lists[0]
        return [whole]
    raise ConfigurationError(f"{name}: expected an array of records")


def _flat_rows(place: str, record: object) -> Iterator[tuple[str, Flat] | BadRow]:
    """One flat row per procedure of a record."""
    if not isinstance(record, Mapping):
        yield BadRow(place, None, "expected an object with the fields of one patient or procedure")
        return
    listed = next((key for key in record if key in _LISTS and isinstance(record[key], list)), None)
    if listed is None:
        yield place, _flatten(record)
        return
    person = _flatten({key: value for key, value in record.items() if key != listed})
    if not record[listed]:
        yield BadRow(place, listed, "the list is empty: a case needs at least one procedure")
    for number, item in enumerate(record[listed], start=1):
        where = f"{place}, procedure {number}"
        if isinstance(item, Mapping):
            yield where, person | {f"procedure.{key}": value for key, value in _flatten(item).items()}
        else:
            yield BadRow(where, listed, "expected an object with the fields of one procedure")


def _flatten(record: Mapping[str, Any], prefix: str = "") -> Flat:
    flat: Flat = {}
    for key, value in islice(record.items(), _MOST_KEYS):
        if isinstance(value, Mapping):
            flat |= _flatten(value, f"{prefix}{key}.")
        elif isinstance(value, list):
            flat[f"{prefix}{key}"] = "; ".join(str(v) for v in value if isinstance(v, str | int | float))
        else:
            flat[f"{prefix}{key}"] = value
    return flat
