"""`SqlConsents`: the part of the ledger that is about permission and the contact points it is for."""

from __future__ import annotations

from datetime import datetime

from treatment_agent.domain.consent import ConsentRecord, ConsentWrite
from treatment_agent.domain.consent_file import ContactFile
from treatment_agent.domain.private import EmailAddress, PhoneNumber
from treatment_agent.ledger import consent_file, consent_writes, people
from treatment_agent.ledger.database import Database


class SqlConsents:
    """Consent over SQLAlchemy Core; `SqlLedger` is made of it."""

    _database: Database

    def record_consent(
        self, address: PhoneNumber | EmailAddress, record: ConsentRecord, *, at: datetime
    ) -> None:  # fmt: skip
        """Append a grant or revocation for a contact point; a revocation binds everybody who has it, everywhere."""
        with self._database.write() as conn:
            people.record_consent(conn, address, record, at=at)

    def consent_writes(self) -> tuple[ConsentWrite, ...]:
        """Wishes that the chart has not heard of: the last one per patient and channel."""
        with self._database.read() as conn:
            return consent_writes.pending(conn)

    def settle_consent_write(self, write: ConsentWrite, status: str) -> None:
        """Note that the chart took it (`written`) or did not (`refused`)."""
        with self._database.write() as conn:
            consent_writes.settle(conn, write, status)

    def contact_file(self, address: PhoneNumber | EmailAddress) -> ContactFile:
        """Everything on the books about one contact point. Raises NotFound."""
        with self._database.read() as conn:
            return consent_file.contact_file(conn, address)

    def contact_addresses(self, *, patient_id: str | None = None) -> tuple[PhoneNumber | EmailAddress, ...]:
        """Every contact point on the books, or those a patient has and had."""
        with self._database.read() as conn:
            if patient_id is None:
                return consent_file.addresses(conn)
            return consent_file.addresses_of_patient(conn, patient_id)

    def mark_incapable(self, address: PhoneNumber | EmailAddress, rule: str, *, at: datetime) -> None:
        """This number cannot receive texts."""
        with self._database.write() as conn:
            people.mark_incapable(conn, address, rule, at=at)
