"""The system clock: the only module that reads time and makes ids."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from uuid import uuid4


class SystemClock:
    """`ports.Clock` over the machine's own clock."""

    def now(self) -> datetime:
        """The current instant, aware, in UTC."""
        return datetime.now(UTC)

    def sleep(self, duration: timedelta) -> None:
        """Wait for `duration`; nothing happens when it is zero or negative."""
        time.sleep(max(duration.total_seconds(), 0.0))

    def new_id(self) -> str:
        """A fresh id of 32 hex digits, unique across processes."""
        return uuid4().hex
