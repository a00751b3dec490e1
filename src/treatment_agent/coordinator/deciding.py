"""One turn decided: from the books and the event to what is to be committed. Reads and writes no books.

Live turns and replayed ones come through here, so that a replay is the same code on kept inputs.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.types import Durability
from pydantic import SecretStr
from tenacity import Retrying, stop_after_attempt

from treatment_agent.coordinator import packets
from treatment_agent.coordinator.taping import Tape, TapedChart, TapedInterpreter, TapedScheduler
from treatment_agent.domain.books import ConversationFacts, StoredEvent, TurnCommit
from treatment_agent.domain.conversation import Conversation
from treatment_agent.domain.events import PatientMessage
from treatment_agent.domain.inputs import TurnInputs
from treatment_agent.domain.turn import TurnRecord
from treatment_agent.graph.build import Graph
from treatment_agent.graph.state import TurnContext, fresh
from treatment_agent.ledger.checkpoints import CheckpointUnreadable
from treatment_agent.policies import boundary, held
from treatment_agent.policies.fallback import fallback
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.ports import Chart, Interpreter, Scheduler

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Deciding:
    """What a turn is decided with."""

    policy: PracticePolicy
    interpreter: Interpreter
    scheduler: Scheduler
    chart: Chart
    graph: Graph

    def decide(
        self, stored: StoredEvent, facts: ConversationFacts, *, now: datetime, stopped: bool = False
    ) -> TurnCommit:
        """Run the graph on an event. Whatever breaks on the way, a person gets it (P5)."""
        tape = Tape()
        context = self.context(facts, stored.text, now=now, stopped=stopped, tape=tape)
        try:
            # A checkpoint that could not be written is tried once more: tool calls are idempotent.
            record, after = Retrying(stop=stop_after_attempt(2), reraise=True)(self._run, stored, context, tape)
            commit = self.commit(record, after, stored, facts, stopped=stopped)
        except Exception as error:
            log.warning("turn.failed conversation=%s error=%s", stored.conversation_id, type(error).__name__)
            record, after = fallback(stored.event, facts, self.policy, now, stored.text)
            commit = self.commit(record, after, stored, facts)
        return self._with_inputs(commit, TurnInputs(facts=facts, stopped=stopped, answers=tuple(tape.answers)))

    def resume(
        self, stored: StoredEvent, facts: ConversationFacts, *, now: datetime, stopped: bool = False
    ) -> TurnCommit | None:
        """What a crash between the graph and the commit left in the checkpoint, or None."""
        try:
            saved = self.graph.get_state(_config(stored)).values
        except CheckpointUnreadable:
            self._forget(stored)
            return None
        done: TurnRecord | None = saved.get("turn")
        if done is None or done.id != stored.event.id:
            return None
        commit = self.commit(done, saved["conversation"], stored, facts, stopped=stopped)
        return self._with_inputs(commit, TurnInputs(facts=facts, stopped=stopped, resumed=True))

    def waiting(
        self, stored: StoredEvent, facts: ConversationFacts, rule: str, wait: timedelta, *, now: datetime
    ) -> TurnCommit:
        """A touch that a limit holds back: it falls due again later."""
        record, after = held.waits(stored.event, facts, self.policy, now, rule=rule, wait=wait)
        commit = self.commit(record, after, stored, facts)
        return self._with_inputs(commit, TurnInputs(facts=facts, held_by=rule))

    def context(
        self,
        facts: ConversationFacts,
        text: SecretStr | None,
        *,
        now: datetime,
        stopped: bool = False,
        tape: Tape | None = None,
    ) -> TurnContext:
        """What the graph may use in this run."""
        tape = tape or Tape()
        return TurnContext(
            policy=self.policy,
            interpreter=TapedInterpreter(self.interpreter, tape),
            scheduler=TapedScheduler(self.scheduler, tape),
            chart=TapedChart(self.chart, tape),
            facts=facts,
            now=now,
            text=text or SecretStr(""),
            stopped=stopped,
        )

    def _run(self, stored: StoredEvent, context: TurnContext, tape: Tape) -> tuple[TurnRecord, Conversation]:
        tape.answers.clear()
        # A replay has no checkpoints.
        durability: Durability | None = "exit" if self.graph.checkpointer else None
        try:
            state = self.graph.invoke(
                fresh(stored.event, context.facts), _config(stored), context=context, durability=durability
            )
        except CheckpointUnreadable:
            self._forget(stored)
            raise  # and tried once more, without it
        record = state.get("turn")
        if record is None or record.id != stored.event.id:
            raise ValueError("the graph ended without a record")
        return record, state["conversation"]

    def _forget(self, stored: StoredEvent) -> None:
        """Drop a damaged checkpoint: a turn is decided from the books, and its tool calls are idempotent."""
        log.warning("checkpoint.unreadable conversation=%s; it is dropped", stored.conversation_id)
        if isinstance(self.graph.checkpointer, BaseCheckpointSaver):
            self.graph.checkpointer.delete_thread(stored.conversation_id)

    def _with_inputs(self, commit: TurnCommit, inputs: TurnInputs) -> TurnCommit:
        kept = replace(
            inputs,
            interpreter=self.interpreter.version,
            authority=self.scheduler.authority,
            can_reschedule=self.scheduler.can_reschedule,
            due_at=commit.conversation.due_at,
        )
        return replace(commit, inputs=kept)

    def commit(
        self,
        record: TurnRecord,
        after: Conversation,
        stored: StoredEvent,
        facts: ConversationFacts,
        *,
        stopped: bool = False,
    ) -> TurnCommit:
        """Render the texts and packets: the record itself holds neither names nor words."""
        if record.sends and stopped:
            record = held.unsaid(record, facts, self.policy)
        checked = boundary.check(
            record.sends,
            before=facts,
            after=after,
            consent=record.consent,
            policy=self.policy,
            now=record.at,
            said_at=stored.event.at,
        )
        handoffs = tuple(packets.build(r, record, facts, stored.text) for r in record.handoffs)
        waiting = isinstance(stored.event, PatientMessage) and facts.conversation.held and not record.handoffs
        again = packets.opened_again(facts, stored.text, self.policy, record.at) if waiting else ()
        if again:
            record = replace(record, rules=(*record.rules, "handoff.reopened"))
        return TurnCommit(
            record=record if not checked.refused else replace(record, sends=checked.allowed),
            conversation=checked.after,
            outbox=checked.messages,
            handoffs=(*handoffs, *again),
            attach_words_to=facts.conversation.handoff_id if waiting and not again else None,
        )


def _config(stored: StoredEvent) -> RunnableConfig:
    return {"configurable": {"thread_id": stored.conversation_id}}
