"""What happens outside: the chart, staff, the calendar's answer, delivery reports."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from policy_samples import NOW, POLICY, SLOTS, conversation, facts

from treatment_agent.domain.consent import ConsentHow, ConsentStatus
from treatment_agent.domain.conversation import Disposition, Move, Phase
from treatment_agent.domain.events import (
    BookingSettled,
    ChartChange,
    ChartChanged,
    DeliveryReported,
    StaffAction,
    StaffVerb,
)
from treatment_agent.domain.handoff import (
    HandoffKind,
    HandoffPacket,
    HandoffStatus,
    NextStep,
    Role,
    Urgency,
)
from treatment_agent.domain.messages import DeliveryStatus
from treatment_agent.domain.scheduling import Booking, BookingStatus
from treatment_agent.domain.turn import Decision, DueChange
from treatment_agent.policies import reconcile

REQUESTED = Booking("c1:e0:book", SLOTS[0], BookingStatus.REQUESTED, ("p1",))


def known(**changes):
    extra = {k: changes.pop(k) for k in ("open_handoffs", "last_patient_at") if k in changes}
    return facts(conversation=conversation(**{"phase": Phase.CONTACTED, "step": 1, **changes}), **extra)


def decide(event, state=None) -> Decision:
    return reconcile.decide(event, state or known(), POLICY, NOW)


def staff(verb: StaffVerb, **more) -> StaffAction:
    return StaffAction(id="s1", at=NOW, verb=verb, by="kim", **more)


HELD = {"phase": Phase.WITH_STAFF, "handoff_id": "h1"}


class TestChart:
    @pytest.mark.parametrize(
        ("change", "rule"),
        [
            (ChartChange.BOOKED, "chart.booked"),
            (ChartChange.DONE, "chart.treatment-changed"),
            (ChartChange.DECLINED, "chart.treatment-changed"),
            (ChartChange.DECEASED, "chart.deceased"),
            (ChartChange.DO_NOT_CONTACT, "chart.do-not-contact"),
        ],
    )
    def test_ends_the_follow_up_in_silence(self, change, rule):
        decision = decide(ChartChanged(id="x", at=NOW, change=change))
        assert decision.rules == (rule,)
        assert decision.move is Move.CLOSE
        assert decision.says == ()
        assert decision.due is DueChange.CLEAR

    @pytest.mark.parametrize("phase", list(Phase))
    def test_never_makes_a_move_the_table_forbids(self, phase):
        from treatment_agent.policies.progress import advance

        for change in ChartChange:
            state = known(phase=phase)
            advance(state.conversation, decide(ChartChanged(id="x", at=NOW, change=change), state))

    def test_leaves_our_own_booking_alone(self):
        state = known(phase=Phase.BOOKED, disposition=Disposition.BOOKED)
        decision = decide(ChartChanged(id="x", at=NOW, change=ChartChange.BOOKED), state)
        assert decision.move is Move.STAY
        assert decision.disposition is Disposition.BOOKED

    def test_is_remembered_while_staff_hold(self):
        decision = decide(ChartChanged(id="x", at=NOW, change=ChartChange.BOOKED), known(**HELD))
        assert decision.move is Move.STAY
        assert decision.disposition is Disposition.BOOKED_ELSEWHERE

    def test_asks_a_person_when_a_visit_was_cancelled(self):
        decision = decide(ChartChanged(id="x", at=NOW, change=ChartChange.CANCELLED))
        assert decision.rules == ("chart.cancelled",)
        assert decision.handoff is not None

    def test_waits_after_staff_spoke_to_the_patient(self):
        soon = known(due_at=NOW + timedelta(days=1))
        decision = decide(ChartChanged(id="x", at=NOW, change=ChartChange.STAFF_CONTACT), soon)
        assert decision.rules == ("chart.staff-contact",)
        assert decision.due_at == NOW + timedelta(days=7)
        late = known(due_at=NOW + timedelta(days=30))
        assert decide(ChartChanged(id="x", at=NOW, change=ChartChange.STAFF_CONTACT), late).due is DueChange.KEEP


class TestSettled:
    def settled(self, status: BookingStatus, **changes) -> Decision:
        event = BookingSettled(id="b", at=NOW, booking_key="c1:e0:book", status=status, appointment_id="a1")
        return decide(event, known(**{"phase": Phase.BOOKING_REQUESTED, "booking": REQUESTED, **changes}))

    def test_says_booked_only_now(self):
        decision = self.settled(BookingStatus.CONFIRMED)
        assert decision.rules == ("settled.confirmed",)
        assert decision.move is Move.BOOK
        assert [s.script_id for s in decision.says] == ["booked"]
        assert decision.booking == replace(REQUESTED, status=BookingStatus.CONFIRMED, appointment_id="a1")

    def test_tells_the_patient_and_staff_when_it_failed(self):
        decision = self.settled(BookingStatus.FAILED)
        assert decision.rules == ("settled.failed",)
        assert [s.script_id for s in decision.says] == ["booking-failed"]
        assert decision.handoff is not None
        assert decision.handoff.kind is HandoffKind.BOOKING

    @pytest.mark.parametrize("status", [BookingStatus.CONFIRMED, BookingStatus.FAILED])
    def test_is_silent_while_staff_hold_or_after_an_opt_out(self, status):
        for state in (HELD, {"phase": Phase.OPTED_OUT}):
            decision = self.settled(status, **state)
            assert decision.says == ()
            assert decision.move is Move.STAY

    def test_ignores_a_booking_that_does_not_wait_here(self):
        assert self.settled(BookingStatus.CONFIRMED, booking=None).rules == ("settled.unknown-booking",)
        done = replace(REQUESTED, status=BookingStatus.CONFIRMED)
        assert self.settled(BookingStatus.FAILED, booking=done).rules == ("settled.unknown-booking",)


class TestDelivery:
    def reported(self, status: DeliveryStatus, **more) -> Decision:
        return decide(DeliveryReported(id="d", at=NOW, send_key="c1:e0:0", status=status, **more))

    def test_notes_a_delivery(self):
        assert self.reported(DeliveryStatus.DELIVERED).rules == ("delivery.noted",)

    @pytest.mark.parametrize("status", [DeliveryStatus.UNDELIVERED, DeliveryStatus.FAILED])
    def test_opens_a_task_for_a_text_that_did_not_arrive(self, status):
        decision = self.reported(status)
        assert decision.rules == ("delivery.failed",)
        assert decision.handoff is not None
        assert decision.handoff.kind is HandoffKind.DELIVERY

    def test_takes_the_carriers_word_for_an_opt_out(self):
        decision = self.reported(DeliveryStatus.FAILED, opted_out=True, error_code="21610")
        assert decision.rules == ("consent.carrier-opt-out",)
        assert decision.consent is not None
        assert decision.consent.how is ConsentHow.CARRIER
        assert decision.says == ()

    def test_decides_a_stale_touch_again(self):
        decision = self.reported(DeliveryStatus.FAILED, error_code="dispatch.stale-touch")
        assert decision.rules == ("dispatch.stale-touch",)
        assert (decision.step, decision.due_at) == (0, NOW)


class TestStaff:
    def test_take_over_holds_the_conversation(self):
        decision = decide(staff(StaffVerb.TAKE_OVER))
        assert decision.rules == ("staff.take-over",)
        assert decision.move is Move.HAND_OFF
        assert decision.handoff is not None
        assert decision.handoff.kind.holds
        assert decide(staff(StaffVerb.TAKE_OVER), known(**HELD)).desk is HandoffStatus.ACKNOWLEDGED

    @pytest.mark.parametrize(
        ("verb", "rule", "status"),
        [
            (StaffVerb.ACKNOWLEDGE, "staff.acknowledge", HandoffStatus.ACKNOWLEDGED),
            (StaffVerb.RESOLVE, "staff.resolve", HandoffStatus.RESOLVED),
        ],
    )
    def test_moves_the_handoff_along(self, verb, rule, status):
        decision = decide(staff(verb), known(**HELD))
        assert (decision.rules, decision.desk, decision.move) == ((rule,), status, Move.STAY)

    @pytest.mark.parametrize(
        ("step", "rule", "move"),
        [
            (NextStep.RESUME, "staff.release-resume", Move.RELEASE),
            (NextStep.CLOSE, "staff.release-close", Move.CLOSE),
            (NextStep.BOOKED, "staff.release-booked", Move.BOOK),
            (NextStep.DECLINED, "staff.release-declined", Move.DECLINE),
            (NextStep.REVIEW, "staff.release-review", Move.REVIEW),
        ],
    )
    def test_release_says_what_comes_next(self, step, rule, move):
        decision = decide(staff(StaffVerb.RELEASE, next=step), known(**HELD))
        assert decision.rules == (rule,)
        assert decision.move is move
        assert decision.desk is HandoffStatus.RELEASED
        assert decision.says == ()

    def test_release_waits_until_the_day_staff_name(self):
        day = date(2027, 1, 4)
        decision = decide(staff(StaffVerb.RELEASE, until=day), known(**HELD))
        assert decision.due_at is not None
        assert decision.due_at.date() == day

    def test_release_closes_what_ended_meanwhile(self):
        decision = decide(staff(StaffVerb.RELEASE), known(**HELD, disposition=Disposition.BOOKED_ELSEWHERE))
        assert decision.move is Move.CLOSE
        assert decision.disposition is Disposition.BOOKED_ELSEWHERE

    def test_release_makes_a_task_of_texts_nobody_has_read(self):
        packet = HandoffPacket(
            id="h1",
            conversation_id="c1",
            patient_id="ana",
            kind=HandoffKind.HANDOFF,
            status=HandoffStatus.RESOLVED,
            topics=(),
            urgency=Urgency.SOON,
            owner=Role.FRONT_DESK,
            opened_at=NOW - timedelta(hours=5),
            due_at=NOW,
            summary="",
            suggestion="",
            resolved_at=NOW - timedelta(hours=2),
        )
        unread = known(**HELD, open_handoffs=(packet,), last_patient_at=NOW - timedelta(hours=1))
        decision = decide(staff(StaffVerb.RELEASE), unread)
        assert decision.handoff is not None
        assert decision.handoff.rule == "staff.release-unread"
        read = known(**HELD, open_handoffs=(packet,), last_patient_at=NOW - timedelta(hours=3))
        assert decide(staff(StaffVerb.RELEASE), read).handoff is None

    @pytest.mark.parametrize(
        ("verb", "rule", "disposition"),
        [
            (StaffVerb.BOOK, "staff.book", Disposition.BOOKED_BY_STAFF),
            (StaffVerb.CLOSE, "staff.close", Disposition.CLOSED_BY_STAFF),
        ],
    )
    def test_end_the_follow_up(self, verb, rule, disposition):
        decision = decide(staff(verb))
        assert (decision.rules, decision.disposition) == ((rule,), disposition)

    def test_record_consent_and_revocation_in_silence(self):
        granted = decide(staff(StaffVerb.RECORD_CONSENT), known(phase=Phase.OPTED_OUT))
        assert granted.rules == ("staff.record-consent",)
        assert granted.move is Move.OPT_IN
        assert granted.consent is not None
        assert granted.consent.status is ConsentStatus.GRANTED
        revoked = decide(staff(StaffVerb.RECORD_REVOCATION))
        assert revoked.rules == ("staff.record-revocation",)
        assert revoked.move is Move.REVOKE
        assert (granted.says, revoked.says) == ((), ())

    @pytest.mark.parametrize("verb", list(StaffVerb))
    @pytest.mark.parametrize("phase", list(Phase))
    def test_never_make_a_move_the_table_forbids(self, verb, phase):
        from treatment_agent.policies.progress import advance

        for step in (None, *NextStep):
            state = known(phase=phase, handoff_id="h1" if phase is Phase.WITH_STAFF else None)
            advance(state.conversation, decide(staff(verb, next=step), state))
