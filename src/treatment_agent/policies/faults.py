"""Process faults by the rules that tell of them: what they mean for an office, and what would mend it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One kind of fault. `rules` are those whose speaking means it happened, to one patient each time."""

    id: str
    what: str
    fix: str
    rules: tuple[str, ...] = ()


UNMET_TIME: Final = FaultKind(
    "fault.time-not-open",
    "Nothing open suited what patients asked for",
    "Open blocks at that time, or tell the desk to call these patients.",
)
LATE_STAFF: Final = FaultKind(
    "fault.staff-late",
    "Nobody had looked by the due time",
    "Agree who watches this list, or give it more time in policy.topics.",
)
ASKED_OFTEN: Final = FaultKind(
    "fault.asked-often",
    "Patients keep asking the same practical question",
    "Put the answer where they see it: the first text, the website, the booking page.",
)
# What stands in the happenings of a period.
FAULTS: Final = (
    FaultKind(
        "fault.no-opening",
        "There was no opening at all for this kind of visit",
        "Open blocks for it, or widen horizon_days in the booking template.",
        ("reply.no-slots",),
    ),
    FaultKind(
        "fault.many-rounds",
        "Several rounds of times did not lead to a visit",
        "Look at when these visits may be booked; a call settles them meanwhile.",
        ("reply.too-many-rounds",),
    ),
    FaultKind(
        "fault.slot-taken",
        "An offered time was gone when the patient picked it",
        "Raise answer_hours in the booking template, or keep a few blocks for these patients.",
        ("booking.slot-taken",),
    ),
    FaultKind(
        "fault.calendar-refused",
        "The calendar did not take a visit that was asked for",
        "Check the template against the calendar's own blocks.",
        ("settled.failed",),
    ),
    FaultKind(
        "fault.by-hand",
        "This kind of visit has to be booked by hand",
        "Add a booking template for the family, if patients may book it themselves.",
        ("reply.booked-by-hand", "outreach.no-template"),
    ),
    FaultKind(
        "fault.not-delivered",
        "Texts did not arrive",
        "Check these mobile numbers in the chart.",
        ("delivery.failed", "contact.not-capable", "contact.no-number"),
    ),
    FaultKind(
        "fault.wrong-number",
        "The number belongs to somebody else",
        "Correct the number in the chart.",
        ("identity.wrong-number",),
    ),
    FaultKind(
        "fault.list-behind",
        "The list still had treatment that was booked or settled already",
        "Export the list more often, or tell the coordinator of chart changes.",
        ("chart.booked", "reply.already-confirmed"),
    ),
    FaultKind(
        "fault.chart-behind",
        "Patients say it is booked or done, and the chart does not show it",
        "Check the chart of these patients.",
        ("reply.already-unconfirmed",),
    ),
    FaultKind(
        "fault.language",
        "Patients wrote in a language without approved texts",
        "Have the texts translated and approved, or name who speaks it.",
        ("guardrail.language",),
    ),
    FaultKind(
        "fault.tools-down",
        "The chart, the calendar or the messenger could not be reached",
        "Ask whoever runs that connection; nothing was lost, but texts were late.",
        ("outreach.chart-unavailable", "outreach.scheduler-unavailable", "dispatch.unavailable", "dispatch.in-doubt"),
    ),
    FaultKind(
        "fault.software",
        "Something in this software broke, so a person got the conversation",
        "Send the log lines of that hour to your developer.",
        ("turn.failed", "turn.refused", "turn.understand-failed", "turn.act-failed", "turn.decide-failed"),
    ),
)
# What keeps a patient from being written to at all, and can be mended in the chart.
MENDABLE: Final = (
    FaultKind(
        "fault.no-consent",
        "Nobody recorded whether these patients agree to texts",
        "Ask at the next visit or call, and note it in the chart.",
        ("queue.no-consent",),
    ),
    FaultKind("fault.no-contact", "These patients have no mobile number", "Ask for it.", ("queue.no-contact",)),
    FaultKind(
        "fault.no-date", "Nobody knows when this was diagnosed", "Put the date into the chart.", ("queue.no-date",)
    ),
    FaultKind(
        "fault.no-guardian",
        "These patients are under 18 and have no guardian on file",
        "Note the guardian's name and number.",
        ("queue.minor-without-guardian",),
    ),
    FaultKind(
        "fault.unreadable",
        "These cases could not be judged",
        "Look at their rows in the export.",
        ("queue.unreadable",),
    ),
)
