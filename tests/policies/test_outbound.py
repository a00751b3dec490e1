from __future__ import annotations

import ast
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from policy_samples import (
    NOW,
    OFFICE,
    PHONE,
    POLICY,
    SLOTS,
    case,
    contact,
    conversation,
    facts,
    mark,
    patient,
    slot,
)

import treatment_agent
from treatment_agent.domain.books import ConversationFacts
from treatment_agent.domain.consent import ConsentStatus
from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.messages import ApprovedMessage, Channel, PlannedSend, ScriptFacts, SendKind
from treatment_agent.domain.patients import Contact
from treatment_agent.domain.private import EmailAddress, PhoneNumber
from treatment_agent.domain.scheduling import Booking, BookingStatus
from treatment_agent.errors import NotPermitted
from treatment_agent.policies.outbound import approve
from treatment_agent.policies.practice import PracticePolicy, Script

REVOKED = facts(revoked_at=NOW - timedelta(minutes=2), conversation=conversation(phase=Phase.OPTED_OUT))
HELD = conversation(phase=Phase.WITH_STAFF, handoff_id="h1")
CONFIRMED = Booking("k", SLOTS[0], BookingStatus.CONFIRMED)


def send(script_id: str = "offer", kind: SendKind = SendKind.REPLY, **changes: object) -> PlannedSend:
    plain = PlannedSend(
        key="c1:e1:0",
        script_id=script_id,
        language="en",
        kind=kind,
        facts=ScriptFacts(slots=SLOTS, visit_on=date(2026, 11, 24), provider_id="lee"),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


OUTREACH = send("first-message", SendKind.OUTREACH)
STOPPED = send("opt-out-confirmation", SendKind.OPT_OUT)
HANDOFF = send("handoff-other", SendKind.HANDOFF)
EMERGENCY = send("emergency", SendKind.EMERGENCY)


def passes(
    planned: PlannedSend,
    known: ConversationFacts | None = None,
    *,
    now: datetime = NOW,
    policy: PracticePolicy = POLICY,
    revoked_now: bool = False,
) -> ApprovedMessage:
    return approve(planned, policy=policy, facts=known or facts(), now=now, revoked_in_this_turn=revoked_now)


def refused(planned: PlannedSend, known: ConversationFacts | None = None, **how: object) -> str:
    with pytest.raises(NotPermitted) as refusal:
        passes(planned, known, **how)  # type: ignore[arg-type]
    return refusal.value.rule


def with_script(text: str, **changes: object) -> PracticePolicy:
    own = Script(id="own", version=1, language="en", text=text, approved_by="Pat").model_copy(update=changes)
    return POLICY.model_copy(update={"scripts": POLICY.scripts.with_script(own)})


class TestPermit:
    def test_carries_the_approved_script_and_the_filled_text(self) -> None:
        message = passes(OUTREACH)

        script = POLICY.scripts.get("first-message", "en")
        assert message.body.get_secret_value() == (
            "Maple Street Dental automated assistant: Hi Ana, thank you for coming in on Tue Nov 24! "
            "For your next visit, reply 1 or 2:\n1) Tue Dec 1 at 9:00 AM\n2) Thu Dec 3 at 2:00 PM\n"
            "Or ask for a short call, or book: https://maple.example/book\n"
            "Call (312) 555-0100. Reply STOP to opt out."
        )
        assert (message.to, message.key, message.conversation_id) == (PHONE, "c1:e1:0", "c1")
        assert (message.content_hash, message.approved_by) == (script.content_hash, script.approved_by)

    def test_shows_no_text_and_no_number(self) -> None:
        shown = repr(passes(OUTREACH))

        assert "Ana" not in shown
        assert "555011" not in shown

    def test_falls_back_to_english(self) -> None:
        assert passes(send("thanks", language="vi")).language == "en"
        assert passes(send("thanks", language="es")).language == "es"

    def test_gives_email_a_subject(self) -> None:
        address = EmailAddress("ana@example.com")
        mail = contact(channel=Channel.EMAIL, address=address)
        known = facts(case=case(who=patient(email=address)), contacts=(contact(), mail))

        message = passes(send("thanks", channel=Channel.EMAIL), known)

        assert (message.to, message.subject) == (address, "Maple Street Dental")

    def test_names_the_guardian_who_owns_the_phone(self) -> None:
        mother = PhoneNumber("+13125550118")
        child = patient(born_on=date(2015, 1, 1), guardian=Contact(first_name="Eva", mobile=mother))
        known = facts(case=case(who=child), contacts=(contact(), contact(address=mother)))

        message = passes(OUTREACH, known)

        assert message.to == mother
        assert "Hi Eva," in message.body.get_secret_value()

    def test_answers_a_stranger_without_a_name(self) -> None:
        stranger = facts(case=None, conversation=conversation(case_id=None, patient_id=None))

        assert passes(send("help", facts=ScriptFacts()), stranger).to == PHONE


class TestScriptRules:
    def test_refuses_unknown_and_unapproved_scripts(self) -> None:
        assert refused(send("improvised")) == "outbound.script-not-approved"
        assert refused(send("own"), policy=with_script("Hi", approved_by=" ")) == "outbound.script-not-approved"
        assert passes(send("own"), policy=with_script("Hi")).script_id == "own"

    def test_refuses_what_cannot_be_filled(self) -> None:
        assert refused(send("callback-confirmed-at")) == "outbound.unfillable"
        assert passes(send("callback-confirmed-at", facts=ScriptFacts(call_at=NOW))).script_id

    @pytest.mark.parametrize("character", ["\x00", "\t", "\u202e", "\u200b", "\u2028"])
    def test_refuses_control_characters(self, character: str) -> None:
        assert refused(send("own"), policy=with_script(f"Hi{character}")) == "outbound.control-character"

    def test_permits_line_breaks_and_emoji(self) -> None:
        assert passes(send("own"), policy=with_script("Hi\n\U0001f600")).script_id == "own"

    def test_refuses_a_text_beyond_1600_characters(self) -> None:
        assert refused(send("own"), policy=with_script("x" * 1601)) == "outbound.too-long"
        assert passes(send("own"), policy=with_script("x" * 1600)).script_id == "own"

    @pytest.mark.parametrize(
        ("kind", "script_id"),
        [(SendKind.OPT_OUT, "offer"), (SendKind.EMERGENCY, "offer"), (SendKind.EMERGENCY, "first-message")],
    )
    def test_ties_the_privileged_kinds_to_their_texts(self, kind: SendKind, script_id: str) -> None:
        assert refused(send(script_id, kind)) == "outbound.kind-script"
        assert passes(send("crisis", SendKind.EMERGENCY)).script_id == "crisis"


class TestFactRules:
    def test_refuses_a_slot_that_was_not_offered(self) -> None:
        other = slot(3, SLOTS[0].start + timedelta(hours=1))

        assert refused(send(facts=ScriptFacts(slots=(SLOTS[0], other)))) == "outbound.slot-not-offered"
        assert refused(send(), facts(conversation=conversation(offers=()))) == "outbound.slot-not-offered"
        assert passes(send()).script_id == "offer"

    def test_says_booked_only_of_the_confirmed_booking(self) -> None:
        booked = send("booked", facts=ScriptFacts(slots=SLOTS[:1]))
        requested = replace(CONFIRMED, status=BookingStatus.REQUESTED)

        assert passes(booked, facts(conversation=conversation(offers=(), booking=CONFIRMED))).script_id == "booked"
        assert refused(booked, facts(conversation=conversation(booking=requested))) == "outbound.not-confirmed"
        assert refused(booked) == "outbound.not-confirmed"
        other = facts(conversation=conversation(booking=replace(CONFIRMED, slot=SLOTS[1])))
        assert refused(booked, other) == "outbound.not-confirmed"

    @pytest.mark.parametrize("filling", [ScriptFacts(visit_on=date(2026, 11, 23)), ScriptFacts(provider_id="stranger")])
    def test_refuses_days_and_providers_that_are_not_the_cases(self, filling: ScriptFacts) -> None:
        assert refused(send("thanks", facts=filling)) == "outbound.fact-not-verified"

    def test_permits_a_provider_of_the_office(self) -> None:
        assert passes(send("thanks", facts=ScriptFacts(provider_id="kim"))).script_id == "thanks"


class TestConsent:
    @pytest.mark.parametrize("planned", [OUTREACH, send(), HANDOFF, EMERGENCY])
    def test_silences_everything_after_a_revocation(self, planned: PlannedSend) -> None:
        assert refused(planned, REVOKED) == "outbound.consent-revoked"
        assert passes(planned).key

    def test_confirms_an_opt_out_once_within_five_minutes(self) -> None:
        assert passes(STOPPED, REVOKED).script_id == "opt-out-confirmation"
        assert passes(STOPPED, REVOKED, now=NOW + timedelta(minutes=3)).script_id
        late = NOW + timedelta(minutes=3, seconds=1)
        assert refused(STOPPED, REVOKED, now=late) == "outbound.confirmation-late"
        again = replace(REVOKED, sent=(mark(timedelta(minutes=1), SendKind.OPT_OUT),))
        assert refused(STOPPED, again) == "outbound.confirmation-once"

    def test_confirms_a_second_opt_out_after_a_fresh_opt_in(self) -> None:
        earlier = replace(REVOKED, sent=(mark(timedelta(days=30), SendKind.OPT_OUT),))

        assert passes(STOPPED, earlier).kind is SendKind.OPT_OUT

    def test_confirms_nothing_that_was_not_revoked(self) -> None:
        assert refused(STOPPED) == "outbound.no-revocation"

    def test_knows_a_revocation_of_this_turn_before_the_ledger_does(self) -> None:
        assert passes(STOPPED, revoked_now=True).kind is SendKind.OPT_OUT
        assert passes(EMERGENCY, revoked_now=True).kind is SendKind.EMERGENCY
        assert refused(send(), revoked_now=True) == "outbound.consent-revoked"
        assert refused(HANDOFF, revoked_now=True) == "outbound.consent-revoked"

    def test_answers_someone_who_never_gave_consent(self) -> None:
        unknown = facts(contacts=(contact(consent=ConsentStatus.NONE, consent_at=None),))

        assert passes(send(), unknown).kind is SendKind.REPLY
        assert refused(OUTREACH, unknown) == "contact.no-consent"


class TestHold:
    def test_lets_one_handoff_text_and_emergencies_through(self) -> None:
        told = facts(conversation=replace(HELD, handoff_text_sent=True))

        assert passes(HANDOFF, facts(conversation=HELD)).kind is SendKind.HANDOFF
        assert refused(HANDOFF, told) == "outbound.held"
        assert passes(EMERGENCY, told).kind is SendKind.EMERGENCY

    @pytest.mark.parametrize("planned", [send(), OUTREACH])
    def test_holds_back_the_rest(self, planned: PlannedSend) -> None:
        assert refused(planned, facts(conversation=HELD)) == "outbound.held"


class TestContact:
    def test_refuses_without_an_address(self) -> None:
        assert refused(send(), facts(contacts=())) == "outbound.no-contact"
        assert refused(send(channel=Channel.EMAIL)) == "outbound.no-contact"

    def test_refuses_an_address_that_cannot_receive_texts(self) -> None:
        assert refused(send(), facts(contacts=(contact(capable=False),))) == "outbound.not-capable"


class TestOutreach:
    def test_keeps_quiet_hours_and_caps_for_outreach_only(self) -> None:
        night = NOW.replace(hour=23)
        capped = facts(sent=(mark(timedelta(hours=2)),))

        assert refused(OUTREACH, now=night) == "contact.quiet-hours"
        assert refused(OUTREACH, capped) == "contact.cap-day"
        assert passes(send(), now=night).kind is SendKind.REPLY
        assert passes(send(), capped).kind is SendKind.REPLY

    @pytest.mark.parametrize("phase", [Phase.DECLINED, Phase.CLOSED, Phase.NEEDS_REVIEW])
    def test_does_not_write_first_when_it_is_over(self, phase: Phase) -> None:
        assert refused(OUTREACH, facts(conversation=conversation(phase=phase))) == "outbound.phase"
        assert passes(send(), facts(conversation=conversation(phase=phase))).kind is SendKind.REPLY


class TestProperties:
    @given(
        name=st.text(max_size=40),
        script_id=st.sampled_from(sorted({s.id for s in POLICY.scripts.scripts})),
        language=st.sampled_from(["en", "es"]),
        kind=st.sampled_from(SendKind),
    )
    def test_property_every_word_is_the_scripts_or_a_verified_fact(
        self, name: str, script_id: str, language: str, kind: SendKind
    ) -> None:
        known = facts(
            case=case(who=patient(first_name=name)),
            conversation=conversation(booking=CONFIRMED),
        )
        try:
            message = passes(send(script_id, kind, language=language), known)
        except NotPermitted:
            return
        body = message.body.get_secret_value()
        script = POLICY.scripts.get(script_id, language)
        for piece in _literals(script.text):
            assert piece in body
            body = body.replace(piece, "\n", 1)
        verified = f"{OFFICE.model_dump_json()} {name} there on el at a las de 0123456789:AMPM{_CALENDAR}\n"
        assert set(body) <= set(verified)

    @given(
        kind=st.sampled_from(SendKind),
        script_id=st.sampled_from(["offer", "first-message", "handoff-other", "opt-out-confirmation", "thanks"]),
        minutes=st.integers(6, 60 * 24 * 60),
    )
    def test_property_nothing_leaves_once_the_confirmation_is_due(
        self, kind: SendKind, script_id: str, minutes: int
    ) -> None:
        known = facts(revoked_at=NOW - timedelta(minutes=minutes))

        with pytest.raises(NotPermitted):
            passes(send(script_id, kind), known)


_CALENDAR = "MonTueWedThuFriSatSunJanFebMarAprMayJunJulAugSepOctNovDec lunmarmiéjueviesabdom enefebabragodic"


def _literals(text: str) -> list[str]:
    """The author's own words: what stands between fill-ins, without the spaces that may be dropped."""
    pieces = [text]
    for name in Script(id="x", version=1, language="en", text=text, approved_by="x").fields:
        pieces = [part for piece in pieces for part in piece.split(f"{{{name}}}")]
    return [piece.strip() for piece in pieces if piece.strip()]


class TestConstruction:
    @pytest.mark.parametrize(
        ("permit", "home"), [("ApprovedMessage", "policies/outbound.py"), ("ApprovedBooking", "policies/booking.py")]
    )
    def test_of_a_permit_happens_in_one_module(self, permit: str, home: str) -> None:
        package = Path(treatment_agent.__file__).parent
        found = {
            path.relative_to(package).as_posix()
            for path in package.rglob("*.py")
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == permit
        }

        assert found == {home}
