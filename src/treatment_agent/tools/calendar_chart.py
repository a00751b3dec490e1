"""A chart that asks the calendar: the embedded answer to "is this patient booked by now?"."""

from __future__ import annotations

from datetime import UTC

from treatment_agent.domain.treatment import Case, ChartStatus, ProcedureStatus
from treatment_agent.ports import Chart, Clock
from treatment_agent.tools.memory import MemoryChart
from treatment_agent.tools.template_scheduler import TemplateScheduler


class CalendarChart:
    """`ports.Chart` over a `TemplateScheduler`.

    Another chart may lie below it and say what the calendar cannot know (status of the patient, treatment that was
    done or declined, staff contact); by default a `MemoryChart`, which repeats what the case said.
    """

    def __init__(self, scheduler: TemplateScheduler, clock: Clock, *, below: Chart | None = None) -> None:
        """Ask this calendar, with `clock` to tell what is still to come."""
        self._scheduler = scheduler
        self._clock = clock
        self._below = below or MemoryChart()

    @property
    def below(self) -> Chart:
        """The chart that is asked what the calendar cannot know, and that keeps consent if it can."""
        return self._below

    def check(self, case: Case) -> ChartStatus:
        """What is known now; a procedure on a coming appointment is scheduled, unless it is already done or declined.

        Raises:
            AdapterUnavailable: the calendar cannot be read.
        """
        status = self._below.check(case)
        now = self._clock.now().astimezone(UTC)
        coming = [a for a in self._scheduler.appointments(patient_id=case.patient.id) if a.start > now]
        procedures = dict(status.procedures)
        for appointment in coming:
            for procedure_id in appointment.procedure_ids:
                if procedures.get(procedure_id, ProcedureStatus.PLANNED) is ProcedureStatus.PLANNED:
                    procedures[procedure_id] = ProcedureStatus.SCHEDULED
        visits = [(a.start, a.provider_id, "") for a in coming]
        if status.next_visit_at is not None and status.next_visit_at > now:
            visits.append((status.next_visit_at, status.next_visit_provider_id, status.next_visit_teeth))
        # One with the case's own provider says more than an earlier one with somebody else.
        at, provider_id, teeth = min(visits, key=lambda v: (v[1] != case.provider_id, v[0]), default=(None, "", ""))
        told = {"next_visit_at": at, "next_visit_provider_id": provider_id, "next_visit_teeth": teeth}
        return status.model_copy(update={"procedures": procedures, **told})
