"""Text, then email, then a person: what happens when a text cannot arrive, and who is answered where."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from office_samples import ANA_PHONE, CHICAGO, Office, someone
from pydantic import SecretStr

from treatment_agent import Case, InboundMessage
from treatment_agent.coordinator.answers import TurnOutcome
from treatment_agent.domain.handoff import HandoffKind
from treatment_agent.domain.messages import Channel, DeliveryReport, DeliveryStatus
from treatment_agent.domain.patients import Permission
from treatment_agent.domain.private import EmailAddress

MAIL = EmailAddress("ana@example.com")
NEXT_MORNING = datetime(2026, 11, 26, 10, tzinfo=CHICAGO)


def ana(**changes: object) -> Case:
    return someone("ana", **{"email": MAIL, "emailing": Permission.YES, **changes})  # type: ignore[arg-type]


def undelivered(office: Office, number: int = 1, code: str = "30006") -> TurnOutcome | None:
    report = DeliveryReport(
        id=f"r-{number}",
        provider_message_id=f"memory-{number}",
        status=DeliveryStatus.UNDELIVERED,
        reported_at=office.clock.now(),
        error_code=code,
    )
    return office.coordinator.delivery(report)


def ways(office: Office) -> list[tuple[str, Channel]]:
    return [(m.script_id, m.channel) for m in office.sent_messages()]


class TestFallback:
    def test_repeats_an_undelivered_touch_by_email_within_the_caps(self, office: Office) -> None:
        office.first_touch(ana())

        outcome = undelivered(office)

        assert outcome is not None
        assert outcome.rules == ("delivery.fallback",)
        office.run_at(office.clock.now() + timedelta(minutes=1))
        assert len(office.messenger.sent) == 1  # the daily cap counts what was sent, arrived or not
        office.run_at(NEXT_MORNING)
        assert ways(office) == [("first-message", Channel.SMS), ("first-message", Channel.EMAIL)]
        assert "automated assistant" in office.last_text()
        assert "12 Maple Ave, Chicago\nTo get no more messages from us, reply STOP." in office.last_text()
        assert office.tasks() == []

    def test_goes_to_a_person_when_the_email_fails_too(self, office: Office) -> None:
        office.first_touch(ana())
        undelivered(office)
        office.run_at(NEXT_MORNING)

        outcome = undelivered(office, 2)

        assert outcome is not None
        assert outcome.rules == ("delivery.failed",)
        assert office.tasks() == [HandoffKind.DELIVERY]
        assert office.let_days_pass(20) == ["first-message", "first-message"]

    @pytest.mark.parametrize(("code", "capable"), [("30006", False), ("30003", True)])
    def test_a_landline_is_remembered_for_everybody_on_it(self, office: Office, code: str, capable: bool) -> None:
        office.first_touch(ana(), someone("ben"))

        undelivered(office, code=code)

        phones = [
            office.coordinator.ledger.facts(f"case-{n}", at=office.clock.now()).contacts[0] for n in ("ana", "ben")
        ]
        assert [(p.channel, p.capable) for p in phones] == [(Channel.SMS, capable)] * 2

    def test_goes_to_a_person_at_once_without_leave_to_email(self, office: Office) -> None:
        office.first_touch(ana(emailing=Permission.UNKNOWN))

        outcome = undelivered(office)

        assert outcome is not None
        assert outcome.rules == ("delivery.failed",)
        assert office.tasks() == [HandoffKind.DELIVERY]

    def test_uses_email_at_once_for_a_number_known_to_take_no_texts(self, office: Office) -> None:
        office.messenger.refuse(ANA_PHONE, "unreachable")
        office.first_touch(ana())
        office.coordinator.run_due()
        office.run_at(office.clock.now() + timedelta(minutes=1))

        assert ways(office) == [("first-message", Channel.EMAIL)]
        found = office.coordinator.why("ana")
        assert "delivery.fallback" in str(found)

    def test_touches_a_landline_by_email_from_the_start(self, office: Office) -> None:
        office.enroll(ana())
        office.coordinator.ledger.mark_incapable(ANA_PHONE, "contact.not-capable", at=office.clock.now())

        office.run_at(datetime(2026, 11, 25, 10, tzinfo=CHICAGO))

        assert ways(office) == [("first-message", Channel.EMAIL)]
        assert "outreach.fallback" in str(office.coordinator.why("ana"))


class TestAnswers:
    @pytest.mark.parametrize("words", ["what do you have on friday?", "STOP"])
    def test_go_back_the_way_the_patient_wrote(self, office: Office, words: str) -> None:
        office.first_touch(ana())

        message = InboundMessage(
            id="mail-1",
            sender=MAIL,
            text=SecretStr(words),
            received_at=office.clock.now(),
            channel=Channel.EMAIL,
        )
        office.coordinator.receive(message)

        assert [m.channel for m in office.sent_messages()] == [Channel.SMS, Channel.EMAIL]
