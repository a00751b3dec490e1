"""The packet staff read: fixed sentences about the handoff, and the patient's own words beside them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from pydantic import SecretStr

from treatment_agent.domain.books import ConversationFacts
from treatment_agent.domain.handoff import HandoffKind, HandoffPacket, HandoffRequest, HandoffStatus
from treatment_agent.domain.interpretation import Topic
from treatment_agent.domain.turn import TurnRecord
from treatment_agent.policies.escalation import reopened
from treatment_agent.policies.gate import UNCLEAR
from treatment_agent.policies.practice import PracticePolicy

_TOPIC_SENTENCES = {
    Topic.EMERGENCY: ("The message may describe an emergency.", "Call the patient now."),
    Topic.SENSITIVE: ("The message is about something sensitive.", "Read it and call in person."),
    Topic.CLINICAL: ("The patient asks or tells about something clinical.", "A clinician answers."),
    Topic.COMPLAINT: ("The patient is not happy with the office or its messages.", "The office manager calls."),
    Topic.IDENTITY: ("It is not clear who is writing, or they ask what the office knows.", "Check the number first."),
    Topic.INSURANCE: ("The patient asks about insurance.", "Check the benefits and call."),
    Topic.FINANCING: ("The patient raises cost.", "Go over the approved payment options."),
    Topic.HUMAN: ("The patient asks for a person.", "Write or call back."),
    Topic.OTHER: ("The message was not clearly routine.", "Read it and answer."),
}
_KIND_SENTENCES = {
    HandoffKind.CALL_BACK: ("The patient is waiting for a call.", "Call at the time given, or as soon as you can."),
    HandoffKind.CHANGE: (
        "The patient wants to change or cancel a booked visit.",
        "Change the calendar, tell them.",
    ),
    HandoffKind.BOOKING: (
        "A visit needs to be put into the calendar, or could not be.",
        "Book it, tell the patient.",
    ),
    HandoffKind.REVIEW: ("The automatic follow-up has ended here.", "Look at the case and decide what comes next."),
    HandoffKind.CHART_REPAIR: ("The number on file is not the patient's.", "Correct the number in the chart."),
    HandoffKind.DELIVERY: (
        "A text was not delivered, or nobody knows if it was.",
        "Reach the patient another way.",
    ),
}

_RULE_SENTENCES = {
    UNCLEAR: ("The message may be a wish for no more texts.", "Read it; if it is one, record the revocation."),
    "chart.write-refused": ("The chart did not take the patient's wish about texts.", "Set it in the chart by hand."),
}


def build(
    request: HandoffRequest, record: TurnRecord, facts: ConversationFacts, text: SecretStr | None
) -> HandoffPacket:
    """The packet for a handoff request. An open one with the same id keeps its words and its opening time."""
    earlier = next((h for h in facts.open_handoffs if h.id == request.id), None)
    words = text.get_secret_value() if text else ""
    summary, suggestion = _sentences(request)
    if request.rule == "staff.release-unread":
        # What nobody has read yet was attached to the handoff that is let go of now.
        words = next((h.words[-1] for h in facts.open_handoffs if h.kind.holds and h.words), words)
        summary = "The patient wrote after staff last looked at the handoff."
    if facts.conversation.riders:
        suggestion = f"{suggestion} It is about the family: also {', '.join(facts.conversation.riders)}."
    return HandoffPacket(
        id=request.id,
        conversation_id=record.conversation_id,
        patient_id=facts.conversation.patient_id,
        kind=request.kind,
        status=HandoffStatus.ACKNOWLEDGED if request.rule == "staff.take-over" else HandoffStatus.OPENED,
        topics=request.topics,
        urgency=request.urgency,
        owner=request.owner,
        opened_at=earlier.opened_at if earlier else record.at,
        due_at=request.due_at,
        summary=f"{summary} Phase before: {record.phase_before.value}. Rule: {request.rule}.",
        suggestion=suggestion,
        words=(*(earlier.words if earlier else ()), *((words,) if words else ())),
        offered=request.offered,
        reason=request.reason,
        call_at=request.call_at or (earlier.call_at if earlier else None),
        acknowledged_at=record.at if request.rule == "staff.take-over" else None,
        acknowledged_by=record.desk_by if request.rule == "staff.take-over" else "",
    )


def with_words(handoff_id: str | None, facts: ConversationFacts, text: SecretStr | None) -> tuple[HandoffPacket, ...]:
    """The open handoff with what the patient wrote meanwhile; nothing when there is none or nothing was written."""
    words = text.get_secret_value() if text else ""
    found = next((h for h in facts.open_handoffs if h.id == handoff_id), None)
    return (replace(found, words=(*found.words, words), draft=None),) if found and words else ()


def opened_again(
    facts: ConversationFacts, text: SecretStr | None, policy: PracticePolicy, now: datetime
) -> tuple[HandoffPacket, ...]:
    """The held handoff, opened again because staff had resolved it and the patient wrote since, with the new words."""
    words = (text.get_secret_value(),) if text and text.get_secret_value() else ()
    resolved = [h for h in facts.open_handoffs if h.kind.holds and h.status is HandoffStatus.RESOLVED]
    return tuple(replace(reopened(h, policy, now), words=(*h.words, *words), draft=None) for h in resolved)


def _sentences(request: HandoffRequest) -> tuple[str, str]:
    if request.rule in _RULE_SENTENCES:
        return _RULE_SENTENCES[request.rule]
    if request.rule == "reply.cancel-by-staff":
        return "The patient wants to cancel a visit.", "Cancel it in the calendar, or keep it, and tell them."
    if request.kind in _KIND_SENTENCES:
        return _KIND_SENTENCES[request.kind]
    parts = [_TOPIC_SENTENCES[topic] for topic in request.topics] or [_TOPIC_SENTENCES[Topic.HUMAN]]
    return " ".join(s for s, _ in parts), parts[0][1]
