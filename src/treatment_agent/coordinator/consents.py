"""Consent for a person or a contact point: recording what staff were told, and the file a lawyer asks for.

files = consents.files(coordinator.ledger)
consents.write_csv(files, path, office)          # one line per grant, revocation, text and message, in order of time
consents.record(coordinator, "ana", ConsentStatus.REVOKED, by="kim", note=ConsentNote(how=ConsentHow.PHONE))
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from treatment_agent.domain.consent import EVERYTHING, FOLLOW_UP, ConsentHow, ConsentNote, ConsentRecord, ConsentStatus
from treatment_agent.domain.consent_file import ConsentEntry, ContactFile, ReceivedEntry, SentEntry
from treatment_agent.domain.conversation import Conversation, Phase
from treatment_agent.domain.private import EmailAddress, PhoneNumber
from treatment_agent.errors import ConfigurationError, NotFound
from treatment_agent.policies.rules import sentence

if TYPE_CHECKING:
    from treatment_agent.coordinator.answers import TurnOutcome
    from treatment_agent.coordinator.facade import Coordinator
    from treatment_agent.ports import Ledger

Address = PhoneNumber | EmailAddress
COLUMNS: Final = (
    "contact", "channel", "patients", "at_utc", "at_office", "what", "consent_then", "how", "by", "purpose", "evidence",
    "recorded_at_utc", "script", "script_version", "language", "approved_by", "content_hash", "kind", "status",
    "provider_message_id", "rule", "why", "words",
)  # fmt: skip
# Who spoke, where nobody of the office wrote it down.
_SPOKE: Final = {
    ConsentHow.CHART: "chart",
    ConsentHow.KEYWORD: "patient",
    ConsentHow.WORDS: "patient",
    ConsentHow.CARRIER: "carrier",
    ConsentHow.WRONG_NUMBER: "whoever has the number",
}
# A spreadsheet runs a cell that begins so.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def addresses_of(ledger: Ledger, who: str) -> tuple[Address, ...]:
    """The contact points meant by a patient's id, a phone number or a mailbox.

    Raises:
        NotFound: nobody and nothing on the books is called so.
    """
    known = ledger.contact_addresses(patient_id=who)
    if known:
        return known
    try:
        address: Address = EmailAddress.parse(who) if "@" in who else PhoneNumber.parse(who)
    except ValueError:
        raise NotFound(
            "WHO is no patient on the books, no phone number and no mailbox; check the id, or write the number with "
            "its area code"
        ) from None
    return (address,)


def files(ledger: Ledger, addresses: Iterable[Address] | None = None) -> Iterator[ContactFile]:
    """The files of these contact points, or of all of them, one after the other."""
    for address in ledger.contact_addresses() if addresses is None else addresses:
        yield ledger.contact_file(address)


# -- recording


def record(
    coordinator: Coordinator, who: str, status: ConsentStatus, *, by: str, note: ConsentNote
) -> tuple[TurnOutcome, ...]:
    """Record what staff were told, for a patient's id, a phone number or a mailbox.

    A revocation binds the person everywhere and everybody on the same number, and silences a number nobody knows, too.
    A grant is for one patient: where several share the number, the patient must be named.

    Raises:
        ConfigurationError: a grant for a number that several patients share, or that nobody has.
        NotFound: not a patient, a number or a mailbox.
    """
    granted = status is ConsentStatus.GRANTED
    targets = _targets(coordinator.ledger, who, coordinator.clock.now())
    if granted and len({c.patient_id for c in targets}) != 1:
        raise ConfigurationError("a grant is for one patient: give the patient's id instead of the number or mailbox")
    if not targets:
        _suppress(coordinator, who, by, note)
        return ()
    act = coordinator.record_consent if granted else coordinator.record_revocation
    outcomes: list[TurnOutcome] = []
    for target in targets:
        # The first one may have settled the others: they share a number or a person.
        now = coordinator.ledger.facts(target.id, at=coordinator.clock.now()).conversation
        if not outcomes or (now.phase is Phase.OPTED_OUT) is granted:
            outcomes.append(act(target.id, by=by, note=note))
    return tuple(outcomes)


def _targets(ledger: Ledger, who: str, now: datetime) -> list[Conversation]:
    ids = ledger.conversation_ids_of_patient(who)
    if ids:
        return [ledger.facts(id, at=now).conversation for id in ids]
    return [c for address in addresses_of(ledger, who) for c in ledger.conversations_of(address)]


def _suppress(coordinator: Coordinator, who: str, by: str, note: ConsentNote) -> None:
    now = coordinator.clock.now()
    for address in addresses_of(coordinator.ledger, who):
        entry = ConsentRecord(
            status=ConsentStatus.REVOKED,
            at=now,
            how=note.how,
            by=by,
            evidence=note.evidence,
            purpose=note.purpose or EVERYTHING,
        )
        coordinator.ledger.record_consent(address, entry, at=now)


# -- the file for a lawyer


def as_data(file: ContactFile, zone: tzinfo) -> dict[str, object]:
    """One contact point as plain data for JSON: numbers and words in full."""
    lines = list(timeline(file, zone))
    return {
        "contact": file.address.reveal(),
        "channel": file.channel.value,
        "patients": list(file.patients),
        "former_patients": list(file.former_patients),
        "standing": file.standing.value,
        "purpose_of_our_texts": FOLLOW_UP,
        "cannot_receive": file.incapable_rule,
        "sent_after_revocation": len(file.sent_after_revocation),
        "history": [{name: value for name, value in line.items() if value != ""} for line in lines],
    }


def timeline(file: ContactFile, zone: tzinfo) -> Iterator[dict[str, str]]:
    """Every grant, revocation, text and message in order of time, as the columns of `COLUMNS`."""
    lines = [
        *((c.at, 0, _consent_line(c)) for c in file.consents),
        *((r.at, 1, _received_line(r)) for r in file.received),
        *((s.status_at, 2, _sent_line(s, file)) for s in file.sent),
    ]
    common = {
        "contact": file.address.reveal(),
        "channel": file.channel.value,
        "patients": " ".join(file.patients),
    }
    for at, _, line in sorted(lines, key=lambda entry: entry[:2]):
        times = {"at_utc": _utc(at), "at_office": at.astimezone(zone).isoformat(timespec="seconds")}
        yield {name: {**common, **times, **line}.get(name, "") for name in COLUMNS}


def write_csv(found: Iterable[ContactFile], to: TextIO, zone: tzinfo) -> int:
    """Write the files as one table; return how many contact points it holds."""
    writer = csv.DictWriter(to, COLUMNS)
    writer.writeheader()
    count = 0
    for file in found:
        count += 1
        writer.writerows({k: _cell(k, v) for k, v in line.items()} for line in timeline(file, zone))
    return count


def private_file(path: Path) -> TextIO:
    """Open a new file that only its owner can read: it holds numbers and patients' words.

    Raises:
        ConfigurationError: it cannot be written.
    """
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        return os.fdopen(number, "w", encoding="utf-8", newline="")
    except OSError as error:
        raise ConfigurationError(f"--out {path}: {error.strerror or 'cannot be written'}") from None


def _consent_line(entry: ConsentEntry) -> dict[str, str]:
    return {
        "what": f"consent {entry.status.value}",
        "how": entry.how.value,
        "by": entry.by or _SPOKE.get(entry.how, ""),
        "purpose": entry.purpose,
        "evidence": entry.evidence,
        "recorded_at_utc": _utc(entry.recorded_at),
        "words": entry.words.get_secret_value() if entry.words else "",
    }


def _received_line(entry: ReceivedEntry) -> dict[str, str]:
    rule = entry.rules[0] if entry.rules else ""
    return {
        "what": "message received",
        "evidence": entry.event_id,
        "rule": rule,
        "why": sentence(rule),
        "words": entry.words.get_secret_value(),
    }


def _sent_line(entry: SentEntry, file: ContactFile) -> dict[str, str]:
    rule = entry.rule or "outbound.approved"
    return {
        "what": f"text {entry.status}",
        "consent_then": file.standing_at(entry.status_at).value,
        "script": entry.script_id,
        "script_version": str(entry.script_version),
        "language": entry.language,
        "approved_by": entry.approved_by,
        "content_hash": entry.content_hash,
        "kind": entry.kind.value,
        "status": entry.delivery or entry.status,
        "provider_message_id": entry.provider_message_id or "",
        "rule": rule,
        "why": sentence(rule),
        "words": entry.body.get_secret_value(),
    }


def _utc(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def _cell(name: str, value: str) -> str:
    return f"'{value}" if name != "contact" and value.startswith(_FORMULA) else value
