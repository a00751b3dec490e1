"""A chart that repeats what the last enrolled export said: the default when the office connects none."""

from __future__ import annotations

from treatment_agent.domain.patients import Flag
from treatment_agent.domain.treatment import Case, ChartStatus


class EnrolledChart:
    """Answers from the case itself. Only as fresh as the last `Coordinator.enroll`."""

    def check(self, case: Case) -> ChartStatus:
        """The case as it was enrolled last."""
        return ChartStatus(
            patient_status=case.patient.status.value,
            procedures={p.id: p.status for p in case.procedures},
            next_visit_at=case.next_visit_at,
            next_visit_provider_id=case.next_visit_provider_id,
            next_visit_teeth=case.next_visit_teeth,
            as_of=case.synced_at,
            do_not_contact=Flag.DO_NOT_CONTACT in case.patient.flags,
            last_staff_contact_at=case.last_staff_contact_at,
        )
