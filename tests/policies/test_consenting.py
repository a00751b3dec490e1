"""Consent that no patient texted: staff's notes, carriers' answers and errors."""

from __future__ import annotations

import pytest
from policy_samples import NOW, conversation
from pydantic import ValidationError

from treatment_agent.domain.consent import ConsentHow, ConsentNote, ConsentStatus
from treatment_agent.domain.conversation import Disposition, Move, Phase
from treatment_agent.domain.events import StaffAction, StaffVerb
from treatment_agent.domain.messages import Channel
from treatment_agent.domain.turn import Decision
from treatment_agent.policies.consenting import TWILIO_KEYWORDS, ConsentRules, recorded


def staff(verb: StaffVerb, phase: Phase = Phase.CONTACTED, **note: object) -> Decision:
    action = StaffAction(id="s1", at=NOW, verb=verb, by="kim", note=ConsentNote.model_validate(note))
    return recorded(action, conversation(phase=phase), f"staff.{verb.value.replace('_', '-')}")


class TestRecorded:
    def test_revocation_ends_the_follow_up_and_keeps_who_how_and_proof(self) -> None:
        decision = staff(StaffVerb.RECORD_REVOCATION, how="phone", evidence="call-113")

        assert decision.rules == ("staff.record-revocation",)
        assert (decision.move, decision.disposition) == (Move.REVOKE, Disposition.OPTED_OUT)
        change = decision.consent
        assert change is not None
        assert (change.status, change.how, change.by, change.evidence) == (
            ConsentStatus.REVOKED,
            ConsentHow.PHONE,
            "kim",
            "call-113",
        )

    def test_grant_reopens_only_what_was_opted_out(self) -> None:
        assert staff(StaffVerb.RECORD_CONSENT, Phase.OPTED_OUT).move is Move.OPT_IN
        assert staff(StaffVerb.RECORD_CONSENT, Phase.CONTACTED).move is Move.STAY

    def test_channel_narrows_a_grant_and_never_a_revocation(self) -> None:
        granted = staff(StaffVerb.RECORD_CONSENT, channel="sms").consent
        revoked = staff(StaffVerb.RECORD_REVOCATION, channel="sms").consent
        assert granted is not None
        assert revoked is not None
        assert (granted.channel, revoked.channel) == (Channel.SMS, None)

    @pytest.mark.parametrize("verb", [StaffVerb.RECORD_CONSENT, StaffVerb.RECORD_REVOCATION])
    @pytest.mark.parametrize(
        ("purpose", "ours"), [("marketing", False), ("treatment_follow_up", True), ("all", True), ("", True)]
    )
    def test_another_purpose_is_kept_and_changes_nothing_here(self, verb: StaffVerb, purpose: str, ours: bool) -> None:
        decision = staff(verb, Phase.OPTED_OUT, purpose=purpose)

        assert (decision.rules == ("staff.record-other-purpose",)) is not ours
        assert (decision.move is Move.STAY) is not ours
        assert decision.consent is not None

    @pytest.mark.parametrize("evidence", ["Ana said so", "x" * 81, "call\n1"])
    def test_proof_is_a_reference_and_never_words(self, evidence: str) -> None:
        with pytest.raises(ValidationError):
            ConsentNote(evidence=evidence)


class TestCarrierKeywords:
    @pytest.mark.parametrize("text", ["STOP", " stop. ", "Unsubscribe", "OPT-OUT", "CANCEL!"])
    def test_are_answered_by_the_carrier(self, text: str) -> None:
        assert ConsentRules(carrier_keywords=TWILIO_KEYWORDS).answered_by_carrier(text)

    @pytest.mark.parametrize("text", ["stop texting me", "ALTO", "please stop", ""])
    def test_match_whole_messages_only(self, text: str) -> None:
        assert not ConsentRules(carrier_keywords=TWILIO_KEYWORDS).answered_by_carrier(text)

    def test_are_none_unless_the_office_says_so(self) -> None:
        assert not ConsentRules().answered_by_carrier("STOP")
