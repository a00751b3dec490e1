"""A very small invented office, all in memory, for examples and first steps. Its clock moves only when told to."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import SecretStr

from treatment_agent.coordinator import Coordinator, Tools
from treatment_agent.coordinator.answers import TurnOutcome
from treatment_agent.demo.policy import maple_policy
from treatment_agent.domain.messages import InboundMessage
from treatment_agent.domain.private import PhoneNumber
from treatment_agent.domain.scheduling import Slot
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.ports import Chart, Interpreter
from treatment_agent.testing import FrozenClock
from treatment_agent.tools.memory import MemoryMessenger, MemoryScheduler

EXPORT = """\
Patient ID,First Name,Mobile,SMS consent,Proc Code,Tooth,Fee,Provider,Tx Plan Date
ana,Ana,(312) 555-0117,Yes,D2740,30,"$1,250.00",lee,11/24/2026
ben,Ben,(312) 555-0118,No,D2392,14,$240.00,lee,11/24/2026
cruz,Elena,(312) 555-0119,Yes,crown,3,$980.00,lee,11/23/2026
"""


@dataclass(frozen=True, slots=True)
class SampleOffice:
    """Maple Dental on the evening of Tuesday, November 24, 2026, with a list of three rows in `export`."""

    coordinator: Coordinator
    clock: FrozenClock
    messenger: MemoryMessenger
    export: Path

    def next_morning(self) -> None:
        """Move the clock to 10 in the morning of the next day and handle what is due."""
        local = self.clock.now().astimezone(self.coordinator.policy.office.tz) + timedelta(days=1)
        self.clock.set(local.replace(hour=10, minute=0).astimezone(UTC))
        self.coordinator.run_due()

    def text_from_ana(self, words: str) -> TurnOutcome:
        """Ana writes; a minute passes."""
        now = self.clock.advance(timedelta(minutes=1))
        message = InboundMessage(
            id=self.clock.new_id(), sender=PhoneNumber("+13125550117"), text=SecretStr(words), received_at=now
        )
        return self.coordinator.receive(message)

    def last_text(self) -> str:
        """The text that left last, as the patient reads it."""
        return self.messenger.sent[-1].body.get_secret_value()


def sample_office(
    policy: PracticePolicy | None = None, interpreter: Interpreter | None = None, chart: Chart | None = None
) -> SampleOffice:
    """Build the office. With `policy`, `interpreter` or `chart`, try your own on it."""
    policy = policy or maple_policy()
    clock = FrozenClock(datetime(2026, 11, 24, 18, tzinfo=policy.office.tz))
    messenger = MemoryMessenger()
    scheduler = MemoryScheduler(_openings(policy))
    tools = Tools(scheduler=scheduler, messenger=messenger, chart=chart)
    coordinator = Coordinator(policy=policy, tools=tools, ledger="sqlite://", clock=clock, interpreter=interpreter)
    export = Path(tempfile.mkdtemp(prefix="maple-")) / "unscheduled.csv"
    export.write_text(EXPORT, encoding="utf-8")
    return SampleOffice(coordinator, clock, messenger, export)


def _openings(policy: PracticePolicy) -> list[Slot]:
    """Two openings on each of a few December days."""
    starts = [datetime(2026, 12, day, hour, tzinfo=policy.office.tz) for day in (1, 3, 4, 8, 11) for hour in (9, 14)]
    return [Slot(s, s + timedelta(minutes=90), "lee", f"opening-{n}") for n, s in enumerate(starts, 1)]
