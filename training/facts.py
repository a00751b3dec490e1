"""Tells how exactly options, times and dates are taken out of messages that were written down with what they mean.

`python training/facts.py` judges `data/facts/messages.jsonl`, `--file` another file; `--misses` prints what goes wrong.
"Parsers" runs `pick_option` and `read_times` alone. "Whole" is what the local interpreter passes on; it counts the
messages that it does not hand to a person. The rule of comparison is that of `treatment-agent eval`, and in addition
`"option": null` demands that none was picked. Where a line has a `label`, "intent" counts the verdicts of that label.
"""
# ruff: noqa: T201 -- it prints a report

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from treatment_agent.domain.interpretation import Asked, Facts, Situation
from treatment_agent.domain.scheduling import Slot
from treatment_agent.domain.text import normalize
from treatment_agent.policies.replies import main_intent
from treatment_agent.understanding.local import LocalInterpreter
from treatment_agent.understanding.options import pick_option
from treatment_agent.understanding.times.reading import read_times

HERE = Path(__file__).parent / "data" / "facts"
ZONE = ZoneInfo("America/Chicago")
NOW = datetime(2026, 11, 23, 10, tzinfo=ZONE)
STARTS = (datetime(2026, 12, 1, 9, tzinfo=ZONE), datetime(2026, 12, 3, 14, tzinfo=ZONE))
OFFERS = tuple(Slot(start, start + timedelta(hours=1), "lee", f"s{n}") for n, start in enumerate(STARTS, 1))


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the file: a message and what must be understood."""

    text: str
    context: Asked
    lang: str
    wanted: dict[str, object]
    label: str = ""

    @property
    def situation(self) -> Situation:
        """What was asked and offered; a booked patient has nothing on the table and a visit on the books."""
        offers = () if self.context is Asked.BOOKED else OFFERS
        language = "es" if self.lang == "es" else "en"
        visit = STARTS[0] if self.context is Asked.BOOKED else None
        return Situation(NOW, self.context, offers, language, provider_names=(("lee", "Dr. Lee"),), visit=visit)

    def wrong(self, facts: Facts) -> list[str]:
        """The kinds of facts that differ from what is wanted."""
        told = {"option": self._option(facts), "windows": self._windows(facts), "until": self._until(facts),
                "call_at": self._call_at(facts)}  # fmt: skip
        return [kind for kind, right in told.items() if not right]

    @property
    def kinds(self) -> list[str]:
        """The kinds of facts that the line speaks of."""
        names = {"option": "option", "fits": "windows", "misses": "windows", "until": "until", "call_at": "call_at"}
        return list(dict.fromkeys(names[key] for key in self.wanted))

    def _option(self, facts: Facts) -> bool:
        return "option" not in self.wanted or facts.option == self.wanted["option"]

    def _windows(self, facts: Facts) -> bool:
        fits = all(_inside(facts, moment) for moment in self._moments("fits"))
        return fits and not any(_inside(facts, moment) for moment in self._moments("misses"))

    def _until(self, facts: Facts) -> bool:
        return "until" not in self.wanted or facts.until == date.fromisoformat(str(self.wanted["until"]))

    def _call_at(self, facts: Facts) -> bool:
        moments = self._moments("call_at")
        return all(facts.call_at == moment or _inside(facts, moment) for moment in moments)

    def _moments(self, key: str) -> list[datetime]:
        told = self.wanted.get(key, [])
        return [
            datetime.fromisoformat(str(t)).replace(tzinfo=ZONE) for t in (told if isinstance(told, list) else [told])
        ]


def _inside(facts: Facts, moment: datetime) -> bool:
    return any(window.start <= moment < window.end for window in facts.windows)


def read(path: Path) -> Iterator[Row]:
    """The lines of a file."""
    for line in path.read_text(encoding="utf-8").splitlines():
        told = json.loads(line)
        yield Row(told.pop("text"), Asked(told.pop("context")), told.pop("lang"), told, told.pop("label", ""))


def parsed(row: Row) -> Facts:
    """Everything the parsers find, whatever the intent."""
    text = normalize(row.text)
    times = read_times(text, row.situation)
    windows = (*times.today, *times.for_call) if "call_at" in row.wanted else times.windows
    call_at = times.instant or (windows[0].start if windows else None)
    return Facts(pick_option(text, row.situation).option, windows, call_at, times.until)


def report(name: str, rows: Sequence[tuple[Row, Facts]], *, misses: bool) -> None:
    """Exactness by kind, and over whole messages."""
    failed = [(row, facts, row.wrong(facts)) for row, facts in rows]
    for kind in ("option", "windows", "until", "call_at"):
        asked = [wrong for row, _, wrong in failed if kind in row.kinds]
        right = sum(kind not in wrong for wrong in asked)
        print(f"{name:8} {kind:8} {right}/{len(asked)} = {right / max(len(asked), 1):.1%}")
    right = sum(not wrong for *_, wrong in failed)
    print(f"{name:8} messages {right}/{len(failed)} = {right / max(len(failed), 1):.1%}")
    for row, facts, wrong in failed:
        if wrong and misses:
            windows = [f"{w.start:%m-%d %H:%M}-{w.end:%m-%d %H:%M}" for w in facts.windows[:4]]
            call = facts.call_at and f"{facts.call_at:%m-%d %H:%M}"
            print(f"  {','.join(wrong)} | {row.context} | {row.text} | {row.wanted}\n      "
                  f"{facts.option} {windows} until {facts.until} call {call}")  # fmt: skip


def main() -> None:
    """Print the figures."""
    wanted = argparse.ArgumentParser(description=__doc__)
    wanted.add_argument("--file", type=Path, default=HERE / "messages.jsonl")
    wanted.add_argument("--misses", action="store_true", help="print what goes wrong")
    wanted.add_argument("--parsers", action="store_true", help="leave the whole interpreter out")
    asked = wanted.parse_args()
    rows = list(read(asked.file))
    report("parsers", [(row, parsed(row)) for row in rows], misses=asked.misses)
    if asked.parsers:
        return
    local = LocalInterpreter()
    heard = [(row, local.interpret(SecretStr(row.text), row.situation)) for row in rows]
    kept = [(row, told.facts) for row, told in heard if not told.topics and not told.abstained]
    print(f"{len(rows) - len(kept)} of {len(rows)} messages go to a person")
    report("whole", kept, misses=asked.misses)
    judged = [(row, str(main_intent(told))) for row, told in heard if row.label and not told.topics]
    right = sum(row.label == label for row, label in judged)
    print(f"whole    intent   {right}/{len(judged)} = {right / max(len(judged), 1):.1%}")
    for row, label in judged:
        if row.label != label and asked.misses:
            print(f"  {label} for {row.label} | {row.context} | {row.text}")


if __name__ == "__main__":
    main()
