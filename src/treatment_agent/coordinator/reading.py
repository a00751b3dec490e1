"""Reading the books: outcomes, and why."""

from __future__ import annotations

from typing import Final

from treatment_agent.coordinator.answers import SentText, TurnOutcome, WaitsFor, Why, WhyLine
from treatment_agent.domain.books import ConversationFacts, JournalEntry, StoredEvent
from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.handoff import HandoffPacket
from treatment_agent.domain.interpretation import Intent, ModelUse, Topic
from treatment_agent.domain.scheduling import BookingStatus
from treatment_agent.domain.turn import TurnRecord
from treatment_agent.errors import NotFound
from treatment_agent.policies.rules import sentence
from treatment_agent.ports import Ledger
from treatment_agent.tools.shadow import SHADOW_ID


def outcome_of(ledger: Ledger, stored: StoredEvent, *, duplicate: bool = False) -> TurnOutcome:
    """What an event led to, with the texts as they stand in the outbox now.

    Raises:
        NotFound: the event has not been handled yet.
    """
    record = stored.outcome
    if record is None:
        raise NotFound(f"event {stored.event.id!r} is on the books but not handled yet; run `resume`")
    rows = ledger.outbox(stored.conversation_id) if record.sends else ()
    opened = {h.id for h in record.handoffs}
    packets = ledger.handoffs(conversation_id=stored.conversation_id, open_only=False) if opened else ()
    return TurnOutcome(
        event_id=stored.event.id,
        conversation_id=stored.conversation_id,
        phase_before=record.phase_before,
        phase_after=record.phase_after,
        rules=record.rules,
        replies=tuple(
            SentText(m.script_id, m.body, m.channel, m.language, row.status.value)
            for row in rows
            if row.event_id == record.id
            for m in (row.message,)
        ),
        handoffs=tuple(h for h in packets if h.id in opened),
        booking=record.booking,
        interpretation=record.interpretation,
        reason=record.reason.code if record.reason else None,
        failures=record.failures,
        duplicate=duplicate,
    )


def why(ledger: Ledger, patient_id: str) -> Why:
    """Everything done and not done about a patient, oldest first.

    Raises:
        NotFound: the ledger has no such patient.
    """
    ids = ledger.conversation_ids_of_patient(patient_id)
    entries = ledger.journal(patient_id=patient_id)
    if not ids and not entries:
        raise NotFound(f"no patient {patient_id!r} in this ledger; check the id, or enroll the list first")
    lines = [_journaled(e) for e in entries]
    moves: dict[Phase, WhyLine] = {}
    for conversation_id in reversed(ids):
        told, moved = _turns(ledger, conversation_id)
        lines += [*told, *_texts(ledger, conversation_id)]
        moves = moved  # of the newest conversation, which comes last
    lines.sort(key=lambda line: line.at)
    if not ids or not lines:
        return Why(patient_id, None, tuple(lines), because=lines[-1] if lines else None)
    facts = ledger.facts(ids[0], at=lines[-1].at)
    conversation, due_at = facts.conversation, None if facts.unlisted else facts.conversation.due_at
    booking = conversation.booking
    return Why(
        patient_id=patient_id,
        phase=conversation.phase,
        lines=tuple(lines),
        next_due_at=due_at,
        because=_because(lines, moves, facts, goes_on=due_at is not None),
        left_out=facts.skip_rule,
        visit_at=booking.slot.start if booking and booking.status in _STANDS else None,
        waits_for=tuple(_waits(p) for name in ids for p in ledger.handoffs(conversation_id=name)),
    )


_STANDS: Final = (BookingStatus.REQUESTED, BookingStatus.CONFIRMED)


def _because(lines: list[WhyLine], moves: dict[Phase, WhyLine], facts: ConversationFacts, *, goes_on: bool) -> WhyLine:
    """While outreach goes on, the last thing done or not done; later, what moved the conversation where it stands."""
    phase, done = facts.conversation.phase, [line for line in lines if not line.action.startswith("text ")] or lines
    if phase is Phase.QUEUED and facts.skip_rule:
        return next((line for line in reversed(done) if line.rule == facts.skip_rule), done[-1])
    settled = phase is Phase.DEFERRED or not goes_on
    return moves.get(phase, done[-1]) if settled else done[-1]


def _waits(packet: HandoffPacket) -> WaitsFor:
    what = packet.topics[0].value if packet.topics else packet.kind.value
    return WaitsFor(what, packet.owner, packet.due_at, packet.acknowledged_by)


def _journaled(entry: JournalEntry) -> WhyLine:
    return WhyLine(entry.at, entry.action, entry.rule, sentence(entry.rule), entry.detail)


def _turns(ledger: Ledger, conversation_id: str) -> tuple[list[WhyLine], dict[Phase, WhyLine]]:
    """A line per event; and per phase the one that led there last."""
    lines, moves = [], {}
    for stored in ledger.history(conversation_id):
        if stored.outcome is None:
            lines.append(WhyLine(stored.event.at, "waiting", "turn.pending", sentence("turn.pending")))
            continue
        record = stored.outcome
        rule = record.rules[0] if record.rules else "turn.failed"
        lines.append(WhyLine(record.at, stored.event.kind, rule, sentence(rule), _detail(record)))
        if record.phase_before is not record.phase_after:
            moves[record.phase_after] = lines[-1]
    return lines, moves


def _texts(ledger: Ledger, conversation_id: str) -> list[WhyLine]:
    lines = []
    for row in ledger.outbox(conversation_id):
        rule = row.rule or "outbound.approved"
        detail = f"{row.message.script_id} v{row.message.script_version} {row.message.language}"
        recorded = (row.provider_message_id or "").startswith(SHADOW_ID)
        status = "recorded, not sent" if recorded else row.status.value
        lines.append(WhyLine(row.sent_at or row.created_at, f"text {status}", rule, sentence(rule), detail))
    return lines


def _detail(record: TurnRecord) -> str:
    moved = f"{record.phase_before.value} -> {record.phase_after.value}"
    same = record.phase_before is record.phase_after
    parts = [record.phase_after.value if same else moved]
    if len(record.rules) > 1:
        parts.append("also " + ", ".join(record.rules[1:]))
    if record.handoffs:
        parts.append("handoff " + ", ".join(h.kind.value for h in record.handoffs))
    if record.reason:
        parts.append(f"reason {record.reason.code.value}")
    if record.failures:
        parts.append("failed " + ", ".join(record.failures))
    if record.interpretation and record.interpretation.model:
        parts.append(_with_model(record.interpretation.model))
    return "; ".join(parts)


def _with_model(use: ModelUse) -> str:
    """What a language model had to do with a turn, in a few words."""
    name = f"model {use.model} {use.prompt}"
    failed = ", ".join(failure.value for failure in use.failures)
    if not use.answered:
        return f"{name} gave no answer ({failed or 'not asked'}), the local reading stands"
    tokens = f"{use.calls} calls, {use.input_tokens} + {use.output_tokens} tokens, {use.milliseconds} ms"
    after = f", after {failed}" if failed else ""
    if not use.disagrees:
        return f"{name} agreed ({tokens}{after})"
    return f"{name} read {_labels(use.said)}, local {_labels(use.local)} ({tokens}{after})"


def _labels(labels: tuple[Topic | Intent | None, ...]) -> str:
    return " + ".join(dict.fromkeys(label.value if label else "unclear" for label in labels)) or "nothing"
