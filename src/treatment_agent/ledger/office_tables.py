"""Tables about the whole office: what holds outreach back, and which texts wait for a person's approval."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, literal_column

from treatment_agent.ledger.tables import FreeText, UtcTime, metadata, outbox

# SQLite only gives increasing row numbers to a column declared INTEGER.
_Sequence = BigInteger().with_variant(Integer(), "sqlite")

# What happened to the whole office: outreach paused and resumed, lists read, texts filtered. Append only.
office_log = Table(
    "office_log",
    metadata,
    Column("seq", _Sequence, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("what", String, nullable=False),
    Column("value", String, nullable=False),
    Column("rule", String, nullable=False),
    Column("by", String, nullable=False),
    Column("note", FreeText, nullable=False),
)
Index("office_log_what", office_log.c.what, office_log.c.seq)

# Texts of a new script version that a person must approve before they go, one per conversation and version.
approvals = Table(
    "approvals",
    metadata,
    Column("id", String, primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("script_id", String, nullable=False),
    Column("script_version", Integer, nullable=False),
    Column("language", String, nullable=False),
    Column("status", String, nullable=False),
    Column("asked_at", UtcTime, nullable=False),
    Column("decided_at", UtcTime),
    Column("decided_by", String, nullable=False),
)
Index("approvals_script", approvals.c.script_id, approvals.c.language, approvals.c.script_version)

# The last touch of a conversation that was due and not made. It counts while the conversation is due at that time.
held_back = Table(
    "held_back",
    metadata,
    Column("conversation_id", ForeignKey("conversations.id"), primary_key=True),
    Column("rule", String, nullable=False),
    Column("due_at", UtcTime, nullable=False),
    Column("at", UtcTime, nullable=False),
)

# Limits count recent outreach, however long the outbox is: this index holds nothing else. Spelled out, not a parameter:
# SQLite only uses a partial index for the very words it was made with.
is_outreach = outbox.c.kind == literal_column("'outreach'")
outbox_outreach = Index("outbox_outreach", outbox.c.status_at, sqlite_where=is_outreach,
                        postgresql_where=is_outreach)  # fmt: skip
