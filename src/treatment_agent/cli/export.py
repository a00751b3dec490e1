"""The export named on the command line: which source reads it, and its messages in the command line's own words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias
from zoneinfo import ZoneInfo

from treatment_agent.cli import screen
from treatment_agent.errors import ConfigurationError

if TYPE_CHECKING:
    from treatment_agent.tools.columns import Columns
    from treatment_agent.tools.csv_source import CsvCaseSource
    from treatment_agent.tools.json_source import JsonCaseSource

    CaseFile: TypeAlias = CsvCaseSource | JsonCaseSource
else:
    CaseFile = object

_JSON: Final = (".json", ".jsonl", ".ndjson")
_WORDS: Final = (
    (re.compile(r"Columns\((\w+)=('[^']*')\)"), r"--column \1=\2"),
    (re.compile(r"decimal_comma=True"), "--decimal-comma"),
    (re.compile(r"encoding=\.\.\."), "--encoding"),
    (re.compile(r"dates='(\w+)'"), r"--dates \1"),
    (re.compile(r"dates=(?:\.\.\.)?"), "--dates"),
    (re.compile(r"^(dates|encoding): "), r"--\1: "),
    (re.compile(r"map the other as ('[^']*')"), r"map the other with --column field=\1"),
)


def the_list(file: Path | None, app: str | None) -> Path:
    """The file given, or without one the demo practice's own list, `practice.csv` of the package.

    Raises:
        ConfigurationError: no file for a practice of one's own.
    """
    if file is not None:
        return file
    if app is not None:
        raise ConfigurationError("FILE is missing: only the demo practice has a list of its own; name your export")
    with as_file(files("treatment_agent.demo") / "practice.csv") as path:
        screen.err().print(f"Reading the demo practice's list, {path}", style="dim")
        return path


def in_cli_words(text: str) -> str:
    """A source's advice with options in place of Python arguments."""
    for pattern, words in _WORDS:
        text = pattern.sub(words, text)
    return text


@dataclass(frozen=True, slots=True)
class Export:
    """The file and how it is written, as the options say."""

    file: Path
    dates: str
    columns: Sequence[str] | None
    decimal_comma: bool
    encoding: str | None
    exported: str | None = None

    def source(self, zone: str, now: datetime) -> CaseFile:
        """The source that reads this kind of file; `now` tells which diagnoses lie in the future.

        Raises:
            ConfigurationError: a --column that cannot be read or names no field, or an --exported that is no time.
        """
        from treatment_agent.tools.csv_source import CsvCaseSource
        from treatment_agent.tools.json_source import JsonCaseSource

        kind = JsonCaseSource if self.file.suffix.casefold() in _JSON else CsvCaseSource
        source: CaseFile = kind(
            self.file,
            columns=_columns(self.columns or ()),
            dates=self.dates,
            zone=zone,
            encoding=self.encoding,
            decimal_comma=self.decimal_comma,
            synced_at=_exported_at(self.exported, zone),
        )
        return source.as_of(now)

    @contextmanager
    def in_own_words(self) -> Iterator[None]:
        """Errors of the source leave with options in place of Python arguments."""
        try:
            yield
        except ConfigurationError as error:
            said = in_cli_words(str(error))
            if type(error) is not ConfigurationError or said == str(error):
                raise
            raise ConfigurationError(said) from None


def _exported_at(text: str | None, zone: str) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError("--exported: write a time like 2026-11-24T10:05") from None
    return moment if moment.utcoffset() is not None else moment.replace(tzinfo=ZoneInfo(zone))


def _columns(pairs: Sequence[str]) -> Columns:
    from treatment_agent.tools.columns import FIELDS, Columns

    mapped: dict[str, str] = {}
    for pair in pairs:
        field, _, header = (part.strip() for part in pair.partition("="))
        if field not in FIELDS or not header:
            known = ", ".join(FIELDS)
            raise ConfigurationError(f"--column: write FIELD=HEADER, for example mobile=Handy; fields are {known}")
        mapped[field] = header
    return Columns.model_validate(mapped)
