from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from policy_samples import NOW, POLICY, case, contact, contact_rules, conversation, facts, patient

from treatment_agent.domain.books import ConversationFacts
from treatment_agent.domain.consent import ConsentStatus
from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.events import DeliveryReported
from treatment_agent.domain.messages import Channel, DeliveryStatus
from treatment_agent.domain.private import EmailAddress
from treatment_agent.policies.channels import after_failure, order, pick
from treatment_agent.policies.contact import Allowed, Deferred, Denied

MAIL = EmailAddress("ana@example.com")
SMS, EMAIL = Channel.SMS, Channel.EMAIL
BY_MAIL = contact(channel=EMAIL, address=MAIL)
NO_MAIL = contact(channel=EMAIL, address=MAIL, consent=ConsentStatus.NONE, consent_at=None)


def known(*contacts: object, **changes: object) -> ConversationFacts:
    return facts(case=case(who=patient(email=MAIL)), contacts=contacts, **changes)


class TestPick:
    @pytest.mark.parametrize(
        ("about", "channel", "answer"),
        [
            (known(contact(), BY_MAIL), SMS, Allowed()),
            (known(contact(capable=False), BY_MAIL), EMAIL, Allowed()),
            (known(BY_MAIL), EMAIL, Allowed()),
            (known(contact(consent=ConsentStatus.NONE, consent_at=None), BY_MAIL), EMAIL, Allowed()),
            (known(contact(capable=False), NO_MAIL), SMS, Denied("contact.not-capable")),
            (known(), SMS, Denied("contact.no-number")),
            (known(contact(consent=ConsentStatus.REVOKED), BY_MAIL), SMS, Denied("contact.consent-revoked")),
            (
                known(contact(capable=False), BY_MAIL, conversation=conversation(handoff_id="h")),
                SMS,
                Denied("contact.held"),
            ),
        ],
    )
    def test_takes_the_next_only_when_the_first_cannot_reach(
        self, about: ConversationFacts, channel: Channel, answer: object
    ) -> None:
        assert pick(NOW, about, POLICY, SMS) == (channel, answer)

    def test_does_not_go_around_a_wait(self) -> None:
        night = NOW.replace(hour=22)

        channel, answer = pick(night, known(contact(), BY_MAIL), POLICY, SMS)

        assert channel is SMS
        assert isinstance(answer, Deferred)

    def test_keeps_to_the_offices_order(self) -> None:
        texts_only = contact_rules(channels=(SMS,))

        assert pick(NOW, known(contact(capable=False), BY_MAIL), texts_only, SMS)[1] == Denied("contact.not-capable")
        assert pick(NOW, known(contact(), BY_MAIL), POLICY, EMAIL) == (EMAIL, Allowed())

    def test_goes_on_where_the_conversation_settled(self) -> None:
        settled = known(contact(), BY_MAIL, conversation=conversation(channel=EMAIL))

        assert order(settled, POLICY, SMS) == (EMAIL,)
        assert order(known(contact(), conversation=conversation(channel=SMS)), POLICY, EMAIL) == (SMS, EMAIL)


class TestAfterFailure:
    def failed(self, about: ConversationFacts, **changes: object) -> Channel | None:
        fields: dict[str, object] = {
            "id": "d", "at": NOW, "send_key": "c1:touch:c1:0:1764000000:0", "status": DeliveryStatus.UNDELIVERED,
        }  # fmt: skip
        return after_failure(DeliveryReported.model_validate(fields | changes), about, POLICY, NOW)

    CONTACTED = replace(known(contact(), BY_MAIL), conversation=conversation(phase=Phase.CONTACTED, step=1))

    def test_goes_on_to_email(self) -> None:
        assert self.failed(self.CONTACTED) is EMAIL
        assert self.failed(self.CONTACTED, status=DeliveryStatus.FAILED, error_code="dispatch.rejected-30006") is EMAIL

    @pytest.mark.parametrize(
        "changes",
        [
            {"status": DeliveryStatus.DELIVERED},
            {"status": DeliveryStatus.FAILED, "error_code": "dispatch.in-doubt"},
            {"send_key": "c1:in-1:0"},
            {"send_key": "c1:touch:c1:3:1764000000:0"},
        ],
    )
    def test_leaves_doubt_replies_and_old_touches_to_a_person(self, changes: dict[str, object]) -> None:
        assert self.failed(self.CONTACTED, **changes) is None

    @pytest.mark.parametrize(
        "about",
        [
            replace(CONTACTED, contacts=(contact(), NO_MAIL)),
            replace(CONTACTED, contacts=(contact(),)),
            replace(CONTACTED, revoked_at=datetime(2026, 11, 24, tzinfo=UTC)),
            replace(CONTACTED, conversation=conversation(phase=Phase.CONTACTED, step=1, channel=EMAIL)),
            replace(CONTACTED, conversation=conversation(phase=Phase.OFFER_OPEN, step=1)),
            replace(CONTACTED, conversation=conversation(phase=Phase.CONTACTED, step=1, handoff_id="h")),
        ],
    )
    def test_ends_with_a_person(self, about: ConversationFacts) -> None:
        assert self.failed(about) is None
