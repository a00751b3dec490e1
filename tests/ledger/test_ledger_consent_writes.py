"""What the chart still has to hear, and a ledger of the release before."""

from __future__ import annotations

from ledger_samples import (
    HOUR,
    NOW,
    REVOKE,
    case,
    committed,
    email,
    enrolled,
    message,
    patient,
    phone,
    record,
    revocation,
)
from sqlalchemy import create_engine, text

from treatment_agent.domain.consent import ConsentHow, ConsentStatus
from treatment_agent.domain.messages import Channel
from treatment_agent.domain.patients import Permission
from treatment_agent.domain.turn import ConsentChange
from treatment_agent.ledger.sql_ledger import SqlLedger


class TestConsentWrites:
    def test_are_the_last_wish_per_patient_and_channel(self, ledger: SqlLedger) -> None:
        enrolled(ledger, case=case(owner=patient(email=email())))
        committed(ledger, record=record(consent=REVOKE))
        start = ConsentChange(ConsentStatus.GRANTED, ConsentHow.KEYWORD)
        committed(ledger, event=message("SM2", NOW + HOUR), record=record("SM2", consent=start))

        found = {(w.patient_id, w.channel): w.permission for w in ledger.consent_writes()}

        assert found == {("p17", Channel.EMAIL): Permission.NO, ("p17", Channel.SMS): Permission.YES}

    def test_are_gone_once_they_are_settled(self, ledger: SqlLedger) -> None:
        enrolled(ledger)
        committed(ledger, record=record(consent=REVOKE))
        for write in ledger.consent_writes():
            ledger.settle_consent_write(write, "written")
        assert ledger.consent_writes() == ()

    def test_leave_out_what_the_chart_said_and_what_is_nobodys(self, ledger: SqlLedger) -> None:
        enrolled(ledger)
        ledger.record_consent(phone(55), revocation(), at=NOW)
        committed(ledger, record=record(consent=ConsentChange(ConsentStatus.REVOKED, ConsentHow.WRONG_NUMBER)))
        assert ledger.consent_writes() == ()


class TestUpgrade:
    def test_of_a_ledger_of_version_1_keeps_its_rows_and_tells_the_chart_nothing_old(self, url: str) -> None:
        old = SqlLedger(url)
        enrolled(old)
        committed(old, record=record(consent=REVOKE))
        old.close()
        engine = create_engine(url)
        with engine.begin() as conn:
            for place in ("cases.export_id", "cases.exported_at", "handoffs.undelivered", "consents.chart_write"):
                table, _, column = place.partition(".")
                conn.execute(text(f"ALTER TABLE {table} DROP COLUMN {column}"))
            conn.execute(text("UPDATE ledger_schema SET version = 1"))
        engine.dispose()

        ledger = SqlLedger(url)

        assert ledger.facts("c17", at=NOW).revoked_at == NOW
        assert ledger.consent_writes() == ()
        committed(ledger, event=message("SM2", NOW + HOUR), record=record("SM2", consent=REVOKE))
        assert len(ledger.consent_writes()) == 1
        ledger.close()
