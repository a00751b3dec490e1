"""What language models did and took, from the records of turns. Counts and labels only: no words are read here."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, Connection, select

from treatment_agent.domain.books import ModelTally
from treatment_agent.domain.handoff import Draft
from treatment_agent.domain.interpretation import Interpretation, ModelUse, Topic
from treatment_agent.ledger import codec
from treatment_agent.ledger.tables import cases, conversations, events, handoffs

_MARK = '%"model":{"model":%'


def model_tally(conn: Connection, where: ColumnElement[bool]) -> ModelTally:
    """Count the turns with a model, and the summaries it drafted, in the conversations that `where` picks."""
    rows = conn.execute(
        select(events.c.conversation_id, events.c.outcome)
        .select_from(events.join(conversations, conversations.c.id == events.c.conversation_id))
        .join(cases, cases.c.id == conversations.c.id)
        .where(where, events.c.outcome.like(_MARK))
        .order_by(events.c.seq)
    )
    reads = (
        (row.conversation_id, read.model, read)
        for row in rows
        for read in (codec.restore(Interpretation, json.loads(row.outcome)["interpretation"]),)
        if read.model is not None
    )
    return _counted(reads, _drafted(conn, where))


def _drafted(conn: Connection, where: ColumnElement[bool]) -> list[ModelUse]:
    """What each handoff's drafts took, also those that failed or that the patient's next words overtook."""
    found = conn.scalars(
        select(handoffs.c.draft)
        .select_from(handoffs.join(conversations, conversations.c.id == handoffs.c.conversation_id))
        .join(cases, cases.c.id == conversations.c.id)
        .where(where, handoffs.c.draft.is_not(None))
    )
    return [codec.load(Draft, draft).use for draft in found]


def _counted(found: Iterable[tuple[str, ModelUse, Interpretation]], drafts: Sequence[ModelUse]) -> ModelTally:
    rows = tuple(found)
    uses = [use for _, use, _ in rows]
    return ModelTally(
        conversations=len({conversation for conversation, _, _ in rows}),
        messages=len(uses),
        calls=sum(use.calls for use in uses),
        input_tokens=sum(use.input_tokens for use in uses),
        cached_tokens=sum(use.cached_tokens for use in uses),
        output_tokens=sum(use.output_tokens for use in uses),
        milliseconds=sum(use.milliseconds for use in uses),
        slowest=max((use.milliseconds for use in uses), default=0),
        unanswered=sum(not use.answered for use in uses),
        disagreed=sum(use.disagrees for use in uses),
        resolved=sum(_unclear(use) and not read.abstained and not read.topics for _, use, read in rows),
        added=sum(use.answered and bool(_topics(use.said) - _topics(use.local)) for use in uses),
        failures=dict(sorted(Counter(kind.value for use in uses for kind in use.failures).items())),
        models=tuple(sorted({f"{use.model} {use.prompt}" for use in (*uses, *drafts)})),
        drafts=len(drafts),
        draft_calls=sum(use.calls for use in drafts),
        draft_input_tokens=sum(use.input_tokens for use in drafts),
        draft_output_tokens=sum(use.output_tokens for use in drafts),
    )


def _unclear(use: ModelUse) -> bool:
    return use.answered and any(label is None or isinstance(label, Topic) for label in use.local)


def _topics(labels: Iterable[object]) -> set[object]:
    return {label for label in labels if isinstance(label, Topic)}
