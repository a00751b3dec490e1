from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from ledger_samples import (
    CENTRAL,
    DAY,
    HOUR,
    NOW,
    case,
    committed,
    enrolment,
    message,
    packet,
    patient,
    phone,
    procedure,
    record,
    state,
    text_out,
)

from treatment_agent.domain.books import Tally, TurnCommit
from treatment_agent.domain.conversation import Disposition, Phase
from treatment_agent.domain.events import TouchDue
from treatment_agent.domain.handoff import HandoffKind
from treatment_agent.domain.interpretation import Reason, Topic
from treatment_agent.domain.messages import DeliveryReport, DeliveryStatus, Receipt, SendKind
from treatment_agent.domain.scheduling import Booking, BookingStatus, Slot
from treatment_agent.domain.treatment import ProcedureStatus
from treatment_agent.domain.turn import ReasonNote
from treatment_agent.ledger.sql_ledger import SqlLedger

SLOT = Slot(
    datetime(2026, 12, 1, 9, tzinfo=CENTRAL), datetime(2026, 12, 1, 10, tzinfo=CENTRAL), "lee", "s1"
)  # fmt: skip
BOOKING = Booking("k", SLOT, BookingStatus.CONFIRMED)


def touch(ledger: SqlLedger, number: int, step: int = 0, script: str = "outreach.first", **changes: object) -> str:
    """Send one touch of the cadence; return the provider's id."""
    name, at = f"c{number}", NOW + step * DAY
    event = TouchDue(id=f"touch-{name}-{step}", at=at, step=step)
    key = f"{name}:touch-{step}:0"
    after = changes.pop("after", None) or state(name, f"p{number}", phase=Phase.CONTACTED)
    out = text_out(key, name, to=phone(number), script_id=script, **changes)
    committed(ledger, event=event, text=None, conversation=after, outbox=(out,))
    ledger.mark_sending(key, at=at)
    ledger.mark_sent(key, Receipt(f"out-{key}"), at=at)
    return f"out-{key}"


def reply(ledger: SqlLedger, number: int, at: datetime, phase: Phase, **changes: object) -> None:
    note = changes.pop("reason", None)
    parts = {name: changes.pop(name) for name in ("handoffs",) if name in changes}
    name = f"c{number}"
    event = message(f"SM-{name}-{at.isoformat()}", at)
    done = record(event.id, name, at=at, reason=None if note is None else ReasonNote(note))
    after = state(name, f"p{number}", phase=phase, **changes)
    committed(ledger, event=event, record=done, conversation=after, **parts)


class TestTally:
    def test_is_all_zero_on_empty_books(self, ledger: SqlLedger) -> None:
        assert ledger.tally() == Tally()

    def test_counts_the_whole_funnel(self, ledger: SqlLedger) -> None:
        ledger.enroll(
            [*(enrolment(n) for n in range(1, 7)), enrolment(7, skip_rule="a.b"), enrolment(8, skip_rule="a.b")],
            at=NOW,
        )
        for number in (1, 2, 3, 4):
            touch(ledger, number)
        touch(ledger, 1, step=1, script="outreach.reminder")
        booked = {"disposition": Disposition.BOOKED, "booking": BOOKING}
        reply(ledger, 1, NOW + 2 * DAY, Phase.IN_CONVERSATION, reason=Reason.TIME)
        reply(ledger, 1, NOW + 2 * DAY + HOUR, Phase.BOOKED, **booked)
        reply(ledger, 2, NOW + DAY, Phase.WITH_STAFF, reason=Reason.COST, handoffs=(packet(conversation="c2"),))
        reply(ledger, 2, NOW + 3 * DAY, Phase.DECLINED, disposition=Disposition.DECLINED)
        reply(ledger, 3, NOW + DAY, Phase.OPTED_OUT, disposition=Disposition.OPTED_OUT)

        assert ledger.tally() == Tally(
            entered=6,
            skipped={"a.b": 2},
            contacted=4,
            responded=3,
            booked=1,
            dispositions={Disposition.BOOKED: 1, Disposition.DECLINED: 1, Disposition.OPTED_OUT: 1},
            phases={"booked": 1, "contacted": 1, "declined": 1, "opted_out": 1, "queued": 2},
            reasons={"cost": 1, "time_work_childcare": 1},
            declined_by_reason={"cost": 1},
            handoffs_by_topic={"financing": 1},
            booked_by_path={"step-1/outreach.reminder": 1},
            days_to_scheduled=(8,),
            opted_out=1,
            value_entered_cents=720_000,
            value_booked_cents=120_000,
        )

    def test_counts_cases_that_entered_in_the_half_open_period(self, ledger: SqlLedger) -> None:
        for n, at in ((1, NOW - HOUR), (2, NOW), (3, NOW + HOUR)):
            ledger.enroll([enrolment(n), enrolment(n + 10, skip_rule="a.b")], at=at)

        assert ledger.tally(since=NOW, until=NOW + HOUR).entered == 1
        assert ledger.tally(since=NOW, until=NOW + HOUR).skipped == {"a.b": 1}
        assert ledger.tally(since=NOW).entered == 2
        assert ledger.tally(until=NOW).entered == 1

    def test_leaves_out_texts_that_did_not_arrive(self, ledger: SqlLedger) -> None:
        ledger.enroll([enrolment(n) for n in (1, 2, 3)], at=NOW)
        lost, arrived = touch(ledger, 1), touch(ledger, 2)
        touch(ledger, 3, kind=SendKind.REPLY)
        for name, status in ((lost, DeliveryStatus.FAILED), (arrived, DeliveryStatus.DELIVERED)):
            ledger.record_delivery(DeliveryReport(id="r", provider_message_id=name, status=status, reported_at=NOW))

        assert ledger.tally().contacted == 1

    def test_names_a_booking_without_outreach(self, ledger: SqlLedger) -> None:
        ledger.enroll([enrolment(1)], at=NOW)
        reply(ledger, 1, NOW, Phase.BOOKED, booking=BOOKING)
        # Outreach after the booking did not lead to it.
        touch(ledger, 1, step=1, after=state("c1", "p1", phase=Phase.BOOKED, booking=BOOKING))

        assert ledger.tally().booked_by_path == {"none": 1}

    def test_leaves_requested_bookings_out(self, ledger: SqlLedger) -> None:
        ledger.enroll([enrolment(1)], at=NOW)
        asked = replace(BOOKING, status=BookingStatus.REQUESTED)

        reply(ledger, 1, NOW, Phase.BOOKING_REQUESTED, booking=asked)

        assert (ledger.tally().booked, ledger.tally().value_booked_cents) == (0, 0)

    def test_keeps_the_value_of_what_was_scheduled_since(self, ledger: SqlLedger) -> None:
        ledger.enroll([enrolment(1)], at=NOW)
        scheduled = procedure(status=ProcedureStatus.SCHEDULED)

        ledger.enroll([enrolment(1, case=case(1, procedures=(scheduled,)))], at=NOW + DAY)

        assert ledger.tally().value_entered_cents == 120_000

    def test_takes_the_last_reason_of_a_decline(self, ledger: SqlLedger) -> None:
        ledger.enroll([enrolment(1), enrolment(2)], at=NOW)
        reply(ledger, 1, NOW, Phase.IN_CONVERSATION, reason=Reason.COST)
        reply(ledger, 1, NOW + HOUR, Phase.DECLINED, reason=Reason.FEAR)
        reply(ledger, 2, NOW, Phase.DECLINED)

        tally = ledger.tally()
        assert tally.declined_by_reason == {"fear_anxiety": 1, "unspecified": 1}
        assert tally.reasons == {"cost": 1, "fear_anxiety": 1}

    @pytest.mark.parametrize(
        ("changes", "counted"),
        [
            ({"topics": (Topic.CLINICAL, Topic.COMPLAINT)}, {"clinical": 1}),
            ({"topics": ()}, {"other": 1}),
            ({"topics": (), "kind": HandoffKind.CALL_BACK}, {}),
        ],
    )
    def test_counts_handoffs_by_their_first_topic(
        self, ledger: SqlLedger, changes: dict[str, object], counted: dict[str, int]
    ) -> None:
        ledger.enroll([enrolment(1)], at=NOW)

        reply(ledger, 1, NOW, Phase.WITH_STAFF, handoffs=(packet(conversation="c1", **changes),))

        assert ledger.tally().handoffs_by_topic == counted

    def test_counts_days_only_where_the_diagnosis_is_dated(self, ledger: SqlLedger) -> None:
        undated = case(2, procedures=(procedure(diagnosed_on=None),))
        earlier = case(3, procedures=(procedure("a"), procedure("b", diagnosed_on=date(2026, 11, 13))))
        ledger.enroll([enrolment(1), enrolment(2, case=undated), enrolment(3, case=earlier)], at=NOW)
        for n in (1, 2, 3):
            reply(ledger, n, NOW + timedelta(hours=1), Phase.BOOKED, booking=BOOKING)

        assert ledger.tally().days_to_scheduled == (6, 10)

    def test_leaves_strangers_out(self, ledger: SqlLedger) -> None:
        stranger = ledger.stranger(phone(99), at=NOW)
        ledger.claim(stranger.id, message(), at=NOW)
        ledger.commit_turn(TurnCommit(record(conversation=stranger.id), stranger), at=NOW)

        assert ledger.tally() == Tally()

    def test_counts_shared_phones_once_per_case(self, ledger: SqlLedger) -> None:
        rows = [enrolment(case=case(n, owner=patient(n, mobile=phone()))) for n in (1, 2)]
        ledger.enroll(rows, at=NOW)

        reply(ledger, 1, NOW, Phase.IN_CONVERSATION)

        assert ledger.tally().responded == 1
