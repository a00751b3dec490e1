"""What becomes of a text: reports from the provider, refusals, and texts found late (P1, P5, P7, P8, P9)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from crash_stories import READINGS
from crash_world import ANA, World
from office_samples import CHICAGO, OPENINGS, ana, someone
from pydantic import SecretStr

from treatment_agent.coordinator.answers import TurnOutcome
from treatment_agent.domain.books import OutboxRow, OutboxStatus
from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.events import ChartChange
from treatment_agent.domain.handoff import HandoffKind
from treatment_agent.domain.messages import DeliveryReport, DeliveryStatus, InboundMessage
from treatment_agent.domain.scheduling import Slot, SlotRequest
from treatment_agent.domain.treatment import ProcedureStatus
from treatment_agent.errors import AdapterRejected, AdapterUnavailable, DeliveryInDoubt
from treatment_agent.testing import Crash, FrozenClock
from treatment_agent.tools.memory import MemoryScheduler


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, READINGS)
    yield made
    made.stop()


def report(world: World, status: DeliveryStatus, **more: object) -> TurnOutcome | None:
    fields = {
        "id": f"r-{status}",
        "provider_message_id": "memory-1",
        "status": status,
        "reported_at": world.clock.now(),
    }
    return world.coordinator.delivery(DeliveryReport.model_validate(fields | more))


def rows(world: World) -> list[OutboxRow]:
    return list(world.ledger.outbox("case-ana"))


def break_send(world: World, error: BaseException) -> None:
    """From now on the next text meets this error."""
    world.faults.fail_before(1, error, port="messenger", method="send")


class TestReports:
    def test_undelivered_becomes_a_task_and_no_reminder(self, world: World) -> None:
        world.first_touch()

        outcome = report(world, DeliveryStatus.UNDELIVERED, error_code="30005")

        assert outcome is not None
        assert outcome.rules == ("delivery.failed",)
        assert [h.kind for h in world.ledger.handoffs()] == [HandoffKind.DELIVERY]
        assert [p.kind for p in world.desk.packets] == [HandoffKind.DELIVERY]
        assert world.conversation().due_at is None

    def test_delivered_is_noted_and_changes_nothing(self, world: World) -> None:
        world.first_touch()
        before = world.conversation()

        outcome = report(world, DeliveryStatus.DELIVERED)

        assert outcome is not None
        assert outcome.rules == ("delivery.noted",)
        assert world.conversation() == before
        assert rows(world)[0].delivery is DeliveryStatus.DELIVERED
        assert world.ledger.handoffs() == ()

    def test_one_that_comes_twice_is_handled_once(self, world: World) -> None:
        world.first_touch()

        first = report(world, DeliveryStatus.UNDELIVERED)
        again = report(world, DeliveryStatus.UNDELIVERED)

        assert first is not None
        assert again is not None
        assert (first.duplicate, again.duplicate) == (False, True)
        assert len(world.ledger.handoffs()) == 1

    def test_of_a_text_that_is_not_ours_is_none(self, world: World) -> None:
        world.first_touch()
        assert report(world, DeliveryStatus.DELIVERED, provider_message_id="somebody-else") is None

    def test_carrier_opt_out_revokes_in_silence_for_everyone_on_the_number(self, world: World) -> None:
        world.first_touch(ana(), someone("ben", ANA))

        outcome = report(world, DeliveryStatus.FAILED, error_code="21610", opted_out=True)

        assert outcome is not None
        assert outcome.rules == ("consent.carrier-opt-out",)
        assert outcome.phase_after is Phase.OPTED_OUT
        assert world.conversation("ben").phase is Phase.OPTED_OUT
        world.clock.advance(timedelta(days=30))
        world.coordinator.run_due()
        assert world.scripts() == ["first-message"]


class TestRefusals:
    def test_opted_out_at_the_provider_revokes_in_silence(self, world: World) -> None:
        world.messenger.refuse(ANA, "opted_out")

        world.first_touch()

        assert world.conversation().phase is Phase.OPTED_OUT
        assert rows(world)[0].status is OutboxStatus.FAILED
        assert world.scripts() == []

    def test_unreachable_number_is_remembered_and_given_to_a_person(self, world: World) -> None:
        world.messenger.refuse(ANA, "unreachable")

        world.first_touch()

        facts = world.ledger.facts("case-ana", at=world.clock.now())
        assert [c.capable for c in facts.contacts] == [False]
        assert [h.kind for h in world.ledger.handoffs()] == [HandoffKind.DELIVERY]
        assert rows(world)[0].rule == "dispatch.rejected-unreachable"

    def test_a_refusal_that_tells_a_number_is_not_repeated(self, world: World) -> None:
        break_send(world, AdapterRejected("no", code="to +13125550117 failed"))

        world.first_touch()

        assert rows(world)[0].rule == "dispatch.rejected-unknown"
        assert [h.kind for h in world.ledger.handoffs()] == [HandoffKind.DELIVERY]

    def test_a_text_in_doubt_is_never_sent_again(self, world: World) -> None:
        world.first_touch()
        world.faults.fail_after(1, DeliveryInDoubt("timeout"), port="messenger", method="send")

        world.text("friday please")
        world.clock.advance(timedelta(hours=1))
        world.coordinator.run_due()

        assert world.scripts() == ["first-message", "offer-one"]
        assert rows(world)[1].status is OutboxStatus.DOUBTFUL
        assert [h.kind for h in world.ledger.handoffs()] == [HandoffKind.DELIVERY]

    @pytest.mark.parametrize("plan", ["crash_before", "crash_after"])
    @pytest.mark.parametrize("error", [AdapterRejected("no", code="30006"), DeliveryInDoubt("timeout")])
    def test_are_not_forgotten_when_the_process_dies_over_them(
        self, world: World, plan: str, error: BaseException
    ) -> None:
        world.first_touch()
        break_send(world, error)
        getattr(world.faults, plan)(1, port="ledger", method="mark_unsent")
        with pytest.raises(Crash):
            world.text("friday please")
        world.restart()

        world.coordinator.run_due()

        assert [h.kind for h in world.ledger.handoffs()] == [HandoffKind.DELIVERY]
        assert world.scripts().count("offer-one") <= 1


class TestMessengerDown:
    def test_a_reply_waits_for_the_next_run(self, world: World) -> None:
        world.first_touch()
        break_send(world, AdapterUnavailable("down"))

        outcome = world.text("friday please")
        assert [r.status for r in outcome.replies] == ["pending"]
        assert rows(world)[1].rule == "dispatch.unavailable"
        world.coordinator.run_due()

        assert world.scripts() == ["first-message", "offer-one"]

    def test_a_reply_of_yesterday_goes_to_a_person(self, world: World) -> None:
        world.first_touch()
        break_send(world, AdapterUnavailable("down"))

        world.text("friday please")
        world.clock.advance(timedelta(hours=13))
        world.coordinator.run_due()

        assert world.scripts() == ["first-message"]
        assert rows(world)[1].rule == "dispatch.stale"
        assert [h.kind for h in world.ledger.handoffs()] == [HandoffKind.DELIVERY]

    def test_a_handoff_text_is_dropped_when_staff_have_let_go(self, world: World) -> None:
        world.first_touch()
        break_send(world, AdapterUnavailable("down"))
        world.text("cost is the issue")

        break_send(world, AdapterUnavailable("down"))
        world.coordinator.release("case-ana", by="staff-1")
        world.coordinator.run_due()

        assert world.scripts() == ["first-message"]
        assert rows(world)[1].rule == "dispatch.overtaken"

    def test_a_reply_is_dropped_when_staff_took_over(self, world: World) -> None:
        world.first_touch()
        break_send(world, AdapterUnavailable("down"))
        world.text("friday please")

        world.coordinator.take_over("case-ana", by="staff-1")
        world.coordinator.run_due()

        assert world.scripts() == ["first-message"]
        assert rows(world)[1].rule == "contact.held"

    def test_nothing_but_the_confirmation_leaves_after_a_stop(self, world: World) -> None:
        world.first_touch()
        break_send(world, AdapterUnavailable("down"))
        world.text("friday please")

        world.text("STOP")
        world.coordinator.run_due()

        assert world.scripts() == ["first-message", "opt-out-confirmation"]
        assert rows(world)[1].rule == "contact.consent-revoked"

    def test_an_emergency_text_does_not_leave_after_a_later_stop(self, world: World) -> None:
        world.first_touch()
        break_send(world, AdapterUnavailable("down"))
        world.text("my face is swollen and I can't breathe")
        assert rows(world)[1].message.script_id == "emergency"

        world.clock.advance(timedelta(minutes=1))
        world.text("STOP")
        world.coordinator.run_due()

        assert "emergency" not in world.scripts()
        assert rows(world)[1].rule == "contact.consent-revoked"

    def test_a_confirmation_is_not_sent_after_five_minutes(self, world: World) -> None:
        world.first_touch()
        break_send(world, AdapterUnavailable("down"))
        world.text("STOP")

        world.clock.advance(timedelta(minutes=6))
        world.coordinator.run_due()

        assert world.scripts() == ["first-message"]
        assert rows(world)[1].rule == "dispatch.opt-out-late"


class TestLateStop:
    def test_read_two_hours_later_is_honoured_without_a_confirmation(self, world: World) -> None:
        world.first_touch()
        message = InboundMessage(id="in-1", sender=ANA, text=SecretStr("STOP"), received_at=world.clock.now())
        world.clock.advance(timedelta(hours=2))

        outcome = world.coordinator.receive(message)

        assert outcome.phase_after is Phase.OPTED_OUT
        assert "outbound.confirmation-late" in outcome.failures
        assert world.scripts() == ["first-message"]


class TestFoundLate:
    """The process died between the decision to write first and the text; somebody starts it again later."""

    @pytest.fixture(params=["commit_turn", "mark_sending"])
    def dead(self, world: World, request: pytest.FixtureRequest) -> World:
        world.enroll()
        world.clock.set(datetime(2026, 11, 25, 10, tzinfo=CHICAGO))
        world.faults.crash_after(1, port="ledger", method=request.param)
        with pytest.raises(Crash):
            world.coordinator.run_due()
        return world

    def test_asks_the_chart_again_and_does_not_write_to_who_is_booked(self, dead: World) -> None:
        dead.restart(timedelta(hours=2))
        dead.chart.set_procedure("ana", "p-ana", ProcedureStatus.SCHEDULED)

        dead.coordinator.run_due()
        dead.coordinator.run_due()

        assert dead.scripts() == []
        assert dead.conversation().phase is Phase.CLOSED

    def test_writes_when_the_chart_still_agrees(self, dead: World) -> None:
        asked = len([c for c in dead.faults.calls if c.port == "chart"])
        dead.restart(timedelta(hours=2))

        dead.coordinator.run_due()
        dead.coordinator.run_due()

        assert dead.scripts() == ["first-message"]
        assert len([c for c in dead.faults.calls if c.port == "chart"]) == asked + 1

    def test_waits_for_the_morning_when_it_is_night(self, dead: World) -> None:
        dead.restart(timedelta(hours=13))

        dead.coordinator.run_due()
        dead.coordinator.run_due()
        assert dead.scripts() == []
        due = dead.conversation().due_at
        assert due is not None
        assert due.astimezone(CHICAGO).hour >= 8
        dead.clock.set(due)
        dead.coordinator.run_due()

        assert dead.scripts() == ["first-message"]

    def test_is_dropped_when_the_visit_was_booked_by_phone_a_minute_later(self, world: World) -> None:
        world.enroll()
        world.clock.set(datetime(2026, 11, 25, 10, tzinfo=CHICAGO))
        break_send(world, AdapterUnavailable("down"))
        world.coordinator.run_due()

        world.clock.advance(timedelta(seconds=20))
        world.coordinator.chart_changed("ana", ChartChange.BOOKED)
        world.coordinator.run_due()

        assert world.scripts() == []
        assert rows(world)[0].rule == "dispatch.overtaken"

    def test_is_sent_when_the_provider_knows_that_it_never_left(self, dead: World) -> None:
        dead.restart(timedelta(minutes=3))
        dead.faults.crash_before(1, port="messenger", method="send")
        with pytest.raises(Crash):
            dead.coordinator.run_due()
        dead.restart(timedelta(minutes=3))

        marks = len(dead.faults.calls)
        dead.coordinator.run_due()

        assert dead.scripts() == ["first-message"]
        assert "mark_unsent" in {c.method for c in dead.faults.calls[marks:]}, "dispatch.not-sent-before"

    def test_a_wake_up_is_still_a_wake_up(self, world: World) -> None:
        world.first_touch()
        world.text("after new year")
        world.clock.set(datetime(2027, 1, 5, 10, 1, tzinfo=CHICAGO))
        world.faults.crash_after(1, port="ledger", method="commit_turn")
        with pytest.raises(Crash):
            world.coordinator.run_due()
        world.restart(timedelta(hours=2))

        world.coordinator.run_due()

        assert world.scripts() == ["first-message", "deferred-until", "wake"]
        assert [r.rule for r in rows(world)] == ["", "", "dispatch.stale-wake", ""]
        assert "dispatch.stale-wake" in {rule for e in world.history() if e.outcome for rule in e.outcome.rules}

    def test_a_reply_decided_yesterday_goes_to_a_person(self, world: World) -> None:
        world.first_touch()
        world.faults.crash_after(1, port="saver", method="put")
        with pytest.raises(Crash):
            world.text("friday please")
        world.restart(timedelta(hours=13))

        world.coordinator.run_due()

        assert world.scripts() == ["first-message"]
        assert rows(world)[1].rule == "dispatch.stale"
        assert [h.kind for h in world.ledger.handoffs()] == [HandoffKind.DELIVERY]


class _SlowCalendar(MemoryScheduler):
    """A search that takes a minute."""

    clock: FrozenClock

    def find_slots(self, request: SlotRequest) -> tuple[Slot, ...]:
        self.clock.advance(timedelta(minutes=1))
        return super().find_slots(request)


class TestAtTheLastMoment:
    def test_a_touch_during_which_night_fell_waits_for_the_morning(self, world: World) -> None:
        world.scheduler = _SlowCalendar(OPENINGS)
        world.scheduler.clock = world.clock
        world.enroll()
        evening = datetime(2026, 11, 25, 19, 59, 30, tzinfo=CHICAGO)
        world.clock.set(evening)

        world.coordinator.run_due()
        assert world.scripts() == []
        world.coordinator.run_due()

        due = world.conversation().due_at
        assert due is not None
        assert due > evening + timedelta(hours=8)
        assert world.scripts() == []
