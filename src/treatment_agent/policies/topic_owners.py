"""Who owns a topic, how urgent it is, by when, and with which text: the defaults."""

from __future__ import annotations

from treatment_agent.domain.handoff import Role, Urgency
from treatment_agent.domain.interpretation import Topic
from treatment_agent.domain.value import Value


class TopicPolicy(Value):
    """What happens with a topic: who owns it, how urgent, due when, and the one approved text."""

    owner: Role
    urgency: Urgency
    due_minutes: int
    script_id: str


def default_topics() -> dict[Topic, TopicPolicy]:
    """Owners, urgencies and scripts per topic."""
    return {
        Topic.EMERGENCY: TopicPolicy(owner=Role.CLINICIAN, urgency=Urgency.NOW, due_minutes=5, script_id="emergency"),
        Topic.SENSITIVE: TopicPolicy(
            owner=Role.OFFICE_MANAGER, urgency=Urgency.TODAY, due_minutes=120, script_id="handoff-sensitive"
        ),
        Topic.CLINICAL: TopicPolicy(
            owner=Role.CLINICIAN, urgency=Urgency.TODAY, due_minutes=120, script_id="handoff-clinical"
        ),
        Topic.COMPLAINT: TopicPolicy(
            owner=Role.OFFICE_MANAGER, urgency=Urgency.TODAY, due_minutes=120, script_id="handoff-complaint"
        ),
        Topic.IDENTITY: TopicPolicy(
            owner=Role.FRONT_DESK, urgency=Urgency.TODAY, due_minutes=240, script_id="handoff-identity"
        ),
        Topic.INSURANCE: TopicPolicy(
            owner=Role.INSURANCE_COORDINATOR, urgency=Urgency.SOON, due_minutes=480, script_id="handoff-insurance"
        ),
        Topic.FINANCING: TopicPolicy(
            owner=Role.TREATMENT_COORDINATOR, urgency=Urgency.SOON, due_minutes=480, script_id="handoff-financing"
        ),
        Topic.HUMAN: TopicPolicy(
            owner=Role.FRONT_DESK, urgency=Urgency.TODAY, due_minutes=120, script_id="handoff-human"
        ),
        Topic.OTHER: TopicPolicy(
            owner=Role.FRONT_DESK, urgency=Urgency.SOON, due_minutes=480, script_id="handoff-other"
        ),
    }
