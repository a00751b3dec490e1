"""Late handoffs go to the next owner (`handoff.escalated`), resolved ones open again (`handoff.reopened`)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from policy_samples import CHICAGO, NOW, POLICY

from treatment_agent.domain.handoff import HandoffKind, HandoffPacket, HandoffStatus, Role, Urgency
from treatment_agent.domain.interpretation import Topic
from treatment_agent.policies.escalation import escalated, reopened

PACKET = HandoffPacket(
    id="h",
    conversation_id="c1",
    patient_id="ana",
    kind=HandoffKind.HANDOFF,
    status=HandoffStatus.OPENED,
    topics=(Topic.CLINICAL,),
    urgency=Urgency.TODAY,
    owner=Role.CLINICIAN,
    opened_at=NOW - timedelta(hours=2),
    due_at=NOW,
    summary="",
    suggestion="",
)


class TestEscalated:
    def test_at_the_due_moment(self) -> None:
        late = escalated(PACKET, POLICY, NOW)

        assert late is not None
        assert (late.owner, late.escalated_from, late.escalated_at) == (Role.OFFICE_MANAGER, (Role.CLINICIAN,), NOW)
        assert late.due_at == NOW + timedelta(hours=1)

    def test_not_a_second_before(self) -> None:
        assert escalated(PACKET, POLICY, NOW - timedelta(seconds=1)) is None

    @pytest.mark.parametrize("status", [HandoffStatus.ACKNOWLEDGED, HandoffStatus.RESOLVED, HandoffStatus.RELEASED])
    def test_not_once_somebody_has_it(self, status: HandoffStatus) -> None:
        assert escalated(replace(PACKET, status=status), POLICY, NOW) is None

    def test_not_beyond_the_last_owner(self) -> None:
        assert escalated(replace(PACKET, owner=Role.OFFICE_MANAGER), POLICY, NOW) is None

    def test_gives_what_is_urgent_minutes_at_any_hour(self) -> None:
        night = datetime(2026, 11, 29, 3, tzinfo=CHICAGO)
        late = escalated(replace(PACKET, urgency=Urgency.NOW, due_at=night), POLICY, night)

        assert late is not None
        assert late.due_at == night + timedelta(minutes=5)


class TestReopened:
    def test_opens_what_was_resolved_with_a_fresh_due_time(self) -> None:
        resolved = replace(PACKET, status=HandoffStatus.RESOLVED, acknowledged_by="kim", resolved_at=NOW)
        again = reopened(resolved, POLICY, NOW)

        assert (again.status, again.owner, again.reopened_at) == (HandoffStatus.OPENED, Role.CLINICIAN, NOW)
        assert (again.acknowledged_by, again.resolved_at) == ("", None)
        assert again.due_at == NOW + timedelta(hours=2)

    def test_leaves_what_is_being_worked_on(self) -> None:
        acknowledged = replace(PACKET, status=HandoffStatus.ACKNOWLEDGED)
        assert reopened(acknowledged, POLICY, NOW) is acknowledged
