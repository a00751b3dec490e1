"""A practice with one invented patient and nobody to text: what `chat` runs in."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

from pydantic import SecretStr

from treatment_agent.coordinator import Coordinator, Tools
from treatment_agent.coordinator.answers import RunReport, TurnOutcome
from treatment_agent.domain.messages import InboundMessage
from treatment_agent.domain.patients import Patient, Permission
from treatment_agent.domain.private import PhoneNumber
from treatment_agent.domain.treatment import Case, Family, Procedure
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.ports import Interpreter
from treatment_agent.testing import FrozenClock
from treatment_agent.tools.memory import MemoryCaseSource, MemoryMessenger
from treatment_agent.tools.office_template import Block, OfficeTemplate
from treatment_agent.tools.template_scheduler import TemplateScheduler

PATIENT = "you"
_PHONE = PhoneNumber("+13125550117")
_EXAM_ON = date(2026, 11, 24)
_BLOCKS = (
    (0, time(13), time(16)),
    (1, time(9), time(12)),
    (2, time(10), time(12)),
    (3, time(14), time(17)),
    (4, time(9), time(12)),
)


@dataclass(slots=True)
class Sandbox:
    """One conversation to play with."""

    coordinator: Coordinator
    clock: FrozenClock
    _count: int = 0

    @property
    def local(self) -> datetime:
        """Where the sandbox's clock stands, in the office's zone."""
        return self.clock.now().astimezone(self.coordinator.policy.office.tz)

    def write(self, text: str) -> TurnOutcome:
        """The patient writes; a minute later it is handled."""
        self._count += 1
        at = self.clock.advance(timedelta(minutes=1))
        return self.coordinator.receive(
            InboundMessage(id=f"chat-{self._count}", sender=_PHONE, text=SecretStr(text), received_at=at)
        )

    def wait(self, duration: timedelta) -> list[TurnOutcome]:
        """Time passes hour by hour, and what falls due is done."""
        end = self.clock.now() + duration
        outcomes: list[TurnOutcome] = []
        while self.clock.now() < end:
            self.clock.set(min(self.clock.now() + timedelta(hours=1), end))
            outcomes.extend(self.run().outcomes)
        return outcomes

    def run(self) -> RunReport:
        """Do what is due now."""
        return self.coordinator.run_due()


@contextmanager
def open_sandbox(
    policy: PracticePolicy, *, interpreter: Interpreter | None = None, language: str = "en"
) -> Iterator[Sandbox]:
    """The morning after the exam: a crown on #30 is planned, no visit is booked, the first text is due."""
    tz = policy.office.tz
    clock = FrozenClock(datetime.combine(_EXAM_ON, time(17), tz))
    with tempfile.TemporaryDirectory() as folder:
        scheduler = TemplateScheduler(f"sqlite:///{Path(folder) / 'calendar.db'}", _template(policy))
        coordinator = Coordinator(
            policy=policy,
            tools=Tools(scheduler=scheduler, messenger=MemoryMessenger()),
            ledger=f"sqlite:///{Path(folder) / 'chat.db'}",
            interpreter=interpreter,
            clock=clock,
        )
        try:
            coordinator.enroll(MemoryCaseSource([_case(policy, language)]))
            yield Sandbox(coordinator, clock)
        finally:
            coordinator.close()
            scheduler.close()


def _case(policy: PracticePolicy, language: str) -> Case:
    provider = policy.office.providers[0].id if policy.office.providers else ""
    procedure = Procedure(
        id="chat-1", code="D2740", tooth="30", fee_cents=139_500, provider_id=provider, diagnosed_on=_EXAM_ON
    )
    patient = Patient(id=PATIENT, first_name=SecretStr("Jordan"), mobile=_PHONE, sms=Permission.YES, language=language)
    return Case(id="chat", patient=patient, procedures=(procedure,), provider_id=provider, visit_on=_EXAM_ON)


def _template(policy: PracticePolicy) -> OfficeTemplate:
    """A few openings each workday for whoever works there, for every kind of visit."""
    office = policy.office
    providers = tuple(p.id for p in office.providers) or ("any",)
    return OfficeTemplate(
        zone=office.zone,
        holidays=office.holidays,
        blocks=tuple(
            Block(provider_id=provider, weekday=weekday, start=start, end=end, families=tuple(Family))
            for provider in providers
            for weekday, start, end in _BLOCKS
        ),
    )
