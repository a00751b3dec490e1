"""Asking the chart about everybody in the hold-out's comparison, so that both groups are looked at alike.

A case that is written to has its chart asked before each text; one that is held out never would. A comparison that
finds bookings in one group only would be worth nothing.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from treatment_agent.domain.events import ChartChange, ChartChanged
from treatment_agent.domain.treatment import Case, ChartStatus, ProcedureStatus
from treatment_agent.tools.enrolled_chart import EnrolledChart

if TYPE_CHECKING:
    from treatment_agent.coordinator.facade import Coordinator

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ChartRound:
    """How many cases were asked about, how many turned out booked or done, and how many could not be asked about."""

    asked: int = 0
    settled: int = 0
    failed: int = 0


def ask_chart(coordinator: Coordinator) -> ChartRound:
    """Look up each case of the comparison that may still count and is not known to be booked; note what is.

    Both groups, for `hold_out.within_days` after their entry. Nothing is asked while nobody is held out. Run it daily:
    a booking counts from the day on which it was seen. Nothing is sent; a case found booked closes, as before a touch.
    """
    now = coordinator.clock.now()
    since = now - timedelta(days=coordinator.policy.hold_out.within_days)
    cases = coordinator.ledger.measured(since=since).cases
    if not any(case.held_out for case in cases):
        return ChartRound()
    chart = coordinator.tools.chart or EnrolledChart()
    asked = settled = failed = 0
    for case_id in [case.id for case in cases if not case.booked and case.elsewhere_at is None]:
        try:
            about = coordinator.ledger.facts(case_id, at=now).case
            change = None if about is None else _change(about, chart.check(about))
            asked += 1
            if change is not None:
                coordinator.take(case_id, ChartChanged(id=f"hold-out:{case_id}:{change.value}", at=now, change=change))
                settled += 1
        except Exception as error:
            # One case that cannot be looked up must not stop the others; it is asked about again the next time.
            log.warning("hold-out.not-asked conversation=%s error=%s", case_id, type(error).__name__)
            failed += 1
    return ChartRound(asked, settled, failed)


def _change(case: Case, chart: ChartStatus) -> ChartChange | None:
    known = [chart.procedures.get(p.id, p.status) for p in case.procedures]
    if ProcedureStatus.SCHEDULED in known:
        return ChartChange.BOOKED
    done = ProcedureStatus.COMPLETED in known and ProcedureStatus.PLANNED not in known
    return ChartChange.DONE if done else None
