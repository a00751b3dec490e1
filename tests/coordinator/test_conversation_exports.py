"""A newer list of unscheduled treatment: whom it leaves out is not written to until a later one names them again."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from office_samples import ANA_PHONE, CHICAGO, FIRST_MORNING, ana, someone

from treatment_agent.coordinator import running
from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.messages import DeliveryReport, DeliveryStatus
from treatment_agent.domain.private import PhoneNumber
from treatment_agent.domain.treatment import Family
from treatment_agent.errors import AdapterUnavailable, BadRow
from treatment_agent.tools.memory import MemoryCaseSource

BEN_PHONE = PhoneNumber("+13125550133")


def ben():
    return someone("ben", BEN_PHONE)


@pytest.fixture
def two(office):
    """Ana and Ben, each written to once."""
    office.first_touch(ana(), ben())
    office.sent()
    office.clock.advance(timedelta(hours=1))
    return office


class TestLeftOut:
    def test_is_not_reminded_and_why_says_so(self, two):
        report = two.coordinator.enroll(MemoryCaseSource((ben(),)))

        assert report.missing == 1
        two.let_days_pass(30)
        assert {m.to for m in two.sent_messages()[2:]} == {BEN_PHONE}
        why = two.coordinator.why("ana")
        assert why.lines[-1].rule == "queue.not-in-export"
        assert why.next_due_at is None
        assert two.coordinator.report().contacted == 2

    def test_goes_on_when_a_later_list_names_them_again(self, two):
        two.coordinator.enroll(MemoryCaseSource((ben(),)))
        two.let_days_pass(10)
        two.coordinator.enroll(MemoryCaseSource((ana(), ben())))
        before = len(two.sent_messages())

        two.let_days_pass(2)  # the first of them is a Sunday

        assert [m.to for m in two.sent_messages()[before:] if m.to != BEN_PHONE] == [ANA_PHONE]
        assert two.conversation().phase is Phase.CONTACTED

    def test_still_gets_answers(self, two):
        two.coordinator.enroll(MemoryCaseSource((ben(),)))

        assert two.text("where are you located?").rules[0] == "reply.logistics"

    def test_before_the_first_text_is_never_written_to(self, office):
        office.enroll(ana(), ben())
        office.coordinator.enroll(MemoryCaseSource((ben(),)))
        office.run_at(FIRST_MORNING)

        assert [m.to for m in office.sent_messages()] == [BEN_PHONE]

    def test_between_the_touch_and_its_sending_is_not_written_to(self, office, monkeypatch):
        office.enroll(ana(), ben())
        take = running._Run.take

        def late(run, conversation_id):
            office.coordinator.enroll(MemoryCaseSource((ben(),)))
            monkeypatch.setattr(running._Run, "take", take)
            take(run, conversation_id)

        monkeypatch.setattr(running._Run, "take", late)
        office.run_at(FIRST_MORNING)

        assert [m.to for m in office.sent_messages()] == [BEN_PHONE]
        office.clock.advance(timedelta(hours=2))
        office.coordinator.enroll(MemoryCaseSource((ana(), ben())))
        office.run_at(office.clock.now() + timedelta(minutes=1))
        assert len(office.sent_messages()) == 2


class TestPart:
    def test_leaves_the_others_alone(self, two):
        assert two.coordinator.enroll(MemoryCaseSource((ben(),)), partial=True).missing == 0

        two.let_days_pass(30)

        assert [m.to for m in two.sent_messages()].count(ANA_PHONE) == 3

    def test_is_what_a_source_that_breaks_off_has_told(self, two):
        class Broken(MemoryCaseSource):
            def read(self):
                yield from super().read()
                raise AdapterUnavailable("source: connection lost")

        with pytest.raises(AdapterUnavailable):
            two.coordinator.enroll(Broken((ben(),)))

        assert two.coordinator.ledger.facts("case-ana", at=two.clock.now()).skip_rule is None

    def test_is_not_a_source_with_rows_that_cannot_be_read(self, two):
        report = two.coordinator.enroll(MemoryCaseSource((BadRow("line 2", "mobile", "write a number"), ben())))

        assert (report.missing, len(report.rejected)) == (1, 1)


class TestDropped:
    def test_procedures_are_closed(self, two):
        crown = ana().procedures[0]
        filling = crown.model_copy(update={"id": "p-filling", "code": "D2392", "family": Family.FILLING})
        two.coordinator.enroll(MemoryCaseSource((ana(procedures=(filling,)), ben())))

        case = two.coordinator.ledger.facts("case-ana", at=two.clock.now()).case
        assert [p.id for p in case.procedures] == ["p-filling"]


class TestDelivery:
    def test_reported_from_the_future_counts_as_now(self, two):
        sent = two.coordinator.ledger.outbox("case-ana")[0]
        report = DeliveryReport(
            id="r-1",
            provider_message_id=sent.provider_message_id,
            status=DeliveryStatus.DELIVERED,
            reported_at=datetime(2027, 1, 1, tzinfo=CHICAGO),
        )

        two.coordinator.delivery(report)

        assert two.coordinator.ledger.event("r-1").event.at == two.clock.now()
