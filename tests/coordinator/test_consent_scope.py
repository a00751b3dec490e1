"""Whom a grant or revocation reaches: the person everywhere, and everybody on the same number (P1)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from office_samples import ANA_PHONE, Office, ana, office_profile, someone

from treatment_agent import PracticePolicy
from treatment_agent.coordinator import consents
from treatment_agent.domain.consent import ConsentHow, ConsentNote, ConsentStatus
from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.handoff import HandoffKind
from treatment_agent.domain.messages import DeliveryReport, DeliveryStatus
from treatment_agent.domain.private import PhoneNumber
from treatment_agent.errors import ConfigurationError, NotFound
from treatment_agent.policies.consenting import TWILIO_KEYWORDS, ConsentRules

PHONED = ConsentNote(how=ConsentHow.PHONE, evidence="call-7")
G, R = ConsentStatus.GRANTED, ConsentStatus.REVOKED
BEN_PHONE = PhoneNumber("+13125550118")


def phase(office: Office, name: str) -> Phase:
    return office.conversation(f"case-{name}").phase


def standing(office: Office, phone: PhoneNumber = ANA_PHONE) -> ConsentStatus:
    return office.coordinator.ledger.contact_file(phone).standing


class TestToldToStaff:
    def test_a_revocation_reaches_everybody_on_the_phone(self, office: Office) -> None:
        office.first_touch(ana(), someone("ben"), someone("cleo", BEN_PHONE))
        office.sent()

        outcome = office.coordinator.record_revocation("case-ana", by="kim", note=PHONED)

        assert outcome.rules[0] == "staff.record-revocation"
        assert [phase(office, n) for n in ("ana", "ben")] == [Phase.OPTED_OUT] * 2
        assert phase(office, "cleo") is Phase.CONTACTED
        first = next(c for c in office.coordinator.ledger.contact_file(ANA_PHONE).consents if c.status is R)
        assert (first.how, first.by, first.evidence, first.purpose) == (ConsentHow.PHONE, "kim", "call-7", "all")
        assert "first-message" not in office.let_days_pass(40)[1:]

    def test_a_grant_is_for_the_patient_who_gave_it(self, office: Office) -> None:
        office.first_touch(ana(), someone("ben"))
        office.text("STOP")

        office.coordinator.record_consent("case-ana", by="kim", note=PHONED)

        assert phase(office, "ana") is Phase.IN_CONVERSATION
        assert phase(office, "ben") is Phase.OPTED_OUT

    def test_another_purpose_changes_nothing_here(self, office: Office) -> None:
        office.first_touch()

        note = ConsentNote(purpose="marketing")
        outcome = office.coordinator.record_revocation("case-ana", by="kim", note=note)

        assert outcome.rules[0] == "staff.record-other-purpose"
        assert phase(office, "ana") is Phase.CONTACTED
        assert standing(office) is G

    def test_is_recorded_for_a_number_or_a_patient(self, office: Office) -> None:
        office.first_touch(ana(), someone("ben"))

        outcomes = consents.record(office.coordinator, "(312) 555-0117", R, by="kim", note=PHONED)
        assert [o.phase_after for o in outcomes] == [Phase.OPTED_OUT]
        assert phase(office, "ben") is Phase.OPTED_OUT

        consents.record(office.coordinator, "ben", G, by="kim", note=PHONED)
        assert (phase(office, "ana"), phase(office, "ben")) == (Phase.OPTED_OUT, Phase.IN_CONVERSATION)

    def test_a_grant_for_a_shared_number_needs_the_patient(self, office: Office) -> None:
        office.first_touch(ana(), someone("ben"))
        with pytest.raises(ConfigurationError, match="patient's id"):
            consents.record(office.coordinator, "+13125550117", G, by="kim", note=PHONED)

    def test_silences_a_number_before_anybody_has_it(self, office: Office) -> None:
        assert consents.record(office.coordinator, "312-555-0117", R, by="kim", note=PHONED) == ()

        office.first_touch()

        assert office.sent() == []
        assert standing(office) is R

    def test_of_nobody_is_refused(self, office: Office) -> None:
        with pytest.raises(NotFound):
            consents.record(office.coordinator, "nobody", R, by="kim", note=PHONED)


class TestStart:
    def test_is_confirmed_once_although_the_mailbox_stays_closed(self, office: Office) -> None:
        office.first_touch(someone("ana", email="ana@example.com"))
        office.text("STOP")
        office.sent()
        for _ in range(2):
            office.clock.advance(timedelta(minutes=1))
            office.text("START")

        assert office.sent().count("opt-in-confirmation") == 1
        sms, mail = office.coordinator.ledger.facts("case-ana", at=office.clock.now()).contacts
        assert (sms.consent, mail.consent) == (G, R)


class TestStartOnASharedPhone:
    """Ana and Ben have one phone; Ben tells staff that he wants no texts."""

    def test_of_who_stopped_by_text_does_not_lift_what_another_told_staff(self, office: Office) -> None:
        office.first_touch(ana(), someone("ben"))
        stopped = office.text("STOP")
        writer = next(n for n in ("ana", "ben") if stopped.conversation_id == f"case-{n}")
        other = "ben" if writer == "ana" else "ana"
        office.clock.advance(timedelta(minutes=1))
        office.coordinator.record_revocation(f"case-{other}", by="kim", note=PHONED)
        office.clock.advance(timedelta(minutes=1))

        office.text("START")

        assert (phase(office, writer), phase(office, other)) == (Phase.IN_CONVERSATION, Phase.OPTED_OUT)
        silent = office.coordinator.ledger.facts(f"case-{other}", at=office.clock.now())
        assert [c.consent for c in silent.contacts] == [R]

    def test_in_the_thread_of_who_told_staff_is_asked_about(self, office: Office) -> None:
        office.first_touch(ana(), someone("ben"))
        for name in ("ana", "ben"):
            office.coordinator.record_revocation(f"case-{name}", by="kim", note=PHONED)
        office.sent()
        office.clock.advance(timedelta(minutes=1))

        outcome = office.text("START")

        assert outcome.rules[0] == "consent.start-shared"
        assert [h.kind for h in outcome.handoffs] == [HandoffKind.REVIEW]
        assert office.sent() == []
        assert {phase(office, "ana"), phase(office, "ben")} == {Phase.OPTED_OUT}

    def test_counts_at_once_where_the_phone_is_one_patients(self, office: Office) -> None:
        office.first_touch()
        office.coordinator.record_revocation("case-ana", by="kim", note=PHONED)
        office.clock.advance(timedelta(minutes=1))
        office.text("START")
        assert phase(office, "ana") is Phase.IN_CONVERSATION
        assert standing(office) is G


class TestCarrier:
    @pytest.mark.parametrize("said", [{"opted_out": True}, {"error_code": "21610"}])
    def test_error_revokes_in_silence(self, office: Office, said: dict[str, object]) -> None:
        office.first_touch()
        office.sent()
        fields = {"id": "r1", "provider_message_id": "memory-1", "status": DeliveryStatus.FAILED}

        office.coordinator.delivery(DeliveryReport(**fields, reported_at=office.clock.now(), **said))

        assert phase(office, "ana") is Phase.OPTED_OUT
        assert standing(office) is R
        assert office.let_days_pass(30) == []

    def test_refusal_with_the_providers_own_code_revokes(self, office: Office) -> None:
        office.enroll()
        office.messenger.refuse(ANA_PHONE, "21610")
        office.run_at(office.clock.now() + timedelta(hours=16))
        assert phase(office, "ana") is Phase.OPTED_OUT

    @pytest.mark.parametrize(("words", "ours"), [("STOP", []), ("stop texting me", ["opt-out-confirmation"])])
    def test_answers_its_own_keywords(self, built, words: str, ours: list[str]) -> None:
        rules = ConsentRules(carrier_keywords=TWILIO_KEYWORDS)
        office = built(PracticePolicy(id="maple", office=office_profile(), consent=rules))
        office.first_touch()
        office.sent()

        outcome = office.text(words)

        assert outcome.phase_after is Phase.OPTED_OUT
        assert office.sent() == ours


class TestWrongNumber:
    def test_silences_the_number_for_all_and_asks_for_the_right_one(self, office: Office) -> None:
        office.first_touch(ana(), someone("ben", email="ben@example.com"))
        office.sent()

        office.text("you have the wrong number")

        assert office.sent() == ["wrong-number"]
        assert [phase(office, n) for n in ("ana", "ben")] == [Phase.OPTED_OUT] * 2
        assert HandoffKind.CHART_REPAIR in office.tasks()
        sms, mail = office.coordinator.ledger.facts("case-ben", at=office.clock.now()).contacts
        assert sms.consent is R
        assert mail.consent is not R

    def test_the_right_number_with_staffs_word_leaves_the_wrong_one_silent(self, office: Office) -> None:
        office.first_touch()
        office.text("you have the wrong number")
        office.enroll(ana(patient=someone("ana", BEN_PHONE).patient))

        office.coordinator.record_consent("case-ana", by="kim", note=PHONED)

        assert standing(office, BEN_PHONE) is G
        assert standing(office) is R
        assert office.text("hi there, who is this", sender=BEN_PHONE).conversation_id == "case-ana"


class TestPrivacy:
    def test_the_files_values_do_not_print_themselves(self, office: Office) -> None:
        office.first_touch()
        office.text("please stop texting me, Marker-Words")
        shown = repr(office.coordinator.ledger.contact_file(ANA_PHONE))
        assert "Marker-Words" not in shown
        assert "3125550117" not in shown
