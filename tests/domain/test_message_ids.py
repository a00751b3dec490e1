"""What comes in from providers is refused at the door where no database could keep it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from treatment_agent.domain.messages import DeliveryReport, DeliveryStatus, InboundMessage
from treatment_agent.domain.private import PhoneNumber

NOW = datetime(2026, 11, 24, 18, tzinfo=UTC)


@pytest.mark.parametrize("odd", ["SM\x001", "SM\ud800"], ids=["NUL", "half a surrogate pair"])
class TestOddIds:
    def test_of_a_message_are_refused(self, odd: str) -> None:
        with pytest.raises(ValidationError, match="id") as caught:
            InboundMessage(id=odd, sender=PhoneNumber("+13125550117"), received_at=NOW)
        assert odd not in str(caught.value)

    @pytest.mark.parametrize("field", ["id", "provider_message_id", "error_code"])
    def test_of_a_report_are_refused(self, odd: str, field: str) -> None:
        fields = {"id": "r", "provider_message_id": "SM1", "status": DeliveryStatus.FAILED, "reported_at": NOW}
        with pytest.raises(ValidationError, match=field):
            DeliveryReport.model_validate(fields | {field: odd})
