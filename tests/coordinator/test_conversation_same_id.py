"""Message ids are the provider's: two senders, or a staff event, may come with the same one, and nothing is lost."""

from __future__ import annotations

from datetime import timedelta

from pydantic import SecretStr

from treatment_agent import InboundMessage
from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.private import PhoneNumber

BEN = PhoneNumber("+13125550133")


class TestSameId:
    def test_of_another_sender_is_handled_on_its_own(self, office):
        office.first_touch()
        office.text("who is this", id="m-1")
        stop = InboundMessage(id="m-1", sender=BEN, text=SecretStr("STOP"), received_at=office.clock.now())

        first = office.coordinator.receive(stop)
        again = office.coordinator.receive(stop)

        assert first.conversation_id != "case-ana"
        assert first.rules[0] == "consent.revocation-wins"
        assert not first.duplicate
        assert again.duplicate
        assert again.event_id == first.event_id

    def test_of_the_same_sender_is_the_same_message(self, office):
        office.first_touch()
        assert not office.text("who is this", id="m-1").duplicate
        assert office.text("who is this", id="m-1").duplicate


class TestClockAhead:
    def test_does_not_make_a_later_start_too_old(self, office):
        office.first_touch()
        stop = InboundMessage(
            id="s",
            sender=office.messenger.sent[-1].to,
            text=SecretStr("STOP"),
            received_at=office.clock.now() + timedelta(days=2),
        )
        office.coordinator.receive(stop)
        office.clock.advance(timedelta(hours=1))

        outcome = office.text("START")

        assert outcome.rules[0] == "consent.fresh-opt-in"
        assert outcome.phase_after is Phase.IN_CONVERSATION
