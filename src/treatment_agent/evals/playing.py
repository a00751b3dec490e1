"""Plays a dialogue file: time passes, what is due is done, then what the turn says happens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, time, timedelta

from treatment_agent.coordinator.answers import TurnOutcome
from treatment_agent.domain.consent import ConsentStatus
from treatment_agent.domain.handoff import HandoffStatus
from treatment_agent.errors import ConfigurationError, NotFound, TreatmentAgentError
from treatment_agent.evals.breaking import plan_faults
from treatment_agent.evals.dialogue import Dialogue
from treatment_agent.evals.doing import Doing
from treatment_agent.evals.happenings import Turn
from treatment_agent.evals.moves import watched
from treatment_agent.evals.played import Books, Played, PlayedTurn, Said, Sent, Who
from treatment_agent.evals.staging import Stage, open_stage
from treatment_agent.evals.telling import counted
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.ports import Interpreter
from treatment_agent.testing import Crash
from treatment_agent.tools.memory import MemoryCaseSource

# The office's own run, on every day that passes: what was held back is looked at again.
_ROUND = time(10, 5)
_STEP = timedelta(minutes=1)
_EVENING = timedelta(hours=16)
_DOWN = timedelta(minutes=3)


def play(dialogue: Dialogue, *, policy: PracticePolicy | None = None, interpreter: Interpreter | None = None) -> Played:
    """Play every turn and read the final books. Nothing is judged here.

    Args:
        dialogue: The file.
        policy: Other decisions than the demo practice's.
        interpreter: Another interpreter than the file's; the local one stands beside it.

    Raises:
        ConfigurationError: the file cannot be staged: an override, the interpreter, or the first text did not leave.
    """
    stage = open_stage(dialogue, policy=policy, interpreter=interpreter)
    try:
        return _Play(stage).all()
    finally:
        stage.close()


class _Play:
    """One run of one file."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.doing = Doing(stage)
        self._journal = 0

    def all(self) -> Played:
        """Begin, play the turns until one cannot be played, and read the books."""
        with watched() as edges:
            turns = [self._begin()]
            for number, turn in enumerate(self.stage.dialogue.turn, 1):
                turns.append(self._turn(number, turn))
                if turns[-1].error:
                    break
        stage = self.stage
        sent = tuple(one for turn in turns for one in turn.sent)
        return Played(stage.dialogue, stage.policy, tuple(turns), self._books(), sent, tuple(edges))

    def _begin(self) -> PlayedTurn:
        played, stage = PlayedTurn(0), self.stage
        told = stage.dialogue
        first = told.start == "first-message"
        stage.clock.set(told.now - (_EVENING if first else timedelta()))
        report = stage.coordinator.enroll(MemoryCaseSource(stage.cases()))
        skipped = ", ".join(report.skipped)
        played.said.append(Said(stage.clock.now(), Who.OFFICE, f"{report.enrolled} on the list", note=skipped))
        if first:
            stage.clock.set(told.now)
            self._run(played)
            self._look(played, 0, 0)
            if not played.sent:
                raise ConfigurationError(
                    f"start: no first text left at {told.now:%Y-%m-%d %H:%M} ({', '.join(played.rules) or 'not due'}); "
                    'choose a time at which one may, or write start = "enrolled"'
                )
        return played

    def _turn(self, number: int, turn: Turn) -> PlayedTurn:
        played, stage = PlayedTurn(number), self.stage
        calls, sent, planned = len(stage.faults.calls), len(stage.messenger.sent), stage.faults.unused
        try:
            plan_faults(stage.faults, turn.fault)
            self._surviving(played, turn)
        except TreatmentAgentError as error:
            played.error = f"{type(error).__name__}: {error}"
        played.unused_faults = stage.faults.unused - planned
        self._look(played, calls, sent, turn)
        return played

    def _surviving(self, played: PlayedTurn, turn: Turn) -> None:
        """Wait and act; after a crash the next process finishes, and the provider delivers again."""
        done = self.doing.prepare(turn)
        for attempt in range(1 + sum(fault.times for fault in turn.fault)):
            try:
                if attempt == 0:
                    self._pass(played, turn)
                else:
                    self._run(played)
                for step in done:
                    self._heard(played, step(played))
                return
            except Crash:
                self.stage.restart()
                now = self.stage.clock.advance(_DOWN)
                played.said.append(Said(now, Who.FAULT, "the process died and was started again"))

    # -- time

    def _pass(self, played: PlayedTurn, turn: Turn) -> None:
        """Let time pass up to the turn's moment, and do what falls due on the way."""
        clock, now = self.stage.clock, self.stage.clock.now()
        end = self.stage.local(turn.until) if turn.until else now + (turn.wait if turn.wait is not None else _STEP)
        if end < now:
            raise ConfigurationError(f"until: {end:%Y-%m-%d %H:%M} has passed; the clock stands at {now.isoformat()}")
        if end - now >= timedelta(hours=1):
            played.said.append(Said(end, Who.PLAYER, f"{_span(end - now)} later"))
        for moment in self._due(now, end):
            clock.set(moment)
            self._run(played)

    def _due(self, now: datetime, end: datetime) -> Iterator[datetime]:
        """The moments from `now` to `end` at which something falls due, and the end itself."""
        while (moment := self._next(now, end)) is not None:
            yield moment
            now = max(moment, self.stage.clock.now())
        yield max(end, now)

    def _next(self, now: datetime, end: datetime) -> datetime | None:
        ledger, zone = self.stage.ledger, self.stage.policy.office.tz
        local = now.astimezone(zone)
        rounds = datetime.combine(local.date(), _ROUND, zone)
        times = [rounds if rounds > local else rounds + timedelta(days=1)]
        times += [row.conversation.due_at for row in ledger.work_list() if row.conversation.due_at]
        times += [packet.due_at for packet in ledger.handoffs() if packet.status is HandoffStatus.OPENED]
        return min((moment for moment in times if now < moment < end), default=None)

    def _run(self, played: PlayedTurn) -> None:
        report = self.stage.coordinator.run_due()
        for outcome in report.outcomes:
            self._heard(played, outcome)
        played.rules.extend(report.held_back)
        now = self.stage.clock.now()
        played.said.extend(Said(now, Who.OFFICE, "held back", rule=rule) for rule in report.held_back)
        played.said.extend(Said(now, Who.OFFICE, "has to be taken up again", note=one) for one in report.failed)
        for packet in report.escalated:
            played.rules.append("handoff.escalated")
            said = f"the handoff goes on to {packet.owner.value}"
            played.said.append(Said(now, Who.OFFICE, said, rule="handoff.escalated"))

    # -- what came of it

    def _heard(self, played: PlayedTurn, outcome: TurnOutcome | None) -> None:
        if outcome is None:
            return
        played.outcomes.append(outcome)
        played.rules.extend(outcome.rules)
        _read(played, outcome)
        rule, now = outcome.rules[0] if outcome.rules else "", self.stage.clock.now()
        for reply in outcome.replies:
            note = reply.script_id if reply.status == "sent" else f"{reply.script_id}, {reply.status}"
            played.said.append(Said(now, Who.US, reply.body.get_secret_value(), note=note, rule=rule))
        for packet in outcome.handoffs:
            topics = ", ".join(topic.value for topic in packet.topics)
            said = f"{packet.kind.value} for {packet.owner.value}, {packet.urgency.value}"
            played.said.append(Said(now, Who.OFFICE, said, note=topics, rule=rule))
        if not outcome.replies and not outcome.handoffs:
            played.said.append(Said(now, Who.US, "", note="nothing is sent", rule=rule))

    def _look(self, played: PlayedTurn, calls: int, sent: int, turn: Turn | None = None) -> None:
        """Note what was called and sent in the turn, and how things stand after it."""
        stage, ledger, now = self.stage, self.stage.ledger, self.stage.clock.now()
        played.calls = tuple(f"{call.port}.{call.method}" for call in stage.faults.calls[calls:])
        played.sent = list(self._sent(sent))
        entries = ledger.journal(patient_id=stage.dialogue.patient.id)
        played.rules.extend(entry.rule for entry in entries[self._journal :])
        self._journal = len(entries)
        played.conversation = ledger.facts(f"case-{stage.dialogue.patient.id}", at=now).conversation
        played.waiting = tuple(row.rule for row in ledger.outbox(played.conversation.id) if row.rule)
        about = self.doing.writer(turn) if turn else played.conversation.id
        if about is not None:
            packets = ledger.handoffs(conversation_id=about)
            played.holding = tuple(packet for packet in packets if packet.kind.holds)
        played.standing = self._standing(turn)

    def _standing(self, turn: Turn | None) -> ConsentStatus:
        try:
            return self.stage.ledger.contact_file(self.doing.sender(turn)).standing
        except (NotFound, ConfigurationError):
            return ConsentStatus.NONE

    def _sent(self, start: int) -> Iterator[Sent]:
        messenger, now = self.stage.messenger, self.stage.clock.now()
        for message, at in zip(messenger.sent[start:], messenger.times[start:], strict=True):
            yield Sent(at, message, self.stage.ledger.facts(message.conversation_id, at=now).case)

    def _patients(self) -> Iterator[str]:
        dialogue = self.stage.dialogue
        yield dialogue.patient.id
        yield from (other.id for other in dialogue.other)

    def _books(self) -> Books:
        ledger, now = self.stage.ledger, self.stage.clock.now()
        ids = {row.conversation.id for row in ledger.work_list()} | set(self.doing.strangers.values())
        facts = {one: ledger.facts(one, at=now) for one in sorted(ids)}
        return Books(
            conversations={one: f.conversation for one, f in facts.items()},
            cases={one: f.case for one, f in facts.items() if f.case is not None},
            outbox={one: ledger.outbox(one) for one in facts},
            history={one: ledger.history(one) for one in facts},
            handoffs=tuple(sorted(ledger.handoffs(open_only=False), key=lambda packet: packet.opened_at)),
            bookings=self.stage.scheduler.bookings,
            contacts=tuple(ledger.contact_file(address) for address in ledger.contact_addresses()),
            slots=tuple(self.stage.slots),
            journal=tuple(entry.rule for one in self._patients() for entry in ledger.journal(patient_id=one)),
        )


def _read(played: PlayedTurn, outcome: TurnOutcome) -> None:
    """Note at the patient's last text how each clause of it was read, and by which words."""
    number = max((n for n, said in enumerate(played.said) if said.who is Who.PATIENT), default=None)
    if number is None or outcome.interpretation is None:
        return
    said = played.said[number]
    reads = tuple(
        f"{clause.label or 'not understood'} {clause.confidence:.2f} [{clause.rule}]: "
        + ", ".join(f'"{span.of(said.words)}"' for span in clause.evidence or (clause.span,))
        for clause in outcome.interpretation.clauses
    )
    played.said[number] = replace(said, reads=reads)


def _span(length: timedelta) -> str:
    hours = round(length.total_seconds() / 3600)
    return counted(hours, "hour") if hours < 48 else counted(length.days, "day")
