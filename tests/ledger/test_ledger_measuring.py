"""What the ledger tells the measures, on both databases; the arithmetic is tested in `tests/coordinator`."""

from __future__ import annotations

from datetime import UTC, date

import pytest
from ledger_samples import DAY, HOUR, NOW, case, committed, enrolment, message, packet, procedure, record, state
from sqlalchemy import create_engine, text
from test_ledger_report import BOOKING, reply, touch

from treatment_agent.domain.conversation import Disposition, Phase
from treatment_agent.domain.events import ChartChange, ChartChanged
from treatment_agent.domain.handoff import HandoffKind
from treatment_agent.domain.interpretation import Reason
from treatment_agent.domain.measured import MeasuredBooks, MeasuredText
from treatment_agent.domain.treatment import ProcedureStatus
from treatment_agent.ledger.sql_ledger import SqlLedger


def execute(url: str, statement: str) -> None:
    engine = create_engine(url)
    with engine.begin() as conn:
        conn.execute(text(statement))
    engine.dispose()


class TestMeasured:
    def test_of_an_empty_ledger_is_empty(self, ledger: SqlLedger) -> None:
        assert ledger.measured() == MeasuredBooks()

    def test_tells_of_a_case_from_entry_to_booking(self, ledger: SqlLedger) -> None:
        ledger.enroll([enrolment(1)], at=NOW)
        touch(ledger, 1)
        touch(ledger, 1, step=1, script="outreach.reminder")
        reply(ledger, 1, NOW + 2 * DAY, Phase.IN_CONVERSATION, reason=Reason.TIME)
        booked = {"disposition": Disposition.BOOKED, "booking": BOOKING}
        reply(ledger, 1, NOW + 2 * DAY + HOUR, Phase.BOOKED, handoffs=(packet(conversation="c1"),), **booked)

        books = ledger.measured()
        (about,) = books.cases
        assert (about.entered_at, about.held_out, about.family, about.value_cents) == (NOW, False, "crown", 120_000)
        assert (about.diagnosed_on, about.booked_on) == (date(2026, 11, 17), date(2026, 11, 25))
        assert (about.first_sent_at, about.arrived, about.reply_after_at) == (NOW, True, NOW + 2 * DAY)
        assert (about.booked_at, about.reason) == (NOW + 2 * DAY + HOUR, "time_work_childcare")
        assert books.texts == (
            MeasuredText("c1", NOW, 0, "outreach.first", "sms", True),
            MeasuredText("c1", NOW + DAY, 1, "outreach.reminder", "sms", True),
        )
        assert books.reasons == (("c1", "time_work_childcare"),)
        (handoff,) = books.handoffs
        assert (handoff.kind, handoff.topic, handoff.owner) == (
            HandoffKind.HANDOFF,
            "financing",
            "treatment_coordinator",
        )

    def test_enters_a_case_when_it_first_passes_and_never_again(self, ledger: SqlLedger) -> None:
        ledger.enroll([enrolment(1, skip_rule="a.b"), enrolment(2)], at=NOW)
        ledger.enroll([enrolment(1), enrolment(2, skip_rule="a.b")], at=NOW + DAY)
        ledger.enroll([enrolment(1), enrolment(2)], at=NOW + 2 * DAY)

        assert {c.id: c.entered_at for c in ledger.measured().cases} == {"c1": NOW + DAY, "c2": NOW}
        assert [c.id for c in ledger.measured(since=NOW + HOUR).cases] == ["c1"]
        assert [c.id for c in ledger.measured(until=NOW + DAY).cases] == ["c2"]

    def test_counts_what_never_entered_by_rule(self, ledger: SqlLedger) -> None:
        ledger.enroll([enrolment(n, skip_rule=rule) for n, rule in ((1, "a.b"), (2, "a.b"), (3, "c.d"))], at=NOW)
        ledger.enroll([enrolment(4)], at=NOW)
        ledger.enroll([enrolment(4, skip_rule="a.b")], at=NOW + HOUR)

        assert ledger.measured().left_out == {"a.b": 2, "c.d": 1}
        assert ledger.measured(since=NOW + HOUR).left_out == {}

    @pytest.mark.parametrize("change", [ChartChange.BOOKED, ChartChange.DONE])
    def test_knows_when_the_chart_showed_it_settled_elsewhere(self, ledger: SqlLedger, change: ChartChange) -> None:
        ledger.enroll([enrolment(1), enrolment(2)], at=NOW)
        event = ChartChanged(id="x", at=NOW + DAY, change=change)
        committed(ledger, event=event, text=None, conversation=state("c1", "p1", phase=Phase.CLOSED))
        declined = ChartChanged(id="y", at=NOW + DAY, change=ChartChange.DECLINED)
        committed(ledger, event=declined, text=None, conversation=state("c2", "p2", phase=Phase.CLOSED))

        found = {c.id: c for c in ledger.measured().cases}
        assert found["c1"].elsewhere_at == NOW + DAY
        assert found["c1"].completed_cents == (120_000 if change is ChartChange.DONE else 0)
        assert found["c2"].elsewhere_at is None

    def test_reads_completed_work_off_a_later_export(self, ledger: SqlLedger) -> None:
        ledger.enroll([enrolment(1)], at=NOW)
        done = case(1, procedures=(procedure(status=ProcedureStatus.COMPLETED),))
        ledger.enroll([enrolment(1, case=done)], at=NOW + DAY)

        (about,) = ledger.measured().cases
        assert (about.completed_cents, about.value_cents) == (120_000, 120_000)

    def test_keeps_a_booking_of_staff_when_the_work_was_done(self, ledger: SqlLedger) -> None:
        ledger.enroll([enrolment(1)], at=NOW)
        by_staff = state("c1", "p1", phase=Phase.BOOKED, disposition=Disposition.BOOKED_BY_STAFF)
        committed(ledger, event=message("m", NOW), conversation=by_staff, record=record("m", "c1", at=NOW))
        done = ChartChanged(id="d", at=NOW + DAY, change=ChartChange.DONE)
        closed = state("c1", "p1", phase=Phase.CLOSED, disposition=Disposition.TREATMENT_CHANGED)
        committed(ledger, event=done, text=None, conversation=closed)

        (about,) = ledger.measured().cases
        assert (about.booked_at, about.kept_cents) == (NOW, 120_000)


class TestHeldOut:
    def test_is_noted_at_entry_and_stays(self, ledger: SqlLedger) -> None:
        ledger.enroll([enrolment(1, skip_rule="queue.hold-out"), enrolment(2)], at=NOW)
        ledger.enroll([enrolment(1)], at=NOW + DAY)

        assert {c.id: c.held_out for c in ledger.measured().cases} == {"c1": True, "c2": False}
        assert ledger.due(at=NOW + DAY) == ("c1", "c2")

    def test_does_not_take_back_a_case_that_was_queued(self, ledger: SqlLedger) -> None:
        ledger.enroll([enrolment(1)], at=NOW)
        ledger.enroll([enrolment(1, skip_rule="queue.hold-out")], at=NOW + DAY)

        assert ledger.due(at=NOW + DAY) == ("c1",)
        assert not ledger.measured().cases[0].held_out


class TestUpgrade:
    def test_lets_the_queued_cases_of_an_older_release_enter_when_they_were_enrolled(self, url: str) -> None:
        ledger = SqlLedger(url)
        ledger.enroll([enrolment(1), enrolment(2, skip_rule="a.b")], at=NOW)
        ledger.close()
        execute(url, "DROP INDEX events_measured")
        for column in ("conversations DROP COLUMN entered_at", "conversations DROP COLUMN held_out",
                       "cases DROP COLUMN export_id"):  # fmt: skip
            execute(url, f"ALTER TABLE {column}")
        execute(url, "UPDATE ledger_schema SET version = 1")

        ledger = SqlLedger(url)
        assert [(c.id, c.entered_at) for c in ledger.measured().cases] == [("c1", NOW.astimezone(UTC))]
        ledger.close()
