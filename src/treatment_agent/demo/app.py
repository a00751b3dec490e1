"""The demo practice put together: policy, calendar, chart, messenger and books in one folder."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from treatment_agent.coordinator import Coordinator, Tools
from treatment_agent.demo import story
from treatment_agent.demo.policy import maple_policy, maple_template
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.testing import FrozenClock
from treatment_agent.tools.calendar_chart import CalendarChart
from treatment_agent.tools.clock import SystemClock
from treatment_agent.tools.memory import MemoryDesk, MemoryMessenger
from treatment_agent.tools.template_scheduler import TemplateScheduler

_BOOKS = "practice.db"
_CALENDAR = "calendar.db"
_CLOCK = "clock.txt"


@dataclass(frozen=True, slots=True)
class Practice:
    """An open practice. Close the coordinator when done."""

    coordinator: Coordinator
    clock: FrozenClock
    scheduler: TemplateScheduler
    folder: Path


def open_practice(folder: Path, *, now: datetime | None = None, fresh: bool = False) -> Practice:
    """Open Maple Dental with its books in `folder`.

    Its clock stands at `now`, else where it last stood, else at the first morning of the story. With `fresh` the old
    books go first.
    """
    if fresh and folder.exists():
        _clear(folder)
    folder.mkdir(parents=True, exist_ok=True)
    # A folder is opened by many processes: ids must differ from those of the processes before.
    clock = FrozenClock(now or _last_time(folder) or story.load().starts, id_prefix=f"{SystemClock().new_id()[:12]}-")
    return build(folder, clock=clock, policy=maple_policy())


def build(folder: Path, *, clock: FrozenClock, policy: PracticePolicy) -> Practice:
    """Any policy over the demo's calendar, with nobody to text: also the sandbox of `chat`."""
    scheduler = TemplateScheduler(f"sqlite:///{folder / _CALENDAR}", maple_template())
    tools = Tools(
        scheduler=scheduler,
        messenger=MemoryMessenger(),
        chart=CalendarChart(scheduler, clock),
        desk=MemoryDesk(),
    )
    coordinator = Coordinator(policy=policy, tools=tools, ledger=f"sqlite:///{folder / _BOOKS}", clock=clock)
    return Practice(coordinator, clock, scheduler, folder)


def keep_time(folder: Path, now: datetime) -> None:
    """Remember where the demo's clock stands, for the next command."""
    (folder / _CLOCK).write_text(now.isoformat(), encoding="utf-8")


def _last_time(folder: Path) -> datetime | None:
    try:
        return datetime.fromisoformat((folder / _CLOCK).read_text(encoding="utf-8").strip())
    except (OSError, ValueError):
        return None


def _clear(folder: Path) -> None:
    """Remove what an earlier demo made, and nothing else that may lie there."""
    for name in (_BOOKS, _CALENDAR):
        for found in folder.glob(f"{name}*"):
            found.unlink() if found.is_file() else shutil.rmtree(found)
    (folder / _CLOCK).unlink(missing_ok=True)
