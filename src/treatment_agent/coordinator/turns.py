"""The turn protocol (DESIGN 4): lease, graph, one commit, dispatch. Whoever comes next finishes what a crash left."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import timedelta

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from pydantic import SecretStr

from treatment_agent.coordinator import packets
from treatment_agent.coordinator.outbox import Outbox
from treatment_agent.domain.books import ConversationFacts, StoredEvent, TurnCommit
from treatment_agent.domain.conversation import Conversation
from treatment_agent.domain.events import PatientMessage
from treatment_agent.domain.turn import TurnRecord
from treatment_agent.errors import AdapterError, ConversationBusy
from treatment_agent.graph.build import Graph
from treatment_agent.graph.state import TurnContext
from treatment_agent.ledger.checkpoints import prune
from treatment_agent.policies import boundary
from treatment_agent.policies.fallback import fallback
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.ports import Chart, Clock, Interpreter, Ledger, Scheduler, StaffDesk

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)
PATIENCE = timedelta(minutes=3)
PAUSE = timedelta(milliseconds=25)


@dataclass(frozen=True, slots=True)
class Ports:
    """What turns are made with."""

    policy: PracticePolicy
    scheduler: Scheduler
    chart: Chart
    desk: StaffDesk | None
    interpreter: Interpreter
    ledger: Ledger
    clock: Clock
    outbox: Outbox


@dataclass(frozen=True, slots=True)
class Turns:
    """Runs the turns of conversations, each under its lease, events in the order they came."""

    ports: Ports
    graph: Graph
    saver: BaseCheckpointSaver[str]

    def settle(self, conversation_id: str, *, event_id: str | None = None, fresh: bool = False) -> None:
        """Handle every pending event of the conversation and send what is unsent.

        With `event_id`, returns as soon as that event is handled, also when another worker did it. `fresh`: the event
        was claimed by this very call, so no crash can have left a checkpoint for it.

        Raises:
            ConversationBusy: another worker holds the conversation for too long; the event stays on the books.
        """
        ledger, clock = self.ports.ledger, self.ports.clock
        owner, waited = clock.new_id(), timedelta()
        while not ledger.lease(conversation_id, owner, at=clock.now(), ttl=LEASE):
            if event_id is not None and self._handled(event_id):
                return
            if waited > PATIENCE:
                raise ConversationBusy(f"conversation {conversation_id}: another worker holds its lease; run `resume`")
            clock.sleep(PAUSE)
            waited += PAUSE
        try:
            self._drain(conversation_id, event_id if fresh else None)
        except Exception:
            ledger.free(conversation_id, owner)
            raise
        ledger.free(conversation_id, owner)

    def _handled(self, event_id: str) -> bool:
        stored = self.ports.ledger.event(event_id)
        return stored is not None and stored.outcome is not None

    def _drain(self, conversation_id: str, fresh_event: str | None) -> None:
        self.ports.outbox.dispatch(conversation_id) if fresh_event is None else None
        while pending := self.ports.ledger.pending(conversation_id):
            for stored in pending:
                self._turn(stored, fresh=stored.event.id == fresh_event)

    def _turn(self, stored: StoredEvent, *, fresh: bool) -> None:
        ports, conversation_id = self.ports, stored.conversation_id
        facts = ports.ledger.facts(conversation_id, at=ports.clock.now())
        record, after = self._decided(stored, facts, fresh=fresh)
        commit = self._commit(record, after, stored, facts)
        self._tell_desk(commit)
        ports.ledger.commit_turn(commit, at=ports.clock.now())
        ports.outbox.dispatch(conversation_id, fresh=frozenset(m.key for m in commit.outbox))
        prune(self.saver, conversation_id)

    def _decided(
        self, stored: StoredEvent, facts: ConversationFacts, *, fresh: bool
    ) -> tuple[TurnRecord, Conversation]:
        """The turn from the graph, or from the checkpoint if a crash came between the graph and the commit."""
        config: RunnableConfig = {"configurable": {"thread_id": stored.conversation_id}}
        if not fresh:
            saved = self.graph.get_state(config).values
            done = saved.get("turn")
            if done is not None and done.id == stored.event.id:
                return done, saved["conversation"]
        context = self.context(facts, stored.text)
        try:
            state = self.graph.invoke({"event": stored.event}, config, context=context, durability="exit")
            record = state.get("turn")
            if record is None or record.id != stored.event.id:
                raise ValueError("the graph ended without a record")
        except Exception as error:
            log.warning("turn.failed conversation=%s error=%s", stored.conversation_id, type(error).__name__)
            return fallback(stored.event, facts, self.ports.policy, context.now)
        return record, state["conversation"]

    def context(self, facts: ConversationFacts, text: SecretStr | None) -> TurnContext:
        """What the graph may use in this run."""
        ports = self.ports
        return TurnContext(
            policy=ports.policy,
            interpreter=ports.interpreter,
            scheduler=ports.scheduler,
            chart=ports.chart,
            facts=facts,
            now=ports.clock.now(),
            text=text or SecretStr(""),
        )

    def _commit(
        self, record: TurnRecord, after: Conversation, stored: StoredEvent, facts: ConversationFacts
    ) -> TurnCommit:
        """Render the texts and packets: the record itself holds neither names nor words."""
        checked = boundary.check(
            record.sends, before=facts, after=after, consent=record.consent, policy=self.ports.policy, now=record.at
        )
        handoffs = tuple(packets.build(r, record, facts, stored.text) for r in record.handoffs)
        waiting = isinstance(stored.event, PatientMessage) and facts.conversation.held and not record.handoffs
        return TurnCommit(
            record=record if not checked.refused else replace(record, sends=checked.allowed),
            conversation=checked.after,
            outbox=checked.messages,
            handoffs=handoffs,
            attach_words_to=facts.conversation.handoff_id if waiting else None,
        )

    def _tell_desk(self, commit: TurnCommit) -> None:
        """Deliver before the commit: a crash in between delivers again, which replaces; after it, it could be lost."""
        if self.ports.desk is None:
            return
        for packet in commit.handoffs:
            try:
                self.ports.desk.deliver(packet)
            except AdapterError as error:
                # The ledger's own list has it; escalation covers a desk that stays away.
                log.warning("desk.unavailable handoff=%s error=%s", packet.id, type(error).__name__)
