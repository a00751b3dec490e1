"""What a benchmark hands back, and the few numbers all of them need."""

from __future__ import annotations

import resource
import statistics
import sys
from collections.abc import Sequence
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


def bytes_in(folder: Path) -> int:
    """Size of all files in a folder, write-ahead logs included."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def peak_megabytes() -> float:
    """The largest resident size of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024) if sys.platform == "darwin" else peak / 1024
