"""How soon staff acknowledge and close what they are given."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from treatment_agent.domain.handoff import HandoffKind
from treatment_agent.domain.measured import MeasuredHandoff
from treatment_agent.domain.measures import DeskTime
from treatment_agent.domain.shares import Share
from treatment_agent.domain.survival import Survival

_HOUR = timedelta(hours=1)


def by_topic(
    handoffs: Iterable[MeasuredHandoff], ids: set[str], entered: int, now: datetime
) -> tuple[DeskTime, ...]:  # fmt: skip
    """Conversations that were given to a person, by topic, the most frequent first."""
    held = (h for h in handoffs if h.kind == HandoffKind.HANDOFF.value and h.case_id in ids)
    return _by(((h.topic or "other", h) for h in held), entered, now)


def by_kind(
    handoffs: Iterable[MeasuredHandoff], ids: set[str], entered: int, now: datetime
) -> tuple[DeskTime, ...]:  # fmt: skip
    """Tasks beside a conversation: call-backs, changes, reviews."""
    tasks = (h for h in handoffs if h.kind != HandoffKind.HANDOFF.value and h.case_id in ids)
    return _by(((h.kind, h) for h in tasks), entered, now)


def _by(named: Iterable[tuple[str, MeasuredHandoff]], entered: int, now: datetime) -> tuple[DeskTime, ...]:
    found: defaultdict[str, list[MeasuredHandoff]] = defaultdict(list)
    for name, handoff in named:
        found[name].append(handoff)
    ordered = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple(_desk_time(name, some, entered, now) for name, some in ordered)


def _desk_time(topic: str, handoffs: list[MeasuredHandoff], entered: int, now: datetime) -> DeskTime:
    judged = [h for h in handoffs if h.acknowledged_at is not None or h.due_at < now]
    return DeskTime(
        topic=topic,
        count=len(handoffs),
        cases=Share(len({h.case_id for h in handoffs}), entered),
        open=sum(1 for h in handoffs if h.closed_at is None),
        to_acknowledge=Survival.of(_span(h.opened_at, h.acknowledged_at, now) for h in handoffs),
        to_close=Survival.of(_span(h.opened_at, h.closed_at, now) for h in handoffs),
        on_time=Share.of(h.acknowledged_at is not None and h.acknowledged_at <= h.due_at for h in judged),
    )


def _span(start: datetime, end: datetime | None, now: datetime) -> tuple[float, bool]:
    """Hours, to the minute: fewer distinct times, and nobody needs seconds."""
    return round(((end or now) - start) / _HOUR, 2), end is not None
