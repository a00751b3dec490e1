"""A person's word that reached us is heard before anything that waits may leave, whatever came between."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from crash_world import World

from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.interpretation import Intent, Topic
from treatment_agent.errors import AdapterUnavailable
from treatment_agent.testing import Crash, understood

READINGS = {"where do I park?": understood(Intent.LOGISTICS), "will it hurt?": understood(Topic.CLINICAL)}


@pytest.fixture
def world(tmp_path: Path):
    made = World(tmp_path, READINGS)
    made.first_touch()
    yield made
    made.stop()


class TestWaitingTexts:
    @pytest.mark.parametrize("words", ["STOP", "will it hurt?"])
    def test_do_not_leave_before_a_message_that_a_crash_left_unheard(self, world, words):
        world.faults.fail_before(1, AdapterUnavailable("away"), port="messenger", method="send")
        world.text("where do I park?")
        world.faults.crash_after(1, port="ledger", method="claim")
        with pytest.raises(Crash):
            world.text(words)

        world.restart()
        world.coordinator.resume()

        assert world.conversation().phase is (Phase.OPTED_OUT if words == "STOP" else Phase.WITH_STAFF)
        assert "logistics" not in world.scripts()

    def test_leave_after_the_messages_that_came_together(self, world):
        world.faults.crash_after(1, port="ledger", method="claim")
        with pytest.raises(Crash):
            world.text("where do I park?")
        world.restart(timedelta(minutes=6))

        world.text("STOP")

        assert world.conversation().phase is Phase.OPTED_OUT
        assert "logistics" not in world.scripts()

    def test_leave_when_nobody_is_left_to_be_heard(self, world):
        world.faults.fail_before(1, AdapterUnavailable("away"), port="messenger", method="send")
        world.text("where do I park?")

        world.coordinator.resume()

        assert world.scripts()[-1] == "logistics"
