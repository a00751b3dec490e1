"""A node that breaks never raises and never leaves a patient in silence: a person gets the turn (P5)."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from treatment_agent.domain.books import ContactFacts, ConversationFacts
from treatment_agent.domain.consent import ConsentStatus
from treatment_agent.domain.conversation import Conversation, Phase
from treatment_agent.domain.events import ChartChange, ChartChanged, PatientMessage, TouchDue
from treatment_agent.domain.handoff import HandoffKind
from treatment_agent.domain.interpretation import Asked, Facts, Intent
from treatment_agent.domain.messages import Channel
from treatment_agent.domain.patients import Patient, Permission
from treatment_agent.domain.private import PhoneNumber
from treatment_agent.domain.scheduling import BookingStatus, Slot
from treatment_agent.domain.treatment import Case, Family, Procedure
from treatment_agent.graph.build import build_graph
from treatment_agent.graph.state import TurnContext, fresh
from treatment_agent.policies.office import OfficeProfile, Provider
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.policies.scripts import Script
from treatment_agent.testing import ConstantInterpreter, ScriptedInterpreter, understood
from treatment_agent.tools.memory import MemoryChart, MemoryScheduler

CHICAGO = ZoneInfo("America/Chicago")
NOW = datetime(2026, 11, 25, 10, tzinfo=CHICAGO)
PHONE = PhoneNumber("+13125550117")
MARKER = "zebra-marker"
MESSAGE = PatientMessage(id="e1", at=NOW)
TOUCH = TouchDue(id="t1", at=NOW, step=0)
GRAPH = build_graph()


def slot(day: int) -> Slot:
    start = datetime(2026, 12, day, 9, tzinfo=CHICAGO)
    return Slot(start, start + timedelta(minutes=90), "lee", f"s{day}", Family.CROWN)


SLOTS = (slot(1), slot(3))
POLICY = PracticePolicy(
    id="maple",
    office=OfficeProfile(
        name="Maple Dental",
        phone="(312) 555-0100",
        booking_link="https://maple.example/book",
        address="12 Maple Ave",
        zone="America/Chicago",
        providers=(Provider(id="lee", name="Dr. Lee"),),
    ),
)
CASE = Case(
    id="c1",
    patient=Patient(id="ana", first_name=SecretStr("Ana"), born_on=date(1980, 5, 4), mobile=PHONE, sms=Permission.YES),
    procedures=(Procedure(id="p1", code="D2740", tooth="30", diagnosed_on=date(2026, 11, 24)),),
    provider_id="lee",
    visit_on=date(2026, 11, 24),
)
TALKING = Conversation(
    id="c1", case_id="c1", patient_id="ana", phase=Phase.CONTACTED, asked=Asked.FIRST_MESSAGE, offers=SLOTS, step=1
)


def facts(**changes) -> ConversationFacts:
    contact = ContactFacts(Channel.SMS, PHONE, ConsentStatus.GRANTED, datetime(2026, 1, 5, tzinfo=UTC))
    return ConversationFacts(conversation=replace(TALKING, **changes), case=CASE, contacts=(contact,))


def run(event, **changes):
    """One turn through the compiled graph; returns its record and the conversation after it."""
    context = TurnContext(
        **{
            "policy": POLICY,
            "interpreter": ConstantInterpreter(understood(Intent.ACCEPT, facts=Facts(option=1))),
            "scheduler": MemoryScheduler(SLOTS),
            "chart": MemoryChart(),
            "facts": facts(),
            "now": NOW,
            "text": SecretStr(f"1 please {MARKER}"),
            **changes,
        }
    )
    state = GRAPH.invoke(fresh(event, context.facts), context=context)
    return state["turn"], state["conversation"]


def sent(record):
    return [send.script_id for send in record.sends]


class Boom(RuntimeError):
    """An error whose message quotes the patient."""

    def __init__(self):
        super().__init__(f"could not read {MARKER}")


class BrokenGuardrail:
    id = "guardrail.broken"

    def check(self, text, interpretation, conversation, situation):
        raise Boom


class BrokenScheduler(MemoryScheduler):
    """Breaks at the attribute named."""

    broken = ""

    @property
    def can_reschedule(self):
        if self.broken == "can_reschedule":
            raise Boom
        return True

    def book(self, booking):
        raise Boom


class BrokenChart(MemoryChart):
    def check(self, case):
        raise Boom


class NotText(SecretStr):
    """What a careless caller might hand over."""

    def get_secret_value(self):
        raise Boom


def broken_scheduler(where=""):
    made = BrokenScheduler(SLOTS)
    made.broken = where
    return made


class TestPatientsTurn:
    @pytest.mark.parametrize(
        ("rule", "changes"),
        [
            ("turn.understand-failed", {"interpreter": ScriptedInterpreter([Boom()])}),
            ("turn.topic-guard-failed", {"policy": POLICY.model_copy(update={"guardrails": (BrokenGuardrail(),)})}),
            ("turn.decide-failed", {"scheduler": broken_scheduler("can_reschedule")}),
            ("turn.act-failed", {"scheduler": broken_scheduler()}),
        ],
    )
    def test_goes_to_a_person_with_an_approved_text(self, rule, changes, caplog):
        with caplog.at_level(logging.WARNING):
            record, after = run(MESSAGE, **changes)

        assert record.rules[0] == rule
        assert record.failures == (rule,)
        assert after.phase is Phase.WITH_STAFF
        assert [h.kind for h in record.handoffs] == [HandoffKind.HANDOFF]
        assert sent(record) == ["handoff-other"]
        assert record.booking is None
        assert rule in caplog.text
        assert MARKER not in caplog.text
        assert MARKER not in repr(record)

    def test_says_nothing_when_the_consent_gate_broke(self):
        """Nobody knows whether this was a STOP."""
        record, after = run(MESSAGE, text=NotText(""))

        assert record.rules[0] == "turn.consent-gate-failed"
        assert after.phase is Phase.WITH_STAFF
        assert sent(record) == []

    def test_keeps_to_the_table_of_phases(self):
        waits = understood(Intent.DEFER, facts=Facts(until=date(2027, 1, 4)))
        record, after = run(
            MESSAGE, interpreter=ConstantInterpreter(waits), facts=facts(phase=Phase.BOOKING_REQUESTED, offers=())
        )

        assert record.rules[0] == "turn.transition-refused"
        assert after.phase is Phase.WITH_STAFF
        assert sent(record) == ["handoff-other"]

    def test_an_answer_that_may_not_leave_is_replaced(self):
        wrong = Script(id="booked", version=2, language="en", text="See you {call_time}", approved_by="kim")
        scheduler = MemoryScheduler(SLOTS)
        policy = POLICY.model_copy(update={"scripts": POLICY.scripts.with_script(wrong)})

        record, after = run(MESSAGE, policy=policy, scheduler=scheduler)

        assert record.failures == ("outbound.unfillable", "turn.refused")
        assert sent(record) == ["handoff-other"]
        assert after.phase is Phase.WITH_STAFF

    def test_what_was_booked_before_it_broke_stays_booked(self):
        wrong = Script(id="booked", version=2, language="en", text="See you {call_time}", approved_by="kim")
        scheduler = MemoryScheduler(SLOTS)
        policy = POLICY.model_copy(update={"scripts": POLICY.scripts.with_script(wrong)})

        record, after = run(MESSAGE, policy=policy, scheduler=scheduler)

        assert [b.status for b in scheduler.bookings] == [BookingStatus.CONFIRMED]
        assert record.booking == scheduler.bookings[0]
        assert after.booking == scheduler.bookings[0]

    def test_a_guardrail_that_works_is_heard(self):
        class Pregnancy(BrokenGuardrail):
            def check(self, text, interpretation, conversation, situation):
                return None

        record, _ = run(MESSAGE, policy=POLICY.model_copy(update={"guardrails": (Pregnancy(),)}))
        assert record.rules[0] == "reply.accept"


class TestOtherTurns:
    def test_a_touch_that_breaks_is_reviewed_and_nothing_is_sent(self):
        record, after = run(TOUCH, chart=BrokenChart(), facts=facts(phase=Phase.QUEUED, step=0, due_at=NOW, offers=()))

        assert record.rules[0] == "turn.touch-gate-failed"
        assert [h.kind for h in record.handoffs] == [HandoffKind.REVIEW]
        assert sent(record) == []
        assert after.due_at is None

    def test_an_outside_change_that_breaks_is_reviewed(self):
        contact = POLICY.contact.model_copy(update={"staff_contact_days": 10**9})
        event = ChartChanged(id="x", at=NOW, change=ChartChange.STAFF_CONTACT)

        record, after = run(event, policy=POLICY.model_copy(update={"contact": contact}))

        assert record.rules[0] == "turn.reconcile-failed"
        assert [h.kind for h in record.handoffs] == [HandoffKind.REVIEW]
        assert after.phase is Phase.CONTACTED
        assert sent(record) == []

    def test_never_ask_the_interpreter(self):
        with ScriptedInterpreter([]) as nobody:
            run(TOUCH, interpreter=nobody, facts=facts(phase=Phase.QUEUED, step=0, due_at=NOW, offers=()))
            run(ChartChanged(id="x", at=NOW, change=ChartChange.BOOKED), interpreter=nobody)
            run(MESSAGE, interpreter=nobody, text=SecretStr("STOP"))
