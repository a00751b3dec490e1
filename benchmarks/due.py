"""What a due-run costs on tables of different size with the same number of due rows: it must follow what is due."""

from __future__ import annotations

import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from benchmarks.results import Result, median_ms, scratch

DUE = 50


def measure(*, quick: bool = False) -> Result:
    """Ask for what is due, and handle it, on tables of growing size."""
    sizes = (1_000, 5_000) if quick else (10_000, 100_000, 1_000_000)
    rows = []
    for size in sizes:
        with tempfile.TemporaryDirectory(dir=scratch()) as folder:
            rows.append(_on_table(Path(folder), size))
    return Result(
        title=f"A due-run with {DUE} due conversations",
        columns=("conversations", "find the due ones", "handle one", "nothing due"),
        rows=tuple(rows),
        note="The columns should not grow with the table: the cost follows what is due.",
    )


def _on_table(folder: Path, size: int) -> tuple[str, ...]:
    from benchmarks import office
    from treatment_agent.tools.csv_source import CsvCaseSource

    coordinator, clock = office.open_coordinator(folder)
    coordinator.enroll(CsvCaseSource(office.write_export(folder / "export.csv", DUE, refused=0)))
    _fill(folder / "practice.db", size - DUE)
    queries = []
    clock.advance(timedelta(days=1))
    for _ in range(20):
        began = time.perf_counter()
        found = coordinator.ledger.due(at=clock.now())
        queries.append(time.perf_counter() - began)
    assert len(found) == DUE, "only the enrolled ones are due"
    began = time.perf_counter()
    report = coordinator.run_due()
    handled = time.perf_counter() - began
    assert len(report.outcomes) == DUE, "every due one is handled"
    idle = []
    for _ in range(5):
        began = time.perf_counter()
        coordinator.run_due()
        idle.append(time.perf_counter() - began)
    coordinator.close()
    return f"{size:,}", median_ms(queries), f"{handled / DUE * 1000:.2f} ms", f"{statistics.median(idle) * 1000:.2f} ms"


def _fill(ledger: Path, count: int) -> None:
    """Conversations that are not due: copies of an enrolled one, some asleep, most ended."""
    import sqlite3
    from contextlib import closing

    # Written past the ledger: enrolling a million cases through it would take minutes, and only the rows count here.
    with closing(sqlite3.connect(ledger)) as connection, connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(conversations)")]
        changed = {"id": "'filler-' || n", "due_at": "CASE WHEN n % 5 = 0 THEN '2027-09-01 16:00:00.000000' END"}
        chosen = ", ".join(changed.get(column, f"c.{column}") for column in columns)
        connection.execute(
            f"WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count}) "  # noqa: S608
            f"INSERT INTO conversations ({', '.join(columns)}) "
            f"SELECT {chosen} FROM numbers, (SELECT * FROM conversations LIMIT 1) AS c"
        )
        connection.execute("ANALYZE")
