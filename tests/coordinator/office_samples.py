"""An office in memory with a real ledger file: what the conversation tests talk to, and its invented patients."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from treatment_agent import (
    Case,
    Coordinator,
    InboundMessage,
    OfficeProfile,
    Patient,
    PracticePolicy,
    Procedure,
    Provider,
    Tools,
)
from treatment_agent.coordinator.answers import TurnOutcome
from treatment_agent.domain.conversation import Conversation
from treatment_agent.domain.handoff import HandoffKind
from treatment_agent.domain.messages import ApprovedMessage
from treatment_agent.domain.patients import Permission
from treatment_agent.domain.private import PhoneNumber
from treatment_agent.domain.scheduling import Slot
from treatment_agent.domain.treatment import Family
from treatment_agent.ports import Chart, Interpreter, Messenger, Scheduler, SummaryDrafter
from treatment_agent.testing import FrozenClock
from treatment_agent.tools.memory import MemoryCaseSource, MemoryChart, MemoryDesk, MemoryMessenger, MemoryScheduler

CHICAGO = ZoneInfo("America/Chicago")
ANA_PHONE = PhoneNumber("+13125550117")


def office_profile() -> OfficeProfile:
    return OfficeProfile(
        name="Maple Dental",
        phone="(312) 555-0100",
        booking_link="https://maple.example/book",
        address="12 Maple Ave, Chicago",
        zone="America/Chicago",
        parking="Free parking behind the building.",
        financing_next_step="We offer payment plans.",
        providers=(Provider(id="lee", name="Dr. Lee"),),
    )


def slot(day: int, hour: int, *, month: int = 12, minutes: int = 90) -> Slot:
    start = datetime(2026, month, day, hour, tzinfo=CHICAGO)
    return Slot(start, start + timedelta(minutes=minutes), "lee", f"s-{month}-{day}-{hour}", Family.CROWN)


FIRST_MORNING = datetime(2026, 11, 25, 10, tzinfo=CHICAGO)
OPENINGS = (slot(1, 9), slot(3, 14), slot(4, 10), slot(8, 8), slot(9, 15), slot(11, 13), slot(15, 9), slot(17, 16))


def ana(**changes: object) -> Case:
    patient = Patient(
        id="ana",
        first_name=SecretStr("Ana"),
        last_name=SecretStr("Marker-Lastname"),
        born_on=date(1980, 5, 4),
        mobile=ANA_PHONE,
        sms=Permission.YES,
    )
    fields: dict[str, object] = {
        "id": "case-ana",
        "patient": patient,
        "procedures": (
            Procedure(
                id="p-ana",
                code="D2740",
                tooth="30",
                fee_cents=125000,
                provider_id="lee",
                diagnosed_on=date(2026, 11, 24),
            ),
        ),
        "provider_id": "lee",
        "visit_on": date(2026, 11, 24),
    }
    return Case.model_validate(fields | changes)


def someone(name: str, phone: PhoneNumber | None = ANA_PHONE, **changes: object) -> Case:
    """Another patient: case `case-<name>` with one procedure `p-<name>`. `changes` are fields of the patient."""
    fields: dict[str, object] = {
        "id": name,
        "first_name": SecretStr(name.title()),
        "born_on": date(1985, 3, 2),
        "mobile": phone,
        "sms": Permission.YES,
    }
    procedure = ana().procedures[0].model_copy(update={"id": f"p-{name}"})
    return ana(id=f"case-{name}", patient=Patient.model_validate(fields | changes), procedures=(procedure,))


@dataclass
class Office:
    """The office under test. `text` writes as the patient; `sent` is what left since it was last asked."""

    coordinator: Coordinator
    clock: FrozenClock
    scheduler: MemoryScheduler
    messenger: MemoryMessenger
    desk: MemoryDesk
    chart: MemoryChart
    url: str
    _seen: int = 0
    _ids: list[str] = field(default_factory=list)

    def enroll(self, *cases: Case) -> None:
        self.coordinator.enroll(MemoryCaseSource(cases or (ana(),)))

    def text(
        self, words: str, *, sender: PhoneNumber = ANA_PHONE, id: str | None = None, media: int = 0
    ) -> TurnOutcome:
        self._ids.append(words)
        message = InboundMessage(
            id=id or f"in-{len(self._ids)}",
            sender=sender,
            text=SecretStr(words),
            received_at=self.clock.now(),
            media=media,
        )
        return self.coordinator.receive(message)

    def run_at(self, when: datetime) -> None:
        self.clock.set(when)
        report = self.coordinator.run_due()
        assert report.failed == ()

    def sent(self) -> list[str]:
        """Script ids of the texts that left since the last call."""
        new = self.messenger.sent[self._seen :]
        self._seen = len(self.messenger.sent)
        return [m.script_id for m in new]

    def sent_messages(self) -> list[ApprovedMessage]:
        """Everything that left, whoever it was for."""
        return list(self.messenger.sent)

    def last_text(self) -> str:
        return self.messenger.sent[-1].body.get_secret_value()

    def conversation(self, case_id: str = "case-ana") -> Conversation:
        return self.coordinator.ledger.facts(case_id, at=self.clock.now()).conversation

    def first_touch(self, *cases: Case) -> None:
        """Enroll Ana (or others) on the evening of the visit and send the first message next morning."""
        self.enroll(*cases)
        self.run_at(FIRST_MORNING)

    def let_days_pass(self, days: int) -> list[str]:
        """Run at each coming noon; return the scripts that left."""
        for _ in range(days):
            local = self.clock.now().astimezone(CHICAGO) + timedelta(days=1)
            self.run_at(local.replace(hour=12, minute=0, second=0, microsecond=0))
        return self.sent()

    def tasks(self) -> list[HandoffKind]:
        """Kinds of what staff have not dealt with yet, in the order of their list."""
        return [packet.kind for packet in self.coordinator.handoffs()]

    def reasons(self, case_id: str = "case-ana") -> list[tuple[str, str]]:
        """(code, the patient's words) as the ledger's file has them, oldest first."""
        with sqlite3.connect(self.url.removeprefix("sqlite:///")) as file:
            rows = file.execute("SELECT code, words FROM reasons WHERE conversation_id = ? ORDER BY at", (case_id,))
            return [(code, words) for code, words in rows]


def build(
    tmp_path: Path,
    policy: PracticePolicy,
    *,
    scheduler: Scheduler | None = None,
    messenger: Messenger | None = None,
    chart: Chart | None = None,
    interpreter: Interpreter | None = None,
    desk: MemoryDesk | None = None,
    drafter: SummaryDrafter | None = None,
) -> Office:
    """The office in a folder. A port given here stands in for the memory adapter, which the office still holds."""
    clock = FrozenClock(datetime.combine(date(2026, 11, 24), time(18), CHICAGO))
    memory = MemoryScheduler(OPENINGS), MemoryMessenger(), desk or MemoryDesk(), MemoryChart()
    url = f"sqlite:///{tmp_path / 'practice.db'}"
    coordinator = Coordinator(
        policy=policy,
        tools=Tools(
            scheduler=scheduler or memory[0],
            messenger=messenger or memory[1],
            desk=memory[2],
            chart=chart or memory[3],
            drafter=drafter,
        ),
        ledger=url,
        clock=clock,
        interpreter=interpreter,
    )
    own = scheduler if isinstance(scheduler, MemoryScheduler) else memory[0]
    return Office(coordinator, clock, own, *memory[1:], url)
