"""Send-time truth: the chart has the last word before a text of ours, an offer or a booking (P6, P9)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from office_samples import CHICAGO, FIRST_MORNING, OPENINGS, Office, build

from treatment_agent import PracticePolicy
from treatment_agent.domain.books import OutboxStatus
from treatment_agent.domain.conversation import Disposition, Phase
from treatment_agent.domain.handoff import HandoffKind
from treatment_agent.domain.scheduling import Slot, SlotRequest
from treatment_agent.domain.treatment import Case, ChartStatus, ProcedureStatus
from treatment_agent.errors import AdapterUnavailable
from treatment_agent.testing import FrozenClock
from treatment_agent.tools.memory import MemoryChart, MemoryMessenger, MemoryScheduler

# Every kind of change: what the chart says, the rule that speaks when the touch is decided again, and the end of it.
BOOKED = ChartStatus(procedures={"p-ana": ProcedureStatus.SCHEDULED})
CHANGES = [
    (ChartStatus(patient_status="deceased"), "chart.deceased", Disposition.DECEASED),
    (ChartStatus(patient_status="inactive"), "chart.inactive", Disposition.NOT_ELIGIBLE),
    (ChartStatus(do_not_contact=True), "chart.do-not-contact", Disposition.NOT_ELIGIBLE),
    (BOOKED, "chart.booked", Disposition.BOOKED_ELSEWHERE),
    (
        ChartStatus(procedures={"p-ana": ProcedureStatus.DECLINED}),
        "chart.treatment-changed",
        Disposition.TREATMENT_CHANGED,
    ),
    (
        ChartStatus(procedures={"p-ana": ProcedureStatus.COMPLETED}),
        "chart.treatment-changed",
        Disposition.TREATMENT_CHANGED,
    ),
    (
        ChartStatus(procedures={"p-ana": ProcedureStatus.REFERRED}),
        "chart.treatment-changed",
        Disposition.TREATMENT_CHANGED,
    ),
    (ChartStatus(next_visit_at=datetime(2026, 12, 9, 9, tzinfo=CHICAGO)), "outreach.other-visit", None),
]


class Chart(MemoryChart):
    """Counts how often it is asked; unreachable while `down`."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.down = False

    def check(self, case: Case) -> ChartStatus:
        self.asked += 1
        if self.down:
            raise AdapterUnavailable("chart: timeout")
        return super().check(case)


class Calendar(MemoryScheduler):
    """A search for an offer that takes `seconds`, and during which something may happen."""

    clock: FrozenClock
    seconds = 0
    meanwhile: Callable[[], object] | None = None

    def find_slots(self, request: SlotRequest) -> tuple[Slot, ...]:
        if request.limit > len(OPENINGS):
            return super().find_slots(request)  # how much room there is
        self.clock.advance(timedelta(seconds=self.seconds))
        happens, self.meanwhile = self.meanwhile, None
        if happens is not None:
            happens()
        return super().find_slots(request)


class Messenger(MemoryMessenger):
    """Unreachable while `down`."""

    down = False

    def send(self, message):
        if self.down:
            raise AdapterUnavailable("messenger: timeout")
        return super().send(message)


class Desk:
    """The office with its tools at hand."""

    def __init__(self, folder: Path, policy: PracticePolicy) -> None:
        self.chart, self.calendar, self.messenger = Chart(), Calendar(OPENINGS), Messenger()
        self.office: Office = build(folder, policy, chart=self.chart, scheduler=self.calendar, messenger=self.messenger)
        self.calendar.clock = self.office.clock

    def says(self, status: ChartStatus) -> None:
        self.chart.set_patient("ana", status)

    def scripts(self) -> list[str]:
        return [m.script_id for m in self.messenger.sent]

    def last_row(self) -> tuple[OutboxStatus, str]:
        row = self.office.coordinator.ledger.outbox("case-ana")[-1]
        return row.status, row.rule


@pytest.fixture
def desk(tmp_path: Path, policy: PracticePolicy) -> Iterator[Desk]:
    made = Desk(tmp_path, policy)
    made.office.enroll()
    made.office.clock.set(FIRST_MORNING)
    yield made
    made.office.coordinator.close()


class TestJustBeforeSending:
    def test_an_answer_of_a_moment_ago_is_not_asked_for_twice(self, desk: Desk) -> None:
        desk.office.coordinator.run_due()
        assert desk.scripts() == ["first-message"]
        assert desk.chart.asked == 1

    def test_an_older_answer_is_asked_for_again_and_the_text_goes(self, desk: Desk) -> None:
        desk.calendar.seconds = 30
        desk.office.coordinator.run_due()
        assert desk.scripts() == ["first-message"]
        assert desk.chart.asked == 2

    @pytest.mark.parametrize(("status", "rule", "disposition"), CHANGES)
    def test_a_change_during_a_slow_search_stops_the_text_and_ends_the_case(
        self, desk: Desk, status: ChartStatus, rule: str, disposition: Disposition | None
    ) -> None:
        desk.calendar.seconds = 30
        desk.calendar.meanwhile = lambda: desk.says(status)

        desk.office.coordinator.run_due()
        assert desk.last_row() == (OutboxStatus.CANCELLED, "dispatch.chart-changed")
        again = desk.office.coordinator.run_due()

        assert [o.rules[0] for o in again.outcomes] == [rule]
        assert desk.office.conversation().disposition is disposition
        assert desk.office.conversation().phase in (Phase.CLOSED, Phase.NEEDS_REVIEW)
        assert desk.office.let_days_pass(40) == []
        assert desk.scripts() == []

    @pytest.mark.parametrize(("status", "rule", "disposition"), CHANGES)
    def test_a_change_while_the_messenger_was_away_stops_the_text(
        self, desk: Desk, status: ChartStatus, rule: str, disposition: Disposition | None
    ) -> None:
        desk.messenger.down = True
        desk.office.coordinator.run_due()
        desk.messenger.down = False
        desk.says(status)
        desk.office.clock.advance(timedelta(minutes=5))

        desk.office.coordinator.run_due()

        assert desk.scripts() == []
        assert rule in {line.rule for line in desk.office.coordinator.why("ana").lines}
        assert desk.office.conversation().disposition is disposition

    def test_a_chart_that_cannot_be_asked_again_stops_the_text_until_it_can(self, desk: Desk) -> None:
        desk.calendar.seconds = 30

        def fails() -> None:
            desk.chart.down = True

        desk.calendar.meanwhile = fails
        desk.office.coordinator.run_due()
        assert desk.last_row() == (OutboxStatus.CANCELLED, "dispatch.chart-unavailable")

        (outcome,) = desk.office.coordinator.run_due().outcomes
        assert outcome.rules[0] == "outreach.chart-unavailable"
        desk.chart.down = False
        desk.office.clock.advance(timedelta(minutes=30))
        desk.office.coordinator.run_due()

        assert desk.scripts() == ["first-message"]


class TestAnsweringAPatient:
    """`chart.overtaken`: who was booked by phone meanwhile is not offered a second visit."""

    @pytest.fixture
    def offered(self, desk: Desk) -> Desk:
        desk.office.coordinator.run_due()
        return desk

    @pytest.mark.parametrize("words", ["what about dec 11", "2"])
    def test_goes_on_while_the_chart_agrees(self, offered: Desk, words: str) -> None:
        assert offered.office.text(words).handoff is None
        assert len(offered.scripts()) == 2

    @pytest.mark.parametrize(
        ("words", "rule"), [("what about dec 11", "chart.overtaken"), ("2", "booking.chart-changed")]
    )
    def test_goes_to_staff_when_the_visit_was_booked_by_phone(self, offered: Desk, words: str, rule: str) -> None:
        offered.says(BOOKED)

        outcome = offered.office.text(words)

        assert outcome.rules[0] == rule
        assert outcome.phase_after is Phase.WITH_STAFF
        assert offered.scripts() == ["first-message", "handoff-other"]
        assert offered.calendar.bookings == ()
        assert offered.office.tasks() == [HandoffKind.HANDOFF]

    @pytest.mark.parametrize("status", [CHANGES[0][0], CHANGES[1][0], CHANGES[2][0]])
    def test_says_nothing_where_nobody_may_be_written_to(self, offered: Desk, status: ChartStatus) -> None:
        offered.says(status)
        assert offered.office.text("what about dec 11").phase_after is Phase.WITH_STAFF
        assert offered.scripts() == ["first-message"]

    def test_books_nothing_unasked_when_the_chart_is_away(self, offered: Desk) -> None:
        offered.chart.down = True
        outcome = offered.office.text("2")
        assert outcome.rules[0] == "turn.act-failed"
        assert offered.calendar.bookings == ()

    def test_still_offers_times_when_the_chart_is_away(self, offered: Desk) -> None:
        offered.chart.down = True
        assert offered.office.text("what about dec 11").phase_after is Phase.OFFER_OPEN

    def test_does_not_take_our_own_booking_for_a_change(self, offered: Desk) -> None:
        offered.office.text("2")
        offered.says(BOOKED)
        assert offered.office.text("can we move it to dec 11?").rules[0] != "chart.overtaken"
