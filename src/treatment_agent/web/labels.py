"""Codes as words, and which colour they get."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import Enum

from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.handoff import NextStep, Urgency
from treatment_agent.policies.rules import sentence
from treatment_agent.web.view import Count, Tone

_REASONS: Mapping[str, str] = {
    "cost": "cost",
    "insurance_coverage": "insurance",
    "fear_anxiety": "fear",
    "time_work_childcare": "time, work or childcare",
    "travel_distance": "travel or distance",
    "no_symptoms_not_urgent": "does not feel urgent",
    "unsure": "not sure",
    "wants_second_opinion": "wants a second opinion",
    "needs_spouse_or_caregiver": "wants to ask somebody first",
    "medical_reason": "medical reason",
    "doing_elsewhere": "doing it elsewhere",
    "already_done": "already done",
    "unspecified": "no reason given",
}
_TONES: Mapping[Phase, Tone] = {
    Phase.BOOKED: Tone.GOOD,
    Phase.WITH_STAFF: Tone.CARE,
    Phase.NEEDS_REVIEW: Tone.CARE,
    Phase.CALLBACK_REQUESTED: Tone.CARE,
    Phase.OPTED_OUT: Tone.STOP,
    Phase.DECLINED: Tone.STOP,
    Phase.CLOSED: Tone.STOP,
}
_RELEASES: Mapping[NextStep, str] = {
    NextStep.RESUME: "gave the conversation back",
    NextStep.CLOSE: "closed the follow-up",
    NextStep.BOOKED: "booked the visit",
    NextStep.DECLINED: "noted that the patient declines",
    NextStep.REVIEW: "put it aside for review",
}
_VARIANT = re.compile(r"(-stale)?(-one|-none)?$")
_STEP = re.compile(r"^step-\d+/")


def words(code: object) -> str:
    """`booked_by_staff` becomes `booked by staff`."""
    return str(code.value if isinstance(code, Enum) else code).replace("_", " ")


def reason(code: object) -> str:
    """A reason in the office's words."""
    return _REASONS.get(str(code.value if isinstance(code, Enum) else code), words(code))


def tone(phase: Phase) -> Tone:
    """The colour of a phase."""
    return _TONES.get(phase, Tone.PLAIN)


def urgency_tone(urgency: Urgency) -> Tone:
    """The colour of a handoff."""
    return Tone.URGENT if urgency is Urgency.NOW else Tone.CARE


def released(step: NextStep | None) -> str:
    """What staff did at the end."""
    return _RELEASES[step or NextStep.RESUME]


def script(script_id: str) -> str:
    """A script without its variants: `reminder-1-one` becomes `reminder 1`."""
    return _VARIANT.sub("", script_id).replace("-", " ")


def path(code: str) -> str:
    """What led to a booking, from `step-0/first-message`."""
    return "the patient wrote first" if code == "none" else script(_STEP.sub("", code))


def left_out(rule: str) -> str:
    """Why a case is not followed up, in a few words: the sentence without its full stop."""
    return sentence(rule).removesuffix(".") or words(rule)


def counted(counts: Mapping[str, int], label: Callable[[str], str] = words) -> tuple[Count, ...]:
    """Bars from counts, the largest first; counts that get one label are added up."""
    added: dict[str, int] = {}
    for code, count in counts.items():
        name = label(code)
        added[name] = added.get(name, 0) + count
    return tuple(Count(name, count) for name, count in sorted(added.items(), key=lambda item: (-item[1], item[0])))
