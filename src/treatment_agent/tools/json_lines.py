"""An append-only file of JSON lines that survives crashes and shared use."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from treatment_agent.errors import AdapterUnavailable


class PartlyWritten(Exception):
    """The disk failed within a write: the line may or may not be there."""


class JsonLines:
    """One record per line. Each line is written with a single call and forced to disk before `append` returns.

    The file is readable by its owner only: it holds personal data. A line that a crash cut short is told apart from
    whole ones, and the next append begins on a line of its own.
    """

    def __init__(self, path: str | Path) -> None:
        """Use the file at `path`; it is made, with its folder, at the first append."""
        self._path = Path(path)

    def append(self, record: Mapping[str, object]) -> None:
        """Add a line.

        Raises:
            AdapterUnavailable: the file cannot be opened; nothing was written.
            PartlyWritten: the disk failed within the write.
        """
        line = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        except OSError as error:
            raise AdapterUnavailable(f"file: cannot be opened ({type(error).__name__})") from None
        try:
            if self._is_torn(file):
                line = b"\n" + line
            if os.write(file, line) != len(line):
                raise PartlyWritten
            os.fsync(file)
        except OSError:
            raise PartlyWritten from None
        finally:
            os.close(file)

    def records(self) -> Iterator[dict[str, object] | str]:
        """The whole lines in order; a line that was cut short as the text that is left of it.

        Raises:
            AdapterUnavailable: the file is there and cannot be read.
        """
        try:
            with self._path.open(encoding="utf-8", errors="replace") as file:
                for line in file:
                    if record := _record(line):
                        yield record
        except FileNotFoundError:
            return
        except OSError as error:
            raise AdapterUnavailable(f"file: cannot be read ({type(error).__name__})") from None

    @staticmethod
    def _is_torn(file: int) -> bool:
        size = os.lseek(file, 0, os.SEEK_END)
        if size == 0:
            return False
        os.lseek(file, -1, os.SEEK_END)
        return os.read(file, 1) != b"\n"


def _record(line: str) -> dict[str, object] | str | None:
    if not line.strip():
        return None
    try:
        record = json.loads(line)
    except ValueError:
        return line
    return record if isinstance(record, dict) else line
