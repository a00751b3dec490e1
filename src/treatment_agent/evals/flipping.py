"""Flips every expectation of a dialogue, one at a time. A dialogue that passes must fail with each of them.

What is judged is the same playing: a flip that goes unnoticed is an expectation that nobody checks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from enum import StrEnum
from typing import TypeVar

from treatment_agent.domain.consent import ConsentStatus
from treatment_agent.domain.conversation import Disposition, Phase
from treatment_agent.domain.handoff import HandoffKind, HandoffStatus, Role, Urgency
from treatment_agent.domain.interpretation import Reason, Topic
from treatment_agent.domain.scheduling import BookingStatus
from treatment_agent.domain.value import Value
from treatment_agent.evals.dialogue import Dialogue
from treatment_agent.evals.expectations import End, Expect, ExpectedBooking, ExpectedFacts, ExpectedHandoff
from treatment_agent.evals.judging import judge
from treatment_agent.evals.played import Played, PlayedTurn

V = TypeVar("V", bound=Value)
E = TypeVar("E", bound=StrEnum)
Flip = tuple[str, object]
_NEVER = "no-such-thing"
_NOTHING_LIKE_IT = r"(?!)"


def unnoticed(played: Played) -> tuple[str, ...]:
    """The expectations that could be turned round without anybody noticing; empty if all is well."""
    return tuple(name for name, dialogue in flips(played) if not judge(replace(played, dialogue=dialogue)))


def flips(played: Played) -> Iterator[tuple[str, Dialogue]]:
    """The dialogue with one expectation turned round, and which; one after the other."""
    dialogue = played.dialogue
    for number, (turn, told) in enumerate(zip(played.turns[1:], dialogue.turn, strict=False)):
        for key, value in _expect(told.expect, turn):
            yield (
                f"turn {number + 1}, expect.{key}",
                _with_turn(dialogue, number, "expect", _with(told.expect, key, value)),
            )
        if told.must_hand_off is not None:
            wrong = _with_turn(dialogue, number, "must_hand_off", _absent_topic(turn))
            yield f"turn {number + 1}, must_hand_off", wrong
    for key, value in _end(dialogue.end):
        yield f"end.{key}", dialogue.model_copy(update={"end": _with(dialogue.end, key, value)})
    if dialogue.never_says and played.sent:
        yield "never_says", dialogue.model_copy(update={"never_says": ("",)})


def _expect(expect: Expect, turn: PlayedTurn) -> Iterator[Flip]:
    if expect.phase is not None:
        yield "phase", _another(Phase, expect.phase)
    if expect.decision is not None:
        yield "decision", _NEVER
    if expect.consent is not None:
        yield "consent", _another(ConsentStatus, expect.consent)
    if expect.handoff is not None:
        yield "handoff", "none" if expect.handoff != "none" else Topic.OTHER
    if expect.facts is not None:
        yield from (("facts", _with(expect.facts, key, value)) for key, value in _facts(expect.facts))
    yield from _expected_lists(expect, turn)


def _expected_lists(expect: Expect, turn: PlayedTurn) -> Iterator[Flip]:
    if expect.sent is not None:
        yield from (("sent", value) for value in _other_lists(expect.sent, _NEVER))
    if expect.reasons is not None:
        yield from (("reasons", value) for value in _other_lists(expect.reasons, Reason.UNSPECIFIED))
    for key, more in (("rules", _NEVER), ("tools", _NEVER), ("says", _NOTHING_LIKE_IT)):
        if getattr(expect, key):
            yield key, (*getattr(expect, key), more)
    sent = tuple(one.message.script_id for one in turn.sent)
    for key, there in (("not_rules", tuple(turn.rules)), ("not_tools", turn.calls), ("not_sent", sent)):
        if getattr(expect, key) and there:
            yield key, there


def _facts(facts: ExpectedFacts) -> Iterator[Flip]:
    for key in facts.model_fields_set:
        value = getattr(facts, key)
        match value:
            case bool():
                yield key, not value
            case int():
                yield key, value + 1
            case date():
                yield key, value + timedelta(days=400)
            case tuple() if key == "fits":
                yield key, tuple(moment + timedelta(days=4000) for moment in value)
            case tuple() if key == "misses":
                yield from ()  # where it should not lie says nothing about where it does
            case tuple():
                yield key, (*value, _NEVER)
            case _:
                yield key, _NEVER


def _end(end: End) -> Iterator[Flip]:
    yield "phase", _another(Phase, end.phase)
    yield "consent", _another(ConsentStatus, end.consent)
    if end.disposition is not None:
        yield "disposition", _another(Disposition, end.disposition)
    if end.language is not None:
        yield "language", _NEVER
    yield from (("sent", value) for value in _other_lists(end.sent, _NEVER))
    yield from (("reasons", value) for value in _other_lists(end.reasons, Reason.UNSPECIFIED))
    yield from (("bookings", value) for value in _other_lists(end.bookings, ExpectedBooking()))
    yield from (("bookings", value) for value in _each(end.bookings, _booking))
    one_more = ExpectedHandoff(topic=Topic.OTHER, urgency=Urgency.SOON)
    yield from (("handoffs", value) for value in _other_lists(end.handoffs, one_more))
    yield from (("handoffs", value) for value in _each(end.handoffs, _handoff))
    for name, other in end.others.items():
        for key, value in (("phase", _another(Phase, other.phase)), ("sent", (*other.sent, _NEVER))):
            yield "others", {**end.others, name: _with(other, key, value)}


def _booking(booking: ExpectedBooking) -> Iterator[ExpectedBooking]:
    yield _with(booking, "status", _another(BookingStatus, booking.status))
    if booking.at is not None:
        yield _with(booking, "at", booking.at + timedelta(minutes=1))
    if booking.procedures is not None:
        yield _with(booking, "procedures", (*booking.procedures, _NEVER))


def _handoff(handoff: ExpectedHandoff) -> Iterator[ExpectedHandoff]:
    yield _with(handoff, "urgency", _another(Urgency, handoff.urgency))
    yield _with(handoff, "kind", _another(HandoffKind, handoff.kind))
    if handoff.topic is not None:
        yield _with(handoff, "topic", _another(Topic, handoff.topic))
    if handoff.owner is not None:
        yield _with(handoff, "owner", _another(Role, handoff.owner))
    if handoff.status is not None:
        yield _with(handoff, "status", _another(HandoffStatus, handoff.status))


def _absent_topic(turn: PlayedTurn) -> Topic:
    """A topic for which nobody holds the conversation: an emergency, or what else nobody named."""
    held = {topic for packet in turn.holding for topic in packet.topics}
    return next((topic for topic in Topic if topic not in held), Topic.EMERGENCY)


def _another(kind: type[E], value: E) -> E:
    return next(one for one in kind if one is not value)


def _other_lists(values: Sequence[object], more: object) -> Iterator[tuple[object, ...]]:
    """The same list with one more, and with one less."""
    yield (*values, more)
    if values:
        yield tuple(values[:-1])


def _each(values: Sequence[V], wrong: Callable[[V], Iterator[V]]) -> Iterator[tuple[V, ...]]:
    """The same list with one item turned round, for each way to do that."""
    for number, value in enumerate(values):
        for other in wrong(value):
            yield (*values[:number], other, *values[number + 1 :])


def _with(value: V, key: str, new: object) -> V:
    return value.model_copy(update={key: new})


def _with_turn(dialogue: Dialogue, number: int, key: str, new: object) -> Dialogue:
    turns = list(dialogue.turn)
    turns[number] = _with(turns[number], key, new)
    return dialogue.model_copy(update={"turn": tuple(turns)})
