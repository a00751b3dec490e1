"""Invented cases, turns and texts for the ledger tests, and strategies for any of our values."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st
from pydantic import SecretStr

from treatment_agent.domain.books import Enrolment, JournalEntry, TurnCommit
from treatment_agent.domain.consent import ConsentHow, ConsentRecord, ConsentStatus
from treatment_agent.domain.conversation import Conversation, Phase
from treatment_agent.domain.events import Event, PatientMessage
from treatment_agent.domain.handoff import HandoffKind, HandoffPacket, HandoffStatus, Role, Urgency
from treatment_agent.domain.interpretation import Topic
from treatment_agent.domain.messages import ApprovedMessage, Channel, Receipt, SendKind
from treatment_agent.domain.patients import Patient, Permission
from treatment_agent.domain.private import EmailAddress, PhoneNumber
from treatment_agent.domain.scheduling import Slot, Window
from treatment_agent.domain.treatment import Case, Procedure
from treatment_agent.domain.turn import ConsentChange, TurnRecord
from treatment_agent.ledger.sql_ledger import SqlLedger

NOW = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
CENTRAL = timezone(timedelta(hours=-6))
REVOKE = ConsentChange(ConsentStatus.REVOKED, ConsentHow.KEYWORD)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def phone(number: int = 17) -> PhoneNumber:
    return PhoneNumber.parse(f"+1{312 + number // 100}55501{number % 100:02d}")


def email(number: int = 17) -> EmailAddress:
    return EmailAddress.parse(f"patient{number}@example.com")


def patient(number: int = 17, **changes: object) -> Patient:
    fields: dict[str, object] = {
        "id": f"p{number}",
        "first_name": SecretStr("Ana"),
        "last_name": SecretStr("Sample"),
        "born_on": date(1980, 5, 1),
        "mobile": phone(number),
        "sms": Permission.YES,
    }
    return Patient.model_validate(fields | changes)


def procedure(name: str = "crown-30", **changes: object) -> Procedure:
    fields: dict[str, object] = {
        "id": name, "code": "D2740", "tooth": "30", "fee_cents": 120_000, "diagnosed_on": date(2026, 11, 17),
    }  # fmt: skip
    return Procedure.model_validate(fields | changes)


def case(number: int = 17, *, owner: Patient | None = None, **changes: object) -> Case:
    fields: dict[str, object] = {
        "id": f"c{number}", "patient": owner or patient(number), "procedures": (procedure(),),
    }  # fmt: skip
    return Case.model_validate(fields | changes)


def grant(at: datetime = NOW, **changes: object) -> ConsentRecord:
    fields = {"status": ConsentStatus.GRANTED, "at": at, "how": ConsentHow.CHART}
    return ConsentRecord.model_validate(fields | changes)


def revocation(at: datetime = NOW, **changes: object) -> ConsentRecord:
    fields = {"status": ConsentStatus.REVOKED, "at": at, "how": ConsentHow.KEYWORD}
    return ConsentRecord.model_validate(fields | changes)


def enrolment(number: int = 17, **changes: Any) -> Enrolment:
    about = changes.pop("case", None) or case(number)
    return Enrolment(**({"case": about, "score": 50, "due_at": NOW, "consents": (grant(),)} | changes))


def enrolled(ledger: SqlLedger, number: int = 17, **changes: Any) -> str:
    export, at = changes.pop("export", None), changes.pop("at", NOW)
    row = enrolment(number, **changes)
    ledger.enroll([row], at=at, export=export)
    return row.case.id


def message(event_id: str = "SM1", at: datetime = NOW) -> PatientMessage:
    return PatientMessage(id=event_id, at=at)


def claimed(
    ledger: SqlLedger, conversation: str = "c17", event: Event | None = None, text: str | None = "hello there"
) -> Event:  # fmt: skip
    event = event or message()
    ledger.claim(conversation, event, at=event.at, text=None if text is None else SecretStr(text), sender=phone())
    return event  # fmt: skip


def record(event_id: str = "SM1", conversation: str = "c17", **changes: Any) -> TurnRecord:
    fields: dict[str, Any] = {
        "id": event_id, "conversation_id": conversation, "at": NOW, "policy": "maple/1",
        "phase_before": Phase.CONTACTED, "phase_after": Phase.IN_CONVERSATION, "rules": ("reply.ask",),
    }  # fmt: skip
    return TurnRecord(**(fields | changes))


def state(conversation: str = "c17", patient_id: str | None = "p17", **changes: Any) -> Conversation:
    return Conversation(id=conversation, case_id=conversation, patient_id=patient_id, **changes)


def text_out(key: str = "c17:SM1:0", conversation: str = "c17", **changes: Any) -> ApprovedMessage:
    fields: dict[str, Any] = {
        "key": key, "conversation_id": conversation, "to": phone(), "channel": Channel.SMS,
        "body": SecretStr("Hi Ana, which time suits you?"), "subject": "", "script_id": "outreach.first",
        "script_version": 3, "language": "en", "approved_by": "office", "content_hash": "ab" * 32,
        "kind": SendKind.OUTREACH,
    }  # fmt: skip
    return ApprovedMessage(**(fields | changes))


def packet(name: str = "h1", conversation: str = "c17", **changes: Any) -> HandoffPacket:
    fields: dict[str, Any] = {
        "id": name, "conversation_id": conversation, "patient_id": "p17", "kind": HandoffKind.HANDOFF,
        "status": HandoffStatus.OPENED, "topics": (Topic.FINANCING,), "urgency": Urgency.TODAY,
        "owner": Role.TREATMENT_COORDINATOR, "opened_at": NOW, "due_at": NOW + HOUR, "summary": "Asks about cost.",
        "suggestion": "Call.", "words": ("cost is the issue",),
    }  # fmt: skip
    return HandoffPacket(**(fields | changes))


def committed(ledger: SqlLedger, *, event: Event | None = None, text: str | None = "hello there", **parts: Any) -> bool:
    """Claim an event and commit a turn for it. `parts` are fields of `TurnCommit`, `record` included."""
    conversation: Conversation = parts.pop("conversation", None) or state()
    event = claimed(ledger, conversation.id, event, text)
    done = parts.pop("record", None) or record(event.id, conversation.id, at=event.at)
    return ledger.commit_turn(TurnCommit(done, conversation, **parts), at=event.at)


def sent(ledger: SqlLedger, text: ApprovedMessage, *, at: datetime = NOW, event: Event | None = None) -> None:
    """Commit a turn that writes this text, and send it."""
    fields = {"conversation": state(text.conversation_id, "p" + text.conversation_id[1:], phase=Phase.CONTACTED)}
    committed(ledger, event=event or message(f"E-{text.key}", at), outbox=(text,), **fields)
    assert ledger.mark_sending(text.key, at=at)
    ledger.mark_sent(text.key, Receipt(f"out-{text.key}"), at=at)


def entry(action: str = "send", **changes: Any) -> JournalEntry:
    return JournalEntry(**({"at": NOW, "action": action, "rule": "test.rule", "detail": "x=1"} | changes))


# -- any value of ours

_OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
_MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2200, 1, 1), timezones=_OFFSETS)  # noqa: DTZ001 - bounds
# Neither NUL nor lone surrogates: no database takes them, and no id or code of ours has them.
_TEXTS = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\x00"), max_size=12)
_PLAIN: dict[object, st.SearchStrategy[Any]] = {
    str: _TEXTS,
    int: st.integers(-(2**53), 2**53),
    bool: st.booleans(),
    float: st.floats(0, 1),
    datetime: _MOMENTS,
    date: st.dates(),
    NoneType: st.none(),
}


@cache
def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Every value that the annotations of `kind` allow."""
    if kind in _PLAIN:
        return _PLAIN[kind]
    if get_origin(kind) in (Union, UnionType):
        return st.one_of([values_of(option) for option in get_args(kind)])
    if get_origin(kind) is tuple:
        item, ellipsis = get_args(kind)
        assert ellipsis is Ellipsis
        return st.lists(values_of(item), max_size=2).map(tuple)
    if issubclass(kind, Enum):
        return st.sampled_from(kind)
    assert dataclasses.is_dataclass(kind), kind
    fields = {name: values_of(hint) for name, hint in get_type_hints(kind).items()}
    if kind in (Slot, Window):
        fields["start"] = _MOMENTS.filter(lambda moment: moment.year < 2199)
        lengths = st.timedeltas(timedelta(minutes=1), DAY)
        del fields["end"]
        return st.builds(_with_end(kind), lengths, st.fixed_dictionaries(fields))
    return st.builds(kind, **fields)


def _with_end(kind: type) -> Callable[[timedelta, dict[str, Any]], Any]:
    return lambda length, fields: kind(**fields, end=fields["start"] + length)
