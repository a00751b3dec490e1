"""The turn protocol (DESIGN 4): lease, graph, one commit, dispatch. Whoever comes next finishes what a crash left."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import timedelta

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from pydantic import SecretStr
from tenacity import Retrying, stop_after_attempt

from treatment_agent.coordinator import chart_writing, packets, voices
from treatment_agent.coordinator.gates import Gates
from treatment_agent.coordinator.hold import Hold
from treatment_agent.coordinator.outbox import Outbox
from treatment_agent.coordinator.telling import Telling
from treatment_agent.domain.books import ConversationFacts, StoredEvent, TurnCommit
from treatment_agent.domain.consent import ConsentNote, ConsentStatus, concerns_us
from treatment_agent.domain.conversation import Conversation, Phase
from treatment_agent.domain.events import PatientMessage, StaffAction, StaffVerb, TouchDue
from treatment_agent.domain.messages import Channel
from treatment_agent.domain.turn import TurnRecord
from treatment_agent.errors import ConversationBusy
from treatment_agent.graph.build import Graph
from treatment_agent.graph.state import TurnContext, fresh
from treatment_agent.ledger.checkpoints import prune
from treatment_agent.policies import boundary, held
from treatment_agent.policies.fallback import fallback
from treatment_agent.policies.limits import APPROVAL_WAIT, PAUSE_WAIT
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.ports import Chart, Clock, Interpreter, Ledger, Scheduler, StaffDesk

log = logging.getLogger(__name__)
PATIENCE = timedelta(minutes=3)  # longer than a lease, so that a dead worker's is waited out
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
    gates: Gates


@dataclass(frozen=True, slots=True)
class Turns:
    """Runs the turns of conversations, each under its lease, events in the order they came."""

    ports: Ports
    graph: Graph
    saver: BaseCheckpointSaver[str]

    @property
    def _telling(self) -> Telling:
        return Telling(self.ports.desk, self.ports.ledger, self.ports.clock)

    def resume(self) -> tuple[str, ...]:
        """Finish what a crash or a broken desk left; return the conversations that must be taken up once more."""
        self.tell_chart()
        busy: dict[str, None] = {}
        for conversation_id in self.ports.ledger.unfinished(at=self.ports.clock.now()):
            try:
                self.settle(conversation_id)
            except Exception as error:
                log.warning("resume.failed conversation=%s error=%s", conversation_id, type(error).__name__)
                busy[conversation_id] = None
        return tuple(busy | dict.fromkeys(self._telling.tell_again()))

    def settle(self, conversation_id: str, *, event_id: str | None = None, fresh: bool = False) -> None:
        """Handle every pending event of the conversation and send what is unsent.

        With `event_id`, returns as soon as that event is handled, also when another worker did it. `fresh`: the event
        was claimed by this very call, so no crash can have left a checkpoint for it.

        Raises:
            ConversationBusy: another worker holds the conversation for too long; the event stays on the books.
        """
        ledger, clock = self.ports.ledger, self.ports.clock
        owner, waited = clock.new_id(), timedelta()
        while (hold := Hold.take(ledger, clock, conversation_id, owner)) is None:
            if event_id is not None and self._handled(event_id):
                return
            if waited > PATIENCE:
                raise ConversationBusy(f"conversation {conversation_id}: another worker holds its lease; run `resume`")
            clock.sleep(PAUSE)
            waited += PAUSE
        try:
            # Whoever had the lease meanwhile may have died in the middle of this event.
            others = self._drain(hold, event_id if fresh and not waited else None)
        except Exception:
            hold.free()
            raise
        hold.free()
        self._settle_others(others)

    def _settle_others(self, conversation_ids: tuple[str, ...]) -> None:
        """Conversations that a turn left an event for. Their trouble is not the sender's: `resume` takes it up."""
        for conversation_id in conversation_ids:
            try:
                self.settle(conversation_id)
            except Exception as error:
                log.warning("settle.failed conversation=%s error=%s", conversation_id, type(error).__name__)

    def _handled(self, event_id: str) -> bool:
        stored = self.ports.ledger.event(event_id)
        return stored is not None and stored.outcome is not None

    def _drain(self, hold: Hold, fresh_event: str | None) -> tuple[str, ...]:
        others: dict[str, None] = {}
        pending = self.ports.ledger.pending(hold.conversation_id)
        # While people are still to be heard nothing leaves: one of them may say stop (P1) or need a person (P2).
        if fresh_event is None and not voices.people(pending):
            self.ports.outbox.dispatch(hold.conversation_id, hold=hold)
        while pending:
            # One at a time, and what people did before what the calendar says: a touch gives way to a message.
            stored = min(pending, key=lambda s: isinstance(s.event, TouchDue))
            silent = voices.people(s for s in pending if s is not stored)
            others |= dict.fromkeys(self._turn(stored, hold, fresh=stored.event.id == fresh_event, silent=silent))
            pending = self.ports.ledger.pending(hold.conversation_id)
        return tuple(others)

    def _turn(self, stored: StoredEvent, hold: Hold, *, fresh: bool, silent: bool) -> tuple[str, ...]:
        """One event from the graph to the messenger, unless `silent`; returns conversations it left an event for."""
        ports, conversation_id = self.ports, stored.conversation_id
        hold.keep()
        facts = ports.ledger.facts(conversation_id, at=ports.clock.now())
        # Asked once and outside the graph's `try`: books that do not answer are no broken turn.
        stopped = ports.gates.stopped()
        commit, just_decided = self._decided(stored, facts, fresh=fresh, stopped=stopped)
        hold.keep()
        if isinstance(stored.event, TouchDue) and self.ports.gates.awaits_approval(commit.outbox):
            commit = self._waiting(stored, facts, "limit.approval", APPROVAL_WAIT)
        if isinstance(stored.event, TouchDue) and commit.outbox and self._somebody_wrote(conversation_id):
            return ()
        # Before the commit: a crash in between delivers again, which replaces; after it, a handoff could be lost.
        refused = self._telling.tell(
            (*commit.handoffs, *packets.with_words(commit.attach_words_to, facts, stored.text))
        )
        commit = replace(commit, undelivered=refused)
        others = self._tell_others(stored, commit.record, facts)
        # As of the decision: a text that a crash delayed must look its age.
        ports.ledger.commit_turn(commit, at=commit.record.at)
        keys = frozenset(m.key for m in commit.outbox) if just_decided else frozenset[str]()
        if not silent:
            ports.outbox.dispatch(conversation_id, hold=hold, fresh=keys)
        if commit.record.consent is not None:
            self.tell_chart()
        self._prune(conversation_id)
        return others

    def _decided(
        self, stored: StoredEvent, facts: ConversationFacts, *, fresh: bool, stopped: bool
    ) -> tuple[TurnCommit, bool]:
        """What to commit, from the graph, or from the checkpoint if a crash came between the graph and the commit.

        The second value is True when it was decided just now. Whatever breaks on the way, a person gets it (P5).
        """
        # A touch only asked questions. It asks them again: the chart may have changed (P9).
        if not fresh and not isinstance(stored.event, TouchDue):
            saved = self.graph.get_state(_config(stored)).values
            done = saved.get("turn")
            if done is not None and done.id == stored.event.id:
                return self._commit(done, saved["conversation"], stored, facts, stopped=stopped), False
        if isinstance(stored.event, TouchDue) and (rule := self.ports.gates.closed(self.ports.clock.now())):
            return self._waiting(stored, facts, rule, PAUSE_WAIT), True
        context = self.context(facts, stored.text, stopped=stopped)
        try:
            # A checkpoint that could not be written is tried once more: tool calls are idempotent.
            record, after = Retrying(stop=stop_after_attempt(2), reraise=True)(self._run, stored, context)
            return self._commit(record, after, stored, facts, stopped=stopped), True
        except Exception as error:
            log.warning("turn.failed conversation=%s error=%s", stored.conversation_id, type(error).__name__)
            record, after = fallback(stored.event, facts, self.ports.policy, context.now, stored.text)
            return self._commit(record, after, stored, facts), True

    def _waiting(self, stored: StoredEvent, facts: ConversationFacts, rule: str, wait: timedelta) -> TurnCommit:
        """A touch that a limit holds back: it falls due again later."""
        record, after = held.waits(stored.event, facts, self.ports.policy, self.ports.clock.now(), rule=rule, wait=wait)
        return self._commit(record, after, stored, facts)

    def _run(self, stored: StoredEvent, context: TurnContext) -> tuple[TurnRecord, Conversation]:
        state = self.graph.invoke(
            fresh(stored.event, context.facts), _config(stored), context=context, durability="exit"
        )
        record = state.get("turn")
        if record is None or record.id != stored.event.id:
            raise ValueError("the graph ended without a record")
        return record, state["conversation"]

    def context(self, facts: ConversationFacts, text: SecretStr | None, *, stopped: bool = False) -> TurnContext:
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
            stopped=stopped,
        )

    def _commit(
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
            record = held.unsaid(record, facts, self.ports.policy)
        checked = boundary.check(
            record.sends,
            before=facts,
            after=after,
            consent=record.consent,
            policy=self.ports.policy,
            now=record.at,
            said_at=stored.event.at,
        )
        handoffs = tuple(packets.build(r, record, facts, stored.text) for r in record.handoffs)
        waiting = isinstance(stored.event, PatientMessage) and facts.conversation.held and not record.handoffs
        again = packets.opened_again(facts, stored.text, self.ports.policy, record.at) if waiting else ()
        if again:
            record = replace(record, rules=(*record.rules, "handoff.reopened"))
        return TurnCommit(
            record=record if not checked.refused else replace(record, sends=checked.allowed),
            conversation=checked.after,
            outbox=checked.messages,
            handoffs=(*handoffs, *again),
            attach_words_to=facts.conversation.handoff_id if waiting and not again else None,
        )

    def _somebody_wrote(self, conversation_id: str) -> bool:
        """True when the patient wrote while a touch was being decided: it is left, and decided again after them."""
        return any(isinstance(s.event, PatientMessage) for s in self.ports.ledger.pending(conversation_id))

    def _tell_others(self, stored: StoredEvent, record: TurnRecord, facts: ConversationFacts) -> tuple[str, ...]:
        """A STOP or START counts for everyone on the number: the others get an event, before a crash could lose it.

        A repeated claim changes nothing. A consent that staff recorded counts for the patient who gave it only.
        """
        change, event = record.consent, stored.event
        if change is None or not concerns_us(change.purpose) or not voices.for_others(event):
            return ()
        revoked = change.status is ConsentStatus.REVOKED
        numbers = [stored.sender] if stored.sender else [c.address for c in facts.contacts if c.channel is Channel.SMS]
        sharing = {c.id: c for number in numbers for c in self.ports.ledger.conversations_of(number)}
        sharing.pop(stored.conversation_id, None)
        if isinstance(event, StaffAction) and not revoked:
            sharing = {id: c for id, c in sharing.items() if c.patient_id == facts.conversation.patient_id}
        others = tuple(c.id for c in sharing.values() if (c.phase is Phase.OPTED_OUT) is not revoked)
        for other in others:
            action = StaffAction(
                id=f"{event.id}:{other}",
                at=event.at,
                verb=StaffVerb.RECORD_REVOCATION if revoked else StaffVerb.RECORD_CONSENT,
                by=voices.COORDINATOR,
                how=change.how,
                note=ConsentNote(how=voices.how_heard(change)),
            )
            self.ports.ledger.claim(other, action, at=record.at, sender=stored.sender)
        return others

    def tell_chart(self) -> None:
        """Write consent back to the chart, as far as it answers."""
        chart_writing.tell(self.ports.chart, self.ports.ledger, at=self.ports.clock.now())

    def _prune(self, conversation_id: str) -> None:
        try:
            prune(self.saver, conversation_id)
        except Exception as error:
            # It only costs space, and the next turn prunes again.
            log.warning("turn.not-pruned conversation=%s error=%s", conversation_id, type(error).__name__)


def _config(stored: StoredEvent) -> RunnableConfig:
    return {"configurable": {"thread_id": stored.conversation_id}}
