"""What a benchmark hands back, and the few numbers all of them need."""

from __future__ import annotations

import resource
import sqlite3
import statistics
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Result:
    """A table: the first column says what, the others say how much."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def median_ms(seconds: Sequence[float]) -> str:
    """The median in milliseconds."""
    return f"{statistics.median(seconds) * 1000:.2f} ms"


def p95_ms(seconds: Sequence[float]) -> str:
    """The 95th percentile in milliseconds."""
    return f"{statistics.quantiles(seconds, n=20)[-1] * 1000:.2f} ms"


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """How many times the other median ours is."""
    return f"{statistics.median(ours) / statistics.median(theirs):.2f}x"


def scratch() -> Path:
    """A folder on the disk we stand on: temporary ones are often in memory, and a ledger is not."""
    folder = Path.cwd() / "build"
    folder.mkdir(exist_ok=True)
    return folder


def bytes_at_rest(folder: Path) -> int:
    """Size of the SQLite files in a folder once their write-ahead logs are written back.

    The log itself is left out: it is used again and again and does not grow with the number of turns.
    """
    for file in folder.glob("*.db"):
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return sum(file.stat().st_size for file in folder.glob("*.db"))


def peak_megabytes() -> float:
    """The largest resident size of this process so far.

    Linux hands `ru_maxrss` on from the parent that started a process, so the peak of its own memory is read instead.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text(encoding="ascii").splitlines() if ":" in line)
        return float(lines["VmHWM"].split()[0]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024) if sys.platform == "darwin" else peak / 1024
