"""An invented office for the benchmarks: its policy, its patients, and a coordinator on a real ledger file."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from treatment_agent import Coordinator, PracticePolicy, Tools
from treatment_agent.domain.scheduling import Slot
from treatment_agent.policies.practice import OfficeProfile, Provider
from treatment_agent.testing import FrozenClock
from treatment_agent.tools.memory import MemoryChart, MemoryDesk, MemoryMessenger, MemoryScheduler

ZONE = ZoneInfo("America/Chicago")
TODAY = date(2026, 11, 24)  # a Tuesday
MORNING = datetime.combine(TODAY, time(10), tzinfo=ZONE).astimezone(UTC)
CODES = ("D2740", "D2391", "D2392", "D2950", "D6740", "D2642", "D2962")
HEADERS = (
    "PatNum", "FName", "LName", "Birthdate", "WirelessPhone", "TxtMsgOk", "PatStatus", "ProcNum", "ProcCode",
    "ToothNum", "ProcFee", "ProvAbbr", "Priority", "ProcStatus", "VisitDate",
)  # fmt: skip


def policy() -> PracticePolicy:
    """The safe defaults, for one invented office."""
    return PracticePolicy(
        id="benchmark",
        office=OfficeProfile(
            name="Maple Dental",
            phone="(312) 555-0100",
            booking_link="https://maple.example/book",
            address="1 Maple Street, Chicago",
            zone="America/Chicago",
            providers=(Provider(id="lee", name="Dr. Lee"),),
        ),
    )


def rows(count: int, *, refused: float = 0.1) -> Iterator[tuple[str, ...]]:
    """Rows of an export, one case each, the same every time. This share of patients want no texts."""
    chance = random.Random(7)
    for number in range(count):
        visit = TODAY - timedelta(days=chance.randint(1, 170))
        yield (
            f"P-{number}",
            "Ana",
            "Sample",
            f"19{chance.randint(40, 99)}-0{chance.randint(1, 9)}-1{chance.randint(0, 9)}",
            phone_of(number),
            "No" if chance.random() < refused else "Yes",
            "Patient",
            f"{number}",
            chance.choice(CODES),
            str(chance.randint(2, 31)),
            f"{chance.randint(150, 3000)}.00",
            "lee",
            chance.choice(("", "1", "2")),
            "TP",
            visit.isoformat(),
        )


def write_export(path: Path, count: int, *, refused: float = 0.1) -> Path:
    """Write `rows` as a CSV file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADERS)
        writer.writerows(rows(count, refused=refused))
    return path


def phone_of(number: int) -> str:
    """The phone of the patient in row `number`."""
    return f"+1{312 + number // 10_000}555{number % 10_000:04d}"


def openings() -> Iterator[Slot]:
    """Four long openings per weekday, for six weeks: few, so that the calendar's own search does not count."""
    days = (TODAY + timedelta(days=n) for n in range(1, 43))
    for day in (day for day in days if day.weekday() < 5):
        for hour in (8, 10, 13, 15):
            start = datetime.combine(day, time(hour), tzinfo=ZONE)
            yield Slot(start, start + timedelta(hours=2), "lee", f"lee-{start:%m%d%H}")


def open_coordinator(folder: Path) -> tuple[Coordinator, FrozenClock]:
    """A coordinator on a SQLite file, with memory adapters and the local interpreter."""
    clock = FrozenClock(MORNING)
    tools = Tools(
        scheduler=MemoryScheduler(openings()), messenger=MemoryMessenger(), desk=MemoryDesk(), chart=MemoryChart()
    )
    return Coordinator(policy=policy(), tools=tools, ledger=f"sqlite:///{folder / 'practice.db'}", clock=clock), clock
