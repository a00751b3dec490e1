"""A dialogue file: who, when, what happens turn by turn, and what must be on the books in the end."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import AwareDatetime, Field

from treatment_agent.domain.treatment import CaseKind
from treatment_agent.domain.value import Value
from treatment_agent.evals.cast import InterpreterSeed, Other, Person, PracticeSeed, TreatmentRow
from treatment_agent.evals.expectations import End, Pattern
from treatment_agent.evals.happenings import Turn


class Dialogue(Value):
    """One claim about the coordinator, as a story that proves it.

    - `claim`: one sentence that is true if the file passes.
    - `now`: when the first turn begins, with an offset: `2026-11-25T10:00:00-06:00`.
    - `start`: with `first-message` (the default) the first text has just left at `now`; with `enrolled` the case was
      put on the books just now, and nothing has been sent.
    - `kind`: why the case is on the list: `unscheduled` treatment, an owed `call_back`, `preauthorized` or after a
      `missed_visit`; each has texts and a cadence of its own.
    - `visit_on`: the day of the visit at which the treatment was diagnosed; the day before `now` if not written.
    - `never_says`: none of these is found in any text that leaves, to whomever.
    """

    claim: str = Field(min_length=10, max_length=200)
    now: AwareDatetime
    start: Literal["first-message", "enrolled"] = "first-message"
    practice: PracticeSeed = PracticeSeed()
    interpreter: InterpreterSeed = InterpreterSeed()
    patient: Person = Person()
    case: tuple[TreatmentRow, ...] = Field(default=(TreatmentRow(),), min_length=1)
    kind: CaseKind = CaseKind.UNSCHEDULED
    visit_on: date | None = None
    next_visit_at: datetime | None = None
    last_staff_contact_at: datetime | None = None
    other: tuple[Other, ...] = ()
    turn: tuple[Turn, ...] = Field(min_length=1)
    never_says: tuple[Pattern, ...] = ()
    end: End
