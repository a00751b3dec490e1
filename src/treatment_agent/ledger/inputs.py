"""What turns were decided on, kept beside their events so that they can be replayed (P12)."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

from sqlalchemy import Column, Connection, ForeignKey, String, Table, Text, select

from treatment_agent.domain.inputs import TurnInputs
from treatment_agent.domain.treatment import Case
from treatment_agent.ledger import codec
from treatment_agent.ledger.database import insert_into
from treatment_agent.ledger.tables import events, metadata

# A case as a turn saw it; many turns see the same. The patient's data is in it, as in `patients`.
seen_cases = Table(
    "seen_cases",
    metadata,
    Column("digest", String, primary_key=True),
    Column("payload", Text, nullable=False),
)

# A turn of an older release has no row, and cannot be replayed.
turn_inputs = Table(
    "turn_inputs",
    metadata,
    Column("event_id", ForeignKey("events.id"), primary_key=True),
    Column("case_digest", ForeignKey("seen_cases.digest")),
    Column("payload", Text, nullable=False),
)


def add(conn: Connection, event_id: str, inputs: TurnInputs) -> None:
    """Keep what a turn was decided on. The words of open handoffs are not kept: their messages are on the books."""
    facts = inputs.facts
    digest = None if facts.case is None else _keep_case(conn, facts.case)
    wordless = tuple(replace(packet, words=(), draft=None) for packet in facts.open_handoffs)
    lean = replace(inputs, facts=replace(facts, case=None, open_handoffs=wordless))
    conn.execute(turn_inputs.insert().values(event_id=event_id, case_digest=digest, payload=codec.dump(lean)))


def _keep_case(conn: Connection, case: Case) -> str:
    payload = case.model_dump_json(exclude_defaults=True)
    digest = sha256(payload.encode("utf-8", "surrogatepass")).hexdigest()
    insert = insert_into(conn.dialect.name, seen_cases).values(digest=digest, payload=payload)
    conn.execute(insert.on_conflict_do_nothing(index_elements=["digest"]))
    return digest


def of_conversation(conn: Connection, conversation_id: str) -> dict[str, TurnInputs]:
    """What the turns of a conversation were decided on, by event id."""
    kept = turn_inputs.c
    rows = conn.execute(
        select(kept.event_id, kept.payload, seen_cases.c.payload.label("case"))
        .join(events, events.c.id == kept.event_id)
        .outerjoin(seen_cases, seen_cases.c.digest == kept.case_digest)
        .where(events.c.conversation_id == conversation_id)
    )
    found = {}
    for row in rows:
        inputs = codec.load(TurnInputs, row.payload)
        case = None if row.case is None else codec.load(Case, row.case)
        found[row.event_id] = replace(inputs, facts=replace(inputs.facts, case=case))
    return found
