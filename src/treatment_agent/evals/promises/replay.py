"""P12: the same events under the same policy and interpreter lead to the same decisions."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from treatment_agent.evals.evidence import Books, Thread
from treatment_agent.evals.promises.breach import Broken


def differences(one: Books, other: Books) -> Iterator[Broken]:
    """P12: where two runs of the same events differ: decisions, texts, handoffs. Empty when they are the same."""
    theirs = {thread.id: thread for thread in other.threads}
    for thread in one.threads:
        twin = theirs.pop(thread.id, None)
        if twin is None:
            yield Broken("P12", thread.id, "is in one run only")
            continue
        yield from _compare(thread, twin)
    yield from (Broken("P12", name, "is in one run only") for name in theirs)


def _compare(one: Thread, other: Thread) -> Iterator[Broken]:
    for mine, twin in zip_longest(one.events, other.events):
        if mine is None or twin is None or (mine.event, mine.outcome) != (twin.event, twin.outcome):
            name = (mine or twin).event.id
            yield Broken("P12", one.id, f"event {name} was decided differently")
            return
    mine_sent = [(row.message, row.status, row.rule) for row in one.outbox]
    if mine_sent != [(row.message, row.status, row.rule) for row in other.outbox]:
        yield Broken("P12", one.id, "the texts differ")
    if one.handoffs != other.handoffs:
        yield Broken("P12", one.id, "the handoffs differ")
