"""The chart is asked once more right before a visit is booked: a late "1" never makes a second one (P6, P9)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from office_samples import CHICAGO, OPENINGS, build, someone

from treatment_agent import PracticePolicy
from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.private import PhoneNumber
from treatment_agent.domain.scheduling import Authority, BookingStatus
from treatment_agent.domain.treatment import ChartStatus, ProcedureStatus
from treatment_agent.errors import AdapterUnavailable
from treatment_agent.tools.memory import MemoryCaseSource, MemoryChart, MemoryScheduler

VISIT = datetime(2026, 12, 2, 9, tzinfo=CHICAGO)


@pytest.fixture
def offered(office):
    office.first_touch()
    office.sent()
    return office


def refused(office, words="1"):
    """The patient picks a time; nothing is booked and a person has the thread. Returns the rules."""
    outcome = office.text(words)
    assert office.scheduler.bookings == ()
    assert outcome.booking is None
    assert outcome.phase_after is Phase.WITH_STAFF
    assert outcome.handoff.words == (words,)
    assert office.sent() == ["handoff-other"]
    return outcome.rules


class TestBookedByPhone:
    def test_as_the_chart_shows_the_procedure_is_for_a_person(self, offered):
        offered.chart.set_procedure("ana", "p-ana", ProcedureStatus.SCHEDULED)

        assert refused(offered)[:2] == ("booking.chart-changed", "chart.booked")

    def test_as_the_chart_shows_any_coming_visit_is_for_a_person(self, offered):
        offered.chart.set_patient("ana", ChartStatus(next_visit_at=VISIT))

        assert refused(offered)[:2] == ("booking.chart-changed", "outreach.other-visit")

    def test_as_a_visit_that_is_over_does_not_matter(self, offered):
        offered.chart.set_patient("ana", ChartStatus(next_visit_at=offered.clock.now() - timedelta(days=1)))

        assert offered.text("1").phase_after is Phase.BOOKED

    def test_as_the_newest_list_leaves_the_case_out_is_for_a_person(self, offered):
        offered.coordinator.enroll(MemoryCaseSource((someone("ben", PhoneNumber("+13125550133")),)))

        assert refused(offered)[:2] == ("booking.chart-changed", "queue.not-in-export")

    def test_counts_also_where_staff_book_every_visit(self, tmp_path, policy: PracticePolicy):
        office = build(tmp_path, policy.model_copy(update={"authority": Authority.PROPOSE}))
        office.first_touch()
        office.sent()
        office.chart.set_procedure("ana", "p-ana", ProcedureStatus.SCHEDULED)

        assert "chart.booked" in refused(office)
        office.coordinator.close()


class TestChartSaysNo:
    @pytest.mark.parametrize(
        ("status", "rule"),
        [
            ({"do_not_contact": True}, "chart.do-not-contact"),
            ({"patient_status": "inactive"}, "chart.inactive"),
            ({"procedures": {"p-ana": ProcedureStatus.COMPLETED}}, "chart.treatment-changed"),
        ],
    )
    def test_to_the_patient_or_the_treatment_is_for_a_person(self, offered, status, rule):
        offered.chart.set_patient("ana", ChartStatus.model_validate(status))

        assert rule in refused(offered)

    def test_nothing_because_it_cannot_be_asked_is_for_a_person(self, tmp_path, policy):
        class Broken(MemoryChart):
            down = False

            def check(self, case):
                if self.down:
                    raise AdapterUnavailable("chart: timeout")
                return super().check(case)

        chart = Broken()
        office = build(tmp_path, policy, chart=chart)
        office.first_touch()
        office.sent()
        chart.down = True

        assert refused(office)[0] == "turn.act-failed"
        office.coordinator.close()


class TestMove:
    def test_of_our_own_visit_is_not_stopped_by_its_own_entry(self, offered):
        offered.text("2")
        offered.chart.set_patient(
            "ana", ChartStatus(next_visit_at=OPENINGS[1].start, procedures={"p-ana": ProcedureStatus.SCHEDULED})
        )
        offered.text("can we move it to Friday?")

        assert offered.text("1").phase_after is Phase.BOOKED
        assert [b.status for b in offered.scheduler.bookings] == [BookingStatus.CANCELLED, BookingStatus.CONFIRMED]


class TestCrash:
    def test_after_the_booking_keeps_it_whatever_the_chart_shows_of_it(self, tmp_path, policy):
        class Lost(MemoryScheduler):
            def book(self, booking):
                super().book(booking)
                office.chart.set_procedure("ana", "p-ana", ProcedureStatus.SCHEDULED)
                raise TimeoutError

        office = build(tmp_path, policy, scheduler=Lost(OPENINGS))
        office.first_touch()

        assert office.text("1").phase_after is Phase.BOOKED
        assert len(office.scheduler.bookings) == 1
        office.coordinator.close()
