"""Shadow mode: real data in, nothing out."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from office_samples import FIRST_MORNING, OPENINGS, ana, office_profile

from treatment_agent import Coordinator, InboundMessage, PracticePolicy, Tools
from treatment_agent.coordinator.shadow import Compared
from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.events import ChartChange
from treatment_agent.errors import ConfigurationError
from treatment_agent.policies.limits import Limits
from treatment_agent.testing import FrozenClock
from treatment_agent.tools.memory import MemoryCaseSource, MemoryDesk, MemoryMessenger, MemoryScheduler


class World:
    """An office whose real adapters must never be handed anything."""

    def __init__(self, folder: Path, *, shadow: bool | None = True, policy: PracticePolicy | None = None) -> None:
        self.messenger, self.desk, self.scheduler = MemoryMessenger(), MemoryDesk(), MemoryScheduler(OPENINGS)
        self.clock = FrozenClock(FIRST_MORNING - timedelta(hours=16))
        self.coordinator = Coordinator(
            policy=policy or PracticePolicy(id="maple", office=office_profile()),
            tools=Tools(scheduler=self.scheduler, messenger=self.messenger, desk=self.desk),
            ledger=f"sqlite:///{folder / 'practice.db'}",
            clock=self.clock,
            shadow=shadow,
        )

    def first_touch(self) -> None:
        self.coordinator.enroll(MemoryCaseSource([ana()]))
        self.clock.set(FIRST_MORNING)
        assert self.coordinator.run_due().failed == ()

    def text(self, words: str):
        message = InboundMessage(id=words, sender=ana().patient.mobile, text=words, received_at=self.clock.now())
        return self.coordinator.receive(message)


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.coordinator.close()


class TestNothingLeaves:
    def test_of_texts_bookings_and_handoffs(self, world):
        world.first_touch()
        booked = world.text("1")
        assert [t.script_id for t in booked.replies] == ["booked"]
        world.text("does it hurt?")

        assert world.messenger.sent == ()
        assert world.scheduler.bookings == ()
        assert world.desk.packets == ()
        assert len(world.coordinator.handoffs()) == 1
        (case,) = world.coordinator.shadow_cases()
        assert [t.script_id for t in case.texts] == ["first-message", "booked", "handoff-clinical"]
        assert case.phase is Phase.WITH_STAFF
        assert case.handoffs == 1

    def test_and_nobody_has_to_approve_it(self, tmp_path):
        careful = PracticePolicy(id="maple", office=office_profile(), limits=Limits(approve_first=5))
        world = World(tmp_path, policy=careful)
        world.first_touch()

        assert world.coordinator.shadow_cases()[0].texts
        world.coordinator.close()


class TestCompared:
    @pytest.mark.parametrize(
        ("change", "what"), [(ChartChange.BOOKED, "booked"), (ChartChange.STAFF_CONTACT, "called")]
    )
    def test_we_were_first_by_days(self, world, change, what):
        world.first_touch()
        world.clock.advance(timedelta(days=2))
        world.coordinator.chart_changed("ana", change)

        (case,) = world.coordinator.shadow_cases()
        assert (case.compared, case.days) == (Compared.WE_FIRST, 2.0)
        assert [d.what for d in case.deeds] == [what]

    def test_staff_were_first(self, world):
        world.coordinator.enroll(MemoryCaseSource([ana()]))
        world.coordinator.chart_changed("ana", ChartChange.BOOKED)
        world.clock.set(FIRST_MORNING)
        world.coordinator.run_due()

        (case,) = world.coordinator.shadow_cases()
        assert (case.compared, case.days, case.texts) == (Compared.ONLY_STAFF, None, ())

    def test_nobody_has_done_anything(self, world):
        world.coordinator.enroll(MemoryCaseSource([ana()]))

        assert world.coordinator.shadow_cases()[0].compared is Compared.WAITING


class TestLedger:
    def test_stays_in_shadow_when_it_is_opened_again(self, world, tmp_path):
        world.first_touch()
        again = World(tmp_path, shadow=None)
        again.clock.set(FIRST_MORNING + timedelta(days=5))
        again.coordinator.run_due()

        assert again.coordinator.shadow
        assert again.messenger.sent == ()
        again.coordinator.close()

    def test_never_changes_sides(self, world, tmp_path):
        with pytest.raises(ConfigurationError, match="kept in shadow mode"):
            World(tmp_path, shadow=False)
        live = tmp_path / "live"
        live.mkdir()
        real = World(live, shadow=False)
        real.first_touch()
        assert len(real.messenger.sent) == 1
        with pytest.raises(ConfigurationError, match="live cases"):
            World(live, shadow=True)
        real.coordinator.close()
