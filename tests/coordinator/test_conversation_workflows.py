"""The three adjacent workflows from the list to the answer."""

from __future__ import annotations

from datetime import datetime, timedelta

from office_samples import CHICAGO, FIRST_MORNING, Office, ana

from treatment_agent import Case, Phase
from treatment_agent.domain.conversation import Disposition
from treatment_agent.domain.handoff import HandoffKind
from treatment_agent.domain.treatment import CaseKind
from treatment_agent.tools.call_backs import OverdueCallBacks

FRIDAY = datetime(2026, 11, 27, 12, tzinfo=CHICAGO)
OWED = "case-call_back-ana-20261125"


def of_kind(kind: CaseKind) -> Case:
    return ana(id=f"case-{kind.value}-ana", kind=kind)


def asked_to_be_called(office: Office) -> None:
    office.first_touch()
    office.text("please call me")
    office.sent()


def owed(office: Office) -> OverdueCallBacks:
    return OverdueCallBacks(office.coordinator.ledger, office.clock)


class TestOverdueCallBack:
    def test_is_owned_up_to_once_and_then_a_person_looks(self, office: Office) -> None:
        asked_to_be_called(office)
        office.clock.set(FRIDAY)

        office.coordinator.enroll(owed(office))

        assert office.let_days_pass(6) == ["first-message-call-back"]
        assert "we have not called you back yet" in office.last_text()
        assert office.conversation(OWED).disposition is Disposition.NO_RESPONSE

    def test_takes_the_answer_as_the_time_of_the_call(self, office: Office) -> None:
        asked_to_be_called(office)
        office.clock.set(FRIDAY)
        office.coordinator.enroll(owed(office))
        office.run_at(datetime(2026, 11, 30, 12, tzinfo=CHICAGO))

        outcome = office.text("tomorrow at 10am")

        assert outcome.conversation_id == OWED
        assert outcome.phase_after is Phase.CALLBACK_REQUESTED
        assert outcome.rules[0] in ("reply.plan-by-call", "reply.call-back")
        assert office.tasks().count(HandoffKind.CALL_BACK) == 2

    def test_is_not_listed_when_it_is_early_or_somebody_has_seen_it(self, office: Office) -> None:
        asked_to_be_called(office)
        assert list(owed(office).read()) == []

        office.clock.set(FRIDAY)
        assert [c.id for c in owed(office).read() if isinstance(c, Case)] == [OWED]
        office.coordinator.complete_task("case-ana:call_back", by="pat")

        assert list(owed(office).read()) == []

    def test_is_not_written_about_once_somebody_has_called(self, office: Office) -> None:
        asked_to_be_called(office)
        office.clock.set(FRIDAY)
        office.coordinator.enroll(owed(office))
        office.coordinator.complete_task("case-ana:call_back", by="pat")

        assert office.let_days_pass(6) == []
        assert office.coordinator.ledger.history(OWED)[0].outcome is not None
        assert office.coordinator.ledger.history(OWED)[0].outcome.rules == ("outreach.call-made",)
        assert office.conversation(OWED).phase is Phase.CLOSED

    def test_is_listed_once_however_often_it_is_enrolled(self, office: Office) -> None:
        asked_to_be_called(office)
        office.clock.set(FRIDAY)

        first, again = (office.coordinator.enroll(owed(office)) for _ in range(2))

        assert (first.enrolled, again.enrolled) == (1, 0)


class TestPreauthorised:
    def test_is_offered_times_and_booked(self, office: Office) -> None:
        office.first_touch(of_kind(CaseKind.PREAUTHORIZED))

        assert office.sent() == ["first-message-approved"]
        assert office.text("1").phase_after is Phase.BOOKED

    def test_says_nothing_about_the_insurance(self, office: Office) -> None:
        office.first_touch(of_kind(CaseKind.PREAUTHORIZED))

        assert not {"insurance", "approved", "authorized"} & set(office.last_text().lower().split())


class TestMissedVisit:
    def test_is_offered_a_new_time_reminded_once_and_reviewed(self, office: Office) -> None:
        office.enroll(of_kind(CaseKind.MISSED_VISIT))

        assert office.let_days_pass(20) == ["first-message-missed", "reminder-1"]
        assert office.conversation("case-missed_visit-ana").disposition is Disposition.NO_RESPONSE


class TestDowntime:
    def test_of_three_weeks_does_not_end_in_a_burst(self, office: Office) -> None:
        office.first_touch()
        assert office.sent() == ["first-message"]

        office.run_at(FIRST_MORNING + timedelta(days=21))
        office.run_at(FIRST_MORNING + timedelta(days=21, minutes=5))
        office.run_at(FIRST_MORNING + timedelta(days=22))

        assert office.sent() == ["reminder-1-none"]
        assert office.conversation().due_at == datetime(2026, 12, 28, 10, tzinfo=CHICAGO)
