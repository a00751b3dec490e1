from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from treatment_agent.domain.treatment import Case
from treatment_agent.errors import AdapterUnavailable, BadRow, ConfigurationError
from treatment_agent.tools.columns import Columns
from treatment_agent.tools.sql_source import SqlCaseSource

QUERY = "SELECT PatNum, FName, ProcCode, ProcFee, DateTP, WirelessPhone FROM tp ORDER BY PatNum"


@pytest.fixture
def engine(tmp_path: Path):
    engine = sa.create_engine(f"sqlite:///{tmp_path}/practice.db")
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE tp (PatNum INTEGER, FName TEXT, ProcCode TEXT, ProcFee REAL, DateTP TEXT, WirelessPhone TEXT)"
        )
        connection.exec_driver_sql(
            "INSERT INTO tp VALUES (1,'Ann','D2740',1250.0,'2026-11-17','3125550101'), (2,'Bob','??',1,NULL,NULL),"
            " (1,'Ann','D2950',200.5,'2026-11-18 00:00:00','3125550101'), (3,'Qz7Zebra!','D2740',1,NULL,NULL)"
        )
    yield engine
    engine.dispose()


class TestSqlCaseSource:
    def test_groups_ordered_rows_and_reports_bad_ones(self, engine: sa.Engine) -> None:
        items = list(SqlCaseSource(engine, QUERY).read())

        cases = [i for i in items if isinstance(i, Case)]
        bad = [i for i in items if isinstance(i, BadRow)]
        assert [(c.id, [p.code for p in c.procedures], c.value_cents) for c in cases] == [
            ("case-1", ["D2740", "D2950"], 145_050)
        ]
        assert cases[0].diagnosed_on == date(2026, 11, 17)
        assert [(b.place, b.column) for b in bad] == [("row 3", "ProcCode"), ("row 4", "FName")]
        assert "Zebra" not in str(bad)

    def test_joins_rows_that_are_not_ordered_by_patient(self, engine: sa.Engine) -> None:
        with engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM tp WHERE PatNum = 3")
            connection.exec_driver_sql("UPDATE tp SET ProcCode = 'D2392' WHERE PatNum = 2")

        cases = list(SqlCaseSource(engine, "SELECT PatNum, FName, ProcCode FROM tp ORDER BY rowid").read())

        assert [(c.id, len(c.procedures)) for c in cases if isinstance(c, Case)] == [("case-2", 1), ("case-1", 2)]

    def test_takes_a_url_a_select_and_typed_columns(self, engine: sa.Engine) -> None:
        query = sa.select(
            sa.literal(7).label("patient"),
            sa.literal("Ann").label("FName"),
            sa.literal("2740").label("ProcCode"),
            sa.literal(datetime(2026, 12, 1, 9), sa.DateTime).label("NextAppt"),  # noqa: DTZ001  as databases give it
        )

        source = SqlCaseSource(str(engine.url), query, columns=Columns(patient_id="patient"))
        case = next(iter(source.read()))

        assert isinstance(case, Case)
        assert case.next_visit_at is not None
        assert case.next_visit_at.isoformat() == "2026-12-01T15:00:00+00:00"

    def test_names_what_is_missing(self, engine: sa.Engine) -> None:
        with pytest.raises(ConfigurationError, match=r"query: no column for code; .*'PatNum', 'FName'"):
            SqlCaseSource(engine, "SELECT PatNum, FName FROM tp").read()

    def test_explains_a_refused_query_without_its_data(self, engine: sa.Engine) -> None:
        with pytest.raises((ConfigurationError, AdapterUnavailable)) as caught:
            SqlCaseSource(engine, "SELECT 'Qz7Zebra' FROM nowhere").read()

        assert "Zebra" not in str(caught.value)

    def test_is_unavailable_when_the_database_cannot_be_opened(self, tmp_path: Path) -> None:
        with pytest.raises(AdapterUnavailable):
            SqlCaseSource(f"sqlite:///{tmp_path}/no/such/folder.db", QUERY).read()

    def test_explains_a_url_that_is_none(self) -> None:
        for url in ("practice.db", "nosuchdb://host/x"):
            with pytest.raises(ConfigurationError, match=r"sqlite:///practice\.db"):
                SqlCaseSource(url, QUERY)
