"""Judging past inbound messages without sending anything: what would the coordinator do with them?

Each message goes through the same graph as a real one, with a calendar that always has room and nobody to text.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BeforeValidator, Field, SecretStr, ValidationError, field_validator

from treatment_agent.domain.books import ContactFacts, ConversationFacts
from treatment_agent.domain.consent import ConsentStatus
from treatment_agent.domain.conversation import Conversation, Phase
from treatment_agent.domain.events import PatientMessage
from treatment_agent.domain.interpretation import Asked, Interpretation, strictest
from treatment_agent.domain.messages import Channel
from treatment_agent.domain.patients import Patient, Permission
from treatment_agent.domain.private import PhoneNumber
from treatment_agent.domain.scheduling import ApprovedBooking, Authority, Booking, BookingStatus, Slot, SlotRequest
from treatment_agent.domain.treatment import Case, Family, Procedure
from treatment_agent.domain.turn import TurnRecord
from treatment_agent.domain.value import Value
from treatment_agent.graph.build import build_graph
from treatment_agent.graph.state import TurnContext, fresh
from treatment_agent.policies import boundary
from treatment_agent.policies.office import OfficeProfile
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.policies.replies import main_intent
from treatment_agent.ports import Interpreter
from treatment_agent.tools.enrolled_chart import EnrolledChart
from treatment_agent.understanding.explaining import explain
from treatment_agent.understanding.local import LocalInterpreter

DEFAULT_ZONE = ZoneInfo("America/Chicago")
DEFAULT_NOW = datetime(2026, 11, 23, 10, tzinfo=DEFAULT_ZONE)
DEFAULT_OFFERS = (datetime(2026, 12, 1, 9, tzinfo=DEFAULT_ZONE), datetime(2026, 12, 3, 14, tzinfo=DEFAULT_ZONE))
NOBODY = PhoneNumber("+13125550199")
Context = Literal["first_message", "offer", "reminder", "callback_ask", "reason_ask", "booked"]


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class TriageItem(Value):
    """One line of the input. Times are ISO 8601; one without an offset is read in the office's zone."""

    id: Annotated[str, BeforeValidator(_text)] = Field(min_length=1)
    text: str
    context: Context = "first_message"
    language: str = "en"
    now: datetime | None = None
    offers: tuple[datetime, ...] | None = Field(default=None, max_length=9)
    media: int = Field(default=0, ge=0)

    model_config = Value.model_config | {"extra": "ignore"}

    @field_validator("now")
    @classmethod
    def _sensible(cls, value: datetime | None) -> datetime | None:
        if value is not None and not 2000 <= value.year <= 2100:
            raise ValueError("the year must lie between 2000 and 2100")
        return value


class RoomyCalendar:
    """A calendar that has room whenever it is asked; nothing is written anywhere."""

    authority = Authority.BOOK
    can_reschedule = True

    def __init__(self, office: OfficeProfile) -> None:
        self._office = office

    def find_slots(self, request: SlotRequest) -> tuple[Slot, ...]:
        """Two openings inside the first windows, or on the next two workdays."""
        length = timedelta(minutes=request.visit.minutes)
        starts = [max(w.start, request.earliest) for w in request.windows if w.end > request.earliest]
        if not request.windows:
            first = request.earliest.date()
            days = (first + timedelta(days=n) for n in range(1, 8))
            starts = [datetime.combine(d, time(10), request.earliest.tzinfo) for d in days if d.weekday() < 5]
        starts = [s if s.hour >= 7 else s.replace(hour=9, minute=0) for s in starts if s < request.latest]
        starts = [s for s in starts if s.date() not in self._office.holidays]
        family = request.visit.family
        return tuple(Slot(s, s + length, "lee", f"triage-{s.isoformat()}", family) for s in starts[: request.limit])

    def book(self, booking: ApprovedBooking) -> Booking:
        """Confirmed, and forgotten."""
        procedures = booking.visit.procedure_ids
        return Booking(booking.key, booking.slot, BookingStatus.CONFIRMED, procedures, f"triage-{booking.key}")

    def find_booking(self, key: str) -> Booking | None:
        """Nothing is ever kept."""
        return None

    def release(self, key: str) -> None:
        """Nothing is ever kept."""


class Triage:
    """Judges messages under a policy. Build it once and call `judge` for each line."""

    def __init__(self, policy: PracticePolicy, *, interpreter: Interpreter | None = None) -> None:
        self.policy = policy
        self._interpreter = interpreter or LocalInterpreter()
        self._graph = build_graph()
        self._calendar = RoomyCalendar(policy.office)

    def judge(self, line: dict[str, object]) -> dict[str, object]:
        """The verdict on one line.

        Args:
            line: `id`, `text`, and optionally `context` (what was last asked), `language`, `now`, `offers`, `media`.

        Returns:
            `id`, `action` (`handoff` or `auto`), `label`, `topics`, `intents`, `confidence`, `facts`, `language`,
            `would_send`, `rules`, `evidence`, and `readings`: per clause its label, the part that decided, its rule,
            the probability, the threshold it was held against and the words that weighed most.

        Raises:
            ValueError: the line is not of this form; names the field and the fix, never the text.
        """
        try:
            item = TriageItem.model_validate(line)
        except ValidationError as error:
            raise ValueError(_explain(error)) from None
        zone = self.policy.office.tz
        now = _in_zone(item.now, zone) or DEFAULT_NOW
        offered = item.offers if item.offers is not None else DEFAULT_OFFERS
        starts = tuple(s for s in (_in_zone(o, zone) for o in offered) if s is not None)
        facts = self._facts(item, starts, now)
        context = TurnContext(
            policy=self.policy,
            interpreter=self._interpreter,
            scheduler=self._calendar,
            chart=EnrolledChart(),
            facts=facts,
            now=now,
            text=SecretStr(item.text),
        )
        event = PatientMessage(id=item.id, at=now, media=item.media)
        state = self._graph.invoke(fresh(event, facts), context=context)
        record: TurnRecord = state["turn"]
        heard = record.interpretation
        if heard is None:
            # Settled before anything was interpreted; read it all the same, for the facts and the evidence.
            heard = self._interpreter.interpret(context.text, context.situation)
        checked = boundary.check(
            record.sends, before=facts, after=state["conversation"], consent=record.consent, policy=self.policy, now=now
        )
        return _line(item, record, heard, [(m.script_id, m.body.get_secret_value()) for m in checked.messages])

    def _facts(self, item: TriageItem, starts: tuple[datetime, ...], now: datetime) -> ConversationFacts:
        procedure = Procedure(id="triage-p", code="D2740", tooth="30", diagnosed_on=now.date() - timedelta(days=1))
        patient = Patient(
            id="triage", first_name=SecretStr(""), mobile=NOBODY, sms=Permission.YES, language=item.language
        )
        case = Case(id="triage", patient=patient, procedures=(procedure,), visit_on=now.date() - timedelta(days=1))
        template = self.policy.template_for(Family.CROWN)
        length = timedelta(minutes=template.minutes if template else 60)
        provider = next((p.id for p in self.policy.office.providers if "Lee" in p.name), "lee")
        offers = tuple(
            Slot(start, start + length, provider, f"offer-{n}", Family.CROWN) for n, start in enumerate(starts, 1)
        )
        conversation = _conversation(item, offers)
        contact = ContactFacts(channel=Channel.SMS, address=NOBODY, consent=ConsentStatus.GRANTED, consent_at=now)
        return ConversationFacts(conversation=conversation, case=case, contacts=(contact,))


def _conversation(item: TriageItem, offers: tuple[Slot, ...]) -> Conversation:
    asked = Asked(item.context)
    phase = {
        Asked.OFFER: Phase.OFFER_OPEN,
        Asked.CALLBACK_ASK: Phase.CALLBACK_REQUESTED,
        Asked.REASON_ASK: Phase.DEFERRED,
        Asked.BOOKED: Phase.BOOKED,
    }.get(asked, Phase.CONTACTED)
    booking = None
    if asked is Asked.BOOKED and offers:
        booking = Booking("triage:booked", offers[0], BookingStatus.CONFIRMED, ("triage-p",), "triage-visit")
    return Conversation(
        id="triage",
        case_id="triage",
        patient_id="triage",
        phase=phase,
        asked=asked,
        language=item.language if item.language in ("en", "es") else "en",
        offers=() if booking else offers,
        seen_slots=tuple(s.id for s in offers),
        step=1,
        booking=booking,
    )


def _line(
    item: TriageItem, record: TurnRecord, heard: Interpretation, texts: list[tuple[str, str]]
) -> dict[str, object]:
    held = any(h.topics for h in record.handoffs)
    topics = tuple(t for h in record.handoffs for t in h.topics) or tuple(v.topic for v in record.verdicts)
    revoked = record.consent is not None and not held
    intent = main_intent(heard)
    label = strictest(topics) if held else "opt_out" if revoked else intent
    facts = heard.facts
    spans = [s for v in record.verdicts for s in v.evidence] or [
        s for c in heard.clauses for s in c.evidence or (c.span,)
    ]
    return {
        "id": item.id,
        "action": "handoff" if held else "auto",
        "label": str(label or "other"),
        "topics": [str(t) for t in dict.fromkeys(topics)],
        "intents": ["opt_out"] if revoked else [str(i) for i in heard.intents],
        "confidence": round(1.0 if revoked or record.interpretation is None else heard.confidence, 4),
        "facts": {
            "option": facts.option,
            "windows": [[w.start.isoformat(), w.end.isoformat()] for w in facts.windows],
            "call_at": facts.call_at.isoformat() if facts.call_at else None,
            "until": _day(facts.until),
            "reason": facts.reason.value if facts.reason else None,
        },
        "language": heard.language,
        "would_send": {"script": texts[0][0], "text": "\n\n".join(body for _, body in texts)} if texts else None,
        "rules": list(record.rules),
        "evidence": list(dict.fromkeys(s.of(item.text) for s in spans)),
        "readings": [one.record() for one in explain(heard, item.text)],
    }


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _in_zone(moment: AwareDatetime | datetime | None, zone: ZoneInfo) -> datetime | None:
    if moment is None:
        return None
    return moment.replace(tzinfo=zone) if moment.utcoffset() is None else moment.astimezone(zone)


def _explain(error: ValidationError) -> str:
    problems = (
        f"{'.'.join(str(p) for p in e['loc']) or 'line'}: {e['msg']}" for e in error.errors(include_input=False)
    )
    return "; ".join(problems)
