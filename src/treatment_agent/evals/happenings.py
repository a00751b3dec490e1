"""What can happen in a turn of a dialogue file."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, WithJsonSchema, field_validator, model_validator

from treatment_agent.demo.story import parse_wait
from treatment_agent.domain.consent import ConsentHow, ConsentNote
from treatment_agent.domain.events import ChartChange
from treatment_agent.domain.handoff import HandoffKind, NextStep
from treatment_agent.domain.interpretation import Topic
from treatment_agent.domain.messages import Channel, DeliveryStatus
from treatment_agent.domain.value import Value
from treatment_agent.evals.cast import PatientChanges, TreatmentRow
from treatment_agent.evals.expectations import Expect

StaffDoes = Literal[
    "take_over", "acknowledge", "resolve", "release", "book", "close",
    "record_consent", "record_revocation", "acknowledge_task", "complete_task",
]  # fmt: skip
Settled = Literal["confirmed", "failed"]


def _wait(value: object) -> object:
    return parse_wait(value) if isinstance(value, str) else value


def _does(value: object) -> object:
    return {"does": value} if isinstance(value, str) else value


def _change(value: object) -> object:
    return {"change": value} if isinstance(value, str) else value


def _status(value: object) -> object:
    return {"status": value} if isinstance(value, str) else value


def _several(value: object) -> object:
    return (value,) if isinstance(value, str | dict) else value


def _noted(value: str, field: Literal["evidence", "purpose"], fix: str) -> str:
    """Hold a value to what a consent note takes, and say what that is."""
    try:
        ConsentNote.model_validate({field: value})
    except ValidationError:
        raise ValueError(f"write {fix}") from None
    return value


_WAIT_SCHEMA = {"type": "string", "description": "How long: 20 minutes, 3 days, 1d 3h.", "examples": ["3 days"]}
Wait = Annotated[timedelta, BeforeValidator(_wait), WithJsonSchema(_WAIT_SCHEMA)]


class Staff(Value):
    """Something staff do about the conversation.

    `next` and `until` go with `release`. `how`, `evidence` (the number of a form, call or note) and `purpose` (what the
    consent is for; follow-up if not written) go with consent. `task`: which kind of task is seen or done; without it
    the first one that is open.
    """

    does: StaffDoes
    by: str = "dana"
    next: NextStep = NextStep.RESUME
    until: date | None = None
    visit_at: datetime | None = None
    how: ConsentHow = ConsentHow.STAFF
    evidence: str = ""
    purpose: str = ""
    task: HandoffKind | None = None

    @field_validator("evidence")
    @classmethod
    def _is_a_number(cls, evidence: str) -> str:
        return _noted(evidence, "evidence", "the number of a form, call or note such as form-17, without spaces")

    @field_validator("purpose")
    @classmethod
    def _is_a_purpose(cls, purpose: str) -> str:
        return _noted(
            purpose, "purpose", "small letters and underscores, such as marketing; leave it out for follow-up"
        )

    @property
    def note(self) -> ConsentNote:
        """What is written down beside a grant or revocation."""
        return ConsentNote(how=self.how, evidence=self.evidence, purpose=self.purpose)


class Chart(Value):
    """Something that changes in the office's own software.

    With `told = false` nobody tells the coordinator: it only sees it when it asks the chart.
    """

    change: ChartChange
    visit_at: datetime | None = None
    told: bool = True


class Export(Value):
    """A newer list of unscheduled treatment is read. What is not written is as before.

    `without`: ids of patients who are not on it any more. `partial`: it is only a part of the list. `failed`: the
    office's software breaks off in the middle, and nothing of it is read.
    """

    patient: PatientChanges | None = None
    case: tuple[TreatmentRow, ...] | None = None
    next_visit_at: datetime | None = None
    without: tuple[str, ...] = ()
    partial: bool = False
    failed: bool = False


class Calendar(Value):
    """Something that happens in the office's calendar.

    `take` and `open` are the start of an opening; `settle` is the answer to the booking that was requested.
    """

    take: datetime | None = None
    open: datetime | None = None
    settle: Settled | None = None


class Delivery(Value):
    """The provider reports on our last text, or on the last of `script`. `code` is the carrier's, such as 30003."""

    status: DeliveryStatus
    code: str = ""
    opted_out: bool = False
    script: str | None = None


class Fault(Value):
    """A port breaks at its next call, or the `nth` next, `times` in a row.

    `unavailable`, `rejected` (with `code`), `taken` (a slot), `doubt` (a text may have left), `timeout` and `nonsense`
    are errors of the adapter; with `after = true` the call took effect first. After a `crash_...` the process starts
    again and the patient's provider delivers once more.
    """

    port: Literal["scheduler", "messenger", "chart", "desk", "interpreter", "ledger"]
    how: Literal["unavailable", "rejected", "taken", "doubt", "timeout", "crash_before", "crash_after"]
    method: str | None = None
    nth: int = Field(default=1, ge=1)
    times: int = Field(default=1, ge=1, le=20)
    code: str | None = None
    after: bool = False


class Turn(Value):
    """One step: time passes (`wait` or `until`, else a minute), then one thing happens, or nothing more.

    `patient` is a text or several in a row; `{day1}`, `{date1}`, `{time1}` stand for the first offered slot. `sender`
    is a patient's id, a phone number or a mailbox; without it the patient writes. `about` is the patient that staff,
    chart and calendar mean. `twice`: the provider delivers every message two times. `must_hand_off` and `must_opt_out`
    are hard gates: if that does not happen, the whole run fails.
    """

    wait: Wait | None = None
    until: datetime | None = None
    patient: Annotated[tuple[str, ...], BeforeValidator(_several)] | None = None
    media: int = Field(default=0, ge=0)
    sender: str | None = None
    channel: Channel = Channel.SMS
    twice: bool = False
    carrier_opt_out: bool = False
    staff: Annotated[Staff, BeforeValidator(_does)] | None = None
    chart: Annotated[Chart, BeforeValidator(_change)] | None = None
    export: Export | None = None
    calendar: Calendar | None = None
    delivery: Annotated[Delivery, BeforeValidator(_status)] | None = None
    office: Literal["pause", "stop", "resume", "approve", "reject"] | None = None
    about: str | None = None
    fault: Annotated[tuple[Fault, ...], BeforeValidator(_several)] = ()
    must_hand_off: Topic | None = None
    must_opt_out: bool = False
    expect: Expect = Expect()

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        happens = [name for name in HAPPENS if getattr(self, name) is not None]
        if len(happens) > 1:
            raise ValueError(f"{' and '.join(happens)} in one turn; write a [[turn]] for each")
        if self.wait is not None and self.until is not None:
            raise ValueError("wait and until in one turn; keep one of them")
        if self.patient is None and (self.media or self.must_hand_off or self.must_opt_out or self.twice):
            raise ValueError('media, twice and must_... belong to a message; write patient = "..." (it may be empty)')
        return self


HAPPENS = ("patient", "staff", "chart", "export", "calendar", "delivery", "office")
"""The keys of a turn that make something happen: one of them at most."""
