"""A whole history decided again: as it was (`replay`), or under something else (`what_if`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from treatment_agent.domain.events import PatientMessage, StaffAction
from treatment_agent.replay.again import Again, Decided, then
from treatment_agent.replay.differences import Difference, TextChange, differences, text_changes
from treatment_agent.replay.history import History, Turn

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Change:
    """A turn that comes out otherwise. `differences` are all of it, `texts` what the patient would see of it."""

    turn: Turn
    was: Decided
    now: Decided
    differences: tuple[Difference, ...]
    texts: tuple[TextChange, ...] = ()

    @property
    def decided(self) -> tuple[Difference, ...]:
        """Without differences of the reading alone."""
        return tuple(d for d in self.differences if not d.of_reading)

    @property
    def group(self) -> str:
        """What kind of change it is, such as `handoff added` or `next touch moved`; changes alike are told together."""
        return _group(self)

    @property
    def rules(self) -> tuple[str, str]:
        """The deciding rule then and now."""
        return _first_rule(self.was), _first_rule(self.now)

    @property
    def what(self) -> str:
        """The event, as a person would call it."""
        event = self.turn.event
        return event.verb.value if isinstance(event, StaffAction) else event.kind


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run: turns decided, those that could not be by why, and the changes in order."""

    turns: int
    skipped: dict[str, int]
    changes: tuple[Change, ...]

    @property
    def groups(self) -> dict[str, tuple[Change, ...]]:
        """The changed decisions by kind, the most frequent first. Readings that change nothing come last."""
        counted = Counter(change.group for change in self.changes)
        ordered = sorted(counted, key=lambda name: (name == ONLY_READ, -counted[name], name))
        return {name: tuple(c for c in self.changes if c.group == name) for name in ordered}


ONLY_READ = "read otherwise, decided alike"


def run(history: History, again: Again, *, told: Progress | None = None) -> Outcome:
    """Decide every turn again, each from the books as they stood then, and compare."""
    changes: list[Change] = []
    skipped: Counter[str] = Counter()
    for number, turn in enumerate(history.turns, start=1):
        if turn.missing:
            skipped[turn.missing] += 1
        else:
            changes += _change(turn, again)
        if told is not None:
            told(number)
    return Outcome(len(history.turns) - skipped.total(), dict(skipped), tuple(changes))


def _change(turn: Turn, again: Again) -> Iterator[Change]:
    was, now = then(turn), again.decide(turn)
    found = differences(was, now)
    if found:
        yield Change(turn, was, now, found, text_changes(was, now))


def _first_rule(decided: Decided) -> str:
    rules = decided.record.get("rules")
    return str(rules[0]) if isinstance(rules, list) and rules else ""


def _group(change: Change) -> str:
    places = {d.place.partition(".")[0].partition("[")[0] for d in change.decided}
    if not places:
        return ONLY_READ
    was, now = change.was, change.now
    for part, one in (("handoffs", "handoff"), ("consent", "opt-out or consent"), ("booking", "booking")):
        if part in places:
            return f"{one} {_how(was.record.get(part), now.record.get(part))}"
    if "texts" in places:
        return f"text {_how(was.texts, now.texts)}"
    if "phase_after" in places:
        return "phase changed"
    if places == {"due_at"}:
        return "next touch moved"
    message = isinstance(change.turn.event, PatientMessage)
    return "other rule, same words" if message or "rules" in places else "recorded otherwise"


def _how(was: object, now: object) -> str:
    if not was:
        return "added"
    return "changed" if now else "lost"
