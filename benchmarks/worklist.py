"""Enrol and rank a large export, against merely reading and sorting the same rows. In a process of its own."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.results import Result, peak_megabytes, scratch


def measure(*, quick: bool = False) -> Result:
    """Run both in fresh processes, so that each has its own peak memory."""
    count = 2_000 if quick else 100_000
    with tempfile.TemporaryDirectory(dir=scratch()) as folder:
        ours, theirs = _child("enroll", folder, count), _child("sort", folder, count)
    return Result(
        title=f"Enrol and rank {count:,} cases from a CSV file",
        columns=("", "seconds", "peak memory", "cases"),
        rows=(
            ("enroll: read, check, score, store, ranked", f"{ours[0]:.2f}", f"{ours[1]:.0f} MB", f"{ours[2]:,.0f}"),
            ("read the rows and sort them", f"{theirs[0]:.2f}", f"{theirs[1]:.0f} MB", f"{theirs[2]:,.0f}"),
            ("ratio", f"{ours[0] / theirs[0]:.1f}x", "", ""),
        ),
        note="Aims: at most 15 s and 400 MB for 100,000 cases.",
    )


def _child(task: str, folder: str, count: int) -> tuple[float, float, float]:
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.worklist", task, folder, str(count)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    seconds, megabytes, cases = json.loads(run.stdout)
    return seconds, megabytes, cases


def _enroll(folder: Path, count: int) -> tuple[float, int]:
    from benchmarks import office
    from treatment_agent.tools.csv_source import CsvCaseSource

    export = office.write_export(folder / "export.csv", count)
    coordinator, _ = office.open_coordinator(folder)
    began = time.perf_counter()
    report = coordinator.enroll(CsvCaseSource(export))
    scores = [row.score for row in coordinator.work_list() if row.skip_rule is None]
    seconds = time.perf_counter() - began
    assert scores == sorted(scores, reverse=True), "the work list is ranked"
    assert report.enrolled == count, "every row is a case"
    coordinator.close()
    return seconds, report.enrolled


def _sort(folder: Path, count: int) -> tuple[float, int]:
    export = folder / "export.csv"  # written by the run before
    began = time.perf_counter()
    with export.open(newline="", encoding="utf-8") as file:
        ranked = sorted(csv.DictReader(file), key=lambda row: (row["VisitDate"], float(row["ProcFee"])), reverse=True)
    assert len(ranked) == count
    return time.perf_counter() - began, len(ranked)


if __name__ == "__main__":
    job, where, size = sys.argv[1:]
    taken, number = (_enroll if job == "enroll" else _sort)(Path(where), int(size))
    sys.stdout.write(json.dumps((taken, peak_megabytes(), number)))
