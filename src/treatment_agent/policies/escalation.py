"""Handoffs that nobody acknowledged go to the next owner; one that was resolved opens again when the patient writes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from treatment_agent.domain.handoff import HandoffPacket, HandoffStatus
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.policies.topics import due_at


def escalated(packet: HandoffPacket, policy: PracticePolicy, now: datetime) -> HandoffPacket | None:
    """The packet with its next owner and due time; None if it is acknowledged, not yet due, or at its last owner.

    Due to the second is too late. The rule is `handoff.escalated`.
    """
    if not packet.overdue(now):
        return None
    owner = policy.escalation.next_owner.get(packet.owner)
    if owner is None or owner in (packet.owner, *packet.escalated_from):
        return None
    return replace(
        packet,
        owner=owner,
        due_at=due_at(now, policy.escalation.minutes.get(packet.urgency, 60), policy, packet.urgency),
        escalated_at=now,
        escalated_from=(*packet.escalated_from, packet.owner),
    )


def reopened(packet: HandoffPacket, policy: PracticePolicy, now: datetime) -> HandoffPacket:
    """A resolved packet as it is after the patient wrote again: opened, with a fresh due time; others as they are.

    It stays with whoever dealt with it. The rule is `handoff.reopened`.
    """
    if packet.status is not HandoffStatus.RESOLVED:
        return packet
    minutes = policy.topics[packet.topics[0]].due_minutes if packet.topics else 240
    return replace(
        packet,
        status=HandoffStatus.OPENED,
        due_at=due_at(now, minutes, policy, packet.urgency),
        acknowledged_at=None,
        acknowledged_by="",
        resolved_at=None,
        reopened_at=now,
    )
