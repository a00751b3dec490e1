"""Every port breaks at every call: a retry or a person, never silence, never an error sentence to the patient (P5)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from crash_film import Ending, check_always, ending_of, open_world, somebody_has_it
from crash_stories import READINGS, STORIES, Story
from crash_world import World

from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.events import ChartChange
from treatment_agent.domain.handoff import HandoffKind
from treatment_agent.domain.interpretation import Topic
from treatment_agent.domain.messages import PlannedSend, SendKind
from treatment_agent.errors import AdapterRejected, AdapterUnavailable, NotPermitted, TreatmentAgentError
from treatment_agent.graph import acting, nodes
from treatment_agent.policies import boundary
from treatment_agent.testing import Boundary, Crash, Faults, understood

OUTSIDE = ("scheduler", "messenger", "chart", "desk", "interpreter")
RETRY = timedelta(minutes=31)
WRONG = "Sorry, something went wrong: +13125550117"


def broken() -> list[tuple[str, BaseException]]:
    """An error before the call took effect, or after it, and what it may be."""
    return [
        ("fail_before", AdapterUnavailable(WRONG)),
        ("fail_before", AdapterRejected(WRONG, code="30006")),
        ("fail_before", ValueError(WRONG)),
        ("fail_after", TimeoutError(WRONG)),
    ]


def peace(folder: Path, story: Story) -> tuple[World, tuple[Boundary, ...], Ending]:
    """The world before the story, the calls it makes, and how it ends when nothing breaks."""
    before = open_world(folder / "before", story)
    world = before.fork(folder / "clean")
    started = len(world.faults.calls) if world.coordinator else 0
    for step in story.steps:
        step(world)
    calls = world.faults.calls[started:]
    world.coordinator.run_due()
    ending = ending_of(world, story)
    world.stop()
    return before, calls, ending


def break_at(before: World, folder: Path, number: int, plan: str, error: BaseException) -> World:
    """A process that runs and whose call `number` from now breaks."""
    world = before.fork(folder, Faults())
    world.coordinator  # noqa: B018  starts it
    getattr(world.faults, plan)(number, error)
    return world


def go_on(world: World, story: Story) -> None:
    """Half an hour later: the scheduled run, and the provider delivers again."""
    world.clock.advance(RETRY)
    world.coordinator.run_due()
    for step in story.steps:
        step(world)
    world.coordinator.run_due()


@pytest.fixture(params=list(STORIES))
def story(request: pytest.FixtureRequest) -> Story:
    return STORIES[request.param]


class TestBrokenOutside:
    def test_is_retried_or_given_to_a_person(self, story: Story, tmp_path: Path) -> None:
        before, calls, clean = peace(tmp_path, story)

        for number, call in enumerate(calls, start=1):
            for plan, error in broken() if call.port in OUTSIDE else ():
                label = f"{plan} {call} {type(error).__name__}"
                world = break_at(before, tmp_path / "live", number, plan, error)
                for step in story.steps:
                    step(world)
                assert world.faults.unused == 0, label
                go_on(world, story)
                check_always(world, story, label, broken_desk=call.port == "desk")
                self._as_in_peace_or_with_staff(world, story, clean, label)
                world.stop()

    def _as_in_peace_or_with_staff(self, world: World, story: Story, clean: Ending, label: str) -> None:
        ending = ending_of(world, story)
        assert ending.consents == clean.consents, f"{label}: a revocation got lost"
        same = (ending.phases, ending.bookings) == (clean.phases, clean.bookings)
        assert same or somebody_has_it(world, story), f"{label}: {ending} and nobody knows"
        answered = set(clean.sent) - {"opt-out-confirmation"} <= set(ending.sent)
        assert answered or somebody_has_it(world, story), f"{label}: silence"


class TestBrokenBooks:
    """The ledger and the checkpoints fail: the provider hears of it and delivers again."""

    @pytest.mark.parametrize("name", ["accept", "stop", "handoff"])
    def test_ends_as_in_peace_when_the_books_answer_again(self, name: str, tmp_path: Path) -> None:
        story = STORIES[name]
        before, calls, clean = peace(tmp_path, story)

        for number, call in enumerate(calls, start=1):
            if call.port in OUTSIDE:
                continue
            world = break_at(before, tmp_path / "live", number, "fail_before", AdapterUnavailable(WRONG))
            try:
                story.steps[0](world)
            except TreatmentAgentError:
                assert call.port == "ledger", f"{call}: raised at the caller"
            world.clock.advance(timedelta(minutes=3))
            world.coordinator.run_due()
            story.steps[0](world)
            check_always(world, story, str(call))
            assert ending_of(world, story) == clean, str(call)
            world.stop()


class TestBrokenGraph:
    """The checkpoints cannot be written at all."""

    def _world(self, tmp_path: Path) -> World:
        world = open_world(tmp_path, STORIES["stop"]).fork(tmp_path / "live")
        world.coordinator  # noqa: B018  starts it
        for nth in range(1, 9):
            world.faults.fail_before(nth, OSError("disk full"), port="saver", method="put")
        return world

    def test_honours_a_revocation_all_the_same(self, tmp_path: Path) -> None:
        world = self._world(tmp_path)

        outcome = world.text("STOP")

        assert outcome.failures == ("turn.failed",)
        assert outcome.phase_after.value == "opted_out"
        assert world.ledger.facts("case-ana", at=world.clock.now()).contacts[0].consent.value == "revoked"
        assert outcome.handoff is not None
        assert world.scripts() == ["first-message"]
        world.stop()

    def test_gives_any_other_message_to_a_person_in_silence(self, tmp_path: Path) -> None:
        world = self._world(tmp_path)

        outcome = world.text("2")

        assert outcome.phase_after.value == "with_staff"
        assert outcome.handoff is not None
        assert outcome.handoff.words == ("2",)
        assert world.scripts() == ["first-message"]
        world.stop()


class TestBrokenInterpreter:
    @pytest.mark.parametrize("answer", [None, "2", understood(Topic.OTHER, confidence=7.0)])
    def test_nonsense_goes_to_a_person(self, answer: object, tmp_path: Path) -> None:
        world = World(tmp_path, {**READINGS, "hm": answer})  # type: ignore[dict-item]
        world.first_touch()

        outcome = world.text("hm")

        assert outcome.handoff is not None
        assert outcome.handoff.kind is HandoffKind.HANDOFF
        assert world.scripts() == ["first-message", "handoff-other"]
        world.stop()


def _broken(*_: object, **__: object) -> object:
    raise ValueError(WRONG)


class TestBrokenNode:
    """Our own code breaks in the middle of a turn."""

    @pytest.mark.parametrize(
        ("place", "rule"),
        [
            ((nodes, "screen"), "turn.consent-gate-failed"),
            ((nodes.sanity, "checked"), "turn.understand-failed"),
            ((nodes.topics, "judge"), "turn.topic-guard-failed"),
            ((nodes.replies, "decide"), "turn.decide-failed"),
            ((acting.outcomes, "after_search"), "turn.act-failed"),
        ],
    )
    def test_gives_the_message_to_a_person(
        self, place: tuple[object, str], rule: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world = open_world(tmp_path, STORIES["accept"])
        world.coordinator  # noqa: B018  starts it
        monkeypatch.setattr(*place, _broken)

        outcome = world.text("friday please")

        assert outcome.failures == (rule,)
        assert outcome.handoff is not None
        assert outcome.handoff.words == ("friday please",)
        # When the consent gate itself broke, the message may have been a STOP: then in silence.
        silent = rule == "turn.consent-gate-failed"
        assert world.scripts() == ["first-message", *([] if silent else ["handoff-other"])]
        world.stop()

    def test_reviews_what_came_from_outside(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        world = open_world(tmp_path, STORIES["accept"])
        monkeypatch.setattr(nodes.reconcile, "decide", _broken)

        outcome = world.coordinator.chart_changed("ana", ChartChange.BOOKED)

        assert outcome.failures == ("turn.reconcile-failed",)
        assert [h.kind for h in outcome.handoffs] == [HandoffKind.REVIEW]
        world.stop()

    def test_refuses_an_answer_that_may_not_leave(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        world = open_world(tmp_path, STORIES["accept"])
        approve = boundary.outbound.approve

        def refuses(send: PlannedSend, **facts: object) -> object:
            if send.kind is SendKind.REPLY:
                raise NotPermitted("outbound.unfillable")
            return approve(send, **facts)  # type: ignore[arg-type]

        monkeypatch.setattr(boundary.outbound, "approve", refuses)
        outcome = world.text("friday please")

        assert outcome.failures == ("outbound.unfillable", "turn.refused")
        assert outcome.phase_after is Phase.WITH_STAFF
        assert world.scripts() == ["first-message", "handoff-other"]
        world.stop()


class TestLostAnswer:
    """The calendar booked, and we never heard it say so."""

    def test_is_asked_for_before_anybody_is_bothered(self, tmp_path: Path) -> None:
        world = open_world(tmp_path, STORIES["accept"])
        world.faults.fail_after(1, TimeoutError(WRONG), port="scheduler", method="book")

        outcome = world.text("2")

        assert outcome.phase_after is Phase.BOOKED
        assert outcome.handoff is None
        assert world.scripts() == ["first-message", "booked"]
        world.stop()

    def test_counts_even_when_a_new_booking_would_be_too_late(self, tmp_path: Path) -> None:
        world = open_world(tmp_path, STORIES["accept"])
        picked = world.conversation().offers[1]
        world.faults.crash_after(1, port="scheduler", method="book")
        with pytest.raises(Crash):
            world.text("2")
        world.restart(picked.start - timedelta(hours=1) - world.clock.now())

        world.coordinator.run_due()

        assert world.conversation().phase is Phase.BOOKED
        assert [b.slot for b in world.live()] == [picked]
        assert world.scripts() == ["first-message", "booked"]
        world.stop()

    def test_of_a_booking_given_up_meanwhile_goes_to_a_person(self, tmp_path: Path) -> None:
        world = open_world(tmp_path, STORIES["accept"])
        world.faults.crash_after(1, port="scheduler", method="book")
        with pytest.raises(Crash):
            world.text("2")
        world.restart()
        world.scheduler.release(world.scheduler.bookings[0].key)

        world.coordinator.run_due()

        assert world.conversation().phase is Phase.WITH_STAFF
        assert "booked" not in world.scripts()
        world.stop()


class TestOneBadConversation:
    def test_does_not_stop_the_run(self, tmp_path: Path) -> None:
        story = STORIES["first touch"]
        world = open_world(tmp_path, story)
        world.faults.fail_before(1, RuntimeError(WRONG), port="ledger", method="facts")

        report = world.coordinator.run_due()
        assert report.failed == ("case-ana",)
        assert world.coordinator.run_due().failed == ()
        assert world.scripts() == ["first-message"]
        world.stop()
