"""A newer export replaces the older one: what it drops is closed, and whom it leaves out is on hold."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from ledger_samples import (
    DAY,
    HOUR,
    NOW,
    case,
    committed,
    enrolled,
    enrolment,
    entry,
    message,
    patient,
    procedure,
    sent,
    state,
    text_out,
)

from treatment_agent.domain.books import NOT_IN_EXPORT
from treatment_agent.domain.conversation import Disposition, Phase
from treatment_agent.domain.patients import Flag, PatientStatus, Permission
from treatment_agent.domain.scheduling import Booking, BookingStatus, Slot
from treatment_agent.domain.treatment import Case, ProcedureStatus
from treatment_agent.ledger.sql_ledger import SqlLedger
from treatment_agent.ledger.uniting import unite

LATER = NOW + DAY


def told(ledger: SqlLedger, number: int = 17) -> Case:
    about = ledger.facts(f"c{number}", at=NOW).case
    assert about is not None
    return about


def procedures(ledger: SqlLedger, number: int = 17) -> list[str]:
    return [p.id for p in told(ledger, number).procedures]


def skip_rule(ledger: SqlLedger, number: int = 17) -> str | None:
    return ledger.facts(f"c{number}", at=NOW).skip_rule


def read(ledger: SqlLedger, export: str, *numbers: int, at: Any = NOW) -> tuple[str, ...]:
    """Enroll these cases as one complete export; return who is missing."""
    ledger.enroll([enrolment(n) for n in numbers], at=at, export=export)
    return ledger.skip_missing(export, at=at)


class TestNewerExport:
    @pytest.mark.parametrize("exports", [("e1", "e2"), (None, None), (None, "e2"), ("e1", None)])
    def test_replaces_the_procedures(self, ledger: SqlLedger, exports: tuple[str | None, str | None]) -> None:
        enrolled(
            ledger, case=case(procedures=(procedure("a", fee_cents=1), procedure("b", fee_cents=2))), export=exports[0]
        )
        changed = procedure("b", fee_cents=3, status=ProcedureStatus.COMPLETED)

        enrolled(ledger, case=case(procedures=(changed, procedure("c"))), export=exports[1])

        assert told(ledger).procedures == (changed, procedure("c"))

    def test_keeps_the_procedures_of_our_own_booking(self, ledger: SqlLedger) -> None:
        enrolled(ledger, case=case(procedures=(procedure("a"), procedure("b"))), export="e1")
        slot = Slot(NOW + DAY, NOW + DAY + HOUR, "lee", "s1")
        ours = Booking("c17:SM1:book", slot, BookingStatus.CONFIRMED, ("a",))
        committed(ledger, conversation=state(phase=Phase.BOOKED, booking=ours, disposition=Disposition.BOOKED))

        enrolled(ledger, case=case(procedures=(procedure("c"),)), export="e2")

        assert procedures(ledger) == ["a", "c"]

    def test_lets_go_of_the_procedures_of_a_booking_that_fell_through(self, ledger: SqlLedger) -> None:
        enrolled(ledger, case=case(procedures=(procedure("a"),)), export="e1")
        slot = Slot(NOW + DAY, NOW + DAY + HOUR, "lee", "s1")
        ours = Booking("c17:SM1:book", slot, BookingStatus.CANCELLED, ("a",))
        committed(ledger, conversation=state(phase=Phase.NEEDS_REVIEW, booking=ours))

        enrolled(ledger, case=case(procedures=(procedure("c"),)), export="e2")

        assert procedures(ledger) == ["c"]

    def test_replaces_what_it_says_of_the_patient(self, ledger: SqlLedger) -> None:
        enrolled(ledger, case=case(owner=patient(flags=frozenset({Flag.PROTECTED}))), export="e1")

        enrolled(ledger, case=case(owner=patient()), export="e2")

        assert told(ledger).patient.flags == frozenset()


class TestTwiceInOneExport:
    @pytest.fixture(params=["one call", "two calls"])
    def both(self, ledger: SqlLedger, request: pytest.FixtureRequest) -> SqlLedger:
        """Ana's case told of twice: first with a crown and flagged, then with a filling."""
        first = patient(sms=Permission.NO, flags=frozenset({Flag.PROTECTED}), status=PatientStatus.INACTIVE)
        rows = [
            enrolment(case=case(owner=first, procedures=(procedure("a"), procedure("b", fee_cents=1)))),
            enrolment(case=case(procedures=(procedure("b", fee_cents=2), procedure("c")))),
        ]
        for batch in [rows] if request.param == "one call" else [[row] for row in rows]:
            ledger.enroll(batch, at=NOW, export="e1")
        return ledger

    def test_is_united(self, both: SqlLedger) -> None:
        assert procedures(both) == ["a", "b", "c"]
        assert told(both).procedures[1].fee_cents == 2

    def test_counts_the_strictest_of_the_patient(self, both: SqlLedger) -> None:
        owner = told(both).patient

        assert (owner.sms, owner.flags, owner.status) == (
            Permission.NO, frozenset({Flag.PROTECTED}), PatientStatus.INACTIVE,
        )  # fmt: skip

    def test_is_the_same_when_the_export_is_read_again(self, both: SqlLedger) -> None:
        before = told(both)

        both.enroll([enrolment(case=before)], at=NOW, export="e1")

        assert told(both) == before

    def test_counts_the_strictest_of_a_patient_with_two_cases(self, ledger: SqlLedger) -> None:
        flagged = patient(flags=frozenset({Flag.PROTECTED}))

        ledger.enroll(
            [enrolment(case=case(1, owner=flagged)), enrolment(case=case(2, owner=patient()))], at=NOW, export="e1"
        )

        assert told(ledger, 2).patient.flags == {Flag.PROTECTED}

    def test_keeps_the_later_visit_and_staff_contact(self) -> None:
        first = case(next_visit_at=NOW + DAY, last_staff_contact_at=NOW - DAY)
        second = case(last_staff_contact_at=NOW - HOUR)

        united = unite(first, second)

        assert (united.next_visit_at, united.last_staff_contact_at) == (NOW + DAY, NOW - HOUR)


class TestSkipMissing:
    def test_puts_on_hold_who_is_not_named_any_more(self, ledger: SqlLedger) -> None:
        assert read(ledger, "e1", 1, 2) == ()

        assert read(ledger, "e2", 2, at=LATER) == ("c1",)

        assert (skip_rule(ledger, 1), skip_rule(ledger, 2)) == (NOT_IN_EXPORT, None)
        assert ledger.due(at=LATER) == ("c2",)
        (line,) = [e for e in ledger.journal(patient_id="p1") if e.rule == NOT_IN_EXPORT]
        assert (line.action, line.at, line.conversation_id) == ("skip", LATER, "c1")

    def test_changes_nothing_when_repeated(self, ledger: SqlLedger) -> None:
        read(ledger, "e1", 1, 2)
        read(ledger, "e2", 2, at=LATER)

        assert ledger.skip_missing("e2", at=LATER) == ()
        assert len(ledger.journal(patient_id="p1")) == 1

    def test_finishes_what_a_crash_left(self, ledger: SqlLedger) -> None:
        read(ledger, "e1", 1, 2, 3)
        ledger.enroll([enrolment(2)], at=LATER, export="e2")

        assert ledger.due(at=LATER) == ("c1", "c2", "c3")
        ledger.enroll([enrolment(2), enrolment(3)], at=LATER, export="e2")
        assert ledger.skip_missing("e2", at=LATER) == ("c1",)

    def test_counts_a_part_enrolled_meanwhile_as_missing_only_if_it_is_older(self, ledger: SqlLedger) -> None:
        enrolled(ledger, 1, at=NOW - HOUR)
        enrolled(ledger, 2, at=NOW + HOUR)

        assert read(ledger, "e1", 3) == ("c1",)

    def test_of_two_exports_read_at_once_takes_nobody_off_that_both_name(self, ledger: SqlLedger) -> None:
        second = timedelta(seconds=1)
        ledger.enroll([enrolment(1)], at=NOW, export="older")
        ledger.enroll([enrolment(1), enrolment(2)], at=NOW + second, export="newer")
        ledger.enroll([enrolment(2)], at=NOW, export="older")

        assert ledger.skip_missing("older", at=NOW) == ()
        assert ledger.skip_missing("newer", at=NOW + second) == ()

    def test_gives_the_due_time_back_when_it_is_named_again(self, ledger: SqlLedger) -> None:
        read(ledger, "e1", 1, 2)
        read(ledger, "e2", 2, at=LATER)

        row = enrolment(1, due_at=NOW + 9 * DAY)
        ledger.enroll([row], at=LATER + DAY, export="e3")

        assert skip_rule(ledger, 1) is None
        assert ledger.due(at=LATER + DAY) == ("c1", "c2")

    def test_is_ruled_afresh_when_it_is_named_again_before_the_first_text(self, ledger: SqlLedger) -> None:
        read(ledger, "e1", 1, 2)
        read(ledger, "e2", 2, at=LATER)

        enrolled(ledger, 1, skip_rule="queue.protected", export="e3", at=LATER)

        assert skip_rule(ledger, 1) == "queue.protected"
        assert ledger.due(at=LATER + 9 * DAY) == ("c2",)

    def test_holds_a_running_conversation_whatever_a_turn_makes_of_its_time(self, ledger: SqlLedger) -> None:
        enrolled(ledger)
        running = state(phase=Phase.CONTACTED, step=1, due_at=LATER, first_sent_at=NOW)
        committed(ledger, conversation=running)
        read(ledger, "e2", 1, at=NOW + HOUR)

        answered = state(phase=Phase.IN_CONVERSATION, step=1, due_at=LATER + DAY, first_sent_at=NOW)
        committed(ledger, event=message("SM9", NOW + 2 * HOUR), conversation=answered)

        assert "c17" not in ledger.due(at=LATER + 9 * DAY)
        enrolled(ledger, export="e3", at=LATER)
        assert ledger.facts("c17", at=NOW).conversation == answered
        assert "c17" not in ledger.due(at=LATER)
        assert "c17" in ledger.due(at=LATER + DAY)

    @pytest.mark.parametrize(
        "ended",
        [
            {"phase": Phase.BOOKED, "disposition": Disposition.BOOKED},
            {"phase": Phase.BOOKING_REQUESTED},
            {"phase": Phase.DECLINED, "disposition": Disposition.DECLINED},
            {"phase": Phase.OPTED_OUT, "disposition": Disposition.OPTED_OUT},
            {"phase": Phase.CLOSED},
        ],
    )
    def test_leaves_alone_what_has_ended(self, ledger: SqlLedger, ended: dict[str, Any]) -> None:
        enrolled(ledger)
        committed(ledger, conversation=state(**ended))

        assert read(ledger, "e2", 1, at=LATER) == ()
        assert skip_rule(ledger) is None

    def test_leaves_strangers_alone(self, ledger: SqlLedger) -> None:
        ledger.stranger(patient(44).mobile, at=NOW)  # type: ignore[arg-type]  # the sample has a phone

        assert read(ledger, "e2", 1, at=LATER) == ()

    def test_works_for_many_cases(self, ledger: SqlLedger) -> None:
        read(ledger, "e1", *range(1500))

        assert len(read(ledger, "e2", 1, at=LATER)) == 1499

    def test_is_safe_when_two_workers_read_the_same_export(self, ledger: SqlLedger) -> None:
        read(ledger, "e0", *range(60))

        def work(export: str) -> tuple[str, ...]:
            for n in range(50):
                ledger.enroll([enrolment(n)], at=LATER, export=export)
            return ledger.skip_missing(export, at=LATER)

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(work, ["e1"] * 2))

        held = {n for n in range(60) if skip_rule(ledger, n) == NOT_IN_EXPORT}
        assert held == set(range(50, 60))


class TestReport:
    def test_still_counts_whom_we_wrote_to_as_entered(self, ledger: SqlLedger) -> None:
        ledger.enroll([enrolment(1), enrolment(2), enrolment(3)], at=NOW)
        sent(ledger, text_out("c1:x:0", "c1"))

        read(ledger, "e2", 3, at=LATER)

        tally = ledger.tally()
        assert (tally.entered, tally.contacted) == (2, 1)
        assert tally.skipped == {NOT_IN_EXPORT: 1}


class TestJournal:
    def test_keeps_the_entries_of_both_rows(self, ledger: SqlLedger) -> None:
        rows = [enrolment(journal=(entry(name, patient_id="p17"),)) for name in ("first", "second")]

        ledger.enroll(rows, at=NOW, export="e1")

        assert [e.action for e in ledger.journal(patient_id="p17")] == ["first", "second"]
