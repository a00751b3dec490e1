"""The last check of a text that we write first, while nobody else can start one: two workers never share one cap."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from treatment_agent.domain.books import SendCheck
from treatment_agent.errors import NotPermitted
from treatment_agent.ledger import limits, turns
from treatment_agent.ledger.database import one_at_a_time
from treatment_agent.ledger.tables import outbox


def ask(conn: Connection, key: str, check: SendCheck, *, at: datetime) -> None:
    """Ask with what the ledger holds now. Until the transaction ends no other checked text starts.

    Raises:
        NotPermitted: with the rule that `check` gave.
    """
    one_at_a_time(conn, "outreach")
    conversation_id = conn.scalar(select(outbox.c.conversation_id).where(outbox.c.key == key))
    if conversation_id is None:
        return
    sent = limits.outreach_sent(conn, since=check.day_began_at)
    rule = check.refusal(turns.facts(conn, conversation_id, at=at), sent)
    if rule is not None:
        raise NotPermitted(rule)
