from __future__ import annotations

import dataclasses
import json
from datetime import date, datetime
from typing import get_args

import pytest
from hypothesis import given
from ledger_samples import NOW, case, packet, patient, procedure, state, values_of
from pydantic import SecretStr

from treatment_agent.domain.consent import ConsentHow
from treatment_agent.domain.conversation import Conversation
from treatment_agent.domain.events import (
    BookingSettled,
    ChartChange,
    ChartChanged,
    DeliveryReported,
    Event,
    PatientMessage,
    StaffAction,
    StaffVerb,
    TouchDue,
)
from treatment_agent.domain.handoff import Draft, HandoffPacket, NextStep
from treatment_agent.domain.messages import Channel, DeliveryStatus
from treatment_agent.domain.patients import Contact, Flag, PatientStatus, Permission
from treatment_agent.domain.private import EmailAddress, PhoneNumber
from treatment_agent.domain.scheduling import BookingStatus
from treatment_agent.domain.treatment import ProcedureStatus
from treatment_agent.domain.turn import TurnRecord
from treatment_agent.errors import StateTooNew
from treatment_agent.ledger import codec
from treatment_agent.ledger.tables import storable

EVENTS = (
    PatientMessage(id="e1", at=NOW, channel=Channel.EMAIL, media=2, carrier_opt_out=True),
    PatientMessage(id="e2", at=NOW),
    TouchDue(id="e3", at=NOW, step=2),
    ChartChanged(id="e4", at=NOW, change=ChartChange.BOOKED, visit_at=NOW),
    BookingSettled(id="e5", at=NOW, booking_key="k", status=BookingStatus.CONFIRMED, appointment_id="a"),
    StaffAction(
        id="e6", at=NOW, verb=StaffVerb.RELEASE, by="s1", next=NextStep.RESUME, until=date(2027, 1, 1), visit_at=NOW,
        how=ConsentHow.WORDS,
    ),
    DeliveryReported(
        id="e7", at=NOW, send_key="k", status=DeliveryStatus.FAILED, error_code="30003", opted_out=True
    ),
)  # fmt: skip


def types_within(value: object) -> object:
    """The shape of a value in types, so that a list in place of a tuple is seen."""
    if dataclasses.is_dataclass(value):
        return type(value), [types_within(getattr(value, f.name)) for f in dataclasses.fields(value)]
    if isinstance(value, tuple | list):
        return type(value), [types_within(item) for item in value]
    return type(value)


class TestDump:
    @given(values_of(TurnRecord))
    def test_property_turn_record_comes_back_exactly(self, record: TurnRecord) -> None:
        back = codec.load(TurnRecord, codec.dump(record))

        assert back == record
        assert types_within(back) == types_within(record)

    @given(values_of(Conversation))
    def test_property_conversation_comes_back_exactly(self, conversation: Conversation) -> None:
        back = codec.load(Conversation, codec.dump(conversation))

        assert back == conversation
        assert types_within(back) == types_within(conversation)

    @given(values_of(HandoffPacket))
    def test_property_packet_comes_back_exactly_beside_its_words_and_draft(self, packet: HandoffPacket) -> None:
        back = codec.load(HandoffPacket, codec.dump_packet(packet))
        words = codec.load_words(codec.dump_words(packet.words))
        draft = codec.load(Draft, codec.dump(packet.draft)) if packet.draft else None

        assert dataclasses.replace(back, words=words, draft=draft) == packet

    def test_leaves_out_defaults(self) -> None:
        assert json.loads(codec.dump(state())) == {"id": "c17", "case_id": "c17", "patient_id": "p17"}

    def test_keeps_the_offset_of_a_time(self) -> None:
        moment = datetime.fromisoformat("2026-12-01T09:00:00-06:00")

        back = codec.load(Conversation, codec.dump(state(due_at=moment)))

        assert back.due_at == moment
        assert back.due_at.utcoffset() == moment.utcoffset()


class TestLoad:
    def test_refuses_an_unknown_shape_without_repeating_it(self) -> None:
        with pytest.raises(StateTooNew) as caught:
            codec.load(Conversation, '{"id": 7, "phase": "MARKER"}')

        assert "MARKER" not in str(caught.value)
        assert caught.value.__context__ is None

    def test_keeps_words_out_of_the_packet(self) -> None:
        assert "cost is the issue" not in codec.dump_packet(packet())


class TestEvents:
    @pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.id)
    def test_come_back_exactly(self, event: Event) -> None:
        assert codec.load_event(event.kind, event.id, event.at, codec.dump_event(event)) == event

    def test_samples_cover_every_kind(self) -> None:
        assert {type(event) for event in EVENTS} == set(get_args(get_args(Event)[0]))

    def test_refuse_a_kind_of_a_newer_release(self) -> None:
        with pytest.raises(StateTooNew, match="voicemail"):
            codec.load_event("voicemail", "e1", NOW, "{}")


class TestCase:
    def test_comes_back_exactly_with_every_field(self) -> None:
        guardian = Contact(first_name=SecretStr("Eva"), mobile=PhoneNumber("+13125550144"))
        full = patient(
            language="es", status=PatientStatus.INACTIVE, email=EmailAddress("ana@example.com"), guardian=guardian,
            household_id="h1", zone="America/Denver", state="CO", postal_code=SecretStr("80014"),
            emailing=Permission.NO, detail_allowed=True, flags=frozenset({Flag.PROTECTED, Flag.BALANCE_DUE}),
        )  # fmt: skip
        done = procedure("p2", surface="MO", provider_id="lee", status=ProcedureStatus.COMPLETED, plan_priority="1")
        original = case(
            id='a"b\\c', owner=full, procedures=(procedure(), done), provider_id="lee", visit_on=date(2026, 11, 17),
            next_visit_at=NOW, last_staff_contact_at=NOW, synced_at=NOW,
        )  # fmt: skip

        back = codec.load_case(original.id, codec.dump_patient(full), codec.dump_case(original))

        assert back == original
        assert back.patient.first_name.get_secret_value() == "Ana"
        assert back.patient.postal_code is not None
        assert back.patient.postal_code.get_secret_value() == "80014"


class TestStorable:
    @pytest.mark.parametrize(
        ("given", "kept"),
        [("plain", "plain"), ("a\x00b", "a\ufffdb"), ("a\ud800b", "a\ufffdb"), ("¿mañana? 👍", "¿mañana? 👍")],
    )
    def test_replaces_what_no_database_takes_and_keeps_the_length(self, given: str, kept: str) -> None:
        assert storable(given) == kept
        assert len(storable(given)) == len(given)
