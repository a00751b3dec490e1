"""A full turn against a bare LangGraph turn: same kind of checkpoints, same disk, one after the other.

Ours: claim, lock, read the ledger, interpret, guard, decide, search or book, compose, check, commit, dispatch.
"""

from __future__ import annotations

import os
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from pydantic import SecretStr

from benchmarks import office
from benchmarks.bare import NODES, BareConversations
from benchmarks.results import Result, bytes_at_rest, median_ms, p95_ms, ratio, scratch
from treatment_agent import InboundMessage
from treatment_agent.domain.private import PhoneNumber
from treatment_agent.tools.csv_source import CsvCaseSource

# What one patient writes: three turns that search, book and acknowledge. Nobody is handed off, so all of it is work.
MESSAGES = ("do you have anything in the afternoon?", "1", "thanks!")


def measure(*, quick: bool = False) -> Result:
    """Time turns of as many patients as were written to, ours and bare ones in turn."""
    with tempfile.TemporaryDirectory(dir=scratch()) as folder:
        return _measure(Path(folder), patients=10 if quick else 50)


def _measure(folder: Path, *, patients: int) -> Result:
    ours_in, bare_in = folder / "ours", folder / "bare"
    ours_in.mkdir()
    bare_in.mkdir()
    coordinator, clock = office.open_coordinator(ours_in)
    coordinator.enroll(CsvCaseSource(office.write_export(folder / "export.csv", patients, refused=0)))
    coordinator.run_due()
    bare = BareConversations(bare_in / "bare.db")
    bare.turn("warm-up")

    ours: list[float] = []
    theirs: list[float] = []
    booked = 0
    before = bytes_at_rest(ours_in), bytes_at_rest(bare_in)
    for number in range(patients):
        for turn, text in enumerate(MESSAGES):
            clock.advance(timedelta(minutes=1))
            message = InboundMessage(
                id=f"m-{number}-{turn}",
                sender=PhoneNumber(office.phone_of(number)),
                text=SecretStr(text),
                received_at=clock.now(),
            )
            began = time.perf_counter()
            outcome = coordinator.receive(message)
            ours.append(time.perf_counter() - began)
            booked += outcome.booking is not None
            began = time.perf_counter()
            seen = bare.turn(f"thread-{number}")
            theirs.append(time.perf_counter() - began)
            assert seen == (turn + 1) * len(NODES), "the bare graph must have run all its nodes"
    assert booked == patients, "every patient searches and books, or this measures something else"
    coordinator.close()
    bare.close()
    return _result(
        ours, theirs, tuple(_per_turn(b, f, len(ours)) for b, f in zip(before, (ours_in, bare_in), strict=True))
    )


def _per_turn(before: int, folder: Path, turns: int) -> str:
    return f"{(bytes_at_rest(folder) - before) / turns:,.0f} B"


def _result(ours: list[float], theirs: list[float], sizes: tuple[str, ...]) -> Result:
    return Result(
        title=f"One turn, {len(ours)} of each, {os.cpu_count()} cores",
        columns=("", "median", "p95", "on disk per turn"),
        rows=(
            ("a whole turn", median_ms(ours), p95_ms(ours), sizes[0]),
            ("bare LangGraph, six empty nodes", median_ms(theirs), p95_ms(theirs), sizes[1]),
            ("ratio of the medians", ratio(ours, theirs), "", ""),
        ),
        note="Aims: at most 2.0x, and at most 4 KB on disk per turn.",
    )
