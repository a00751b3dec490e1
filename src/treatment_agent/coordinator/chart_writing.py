"""Writing consent back to the chart, where the chart can keep it. What was not written waits in the ledger."""

from __future__ import annotations

import logging
from datetime import datetime

from treatment_agent.domain.consent import ConsentWrite
from treatment_agent.domain.events import ChartChange, ChartChanged
from treatment_agent.errors import AdapterUnavailable
from treatment_agent.ports import Chart, ConsentChart, Ledger

log = logging.getLogger(__name__)


def writer_of(chart: Chart) -> ConsentChart | None:
    """The chart, or the one below it, that keeps consent; None when there is none."""
    asked: object = chart
    while asked is not None and not isinstance(asked, ConsentChart):
        asked = getattr(asked, "below", None)
    return asked


def tell(chart: Chart, ledger: Ledger, *, at: datetime) -> None:
    """As `flush`. The chart's trouble is not the sender's: the next run tries again."""
    try:
        flush(chart, ledger, at=at)
    except Exception as error:
        log.warning("chart.not-told error=%s", type(error).__name__)


def flush(chart: Chart, ledger: Ledger, *, at: datetime) -> None:
    """Tell the chart every grant and revocation it has not heard of; one that fails never stops another.

    A chart that cannot be reached is told by the next run. One that refuses leaves an event (`chart.write-refused`)
    that becomes a task for staff; the event is on the books before the wish is settled, so a crash loses neither.
    """
    writer = writer_of(chart)
    if writer is None:
        return
    for write in ledger.consent_writes():
        try:
            writer.record_permission(write.patient_id, write.channel, write.permission)
        except AdapterUnavailable as error:
            log.warning("chart.not-written patient=%s error=%s", write.patient_id, type(error).__name__)
        except Exception as error:
            log.warning("chart.write-refused patient=%s error=%s", write.patient_id, type(error).__name__)
            _refused(ledger, write, at)
            ledger.settle_consent_write(write, "refused")
        else:
            ledger.settle_consent_write(write, "written")


def _refused(ledger: Ledger, write: ConsentWrite, at: datetime) -> None:
    for conversation_id in ledger.conversation_ids_of_patient(write.patient_id)[:1]:
        event = ChartChanged(id=f"consent-write:{write.numbers[-1]}", at=at, change=ChartChange.WRITE_REFUSED)
        ledger.claim(conversation_id, event, at=at)
