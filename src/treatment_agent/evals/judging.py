"""Judges a played dialogue: what each turn expects, and the final books. Hard gates are in `gates`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from treatment_agent.domain.interpretation import Interpretation, Reason
from treatment_agent.evals import ending, gates
from treatment_agent.evals.expectations import Expect, ExpectedFacts
from treatment_agent.evals.findings import Finding
from treatment_agent.evals.played import Played, PlayedTurn
from treatment_agent.evals.telling import NOTHING, aware, matches, told

Wrong = Callable[[str, object, object], Finding]


def judge(played: Played, *, hostile: bool = False) -> tuple[Finding, ...]:
    """Everything that is not as the file says, in order; empty if the claim holds.

    With `hostile`, the file was played with another interpreter than it was written for: only hard gates and
    `never_says` are judged, and a handoff counts whatever its topic.
    """
    found = [*gates.judge(played, any_topic=hostile), *_never_says(played)]
    if not hostile:
        found += [*_turns(played), *ending.judge(played)]
    return tuple(found)


def _turns(played: Played) -> Iterator[Finding]:
    for turn, line in zip(played.turns[1:], played.dialogue.turn, strict=False):
        yield from _expected(turn, line.expect, played.policy.office.tz)
        if turn.error:
            yield Finding(turn.number, "turn", "that it can be played", turn.error)
        if turn.unused_faults > 0:
            yield Finding(turn.number, "fault", "that the planned fault happens", "no such call was made")


def _expected(turn: PlayedTurn, expect: Expect, zone: ZoneInfo) -> Iterator[Finding]:
    """Every expectation that is written and not met."""
    deciding = turn.outcomes[-1].rules[0] if turn.outcomes and turn.outcomes[-1].rules else ""

    def wrong(key: str, expected: object, got: object) -> Finding:
        return Finding(turn.number, f"expect.{key}", told(expected), told(got), deciding)

    sent = tuple(one.message.script_id for one in turn.sent)
    if expect.phase is not None and turn.conversation is not None and turn.conversation.phase is not expect.phase:
        yield wrong("phase", expect.phase, turn.conversation.phase)
    if expect.decision is not None and deciding != expect.decision:
        yield wrong("decision", expect.decision, deciding)
    if expect.sent is not None and sent != expect.sent:
        yield wrong("sent", expect.sent, sent)
    if expect.reasons is not None and _reasons_of(turn) != expect.reasons:
        yield wrong("reasons", expect.reasons, _reasons_of(turn))
    if expect.consent is not None and turn.standing is not expect.consent:
        yield wrong("consent", expect.consent, turn.standing)
    yield from _sets(turn, expect, sent, wrong)
    yield from _handoff(turn, expect, wrong)
    if expect.facts is not None:
        yield from _facts(turn, expect.facts, zone, wrong)


def _sets(turn: PlayedTurn, expect: Expect, sent: tuple[str, ...], wrong: Wrong) -> Iterator[Finding]:
    """Things that must be, or must not be, among others."""
    bodies = tuple(one.message.body.get_secret_value() for one in turn.sent)
    for key, wanted, there in (("rules", expect.rules, turn.rules), ("tools", expect.tools, turn.calls)):
        missing = tuple(one for one in wanted if one not in there)
        if missing:
            yield wrong(key, missing, tuple(dict.fromkeys(there)))
    for key, banned, there in (
        ("not_rules", expect.not_rules, turn.rules),
        ("not_tools", expect.not_tools, turn.calls),
        ("not_sent", expect.not_sent, sent),
    ):
        found = tuple(one for one in banned if one in there)
        if found:
            yield wrong(key, f"none of {told(banned)}", found)
    for pattern in expect.says:
        if not any(matches(pattern, body) for body in bodies):
            yield wrong("says", pattern, bodies)


def _handoff(turn: PlayedTurn, expect: Expect, wrong: Wrong) -> Iterator[Finding]:
    if expect.handoff is None:
        return
    opened = tuple(h.topics[0] for o in turn.outcomes for h in o.handoffs if h.kind.holds and h.topics)
    fits = not opened if expect.handoff == "none" else expect.handoff in opened
    if not fits:
        yield wrong("handoff", expect.handoff, opened)


def _facts(turn: PlayedTurn, expected: ExpectedFacts, zone: ZoneInfo, wrong: Wrong) -> Iterator[Finding]:
    read = next((o.interpretation for o in reversed(turn.outcomes) if o.interpretation is not None), None)
    if read is None:
        yield wrong("facts", "an interpretation", NOTHING)
        return
    for name, got in _readings(read).items():
        wanted = getattr(expected, name)
        if isinstance(wanted, datetime):
            wanted = aware(wanted, zone)
        if wanted is not None and wanted != got:
            yield wrong(f"facts.{name}", wanted, got)
    windows = read.facts.windows
    for moment in expected.fits:
        if not any(w.start <= aware(moment, zone) < w.end for w in windows):
            yield wrong("facts.fits", moment, windows)
    for moment in expected.misses:
        if any(w.start <= aware(moment, zone) < w.end for w in windows):
            yield wrong("facts.misses", f"not {told(moment)}", windows)


def _readings(read: Interpretation) -> dict[str, object]:
    facts = read.facts
    return {
        "intents": read.intents,
        "topics": read.topics,
        "language": read.language,
        "abstained": read.abstained,
        "option": facts.option or 0,
        "until": facts.until,
        "call_at": facts.call_at,
        "reason": facts.reason,
        "asks": facts.asks,
        "ambiguous": facts.ambiguous,
        "cancels": facts.cancels,
    }


def _reasons_of(turn: PlayedTurn) -> tuple[Reason, ...]:
    return tuple(o.reason for o in turn.outcomes if o.reason is not None)


def _never_says(played: Played) -> Iterator[Finding]:
    for pattern in played.dialogue.never_says:
        for turn in played.turns:
            for one in turn.sent:
                text = f"{one.message.subject}\n{one.message.body.get_secret_value()}"
                if matches(pattern, text):
                    yield Finding(
                        turn.number, "never_says", f"never {pattern}", f"{one.message.script_id}: {text.strip()}"
                    )
