"""The adapters a coordinator works with, and the kind of answer each owes."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TypeVar

from treatment_agent.ports import Chart, Messenger, Scheduler, StaffDesk, SummaryDrafter

T = TypeVar("T")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tools:
    """The adapters. Without a chart the last enrolled export is asked; without a desk staff read `handoffs()`.

    `drafter`: a language model drafts a summary of each handoff for staff; off by default.
    """

    scheduler: Scheduler
    messenger: Messenger
    chart: Chart | None = None
    desk: StaffDesk | None = None
    drafter: SummaryDrafter | None = None


def expected(place: str, answer: T, kind: type, *, none: bool = False) -> T:
    """The answer of an adapter, if it is of its kind; with `none`, None will do too.

    Anything else must not get as far as the books, which could not write it down: the patient's message would stay
    unhandled for ever.

    Raises:
        TypeError: the adapter answered something else; names the place and the fix, not the answer.
    """
    if isinstance(answer, kind) or (none and answer is None):
        return answer
    told = f"{place} answered {type(answer).__name__}; make the adapter return {kind.__name__}"
    log.warning("adapter.wrong-answer %s", told)
    raise TypeError(told)
