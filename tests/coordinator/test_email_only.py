"""A patient without a mobile number who agreed to email."""

from __future__ import annotations

from office_samples import Office, someone

from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.messages import Channel
from treatment_agent.domain.patients import Permission


def test_gets_the_first_message_by_email(office: Office) -> None:
    office.first_touch(someone("ana", None, email="ana@example.com", emailing=Permission.YES))

    assert [m.channel for m in office.messenger.sent] == [Channel.EMAIL]
    assert office.conversation("case-ana").phase is Phase.CONTACTED


def test_who_did_not_agree_is_left_to_staff(office: Office) -> None:
    office.first_touch(someone("ana", None, email="ana@example.com"))

    assert office.messenger.sent == ()
    assert [row.skip_rule for row in office.coordinator.work_list()] == ["queue.no-consent"]
