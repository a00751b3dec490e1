"""The turn protocol (DESIGN 4): lease, graph, one commit, dispatch. Whoever comes next finishes what a crash left."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

from langgraph.checkpoint.base import BaseCheckpointSaver

from treatment_agent.coordinator import chart_writing, packets
from treatment_agent.coordinator.deciding import Deciding
from treatment_agent.coordinator.gates import Gates
from treatment_agent.coordinator.hold import Hold
from treatment_agent.coordinator.others import tell_others
from treatment_agent.coordinator.outbox import Outbox
from treatment_agent.coordinator.telling import Telling
from treatment_agent.domain.books import ConversationFacts, StoredEvent, TurnCommit
from treatment_agent.domain.events import PatientMessage, StaffAction, TouchDue
from treatment_agent.errors import ConversationBusy
from treatment_agent.ledger.checkpoints import prune
from treatment_agent.policies.limits import APPROVAL_WAIT, PAUSE_WAIT
from treatment_agent.ports import Chart, Clock, Ledger, StaffDesk

log = logging.getLogger(__name__)
PATIENCE = timedelta(minutes=3)  # longer than a lease, so that a dead worker's is waited out
PAUSE = timedelta(milliseconds=25)


@dataclass(frozen=True, slots=True)
class Ports:
    """What turns are made with, beside what decides them."""

    chart: Chart
    desk: StaffDesk | None
    ledger: Ledger
    clock: Clock
    outbox: Outbox
    gates: Gates


@dataclass(frozen=True, slots=True)
class Turns:
    """Runs the turns of conversations, each under its lease, events in the order they came."""

    ports: Ports
    deciding: Deciding
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
        if fresh_event is None and not _somebody_waits(pending):
            self.ports.outbox.dispatch(hold.conversation_id, hold=hold)
            # A text that could not be sent is news.
            pending = self.ports.ledger.pending(hold.conversation_id)
        while pending:
            # One at a time, and what people did before what the calendar says: a touch gives way to a message.
            stored = min(pending, key=lambda s: isinstance(s.event, TouchDue))
            silent = _somebody_waits(s for s in pending if s is not stored)
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
            now = self.ports.clock.now()
            commit = self.deciding.waiting(stored, facts, "limit.approval", APPROVAL_WAIT, now=now)
        if isinstance(stored.event, TouchDue) and commit.outbox and self._somebody_wrote(conversation_id):
            return ()
        # Before the commit: a crash in between delivers again, which replaces; after it, a handoff could be lost.
        refused = self._telling.tell(
            (*commit.handoffs, *packets.with_words(commit.attach_words_to, facts, stored.text))
        )
        commit = replace(commit, undelivered=refused)
        others = tell_others(ports.ledger, stored, commit.record, facts)
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
        now = self.ports.clock.now()
        if not fresh and not isinstance(stored.event, TouchDue):
            done = self.deciding.resume(stored, facts, now=now, stopped=stopped)
            if done is not None:
                return done, False
        if isinstance(stored.event, TouchDue) and (rule := self.ports.gates.closed(now)):
            return self.deciding.waiting(stored, facts, rule, PAUSE_WAIT, now=now), True
        return self.deciding.decide(stored, facts, now=now, stopped=stopped), True

    def _somebody_wrote(self, conversation_id: str) -> bool:
        """True when the patient wrote while a touch was being decided: it is left, and decided again after them."""
        return any(isinstance(s.event, PatientMessage) for s in self.ports.ledger.pending(conversation_id))

    def tell_chart(self) -> None:
        """Write consent back to the chart, as far as it answers."""
        chart_writing.tell(self.ports.chart, self.ports.ledger, at=self.ports.clock.now())

    def _prune(self, conversation_id: str) -> None:
        try:
            prune(self.saver, conversation_id)
        except Exception as error:
            # It only costs space, and the next turn prunes again.
            log.warning("turn.not-pruned conversation=%s error=%s", conversation_id, type(error).__name__)


def _somebody_waits(pending: Iterable[StoredEvent]) -> bool:
    """True while a person waits to be heard: what they said may forbid what is about to leave."""
    return any(isinstance(stored.event, PatientMessage | StaffAction) for stored in pending)
