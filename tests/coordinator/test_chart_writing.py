"""Consent written back to the chart, where the chart can keep it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from office_samples import ANA_PHONE, Office, ana, someone

from treatment_agent import PracticePolicy
from treatment_agent.coordinator.chart_writing import writer_of
from treatment_agent.domain.consent import ConsentNote
from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.handoff import HandoffKind
from treatment_agent.domain.messages import Channel
from treatment_agent.domain.patients import Permission
from treatment_agent.domain.treatment import Case, ChartStatus
from treatment_agent.errors import AdapterRejected, AdapterUnavailable
from treatment_agent.tools.calendar_chart import CalendarChart
from treatment_agent.tools.enrolled_chart import EnrolledChart
from treatment_agent.tools.memory import MemoryChart

SMS, MAIL = Channel.SMS, Channel.EMAIL


class Stubborn(MemoryChart):
    """Raises `error` when something is to be written."""

    error: Exception | None = None
    tries = 0

    def record_permission(self, patient_id: str, channel: Channel, permission: Permission) -> None:
        self.tries += 1
        if self.error is not None:
            raise self.error
        super().record_permission(patient_id, channel, permission)


class ReadOnly:
    """A chart that answers and keeps nothing."""

    def check(self, case: Case) -> ChartStatus:
        return EnrolledChart().check(case)


class TestWriteBack:
    def test_a_stop_is_told_for_everybody_on_the_phone_and_a_start_takes_it_back(self, office: Office) -> None:
        office.first_touch(ana(), someone("ben"))
        assert office.chart.permissions == {}

        office.text("STOP")
        assert office.chart.permissions == {("ana", SMS): Permission.NO, ("ben", SMS): Permission.NO}

        office.clock.advance(timedelta(minutes=1))
        office.text("START")
        assert office.chart.permissions["ana", SMS] is Permission.YES

    def test_a_revocation_told_to_staff_is_told_for_every_channel(self, office: Office) -> None:
        office.first_touch(someone("ana", email="ana@example.com"))
        office.coordinator.record_revocation("case-ana", by="kim")
        assert office.chart.permissions == {("ana", SMS): Permission.NO, ("ana", MAIL): Permission.NO}

    def test_a_wrong_number_and_another_purpose_are_no_wish_of_the_patient(self, office: Office) -> None:
        office.first_touch()
        office.coordinator.record_revocation("case-ana", by="kim", note=ConsentNote(purpose="marketing"))
        office.text("you have the wrong number")
        assert office.chart.permissions == {}

    def test_waits_for_a_chart_that_is_away(self, built: Callable[..., Office], policy: PracticePolicy) -> None:
        chart = Stubborn()
        office = built(policy, chart=chart)
        office.first_touch()
        chart.error = AdapterUnavailable("chart: timeout")

        assert office.text("STOP").phase_after is Phase.OPTED_OUT
        assert chart.permissions == {}
        chart.error = None
        office.coordinator.run_due()
        office.coordinator.run_due()

        assert chart.permissions == {("ana", SMS): Permission.NO}
        assert chart.tries == 2

    def test_a_refusal_becomes_a_task_and_is_not_repeated(
        self, built: Callable[..., Office], policy: PracticePolicy
    ) -> None:
        chart = Stubborn()
        office = built(policy, chart=chart)
        office.first_touch()
        chart.error = AdapterRejected("chart: locked", code="locked")

        office.text("STOP")
        office.coordinator.run_due()
        office.coordinator.run_due()

        (packet,) = office.coordinator.handoffs()
        assert packet.kind is HandoffKind.CHART_REPAIR
        assert packet.summary.startswith("The chart did not take the patient's wish about texts.")
        assert "chart.write-refused" in {line.rule for line in office.coordinator.why("ana").lines}
        assert chart.tries == 1
        assert office.conversation().phase is Phase.OPTED_OUT

    def test_is_kept_for_a_chart_that_can_keep_it_later(
        self, built: Callable[..., Office], policy: PracticePolicy
    ) -> None:
        office = built(policy, chart=ReadOnly())
        office.first_touch()
        office.text("STOP")
        assert [w.patient_id for w in office.coordinator.ledger.consent_writes()] == ["ana"]

        later = built(policy)
        later.coordinator.run_due()

        assert later.chart.permissions == {("ana", SMS): Permission.NO}
        assert later.coordinator.ledger.consent_writes() == ()


class TestWriterOf:
    def test_looks_below_a_chart_that_only_answers(self, office: Office) -> None:
        below = MemoryChart()
        assert writer_of(CalendarChart(office.scheduler, office.clock, below=below)) is below  # type: ignore[arg-type]

    @pytest.mark.parametrize("chart", [ReadOnly(), EnrolledChart()])
    def test_is_none_where_nothing_can_be_written(self, chart: ReadOnly | EnrolledChart) -> None:
        assert writer_of(chart) is None


def test_the_number_never_reaches_the_log(
    built: Callable[..., Office], policy: PracticePolicy, caplog: pytest.LogCaptureFixture
) -> None:
    chart = Stubborn()
    chart.error = AdapterRejected(f"chart: no {ANA_PHONE.reveal()}")
    office = built(policy, chart=chart)
    office.first_touch()
    office.text("STOP")
    assert ANA_PHONE.reveal() not in caplog.text
