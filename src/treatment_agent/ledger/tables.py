"""The ledger's tables, and the two column types that keep its promises about time and text."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    literal_column,
)
from sqlalchemy.types import TypeDecorator, TypeEngine

from treatment_agent.domain.value import require_aware

SCHEMA_VERSION = 4

# SQLite only gives increasing row numbers to a column declared INTEGER.
_Sequence = BigInteger().with_variant(Integer(), "sqlite")


class UtcTime(TypeDecorator[datetime]):
    """An instant, kept in UTC and handed back aware. A naive datetime is refused with `NaiveDatetimeError`.

    PostgreSQL has a type for it. SQLite has none: it gets text of one length, which sorts like the time.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """See above."""
        return dialect.type_descriptor(String(26) if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """To UTC."""
        if value is None:
            return None
        moment = require_aware(value, "a time in the ledger").astimezone(UTC)
        return moment.isoformat(" ", "microseconds")[:26] if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Aware, in UTC."""
        if value is None:
            return None
        return datetime.fromisoformat(value).replace(tzinfo=UTC) if isinstance(value, str) else value.astimezone(UTC)


class FreeText(TypeDecorator[str]):
    """Words from outside. NUL and lone surrogates, which no database takes, become U+FFFD.

    One character for one, so that evidence offsets into the stored text stay right.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """See `storable`."""
        return None if value is None else storable(value)


def storable(text: str) -> str:
    """The text with every character that cannot be stored replaced by U+FFFD; its length does not change."""
    if "\x00" in text or not text.isascii():
        return "".join("\ufffd" if c == "\x00" or "\ud800" <= c <= "\udfff" else c for c in text)
    return text


metadata = MetaData()

schema_version = Table("ledger_schema", metadata, Column("version", Integer, primary_key=True))

patients = Table(
    "patients",
    metadata,
    Column("id", String, primary_key=True),
    Column("household_id", String),
    Column("payload", Text, nullable=False),
)
Index("patients_household", patients.c.household_id, sqlite_where=patients.c.household_id.is_not(None),
      postgresql_where=patients.c.household_id.is_not(None))  # fmt: skip

contact_points = Table(
    "contact_points",
    metadata,
    Column("id", _Sequence, primary_key=True),
    Column("kind", String, nullable=False),
    Column("address", String, nullable=False, unique=True),
    Column("incapable_rule", String),
    Column("incapable_at", UtcTime),
)

# A former number stays linked (`is_current` false): a revocation from it still binds the person.
patient_contacts = Table(
    "patient_contacts",
    metadata,
    Column("patient_id", ForeignKey("patients.id"), primary_key=True),
    Column("contact_id", ForeignKey("contact_points.id"), primary_key=True),
    Column("is_current", Boolean, nullable=False),
)
Index("patient_contacts_contact", patient_contacts.c.contact_id)

# The export that told of the case last, and when reading it began.
cases = Table(
    "cases",
    metadata,
    Column("id", String, primary_key=True),
    Column("patient_id", ForeignKey("patients.id"), nullable=False),
    Column("payload", Text, nullable=False),
    Column("value_cents", BigInteger, nullable=False),
    Column("diagnosed_on", Date),
    Column("export_id", String),
    Column("exported_at", UtcTime),
)

# `state` is the `Conversation`; the columns beside it repeat what queries filter and sort by.
# `entered_at` is when the case first passed the queue's rules, `held_out` whether chance held it out then.
conversations = Table(
    "conversations",
    metadata,
    Column("id", String, primary_key=True),
    Column("patient_id", ForeignKey("patients.id")),
    Column("contact_id", ForeignKey("contact_points.id")),
    Column("phase", String, nullable=False),
    Column("due_at", UtcTime),
    Column("score", Integer, nullable=False),
    Column("held", Boolean, nullable=False),
    Column("skip_rule", String),
    Column("disposition", String),
    Column("enrolled_at", UtcTime, nullable=False),
    Column("last_sent_at", UtcTime),
    Column("last_staff_at", UtcTime),
    Column("booked_at", UtcTime),
    Column("booked_on", Date),
    Column("entered_at", UtcTime),
    Column("held_out", Boolean),
    Column("state", Text, nullable=False),
)
Index("conversations_due", conversations.c.due_at, sqlite_where=conversations.c.due_at.is_not(None),
      postgresql_where=conversations.c.due_at.is_not(None))  # fmt: skip
Index("conversations_patient", conversations.c.patient_id)

events = Table(
    "events",
    metadata,
    Column("seq", _Sequence, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("kind", String, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("payload", Text, nullable=False),
    Column("body", FreeText),
    Column("sender_id", ForeignKey("contact_points.id")),
    Column("outcome", Text),
    sqlite_autoincrement=True,
)
Index("events_conversation", events.c.conversation_id, events.c.seq)
# Measures ask who wrote when; the index answers without opening the rows, whose outcomes are long.
events_measured = Index("events_measured", events.c.kind, events.c.conversation_id, events.c.at)
Index("events_pending", events.c.conversation_id, sqlite_where=events.c.outcome.is_(None),
      postgresql_where=events.c.outcome.is_(None))  # fmt: skip

outbox = Table(
    "outbox",
    metadata,
    Column("seq", _Sequence, primary_key=True),
    Column("key", String, nullable=False, unique=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("event_id", String, nullable=False),
    Column("contact_id", ForeignKey("contact_points.id"), nullable=False),
    Column("channel", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("script_id", String, nullable=False),
    Column("script_version", Integer, nullable=False),
    Column("language", String, nullable=False),
    Column("approved_by", String, nullable=False),
    Column("content_hash", String, nullable=False),
    Column("subject", FreeText, nullable=False),
    Column("body", FreeText, nullable=False),
    Column("status", String, nullable=False),
    Column("status_at", UtcTime, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("rule", String, nullable=False),
    Column("provider_message_id", String),
    Column("delivery", String),
    sqlite_autoincrement=True,
)
Index("outbox_conversation", outbox.c.conversation_id, outbox.c.seq)
Index("outbox_contact", outbox.c.contact_id, outbox.c.status_at)
# Spelled out, not a parameter: SQLite only uses a partial index for the very words it was made with.
unsent = outbox.c.status.in_([literal_column("'pending'"), literal_column("'sending'")])
Index("outbox_unsent", outbox.c.conversation_id, sqlite_where=unsent,
      postgresql_where=unsent)  # fmt: skip
Index("outbox_provider", outbox.c.provider_message_id, sqlite_where=outbox.c.provider_message_id.is_not(None),
      postgresql_where=outbox.c.provider_message_id.is_not(None))  # fmt: skip

# The patient's words stand in their own column, so that they can be blacked out without touching the packet.
# `undelivered` is set while the staff desk has not taken the packet as it stands here.
handoffs = Table(
    "handoffs",
    metadata,
    Column("id", String, primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("kind", String, nullable=False),
    Column("status", String, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("urgency", Integer, nullable=False),
    Column("due_at", UtcTime, nullable=False),
    Column("topic", String),
    Column("payload", Text, nullable=False),
    Column("words", FreeText, nullable=False),
    Column("undelivered", Boolean),
    Column("draft", FreeText),
)
Index("handoffs_conversation", handoffs.c.conversation_id)
still_open = handoffs.c.is_open.is_(True)
Index("handoffs_open", handoffs.c.urgency, handoffs.c.due_at, sqlite_where=still_open,
      postgresql_where=still_open)  # fmt: skip

# Append only. `patient_id` is the person who gave or withdrew consent, where that is known. `chart_write` says whether
# the chart was told: NULL where it is no news to it.
consents = Table(
    "consents",
    metadata,
    Column("seq", _Sequence, primary_key=True),
    Column("contact_id", ForeignKey("contact_points.id"), nullable=False),
    Column("patient_id", String),
    Column("status", String, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("how", String, nullable=False),
    Column("recorded_by", String, nullable=False),
    Column("evidence", String, nullable=False),
    Column("purpose", String, nullable=False),
    Column("recorded_at", UtcTime, nullable=False),
    Column("chart_write", String),
)
Index("consents_contact", consents.c.contact_id)
revocation = consents.c.status == literal_column("'revoked'")
Index("consents_revoked", consents.c.patient_id, sqlite_where=revocation,
      postgresql_where=revocation)  # fmt: skip

reasons = Table(
    "reasons",
    metadata,
    Column("event_id", String, primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("code", String, nullable=False),
    Column("until", Date),
    Column("at", UtcTime, nullable=False),
    Column("words", FreeText, nullable=False),
)
Index("reasons_conversation", reasons.c.conversation_id)

policies = Table(
    "policies",
    metadata,
    Column("key", String, primary_key=True),
    Column("digest", String, nullable=False),
    Column("first_used_at", UtcTime, nullable=False),
)

journal = Table(
    "journal",
    metadata,
    Column("seq", _Sequence, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("action", String, nullable=False),
    Column("rule", String, nullable=False),
    Column("detail", FreeText, nullable=False),
    Column("conversation_id", String),
    Column("patient_id", String),
    Column("event_id", String),
)
Index("journal_patient", journal.c.patient_id, sqlite_where=journal.c.patient_id.is_not(None),
      postgresql_where=journal.c.patient_id.is_not(None))  # fmt: skip

leases = Table(
    "leases",
    metadata,
    Column("conversation_id", String, primary_key=True),
    Column("owner", String, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
)
