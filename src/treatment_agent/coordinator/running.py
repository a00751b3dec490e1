"""A run: what is due now, best score first, as far as the office's limits let it."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from treatment_agent.coordinator.answers import RunReport, TurnOutcome
from treatment_agent.coordinator.desk import Escalations
from treatment_agent.coordinator.gates import Gates
from treatment_agent.coordinator.inbox import Inbox
from treatment_agent.domain.books import ConversationFacts
from treatment_agent.domain.conversation import Conversation, Phase
from treatment_agent.domain.events import TouchDue
from treatment_agent.domain.office import HeldBack
from treatment_agent.domain.scheduling import VisitPlan
from treatment_agent.domain.treatment import Case
from treatment_agent.policies import booking, capacity
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.ports import Clock, Ledger, Scheduler

log = logging.getLogger(__name__)

# When so many of the best scored wait for room, the office is full and the run ends.
MOST_HELD = 500


@dataclass(slots=True)
class Capacity:
    """How many invitations there is room for in this run. The calendar is asked once per kind of visit."""

    policy: PracticePolicy
    scheduler: Scheduler
    ledger: Ledger
    now: datetime
    _room: capacity.Room | None = None

    def refusal(self, facts: ConversationFacts) -> str | None:
        """The rule by which this patient is not invited now, or None, and then the room is taken."""
        month = self.now.astimezone(self.policy.office.tz).month
        ratio = self.policy.limits.ratio(month)
        visit = self._visit(facts)
        if ratio is None or visit is None:
            return None
        room = self._opened(ratio)
        if not self._asked(room, visit):
            return None
        if room.invite(capacity.kind_of(visit)):
            return None
        return "limit.year-end" if month in self.policy.limits.crunch_months else "limit.capacity"

    def give_back(self, facts: ConversationFacts) -> None:
        """Nothing was sent after all."""
        visit = self._visit(facts)
        if self._room is not None and visit is not None:
            self._room.give_back(capacity.kind_of(visit))

    def _visit(self, facts: ConversationFacts) -> VisitPlan | None:
        """The visit that a touch would invite to; None when it is no first text."""
        conversation, case = facts.conversation, facts.case
        if case is None or conversation.phase is not Phase.QUEUED or conversation.first_sent_at is not None:
            return None
        return booking.plan_visit(case, self.policy)

    def _opened(self, ratio: float) -> capacity.Room:
        """The room, less what is promised to those who were invited lately and have not answered."""
        if self._room is None:
            self._room = room = capacity.Room(ratio)
            since = self.now - timedelta(days=self.policy.limits.invitation_days)
            for row in self.ledger.invited(since=since):
                self._promised(room, row.case)
        return self._room

    def _promised(self, room: capacity.Room, case: Case | None) -> None:
        visit = booking.plan_visit(case, self.policy) if case else None
        if visit is not None and self._asked(room, visit):
            room.invite(capacity.kind_of(visit))

    def _asked(self, room: capacity.Room, visit: VisitPlan) -> bool:
        """True when the calendar said how much room there is. If it cannot, the touch finds that out for itself."""
        kind = capacity.kind_of(visit)
        if not room.knows(kind):
            try:
                room.open(kind, self.scheduler.find_slots(capacity.room_request(visit, self.policy, self.now)))
            except Exception as error:
                log.warning("capacity.unknown error=%s", type(error).__name__)
                return False
        return True


@dataclass(frozen=True, slots=True)
class Runner:
    """Does what is due. Several workers may run at once on one ledger."""

    policy: PracticePolicy
    scheduler: Scheduler
    ledger: Ledger
    clock: Clock
    inbox: Inbox
    gates: Gates
    escalations: Escalations

    def run(self, *, limit: int, failed: tuple[str, ...] = ()) -> RunReport:
        """Escalate late handoffs, then handle due touches; `failed` is what could not be finished before."""
        late = self.escalations.run()
        self.gates.watch()
        now = self.clock.now()
        run = _Run(self, Capacity(self.policy, self.scheduler, self.ledger, now), failed=list(failed))
        while run.goes_on(limit):
            # Who waits for room must not keep others from being reached, so the list is read further down.
            ids = self.ledger.due(at=now, limit=limit + len(run.held))
            new = [conversation_id for conversation_id in ids if conversation_id not in run.tried]
            if not new:
                break
            for conversation_id in new:
                run.take(conversation_id)
        self.ledger.hold_back(run.held, at=now)
        counts = Counter(touch.rule for touch in run.held)
        return RunReport(tuple(run.outcomes), tuple(run.failed), dict(sorted(counts.items())), late)


@dataclass(slots=True)
class _Run:
    """One run while it goes on."""

    runner: Runner
    capacity: Capacity
    outcomes: list[TurnOutcome] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    held: list[HeldBack] = field(default_factory=list)
    tried: set[str] = field(default_factory=set)
    closed: bool = False

    def goes_on(self, limit: int) -> bool:
        """False once enough was handled, nobody may be written to, or very many wait for room."""
        return not self.closed and len(self.held) < MOST_HELD and len(self.tried) - len(self.held) < limit

    def take(self, conversation_id: str) -> None:
        """One conversation; its trouble does not stop the others."""
        self.tried.add(conversation_id)
        try:
            outcome = self._touch(conversation_id)
            self.outcomes.extend([outcome] if outcome else [])
        except Exception as error:
            log.warning("run.failed conversation=%s error=%s", conversation_id, type(error).__name__)
            self.failed.append(conversation_id)

    def _touch(self, conversation_id: str) -> TurnOutcome | None:
        """Handle the touch of a conversation that was due when the run began; None if it has moved, or waits."""
        runner, now = self.runner, self.runner.clock.now()
        facts = runner.ledger.facts(conversation_id, at=now)
        conversation = facts.conversation
        if conversation.due_at is None or conversation.due_at > now:
            return None
        closed = runner.gates.closed(now)
        self.closed = closed is not None
        rule = closed or self.capacity.refusal(facts)
        if rule is not None:
            self.held.append(HeldBack(conversation_id, rule, conversation.due_at))
            return None
        outcome = self._taken(conversation, now)
        if not outcome.replies:
            self.capacity.give_back(facts)
        return outcome

    def _taken(self, conversation: Conversation, now: datetime) -> TurnOutcome:
        """The outcome of the touch. Its id is made of what every worker sees, so that two of them make one event.

        A touch that was taken back and set again for the same second is another one: it gets a number.
        """
        inbox, ledger = self.runner.inbox, self.runner.ledger
        first = f"touch:{conversation.id}:{conversation.step}:{_second(conversation)}"
        outcome, number = inbox.take(conversation.id, TouchDue(id=first, at=now, step=conversation.step)), 2
        while outcome.duplicate:
            now_stands = ledger.facts(conversation.id, at=now).conversation
            if (now_stands.step, _second(now_stands)) != (conversation.step, _second(conversation)):
                break
            touch = TouchDue(id=f"{first}:{number}", at=now, step=conversation.step)
            outcome, number = inbox.take(conversation.id, touch), number + 1
        return outcome


def _second(conversation: Conversation) -> int | None:
    """The second in which the next touch falls due."""
    return int(conversation.due_at.timestamp()) if conversation.due_at else None
