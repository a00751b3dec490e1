"""The promises P1 to P12 as functions over the books: simulation, dialogues and proofs ask the same ones.

    for broken in check(read_books(coordinator)):
        print(broken)

Each function is independent of the code that keeps its promise: it judges what is on the books and what left, not how
it was decided. P12 compares two books, see `differences`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from treatment_agent.evals.evidence import Books
from treatment_agent.evals.promises import autonomy, records, silence, timing, visits, words
from treatment_agent.evals.promises.breach import Broken
from treatment_agent.evals.promises.replay import differences

__all__ = ["PROMISES", "Broken", "check", "differences"]

Promise = Callable[[Books], Iterator[Broken]]

PROMISES: Final[dict[str, Promise]] = {
    "P1": silence.nothing_after_a_revocation,
    "P2": silence.nothing_while_staff_hold,
    "P3": words.approved_words_only,
    "P4": autonomy.alone_only_when_sure,
    "P5": autonomy.fails_to_a_person,
    "P6": visits.one_true_visit,
    "P7": timing.outreach_keeps_its_times,
    "P8": records.once_and_none_lost,
    "P9": timing.chart_agreed_when_it_left,
    "P10": records.every_step_has_a_reason,
    "P11": words.nothing_private_leaks,
}


def check(books: Books, *, only: str | None = None) -> tuple[Broken, ...]:
    """Every breach of every promise (or of `only` one), in the order of the promises."""
    return tuple(found for name, promise in PROMISES.items() if only in (None, name) for found in promise(books))
