"""A whole history with everybody in it invented, that still replays: every redacted turn is decided again and compared.

Where redaction changed how a message is read or what is decided, the turn says so itself (`reads_differently`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from treatment_agent.domain.treatment import Case
from treatment_agent.errors import TreatmentAgentError
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.ports import Interpreter
from treatment_agent.replay.again import Again, Decided, then
from treatment_agent.replay.differences import differences
from treatment_agent.replay.export import headed
from treatment_agent.replay.free_text import FreeText
from treatment_agent.replay.history import TURN, History, Turn, lines, turn_data
from treatment_agent.replay.known import Known, birthdays
from treatment_agent.replay.mapping import Invented
from treatment_agent.replay.stand_in_policy import provider_ids, stand_in
from treatment_agent.replay.stand_ins import StandIns

# Where in a message something was said, and how sure the reader was, may shift with a name's length.
_MAY_DIFFER = frozenset({"span", "evidence", "confidence", "threshold"})
_FEWEST_WEEKS, _MOST_WEEKS = 4, 104


@dataclass(frozen=True, slots=True)
class Redaction:
    """Redacts turns of one history."""

    before: Again
    after: Again
    invented: Invented
    text: FreeText
    known: Known

    def turn(self, turn: Turn) -> Turn:
        """The turn with everybody invented, decided again."""
        data = self._data(turn)
        made = _built(data, turn.seq)
        if turn.missing:
            return made
        was, now = then(made), self.after.decide(made)
        changed = _notes(was, now)
        if changed:
            # What a changed policy or release makes of the true turn is no fault of the redaction.
            again = self.before.decide(turn)
            mapped = self.invented.data(again.record)
            record = mapped if isinstance(mapped, dict) else {}
            due = _moved(again.due_at, self.text.stand_ins)
            by_redaction = _notes(Decided(record, (), due), now)
            if not by_redaction:
                return made.model_copy(update={"texts": now.texts})
            changed = by_redaction
        outcome = now.outcome or made.outcome
        inputs = made.inputs and replace(made.inputs, due_at=datetime.fromisoformat(now.due_at) if now.due_at else None)
        update = {"outcome": outcome, "inputs": inputs, "texts": now.texts, "reads_differently": changed}
        return made.model_copy(update=update)

    def _data(self, turn: Turn) -> dict[str, object]:
        data = turn_data(turn)
        data.pop("texts", None)
        text = data.pop("text", None)
        mapped = self.invented.data(data)
        made = dict(mapped) if isinstance(mapped, Mapping) else {}
        if isinstance(text, str):
            day = turn.outcome.at.astimezone(self.before.policy.office.tz).date()
            made["text"] = self.known.sweep(self.text.redact(text, on=day), self.text.stand_ins)
        return made


def redact(
    history: History,
    policy: PracticePolicy,
    interpreter: Interpreter,
    *,
    people: Iterable[Case] = (),
    told: Callable[[int], None] | None = None,
) -> History:
    """The history with everybody in it invented.

    Args:
        history: In full, as `export` gives it.
        policy: The one it was made under: its office and providers are replaced too.
        interpreter: Checks that redacted messages read as the true ones did.
        people: Others on the books, whose names may stand in messages.
        told: Called with the number of turns done.

    Raises:
        TreatmentAgentError: a name, number or address could not be taken out; nothing is returned.
    """
    known = Known.of(history, policy, people)
    seed = sha256("\n".join(lines(history)).encode("utf-8", "surrogatepass")).digest()
    shift = _shift(history, policy.office.tz, seed)
    providers = provider_ids(policy)
    stand_ins = StandIns(seed, shift, taken=known.taken)
    for provider, invented_id in providers.items():
        stand_ins.settle_id(provider, invented_id)
    invented = Invented(stand_ins, birthdays(history, stand_ins), known.priorities)
    office = stand_in(policy, stand_ins.day)
    free = FreeText(stand_ins, known.names)
    redaction = Redaction(Again(policy, interpreter), Again(office, interpreter), invented, free, known)
    turns = []
    for number, turn in enumerate(history.turns, start=1):
        made = redaction.turn(turn)
        place = known.found_in(made)
        if place:
            raise TreatmentAgentError(f"turn {turn.seq}: a name or number is left in its {place}; nothing was written")
        turns.append(made)
        if told is not None:
            told(number)
    header = headed(office, interpreter.version, tuple(turns))
    different = sum(1 for turn in turns if turn.reads_differently)
    return History(header.model_copy(update={"redacted": True, "reads_differently": different}), tuple(turns))


def _moved(moment: str, stand_ins: StandIns) -> str:
    return stand_ins.moment(datetime.fromisoformat(moment)).isoformat() if moment else ""


def _built(data: dict[str, object], seq: int) -> Turn:
    try:
        return TURN.validate_json(json.dumps(data))
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors(include_input=False, include_url=False)[0]["loc"])
    # Raised here, outside the handler: the original error may quote what it did not understand.
    raise TreatmentAgentError(f"turn {seq}: its {place} cannot be redacted; nothing was written")


def _notes(was: Decided, now: Decided) -> tuple[str, ...]:
    lean = (Decided(_lean(d.record), (), d.due_at) for d in (was, now))
    return tuple(str(difference) for difference in differences(*lean))


def _lean(record: dict[str, object]) -> dict[str, object]:
    return {key: _leaned(value) for key, value in record.items() if key not in _MAY_DIFFER}


def _leaned(value: object) -> object:
    if isinstance(value, dict):
        return _lean(value)
    return [_leaned(item) for item in value] if isinstance(value, list) else value


def _shift(history: History, zone: ZoneInfo, seed: bytes) -> timedelta:
    """Whole weeks, so that weekdays stay; if it can be, such that no clock change comes between."""
    moments = [turn.outcome.at for turn in history.turns]
    moments += [t.inputs.due_at for t in history.turns if t.inputs is not None and t.inputs.due_at is not None]
    weeks = [w for w in range(-_MOST_WEEKS, _MOST_WEEKS + 1) if abs(w) >= _FEWEST_WEEKS]
    weeks.sort(key=lambda week: sha256(seed + str(week).encode()).digest())
    for week in weeks:
        shift = timedelta(weeks=week)
        if all(_offset(m, zone) == _offset(m + shift, zone) for m in moments):
            return shift
    return timedelta(weeks=weeks[0])


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta | None:
    return moment.astimezone(zone).utcoffset()
