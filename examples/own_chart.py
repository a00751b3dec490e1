"""A chart of your own over SQL: asked before each text, and told when a patient wants no more of them."""

import sqlite3
from datetime import datetime

from treatment_agent import Case, CsvCaseSource
from treatment_agent.demo.sample import sample_office
from treatment_agent.domain.messages import Channel
from treatment_agent.domain.patients import Permission
from treatment_agent.domain.treatment import ChartStatus
from treatment_agent.errors import AdapterRejected, AdapterUnavailable

RECORD = {
    Channel.SMS: "UPDATE patient SET txt_msg_ok = ? WHERE id = ?",
    Channel.EMAIL: "UPDATE patient SET email_ok = ? WHERE id = ?",
}


class SqlChart:
    """`Chart` and `ConsentChart` over one table of the practice's database."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def check(self, case: Case) -> ChartStatus:
        """The patient as the chart has them now; the procedures as the list said."""
        row = self._run("SELECT status, next_visit FROM patient WHERE id = ?", case.patient.id).fetchone()
        if row is None:
            raise AdapterUnavailable("chart: the patient is not there")  # nothing is sent while nobody knows
        status, visit = row
        return ChartStatus(
            patient_status=status,
            procedures={p.id: p.status for p in case.procedures},
            next_visit_at=datetime.fromisoformat(visit) if visit else None,
        )

    def record_permission(self, patient_id: str, channel: Channel, permission: Permission) -> None:
        """Set it; saying it twice changes nothing. A patient who is not there becomes a task for staff."""
        said = permission.value.capitalize()
        if not self._run(RECORD[channel], said, patient_id).rowcount:
            raise AdapterRejected("chart: no such patient")

    def _run(self, query: str, *values: str) -> sqlite3.Cursor:
        try:
            with self._database:
                return self._database.execute(query, values)
        except sqlite3.OperationalError as error:
            raise AdapterUnavailable("chart: the database does not answer") from error


database = sqlite3.connect(":memory:", check_same_thread=False)
database.execute(
    "CREATE TABLE patient (id TEXT PRIMARY KEY, status TEXT, next_visit TEXT, txt_msg_ok TEXT, email_ok TEXT)"
)
database.execute("INSERT INTO patient VALUES ('ana', 'active', NULL, 'Yes', 'Yes')")

office = sample_office(chart=SqlChart(database))
office.coordinator.enroll(CsvCaseSource(office.export))
office.next_morning()
office.text_from_ana("please stop texting me")
print(office.last_text())
print("in the chart:", database.execute("SELECT txt_msg_ok, email_ok FROM patient").fetchone())
