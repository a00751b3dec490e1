"""Adapters that answer what was answered then. Nothing in a replay reaches the world."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from pydantic import SecretStr

from treatment_agent import errors
from treatment_agent.domain.inputs import Answer, Asking, TurnInputs
from treatment_agent.domain.interpretation import Interpretation, Situation
from treatment_agent.domain.scheduling import ApprovedBooking, Authority, Booking, BookingStatus, Slot, SlotRequest
from treatment_agent.domain.treatment import Case, ChartStatus
from treatment_agent.ports import Interpreter


@dataclass(slots=True)
class Answers:
    """The answers of one turn, given out in the order they came. `assumed` names what had to be made up."""

    inputs: TurnInputs
    assumed: list[str] = field(default_factory=list)
    _left: dict[Asking, deque[Answer]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for answer in self.inputs.answers:
            self._left.setdefault(answer.asked, deque()).append(answer)

    def next(self, asked: Asking) -> Answer | None:
        """The next answer to a question of this kind; None when it was not asked then.

        Raises:
            Exception: of the kind that was raised then.
        """
        left = self._left.get(asked)
        if not left:
            return None
        answer = left.popleft()
        if answer.error:
            raise _raised(answer)
        return answer

    def assume(self, what: str) -> None:
        """Note that the world was not asked this then, so an answer is made up."""
        if what not in self.assumed:
            self.assumed.append(what)


def _raised(answer: Answer) -> Exception:
    kind = getattr(errors, answer.error, None)
    if kind is errors.NotPermitted:
        return errors.NotPermitted(answer.code)
    if kind is errors.AdapterRejected:
        return errors.AdapterRejected("as it was then", code=answer.code or None)
    if isinstance(kind, type) and issubclass(kind, errors.AdapterError):
        made: Callable[[str], Exception] = kind
        return made("as it was then")
    return RuntimeError("as it was then")


@dataclass(frozen=True, slots=True)
class KeptScheduler:
    """`ports.Scheduler` as it answered then. Asked something else, it offers the openings that are known."""

    answers: Answers

    @property
    def authority(self) -> Authority:
        """As then."""
        return self.answers.inputs.authority

    @property
    def can_reschedule(self) -> bool:
        """As then."""
        return self.answers.inputs.can_reschedule

    def find_slots(self, request: SlotRequest) -> tuple[Slot, ...]:
        """The openings found then; for another request, those of them that fit it."""
        answer = self.answers.next(Asking.SLOTS)
        if answer is not None and answer.request in (None, request):
            return answer.slots
        self.answers.assume("openings")
        return tuple(slot for slot in self._known(answer) if _fits(slot, request))

    def _known(self, answer: Answer | None) -> tuple[Slot, ...]:
        asked = answer.slots if answer is not None else ()
        every = (*asked, *(s for a in self.answers.inputs.answers for s in a.slots))
        offered = self.answers.inputs.facts.conversation.offers
        return tuple(sorted(dict.fromkeys((*every, *offered)), key=lambda slot: (slot.start.timestamp(), slot.id)))

    def book(self, booking: ApprovedBooking) -> Booking:
        """As then; a booking that was not made then is taken to have been confirmed."""
        answer = self.answers.next(Asking.BOOK)
        if answer is not None and answer.booking is not None:
            return answer.booking
        self.answers.assume("a booking")
        return Booking(booking.key, booking.slot, BookingStatus.CONFIRMED, booking.visit.procedure_ids)

    def find_booking(self, key: str) -> Booking | None:
        """As then; otherwise none."""
        answer = self.answers.next(Asking.BOOKING)
        return None if answer is None else answer.booking

    def release(self, key: str) -> None:
        """Nothing to give up."""


def _fits(slot: Slot, request: SlotRequest) -> bool:
    start = slot.start.timestamp()
    inside = request.earliest.timestamp() <= start <= request.latest.timestamp()
    suits = not request.windows or any(window.holds(slot) for window in request.windows)
    providers = request.visit.provider_ids
    return inside and suits and slot.id not in request.exclude and (not providers or slot.provider_id in providers)


@dataclass(frozen=True, slots=True)
class KeptChart:
    """`ports.Chart` as it answered then; not asked then, it is taken to say what the books said."""

    answers: Answers

    def check(self, case: Case) -> ChartStatus:
        """See `ports.Chart`."""
        answer = self.answers.next(Asking.CHART)
        if answer is not None and answer.status is not None:
            return answer.status
        self.answers.assume("the chart")
        return ChartStatus(
            patient_status=case.patient.status,
            procedures={p.id: p.status for p in case.procedures},
            next_visit_at=case.next_visit_at,
            last_staff_contact_at=case.last_staff_contact_at,
        )


@dataclass(frozen=True, slots=True)
class KeptInterpreter:
    """`ports.Interpreter`: reads again with `real`, or repeats the reading of then. What failed then fails again."""

    real: Interpreter
    answers: Answers
    reading: Interpretation | None = None

    @property
    def version(self) -> str:
        """That of the reader."""
        return self.real.version

    def interpret(self, text: SecretStr, situation: Situation) -> Interpretation:
        """See `ports.Interpreter`."""
        self.answers.next(Asking.INTERPRETER)
        return self.reading or self.real.interpret(text, situation)
