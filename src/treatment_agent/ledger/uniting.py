"""One case out of two tellings of it."""

from __future__ import annotations

from collections.abc import Collection

from treatment_agent.domain.patients import Patient, PatientStatus, Permission
from treatment_agent.domain.treatment import Case, Procedure

# Most cautious first: whoever is told of twice counts as the first of the two that stands here.
_STATUSES = (PatientStatus.DECEASED, PatientStatus.INACTIVE, PatientStatus.PROSPECTIVE, PatientStatus.ACTIVE)
_PERMISSIONS = (Permission.NO, Permission.UNKNOWN, Permission.YES)


def unite(first: Case, second: Case) -> Case:
    """Join two tellings of one case in one export: the later data, every procedure, and of the patient the strictest.

    A procedure told of twice is the later one; the order is that of first appearance. `NO` to texts beats silence,
    silence beats `YES`. Of a visit or staff contact only one row knows of, the known one stands; of two, the later one.
    """
    procedures: dict[str, Procedure] = {p.id: p for p in first.procedures}
    procedures |= {p.id: p for p in second.procedures}
    visits = (first.next_visit_at, second.next_visit_at)
    talks = (first.last_staff_contact_at, second.last_staff_contact_at)
    return second.model_copy(
        update={
            "patient": strictest(first.patient, second.patient),
            "procedures": tuple(procedures.values()),
            "next_visit_at": max((moment for moment in visits if moment is not None), default=None),
            "last_staff_contact_at": max((moment for moment in talks if moment is not None), default=None),
        }
    )


def strictest(first: Patient, second: Patient) -> Patient:
    """The second telling of a patient, with every flag of both and the more cautious status and permissions."""
    if (first.flags, first.status, first.sms, first.emailing, first.detail_allowed) == (
        second.flags, second.status, second.sms, second.emailing, second.detail_allowed,
    ):  # fmt: skip
        return second
    return second.model_copy(
        update={
            "flags": first.flags | second.flags,
            "status": min(first.status, second.status, key=_STATUSES.index),
            "sms": min(first.sms, second.sms, key=_PERMISSIONS.index),
            "emailing": min(first.emailing, second.emailing, key=_PERMISSIONS.index),
            "detail_allowed": first.detail_allowed and second.detail_allowed,
        }
    )


def renew(old: Case, new: Case, booked: Collection[str]) -> Case:
    """The case as a newer export tells it, and the procedures of the old one that a booking of ours is for.

    What the newer list leaves out is off the treatment plan; `booked` are the procedure ids of our booking, if any.
    """
    procedures: dict[str, Procedure] = {p.id: p for p in old.procedures if p.id in booked}
    if not procedures:
        return new
    procedures |= {p.id: p for p in new.procedures}
    return new.model_copy(update={"procedures": tuple(procedures.values())})
