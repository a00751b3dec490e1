from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy
from ledger_samples import (
    DAY,
    NOW,
    REVOKE,
    case,
    claimed,
    committed,
    enrolled,
    enrolment,
    message,
    packet,
    patient,
    phone,
    record,
    revocation,
    sent,
    text_out,
)
from pydantic import SecretStr
from sqlalchemy import Select, create_engine, select, text

from treatment_agent.domain.books import Freshness
from treatment_agent.errors import (
    AdapterRejected,
    AdapterUnavailable,
    ConfigurationError,
    NaiveDatetimeError,
    StateTooNew,
)
from treatment_agent.ledger import database, reading, tables
from treatment_agent.ledger.sql_ledger import SqlLedger

Plan = Callable[[Select[str]], str]

NAIVE = datetime(2026, 11, 23, 10, 0)  # noqa: DTZ001 - what must be refused


def execute(url: str, *statements: str) -> None:
    engine = create_engine(url)
    with engine.begin() as conn:
        for statement in statements:
            conn.execute(text(statement))
    engine.dispose()


class TestUrl:
    @pytest.mark.parametrize(
        ("url", "fix"),
        [
            ("practice.db", r"write sqlite:///practice\.db"),
            ("", r"write sqlite:///practice\.db"),
            ("mysql://u@h/d", "mysql is not supported; write sqlite"),
            ("postgres://u:secret@h/d", r"write postgresql\+psycopg:// instead of postgres://"),
            ("postgresql+asyncpg://u:secret@h/d", r"write postgresql\+psycopg://"),
            ("sqlite:////no/such/folder/l.db", "folder of the SQLite file does not exist; create it"),
        ],
    )
    def test_names_the_fix_when_wrong(self, url: str, fix: str) -> None:
        with pytest.raises(ConfigurationError, match=fix) as caught:
            SqlLedger(url)

        assert "secret" not in str(caught.value)

    def test_takes_postgresql_without_a_driver_name(self) -> None:
        assert database.parse_url("postgresql://u@h/d").drivername == "postgresql+psycopg"

    def test_says_so_when_the_database_cannot_be_opened(self, tmp_path: Path) -> None:
        folder = tmp_path / "ledger.db"
        folder.mkdir()

        with pytest.raises(ConfigurationError, match="cannot open the sqlite database"):
            SqlLedger(f"sqlite:///{folder}").due(at=NOW)

    def test_says_so_when_the_file_is_no_database(self, tmp_path: Path) -> None:
        (tmp_path / "ledger.db").write_text(f"patients of this office: {MARKERS[0]}" * 100, encoding="utf-8")

        with pytest.raises(ConfigurationError, match="check that it exists and is a database") as caught:
            SqlLedger(f"sqlite:///{tmp_path}/ledger.db").due(at=NOW)

        assert MARKERS[0] not in "".join(traceback.format_exception(caught.value))

    def test_says_so_when_no_server_answers(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="cannot open the postgresql database") as caught:
            SqlLedger(f"postgresql://u:{MARKERS[1]}@/d?host={tmp_path}").due(at=NOW)

        assert MARKERS[1] not in "".join(traceback.format_exception(caught.value))


class TestSchema:
    def test_is_kept_between_openings(self, url: str) -> None:
        first = SqlLedger(url)
        enrolled(first)
        first.close()

        again = SqlLedger(url)
        assert again.due(at=NOW) == ("c17",)
        again.close()

    def test_of_a_newer_release_is_refused(self, url: str) -> None:
        first = SqlLedger(url)
        first.due(at=NOW)
        first.close()
        execute(url, "UPDATE ledger_schema SET version = 5")

        ledger = SqlLedger(url)
        with pytest.raises(StateTooNew, match="version 5, this release knows 4; upgrade the library"):
            ledger.due(at=NOW)
        ledger.close()

    def test_of_an_older_release_gets_the_columns_it_lacks_and_keeps_its_rows(self, url: str) -> None:
        first = SqlLedger(url)
        enrolled(first)
        first.close()
        execute(
            url,
            "ALTER TABLE cases DROP COLUMN export_id",
            "ALTER TABLE cases DROP COLUMN exported_at",
            "ALTER TABLE handoffs DROP COLUMN undelivered",
            "ALTER TABLE handoffs DROP COLUMN draft",
            "ALTER TABLE consents DROP COLUMN chart_write",
            "UPDATE ledger_schema SET version = 1",
        )

        again = SqlLedger(url)

        assert again.due(at=NOW) == ("c17",)
        assert again.skip_missing("e1", at=NOW) == ("c17",)
        enrolled(again, export="e2")
        assert again.due(at=NOW) == ("c17",)
        again.close()

    def test_is_brought_up_to_date_once_by_many(self, url: str) -> None:
        first = SqlLedger(url)
        enrolled(first)
        first.close()
        execute(
            url,
            "ALTER TABLE cases DROP COLUMN export_id",
            "ALTER TABLE cases DROP COLUMN exported_at",
            "ALTER TABLE handoffs DROP COLUMN undelivered",
            "ALTER TABLE handoffs DROP COLUMN draft",
            "ALTER TABLE consents DROP COLUMN chart_write",
            "UPDATE ledger_schema SET version = 1",
        )

        def opened(_: int) -> tuple[str, ...]:
            ledger = SqlLedger(url)
            try:
                return ledger.due(at=NOW)
            finally:
                ledger.close()

        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(opened, range(4))) == {("c17",)}

    def test_is_power_loss_safe_on_sqlite(self, tmp_path: Path) -> None:
        ledger = SqlLedger(f"sqlite:///{tmp_path / 'ledger.db'}")
        ledger.lease("c17", "a", at=NOW, ttl=DAY)

        with ledger._database.write() as conn:
            settings = {name: conn.exec_driver_sql(f"PRAGMA {name}").scalar() for name in (
                "journal_mode", "synchronous", "foreign_keys", "busy_timeout",
            )}  # fmt: skip

        assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}
        ledger.close()


class TestMemory:
    @pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
    def test_is_shared_by_threads(self, url: str) -> None:
        ledger = SqlLedger(url)
        enrolled(ledger)

        with ThreadPoolExecutor(8) as pool:
            claims = list(pool.map(lambda n: ledger.claim("c17", message(f"SM{n % 4}"), at=NOW), range(32)))

        assert sum(c.freshness is Freshness.NEW for c in claims) == 4
        ledger.close()


class TestUtcTime:
    def test_refuses_a_naive_time(self, ledger: SqlLedger) -> None:
        with pytest.raises(NaiveDatetimeError):
            ledger.due(at=NAIVE)

    @pytest.mark.parametrize("moment", ["2026-11-23T10:00:00.000001-06:00", "1999-01-01T00:00:00+14:00"])
    def test_gives_back_the_instant_in_utc(self, ledger: SqlLedger, moment: str) -> None:
        at = datetime.fromisoformat(moment)

        ledger.enroll([enrolment()], at=at)

        (row,) = ledger.work_list()
        assert row.enrolled_at == at
        assert row.enrolled_at.utcoffset() is not None
        assert not row.enrolled_at.utcoffset()

    @pytest.mark.parametrize(
        ("due", "now", "is_due"),
        [
            ("2026-11-23T10:00:00-06:00", "2026-11-23T15:59:59+00:00", False),
            ("2026-11-23T10:00:00-06:00", "2026-11-23T16:00:00+00:00", True),
            ("2026-11-23T10:00:00.000001+00:00", "2026-11-23T10:00:00+00:00", False),
        ],
    )
    def test_compares_instants(self, ledger: SqlLedger, due: str, now: str, is_due: bool) -> None:
        enrolled(ledger, due_at=datetime.fromisoformat(due))

        assert bool(ledger.due(at=datetime.fromisoformat(now))) is is_due


class TestTransaction:
    def test_reads_do_not_wait_for_a_writer(self, ledger: SqlLedger) -> None:
        enrolled(ledger)

        with ledger._database.write() as conn:
            conn.execute(tables.conversations.update().values(score=1))
            (row,) = ledger.work_list()

        assert row.score == 50

    def test_two_that_read_before_they_write_do_not_deadlock(self, ledger: SqlLedger) -> None:
        enrolled(ledger)

        def add_one(_: int) -> None:
            score = tables.conversations.c.score
            with ledger._database.write() as conn:
                found = conn.scalar(select(score).with_for_update())
                conn.execute(tables.conversations.update().values(score=(found or 0) + 1))

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(add_one, range(40)))

        (row,) = ledger.work_list()
        assert row.score == 90

    def test_leaves_nothing_when_it_is_broken_off(self, ledger: SqlLedger) -> None:
        def broken_off() -> None:
            with ledger._database.write() as conn:
                conn.execute(tables.policies.insert().values(key="k", digest="d", first_used_at=NOW))
                raise RuntimeError

        with pytest.raises(RuntimeError):
            broken_off()

        assert ledger.remember_policy("k", "other", at=NOW) == "other"

    def test_says_the_database_is_busy_without_waiting_for_ever(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path / 'ledger.db'}"
        one, other = SqlLedger(url), SqlLedger(url)
        enrolled(one)
        with other._database.read() as conn:
            conn.exec_driver_sql("PRAGMA busy_timeout=1")

        with one._database.write(), pytest.raises(AdapterUnavailable, match="nothing was written"):
            other.free("c17", "a")
        one.close()
        other.close()


MARKERS = ("+13125550177", "MARKER-NAME", "MARKER-WORDS")


def insert_twice(ledger: SqlLedger) -> None:
    with ledger._database.write() as conn:
        for _ in range(2):
            conn.execute(tables.contact_points.insert(), {"kind": "sms", "address": MARKERS[0]})


def failure_of(call: Callable[[], object]) -> Exception | None:
    try:
        call()
    except Exception as error:
        return error
    return None


class TestErrors:
    """No text of an error, and nothing chained to it that a traceback prints, repeats what was stored (P11)."""

    @pytest.fixture
    def breakage(self, ledger: SqlLedger, url: str) -> Iterator[Callable[[str], None]]:
        owner = patient(first_name=SecretStr(MARKERS[1]), mobile=phone(77))
        ledger.enroll([enrolment(case=case(owner=owner))], at=NOW)
        committed(ledger, text=MARKERS[2], handoffs=(packet(words=(MARKERS[2],)),))

        def drop(table: str) -> None:
            if url.startswith("sqlite"):
                execute(url, "PRAGMA foreign_keys=OFF", f"DROP TABLE {table}")
            else:
                execute(url, f"DROP TABLE {table} CASCADE")

        return drop

    @pytest.mark.parametrize("table", ["contact_points", "patients", "events"])
    def test_of_a_broken_database_are_silent(
        self, ledger: SqlLedger, breakage: Callable[[str], None], table: str, caplog: pytest.LogCaptureFixture
    ) -> None:  # fmt: skip
        breakage(table)
        owner = patient(first_name=SecretStr(MARKERS[1]), mobile=phone(77))
        caplog.set_level(logging.DEBUG)
        calls: list[Callable[[], object]] = [
            lambda: ledger.enroll([enrolment(case=case(owner=owner))], at=NOW),
            lambda: ledger.claim("c17", message("SM9"), at=NOW, text=SecretStr(MARKERS[2]), sender=phone(77)),
            lambda: ledger.facts("c17", at=NOW),
        ]

        failures = [error for error in map(failure_of, calls) if error is not None]

        assert failures
        for error in failures:
            assert isinstance(error, AdapterRejected | AdapterUnavailable)
            told = "".join(traceback.format_exception(error)) + caplog.text
            assert not [marker for marker in MARKERS if marker in told]

    def test_of_a_constraint_are_silent(self, ledger: SqlLedger) -> None:
        enrolled(ledger)

        with pytest.raises(AdapterRejected) as caught:
            insert_twice(ledger)

        told = "".join(traceback.format_exception(caught.value))
        assert MARKERS[0] not in told
        assert "IntegrityError" in str(caught.value)
        assert caught.value.code


def explained(ledger: SqlLedger, asked: list[tuple[str, object]]) -> set[tuple[str, str]]:
    """The steps of the plan of each statement, with the statement.

    PostgreSQL prefers to read a small table whole; with that forbidden, it still does where no index would do.
    """
    with ledger._database.read() as conn:
        if conn.dialect.name == "sqlite":
            return {
                (step[3], sql)
                for sql, values in asked
                for step in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)
            }
        conn.exec_driver_sql("SET LOCAL enable_seqscan TO off")
        return {
            (step[0].strip().removeprefix("->").strip(), sql)
            for sql, values in asked
            for step in conn.exec_driver_sql(f"EXPLAIN {sql}", values)
        }


class TestQueryPlan:
    """The work list must not grow slower with the books: it reads an index, not the table."""

    @pytest.fixture
    def plan(self, tmp_path: Path) -> Iterator[Plan]:
        ledger = SqlLedger(f"sqlite:///{tmp_path / 'ledger.db'}")
        rows = [enrolment(n, due_at=NOW + DAY if n % 50 else NOW) for n in range(10_000)]
        ledger.enroll(rows, at=NOW)

        def explain(query: Select[str]) -> str:
            with ledger._database.read() as conn:
                compiled = query.compile(dialect=conn.dialect, compile_kwargs={"render_postcompile": True})
                values = tuple(str(compiled.params[name]) for name in compiled.positiontup)
                return "\n".join(row[3] for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", values))

        yield explain
        ledger.close()

    def test_of_due_reads_due_rows_only(self, plan: Plan) -> None:
        told = plan(reading.due_query(at=NOW, limit=100))

        assert "SEARCH conversations USING INDEX conversations_due (due_at" in told
        assert "SCAN" not in told

    def test_of_no_call_of_a_turn_reads_a_whole_table(self, ledger: SqlLedger) -> None:
        ledger.enroll([enrolment(n, case=case(n, owner=patient(n, household_id="h"))) for n in range(200)], at=NOW)
        asked: list[tuple[str, object]] = []
        engine = ledger._database._engine
        sqlalchemy.event.listen(engine, "before_cursor_execute", lambda *call: asked.append((call[2], call[3])))

        sent(ledger, text_out("k", "c17", to=phone(17)))
        committed(ledger, record=record(consent=REVOKE), handoffs=(packet(),), attach_words_to="h1")
        ledger.lease("c17", "a", at=NOW, ttl=DAY)
        ledger.free("c17", "a")
        ledger.record_consent(phone(17), revocation(), at=NOW)
        reads = (
            ledger.facts("c17", at=NOW), ledger.pending("c17"), ledger.history("c17"), ledger.event("SM1"),
            ledger.unfinished(at=NOW), ledger.due(at=NOW), ledger.handoffs(), ledger.journal(patient_id="p17"),
            ledger.handoffs(conversation_id="c17", open_only=False), ledger.conversations_of(phone(17)),
            ledger.outbox("c17"), ledger.outbox("c17", unsent=True), ledger.find_sent("out-k"),
            ledger.conversation_ids_of_patient("p17"),
        )  # fmt: skip

        assert reads
        plans = explained(ledger, [entry for entry in asked if entry[0].startswith(("SELECT", "UPDATE", "DELETE"))])
        partial = ("events_pending", "outbox_unsent", "handoffs_open")
        whole = [
            (step, sql)
            for step, sql in plans
            if step.startswith(("SCAN", "Seq Scan")) and "anon" not in step and "CONSTANT" not in step
        ]
        assert [entry for entry in whole if not entry[0].endswith(partial)] == []

    def test_reads_as_much_for_ten_rows_among_many_as_among_few(self, tmp_path: Path) -> None:
        def steps(total: int) -> int:
            ledger = SqlLedger(f"sqlite:///{tmp_path / f'{total}.db'}")
            ledger.enroll([enrolment(n, due_at=NOW if n < 10 else NOW + DAY) for n in range(total)], at=NOW)
            count = 0

            def tick() -> None:
                nonlocal count
                count += 1

            with ledger._database.read() as conn:
                raw = conn.connection.driver_connection
                assert raw is not None
                raw.set_progress_handler(tick, 1)
                assert len(reading.due(conn, at=NOW, limit=100)) == 10
                raw.set_progress_handler(None, 0)
            ledger.close()
            return count

        assert steps(5000) == steps(50)


class TestFreeText:
    def test_claims_are_readable_by_people_with_the_file(self, ledger: SqlLedger, url: str) -> None:
        """The ledger is the one place that holds words: they stand there as they were written."""
        enrolled(ledger)
        claimed(ledger, text="¿mañana?")

        engine = create_engine(url)
        with engine.connect() as conn:
            assert conn.execute(text("SELECT body FROM events")).scalar() == "¿mañana?"
        engine.dispose()
