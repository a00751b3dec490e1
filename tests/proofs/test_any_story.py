"""P1 to P12 as one state machine: anything happens to an office, in any order, with anything breaking."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from proof_office import ANA, BEN, PATIENTS, PLAIN_TEXTS, STRANGER, Readings, openings, same_graph, stage

from treatment_agent.domain.events import ChartChange
from treatment_agent.domain.handoff import NextStep
from treatment_agent.domain.messages import DeliveryReport, DeliveryStatus
from treatment_agent.domain.scheduling import BookingStatus
from treatment_agent.domain.treatment import ChartStatus, ProcedureStatus
from treatment_agent.errors import (
    AdapterRejected,
    AdapterUnavailable,
    DeliveryInDoubt,
    SlotTaken,
    TreatmentAgentError,
)
from treatment_agent.evals.hostile import NASTY
from treatment_agent.evals.promises import check, differences
from treatment_agent.evals.stage import Stage
from treatment_agent.testing import Crash

Step = Callable[[Stage], object]

PORTS = ("scheduler", "messenger", "chart", "desk", "ledger", None)
ERRORS = (
    lambda: AdapterUnavailable("away"),
    lambda: AdapterRejected("no", code="30006"),
    lambda: AdapterRejected("no", code="opted_out"),
    lambda: AdapterRejected("no", code="unreachable"),
    lambda: DeliveryInDoubt("maybe"),
    lambda: SlotTaken("gone"),
    lambda: TimeoutError("slow"),
    lambda: RuntimeError("broken"),
)
WAITS = (1, 4, 30, 180, 12 * 60, 24 * 60, 4 * 24 * 60, 9 * 24 * 60)
CHART = {
    ChartChange.BOOKED: ProcedureStatus.SCHEDULED,
    ChartChange.DONE: ProcedureStatus.COMPLETED,
    ChartChange.DECLINED: ProcedureStatus.DECLINED,
}
texts = st.sampled_from(PLAIN_TEXTS) | st.sampled_from(NASTY) | st.text(max_size=60)
patients = st.sampled_from(PATIENTS)


class AnyStory(RuleBasedStateMachine):
    """Steps are kept, so that the same story can be told a second time (P12)."""

    @initialize()
    def opens(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="any-story-"))
        self.readings = Readings()
        self.steps: list[Step] = []
        self.lost: list[Step] = []
        self.written = 0
        self.stage = stage(f"sqlite:///{self.folder / 'one.db'}", self.readings)
        self._do(lambda s: s.clock.advance(timedelta(hours=16)) and s.coordinator.run_due())

    def _do(self, step: Step) -> None:
        self.steps.append(step)
        self._tell(self.stage, step, self.lost)

    @staticmethod
    def _tell(told: Stage, step: Step, lost: list[Step]) -> None:
        """One step. What died or failed is delivered again later, as providers do."""
        try:
            step(told)
        except Crash:
            told.die()
            lost.append(step)
        except (TreatmentAgentError, TimeoutError, RuntimeError):
            lost.append(step)
        if told.faults.dead:
            told.die()

    @rule(who=st.sampled_from((ANA, BEN, STRANGER)), words=texts, seed=st.none() | st.integers(0, 10**6))
    def patient_writes(self, who, words, seed) -> None:
        self.written += 1
        name = f"m{self.written}"

        def step(s: Stage) -> None:
            self.readings.seed = seed
            s.write(who, words, id=name)

        self._do(step)

    @rule(seed=st.integers(0, 10**6))
    def patient_picks_while_the_model_says_anything(self, seed) -> None:
        self.patient_writes(ANA, "1", seed)

    @rule(number=st.integers(1, 40))
    def provider_delivers_again(self, number) -> None:
        name = f"m{number}"
        self._do(lambda s: any(a.message.id == name for a in s.arrivals) and s.write(ANA, "", id=name))

    @rule(minutes=st.sampled_from(WAITS))
    def time_passes(self, minutes) -> None:
        self._do(lambda s: s.clock.advance(timedelta(minutes=minutes)) and s.coordinator.run_due())

    @rule(name=patients, next_step=st.sampled_from(NextStep))
    def staff_release(self, name, next_step) -> None:
        self._do(lambda s: s.coordinator.release(f"case-{name}", by="kim", next=next_step))

    @rule(
        name=patients,
        verb=st.sampled_from(
            ("take_over", "acknowledge", "resolve", "staff_booked", "close_case", "record_consent", "record_revocation")
        ),
    )
    def staff_act(self, name, verb) -> None:
        self._do(lambda s: getattr(s.coordinator, verb)(f"case-{name}", by="kim"))

    @rule(name=patients, change=st.sampled_from(ChartChange), told=st.booleans())
    def chart_changes(self, name, change, told) -> None:
        def step(s: Stage) -> None:
            if change in CHART:
                s.chart.set_procedure(name, f"p-{name}", CHART[change])
            elif change in (ChartChange.DECEASED, ChartChange.DO_NOT_CONTACT):
                gone = change is ChartChange.DECEASED
                s.chart.set_patient(name, ChartStatus(patient_status="deceased" if gone else "active",
                                                      do_not_contact=not gone))  # fmt: skip
            if told:
                s.coordinator.chart_changed(name, change, event_id=f"chart-{name}-{change}")

        self._do(step)

    @rule(place=st.integers(0, 9))
    def desk_fills_an_opening(self, place) -> None:
        self._do(lambda s: s.calendar.take(openings()[place].id))

    @rule(number=st.integers(1, 12), status=st.sampled_from(DeliveryStatus), opted_out=st.booleans())
    def provider_reports(self, number, status, opted_out) -> None:
        def step(s: Stage) -> None:
            at = s.clock.now()
            s.coordinator.delivery(
                DeliveryReport(
                    id=f"report-{number}-{status}-{opted_out}",
                    provider_message_id=f"memory-{number}",
                    status=status,
                    reported_at=at,
                    error_code="21610" if opted_out else "",
                    opted_out=opted_out and status is DeliveryStatus.FAILED,
                )
            )

        self._do(step)

    @rule(number=st.integers(0, 5), status=st.sampled_from(BookingStatus))
    def calendar_settles(self, number, status) -> None:
        def step(s: Stage) -> None:
            ours = s.bookings.bookings
            if number < len(ours):
                s.coordinator.settle_booking(ours[number].key, status)

        self._do(step)

    @rule(everything=st.booleans())
    def office_stops(self, everything) -> None:
        self._do(lambda s: s.coordinator.pause_outreach(by="kim", everything=everything))

    @rule()
    def office_goes_on(self) -> None:
        self._do(lambda s: s.coordinator.resume_outreach(by="kim"))

    @rule(nth=st.integers(1, 12), port=st.sampled_from(PORTS), after=st.booleans(), error=st.sampled_from(ERRORS))
    def something_will_fail(self, nth, port, after, error) -> None:
        self._do(lambda s: (s.faults.fail_after if after else s.faults.fail_before)(nth, error(), port=port))

    @rule(nth=st.integers(1, 30), port=st.sampled_from(PORTS), after=st.booleans())
    def the_process_will_die(self, nth, port, after) -> None:
        self._do(lambda s: (s.faults.crash_after if after else s.faults.crash_before)(nth, port=port))

    def _settle(self, told: Stage, lost: list[Step]) -> None:
        told.heal()
        for step in lost:
            try:
                step(told)
            except TreatmentAgentError:
                continue
        told.coordinator.resume()

    def teardown(self) -> None:
        if not hasattr(self, "stage"):
            return
        try:
            self._settle(self.stage, self.lost)
            books = self.stage.books()
            assert check(books) == ()
            if len(self.steps) % 4 == 0:
                self._told_again(books)
        finally:
            self.stage.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def _told_again(self, books) -> None:
        """P12: the same story in another office leads to the same books."""
        self.readings.seed = None
        twin, lost = stage(f"sqlite:///{self.folder / 'two.db'}", self.readings), []
        try:
            for step in self.steps:
                self._tell(twin, step, lost)
            self._settle(twin, lost)
            assert tuple(differences(books, twin.books())) == ()
        finally:
            twin.close()


@pytest.fixture(autouse=True)
def _one_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    same_graph(monkeypatch)


class TestAnyStory(AnyStory.TestCase):
    # A story is some twenty turns with a database, so `make test` tells few of them and `make prove` many.
    settings = settings(
        max_examples=max(settings.default.max_examples // 5, 8),
        stateful_step_count=min(settings.default.stateful_step_count, 40) * 4 // 5,
        suppress_health_check=list(HealthCheck),
        deadline=None,
    )
