"""Killed at any moment, nothing is lost and nothing is done twice (DESIGN 4; P1, P5, P6, P8).

Each story is run once in peace while a film is shot: a copy of the database files and of the outside world before and
after every call over a port, every ledger transaction and every checkpoint. A process that is killed leaves exactly
such a copy. From each one that differs, a new process goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from crash_film import (
    Ending,
    Film,
    check_always,
    claimed,
    deliver_again,
    ending_of,
    in_flight,
    open_world,
    shoot,
    start_again,
)
from crash_stories import STORIES, Story

from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.handoff import HandoffKind
from treatment_agent.domain.interpretation import Topic
from treatment_agent.domain.messages import SendKind
from treatment_agent.testing import Crash, Faults, understood

MOMENT, LUNCH = timedelta(minutes=3), timedelta(hours=2)


@dataclass(frozen=True)
class Filmed:
    """A story with its film and its peaceful ending."""

    story: Story
    film: Film
    clean: Ending


@pytest.fixture(scope="module", params=list(STORIES))
def filmed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Filmed:
    """Shot once for all tests; nothing in it is changed, each run goes on from a copy."""
    story = STORIES[request.param]
    return Filmed(story, *shoot(tmp_path_factory.mktemp("film"), story))


class TestEveryBoundary:
    def test_ends_as_in_peace_whenever_it_is_killed(self, filmed: Filmed, tmp_path: Path) -> None:
        story, film, clean = filmed.story, filmed.film, filmed.clean

        assert clean.sent[len(clean.sent) - len(story.sends) :] == story.sends
        assert set(clean.phases) == {story.phase}
        for frame in film.frames:
            world = start_again(frame, tmp_path / "live", MOMENT)
            if claimed(frame, film, story):
                assert ending_of(world, story) == clean, f"{frame.label}: nobody delivers again"
            deliver_again(world, frame, story)
            check_always(world, story, frame.label)
            assert ending_of(world, story) == clean, frame.label
            world.stop()

    def test_ends_as_in_peace_but_for_late_confirmations_after_two_hours(self, filmed: Filmed, tmp_path: Path) -> None:
        story, film, clean = filmed.story, filmed.film, filmed.clean
        first_claimed = next(n for n, f in enumerate(film.frames) if claimed(f, film, story))

        # What was not on the books before is as fresh after two hours as after three minutes.
        for frame in film.frames[first_claimed:]:
            world = start_again(frame, tmp_path / "live", LUNCH)
            deliver_again(world, frame, story)
            check_always(world, story, frame.label)
            late = world.messenger.sent[len(frame.world.messenger.sent) :]
            assert SendKind.OPT_OUT not in {m.kind for m in late}, f"{frame.label}: confirmed a STOP of two hours ago"
            assert _unconfirmed(ending_of(world, story)) == _unconfirmed(clean), frame.label
            world.stop()

    def test_asks_a_person_when_the_provider_cannot_tell(self, filmed: Filmed, tmp_path: Path) -> None:
        story, film, clean = filmed.story, filmed.film, filmed.clean
        frames = [f for f in film.frames if in_flight(f, story)]

        assert bool(frames) is bool(story.sends)
        for frame in frames:
            world = start_again(frame, tmp_path / "live", MOMENT, forgetful=True)
            deliver_again(world, frame, story)
            check_always(world, story, frame.label)
            assert HandoffKind.DELIVERY in {h.kind for h in world.ledger.handoffs()}, f"{frame.label}: nobody was told"
            assert ending_of(world, story).phases == clean.phases
            world.stop()


class TestDeadProcess:
    """The same with a process that dies by an exception nobody catches: `finally` blocks cannot tidy up either."""

    def test_leaves_what_the_film_shows_at_every_call(self, tmp_path: Path) -> None:
        story = STORIES["accept"]
        before = open_world(tmp_path / "before", story)
        clean = before.fork(tmp_path / "clean")
        started = len(clean.faults.calls) if clean.coordinator else 0
        story.steps[0](clean)
        calls = clean.faults.calls[started:]
        ending = ending_of(clean, story)
        clean.stop()

        for number in range(1, len(calls) + 1):
            for plan in ("crash_before", "crash_after"):
                world = before.fork(tmp_path / "live", Faults())
                world.coordinator  # noqa: B018  starts it
                getattr(world.faults, plan)(number)
                with pytest.raises(Crash):
                    story.steps[0](world)
                world.restart(MOMENT)
                story.steps[0](world)
                world.coordinator.run_due()
                check_always(world, story, f"{plan} {calls[number - 1]}")
                assert ending_of(world, story) == ending, f"{plan} {calls[number - 1]}"
                world.stop()


class TestCheckpoint:
    """It is the write-ahead record: what was decided before the crash is what happens."""

    def test_stands_even_if_the_message_would_be_read_differently_now(self, tmp_path: Path) -> None:
        world = open_world(tmp_path, STORIES["accept"])
        world.faults.crash_after(1, port="saver", method="put")
        with pytest.raises(Crash):
            world.text("2")
        world.stop()
        world.readings = {"2": understood(Topic.COMPLAINT)}
        world.restart(MOMENT)

        world.coordinator.run_due()

        assert world.conversation().phase is Phase.BOOKED
        assert world.scripts() == ["first-message", "booked"]
        world.stop()


class TestWhy:
    def test_names_what_a_crash_left_waiting(self, tmp_path: Path) -> None:
        world = open_world(tmp_path, STORIES["accept"])
        world.faults.crash_after(1, port="ledger", method="claim")
        with pytest.raises(Crash):
            world.text("2")
        world.restart(MOMENT)

        assert "turn.pending" in {line.rule for line in world.coordinator.why("ana").lines}
        world.coordinator.run_due()
        assert "turn.pending" not in {line.rule for line in world.coordinator.why("ana").lines}
        world.stop()


class TestNextMessage:
    """Nobody runs `resume`: the patient's next message finds the leftovers of the one before."""

    def test_finishes_the_one_before_first(self, tmp_path: Path) -> None:
        story = STORIES["accept"]
        film, clean = shoot(tmp_path, story)

        for frame in film.frames:
            world = frame.world.fork(tmp_path / "live")
            world.clock.advance(MOMENT)
            world.text("thanks")
            if claimed(frame, film, story):
                events = [(e.event.id, e.outcome.rules[0] if e.outcome else "") for e in world.history()]
                assert events[1:] == [("in-2", "reply.accept"), ("in-thanks", "reply.ack")], frame.label
                assert ending_of(world, story).sent == clean.sent, frame.label
                check_always(world, story, frame.label)
            world.stop()


class TestAfterStop:
    def test_nothing_leaves_any_more_whenever_it_was_killed(self, tmp_path: Path) -> None:
        story = STORIES["stop on a shared number"]
        film, clean = shoot(tmp_path, story)

        for frame in [f for f in film.frames if claimed(f, film, story)]:
            world = start_again(frame, tmp_path / "live", MOMENT)
            for _ in range(3):
                world.clock.advance(timedelta(days=7))
                world.coordinator.run_due()
            world.text("2")
            assert tuple(world.scripts()) == clean.sent, frame.label
            world.stop()


def _unconfirmed(ending: Ending) -> Ending:
    """Without what two hours may change: no late confirmation, and a touch that waited is decided again."""
    return replace(ending, sent=tuple(s for s in ending.sent if s != "opt-out-confirmation"), events=())
