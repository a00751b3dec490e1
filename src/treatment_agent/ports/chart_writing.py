"""What some charts can do beside answering: keep whether a patient may be written to."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from treatment_agent.domain.messages import Channel
from treatment_agent.domain.patients import Permission


@runtime_checkable
class ConsentChart(Protocol):
    """A chart that takes a patient's wish about texts (in Open Dental `TxtMsgOk`), so that other software keeps it too.

    Optional: a chart without this method is only read. The ledger stays the authority for our own texts.
    """

    def record_permission(self, patient_id: str, channel: Channel, permission: Permission) -> None:
        """Set what the chart says about texts or email. Setting it again changes nothing.

        Raises:
            AdapterUnavailable: nothing was written; it is tried again.
            AdapterRejected: the chart does not take it; staff get a task.
        """
        ...
