"""Consent per contact point and purpose, and the file of a contact point, in both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from ledger_samples import (
    HOUR,
    NOW,
    REVOKE,
    case,
    committed,
    email,
    enrolled,
    grant,
    message,
    patient,
    phone,
    record,
    revocation,
    sent,
    state,
    text_out,
)

from treatment_agent.domain.books import TurnCommit
from treatment_agent.domain.consent import ConsentHow, ConsentStatus
from treatment_agent.domain.events import StaffAction, StaffVerb
from treatment_agent.domain.messages import Channel, SendKind
from treatment_agent.domain.turn import ConsentChange
from treatment_agent.errors import NotFound
from treatment_agent.ledger.sql_ledger import SqlLedger

G, R, N = ConsentStatus.GRANTED, ConsentStatus.REVOKED, ConsentStatus.NONE


def standing(ledger: SqlLedger, conversation: str = "c17") -> list[ConsentStatus]:
    return [c.consent for c in ledger.facts(conversation, at=NOW).contacts]


def staff_turn(ledger: SqlLedger, change: ConsentChange, at: timedelta = HOUR) -> None:
    """A turn of staff's: no sender."""
    verb = StaffVerb.RECORD_CONSENT if change.status is G else StaffVerb.RECORD_REVOCATION
    event = StaffAction(id=f"staff-{at}", at=NOW + at, verb=verb, by="kim")
    ledger.claim("c17", event, at=NOW + at)
    ledger.commit_turn(TurnCommit(record(event.id, at=NOW + at, consent=change), state()), at=NOW + at)


class TestPurpose:
    def test_a_grant_for_something_else_is_no_grant_for_us(self, ledger: SqlLedger) -> None:
        enrolled(ledger, consents=())
        ledger.record_consent(phone(), grant(purpose="marketing"), at=NOW)
        assert standing(ledger) == [N]

    def test_a_revocation_of_something_else_leaves_our_grant(self, ledger: SqlLedger) -> None:
        enrolled(ledger)
        ledger.record_consent(phone(), revocation(NOW + HOUR, purpose="marketing"), at=NOW + HOUR)
        assert standing(ledger) == [G]

    def test_a_revocation_of_everything_binds(self, ledger: SqlLedger) -> None:
        enrolled(ledger)
        ledger.record_consent(phone(), revocation(NOW + HOUR, purpose="all"), at=NOW + HOUR)
        assert standing(ledger) == [R]


class TestPoint:
    def test_start_from_the_phone_grants_for_the_phone(self, ledger: SqlLedger) -> None:
        enrolled(ledger, case=case(owner=patient(email=email())))
        committed(ledger, record=record(consent=REVOKE))
        start = ConsentChange(G, ConsentHow.KEYWORD)
        committed(ledger, event=message("SM2", NOW + HOUR), record=record("SM2", consent=start))
        assert standing(ledger) == [G, R]

    def test_staff_grant_for_the_numbers_of_today_only(self, ledger: SqlLedger) -> None:
        enrolled(ledger)
        committed(ledger, record=record(consent=ConsentChange(R, ConsentHow.WRONG_NUMBER)))
        enrolled(ledger, case=case(owner=patient(mobile=phone(18))))

        staff_turn(ledger, ConsentChange(G, ConsentHow.PHONE, "kim"))

        assert standing(ledger) == [G]
        assert ledger.contact_file(phone(17)).standing is R

    @pytest.mark.parametrize(("channel", "after"), [(Channel.SMS, [G, R]), (Channel.EMAIL, [R, G]), (None, [G, G])])
    def test_staff_grant_for_the_channel_they_name(
        self, ledger: SqlLedger, channel: Channel | None, after: list[ConsentStatus]
    ) -> None:
        enrolled(ledger, case=case(owner=patient(email=email())))
        committed(ledger, record=record(consent=REVOKE))
        staff_turn(ledger, ConsentChange(G, ConsentHow.PAPER, "kim", channel=channel))
        assert standing(ledger) == after

    def test_a_revocation_does_not_silence_the_new_owner_of_a_former_number(self, ledger: SqlLedger) -> None:
        enrolled(ledger)
        enrolled(ledger, case=case(owner=patient(mobile=phone(18))))
        enrolled(ledger, 20, case=case(20, owner=patient(20, mobile=phone(17))))

        staff_turn(ledger, ConsentChange(R, ConsentHow.PHONE, "kim"))

        assert standing(ledger) == [R]
        assert standing(ledger, "c20") == [G]


class TestContactFile:
    def test_holds_consents_with_their_proof_texts_and_messages(self, ledger: SqlLedger) -> None:
        enrolled(ledger)
        sent(ledger, text_out(), at=NOW + HOUR)
        stop = message("SM9", NOW + 2 * HOUR)
        committed(ledger, event=stop, text="please stop", record=record("SM9", at=stop.at, consent=REVOKE))
        sent(ledger, text_out("c17:SM9:0", kind=SendKind.OPT_OUT), at=NOW + 2 * HOUR)

        file = ledger.contact_file(phone())

        assert (file.patients, file.former_patients, file.channel) == (("p17",), (), Channel.SMS)
        assert [(c.status, c.how, c.evidence, c.purpose) for c in file.consents] == [
            (G, ConsentHow.CHART, "", "treatment_follow_up"),
            (R, ConsentHow.KEYWORD, "SM9", "all"),
        ]
        words = file.consents[1].words
        assert words is not None
        assert words.get_secret_value() == "please stop"
        assert [(t.kind, t.status, t.approved_by, t.content_hash) for t in file.sent] == [
            (SendKind.OUTREACH, "sent", "office", "ab" * 32),
            (SendKind.OPT_OUT, "sent", "office", "ab" * 32),
        ]
        assert "SM9" in [m.event_id for m in file.received]
        assert (file.standing_at(NOW + HOUR), file.standing) == (G, R)
        assert file.sent_after_revocation == ()

    def test_shows_a_text_that_left_after_a_revocation(self, ledger: SqlLedger) -> None:
        enrolled(ledger)
        ledger.record_consent(phone(), revocation(NOW), at=NOW)
        sent(ledger, text_out(), at=NOW + HOUR)
        assert [t.script_id for t in ledger.contact_file(phone()).sent_after_revocation] == ["outreach.first"]

    def test_counts_a_revocation_once_that_was_said_elsewhere(self, ledger: SqlLedger) -> None:
        enrolled(ledger, case=case(owner=patient(email=email())))
        committed(ledger, record=record(consent=REVOKE))
        assert [c.status for c in ledger.contact_file(email()).consents] == [R]

    def test_lists_all_contact_points_or_those_of_one_patient(self, ledger: SqlLedger) -> None:
        enrolled(ledger, case=case(owner=patient(email=email())))
        enrolled(ledger, 18)
        assert set(ledger.contact_addresses()) == {phone(17), email(17), phone(18)}
        assert ledger.contact_addresses(patient_id="p18") == (phone(18),)
        assert ledger.contact_addresses(patient_id="nobody") == ()

    def test_of_an_unknown_number_says_so_without_the_number(self, ledger: SqlLedger) -> None:
        with pytest.raises(NotFound) as error:
            ledger.contact_file(phone(99))
        assert "5501" not in str(error.value)
