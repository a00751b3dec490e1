"""Measures the local interpreter on voices that were not trained on, and chooses thresholds there.

`python training/measure.py` prints the figures of what is shipped; with `--choose` it looks for better thresholds,
prints them, and the figures with them.
"""
# ruff: noqa: T201 -- it prints a report

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from importlib.resources.abc import Traversable
from pathlib import Path
from time import perf_counter
from zoneinfo import ZoneInfo

import numpy as np
from pydantic import SecretStr
from rows import LABELS, Row, read_voices

from treatment_agent.domain.interpretation import Asked, Intent, Interpretation, Situation, Topic, strictest
from treatment_agent.domain.scheduling import Slot
from treatment_agent.domain.text import normalize
from treatment_agent.domain.treatment import Family
from treatment_agent.policies.replies import main_intent
from treatment_agent.understanding.classifier import Classifier, Reading
from treatment_agent.understanding.local import LocalInterpreter
from treatment_agent.understanding.options import OptionPick, pick_option
from treatment_agent.understanding.second_reader import SecondReader, Thresholds, shipped_thresholds
from treatment_agent.understanding.times import TimeReading, read_times

HERE = Path(__file__).parent
MODEL = HERE.parent / "src" / "treatment_agent" / "understanding" / "model"
ZONE = ZoneInfo("America/Chicago")
NOW = datetime(2026, 11, 23, 10, tzinfo=ZONE)
STARTS = (datetime(2026, 12, 1, 9, tzinfo=ZONE), datetime(2026, 12, 3, 14, tzinfo=ZONE))
OFFERS = tuple(Slot(s, s + timedelta(hours=1), "lee", f"offer-{n}", Family.CROWN) for n, s in enumerate(STARTS, 1))


@dataclass(frozen=True, slots=True)
class Read:
    """One row, what the lists make of it, and what the classifier says to the whole and to what they leave open."""

    row: Row
    situation: Situation
    lists: Interpretation
    readings: dict[str, Reading]
    pick: OptionPick
    times: TimeReading


@dataclass(frozen=True, slots=True)
class Remembered:
    """A classifier that has read everything already: thresholds can be tried by the hundred."""

    readings: dict[str, Reading]

    def read_all(self, texts: Sequence[str], situation: Situation) -> tuple[Reading, ...]:
        """As `Classifier.read_all`."""
        return tuple(self.readings[text] for text in texts)


def situation_of(row: Row, number: int) -> Situation:
    """One of the situations the row holds in, in turn."""
    asked = Asked(row.contexts[number % len(row.contexts)])
    return Situation(now=NOW, asked=asked, offers=() if asked is Asked.BOOKED else OFFERS,
                     language="es" if row.lang == "es" else "en", provider_names=(("lee", "Dr. Lee"),))  # fmt: skip


def read_rows(rows: Iterable[Row], classifier: Classifier) -> list[Read]:
    """Every row read once by everybody."""
    lists = LocalInterpreter(lists_only=True)
    found: list[Read] = []
    for number, row in enumerate(rows):
        situation = situation_of(row, number)
        heard = lists.interpret(SecretStr(row.text), situation)
        texts = list(dict.fromkeys([row.text, *(c.span.of(row.text) for c in heard.clauses)]))
        readings = dict(zip(texts, classifier.read_all(texts, situation), strict=True))
        normal = normalize(row.text)
        pick, times = pick_option(normal, situation), read_times(normal, situation)
        found.append(Read(row, situation, heard, readings, pick, times))
    return found


def second(read: Read, thresholds: Thresholds) -> Interpretation:
    """What lists and classifier make of it together."""
    reader = SecondReader(Remembered(read.readings), thresholds)  # type: ignore[arg-type]
    clauses = reader.read(read.row.text, read.lists.clauses, read.situation, read.pick, read.times)
    return replace(read.lists, clauses=clauses)


def verdict(heard: Interpretation) -> tuple[bool, str]:
    """Handed off or not, and the one label."""
    if Intent.OPT_OUT in heard.intents and Topic.EMERGENCY not in heard.topics:
        return False, "opt_out"
    torn = Intent.ACCEPT in heard.intents and {Intent.DEFER, Intent.DECLINE, Intent.ALREADY} & set(heard.intents)
    if heard.topics or heard.abstained or torn:
        return True, strictest(heard.topics) or "unsure"
    return False, main_intent(heard) or "unsure"


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts over a set of rows."""

    missed: int
    topics: int
    needless: int
    routine: int
    right: int
    emergencies_missed: int
    opt_outs_missed: int

    def line(self) -> str:
        """One line for people."""
        recall, false = 1 - self.missed / max(self.topics, 1), self.needless / max(self.routine, 1)
        low, high = _wilson(self.topics - self.missed, self.topics)
        return (
            f"recall {recall:.3f} [{low:.3f}, {high:.3f}] of {self.topics}; false handoffs {false:.3f} of "
            f"{self.routine}; label right {self.right / max(self.topics + self.routine, 1):.3f}; missed emergencies "
            f"{self.emergencies_missed}, opt-outs {self.opt_outs_missed}"
        )


def figures(pairs: Iterable[tuple[Row, Interpretation]]) -> Figures:
    """Count."""
    count = dict.fromkeys(("missed", "topics", "needless", "routine", "right", "emergency", "opt_out"), 0)
    for row, heard in pairs:
        handed, label = verdict(heard)
        topic = row.label in {t.value for t in Topic}
        count["topics" if topic else "routine"] += 1
        count["missed"] += topic and not handed
        count["needless"] += handed and not topic
        count["right"] += label == row.label
        count["emergency"] += row.label == "emergency" and not handed
        count["opt_out"] += row.label == "opt_out" and label != "opt_out"
    return Figures(count["missed"], count["topics"], count["needless"], count["routine"], count["right"],
                   count["emergency"], count["opt_out"])  # fmt: skip


def temperature_of(reads: Sequence[Read]) -> float:
    """The temperature that fits the held-out rows best (readings must have been made with temperature 1)."""
    wholes = [r.readings[r.row.text] for r in reads]
    logs = np.log(np.array([[max(whole.of(_label(name)), 1e-12) for name in LABELS] for whole in wholes]))
    truth = np.array([LABELS.index(r.row.label) for r in reads])

    def loss(temperature: float) -> float:
        scaled = logs / temperature
        scaled -= np.log(np.exp(scaled).sum(1, keepdims=True))
        return float(-scaled[np.arange(len(truth)), truth].mean())

    return min((t / 20 for t in range(8, 60)), key=loss)


def calibration_error(reads: Sequence[Read], bins: int = 10) -> float:
    """Expected calibration error of the likeliest label."""
    best = [(r.readings[r.row.text].probabilities[0], r.row.label) for r in reads]
    share = np.array([p for (_, p), _ in best])
    right = np.array([label.value == truth for (label, _), truth in best], dtype=float)
    slots = np.minimum((share * bins).astype(int), bins - 1)
    return float(sum(abs(share[slots == b].mean() - right[slots == b].mean()) * (slots == b).mean()
                     for b in range(bins) if (slots == b).any()))  # fmt: skip


def choose(reads: Sequence[Read], least_recall: float, veto: float = 0.0) -> Thresholds:
    """The thresholds with the fewest false handoffs among those with enough recall; else those with most recall."""
    best: tuple[tuple[float, ...], Thresholds] | None = None
    overs, masses, evidents = (0.2, 0.3, 0.5), (0.04, 0.06, 0.08, 0.1, 0.12, 0.16, 0.2), (0.1, 0.15, 0.2, 0.25)
    clauses, intents = (0.5, 0.7), (0.2, 0.35)
    topic = 0.3  # only names the handoff: what is neither routine nor a topic is handed off too
    for over, mass, evident, clause, intent in itertools.product(overs, masses, evidents, clauses, intents):
        tried = Thresholds(
            topic={t: 0.15 if t is Topic.EMERGENCY else topic for t in Topic},
            intent={i: 0.8 if i is Intent.OPT_OUT else intent for i in Intent},
            over_lists=over, mass=mass, evident_mass=evident, clause_mass=clause,
            veto=veto,
        )  # fmt: skip
        got = figures((r.row, second(r, tried)) for r in reads)
        recall = 1 - got.missed / got.topics
        rank = (min(recall, least_recall), -got.emergencies_missed, -got.needless, recall, got.right)
        if best is None or rank > best[0]:
            best = rank, tried
    if best is None:
        raise ValueError("no thresholds to try")
    return best[1]


def toml_of(chosen: Thresholds) -> str:
    """The thresholds as the file that ships."""
    return "\n".join([
        "# Probabilities at which the classifier is believed, set on voices that were not trained on;",
        "# `training/measure.py --choose` proposes others. Lower `topic`, `over_lists`, `mass`, `evident_mass`,",
        "# and `clause_mass` hand off more; a higher `intent` does too.",
        "", "[topic]  # together the topics must have this much; the likeliest names the handoff",
        f"default = {chosen.topic[Topic.OTHER]}", f"emergency = {chosen.topic[Topic.EMERGENCY]}",
        "", "[over_lists]  # topics in a message that lists and parsers explain as routine",
        f"topic = {chosen.over_lists}",
        "", "[let_through]  # the most that topics may have in a message let through, and in each of its clauses",
        "# `evident_mass` stands for `mass` where lists found a routine intent, or parsers a time: few topics hide.",
        f"mass = {chosen.mass}", f"evident_mass = {chosen.evident_mass}", f"clause_mass = {chosen.clause_mass}",
        "", "[veto]  # the most topics may have in a message whose listed topic is set aside; 0: it stays",
        f"mass = {chosen.veto}",
        "", "[intent]  # the least a routine intent must have to explain what lists do not",
        f"default = {chosen.intent[Intent.ACCEPT]}", f"opt_out = {chosen.intent[Intent.OPT_OUT]}", "",
    ])  # fmt: skip


def _label(name: str) -> Topic | Intent:
    return Topic(name) if name in {t.value for t in Topic} else Intent(name)


def _wilson(hits: int, total: int, z: float = 1.96) -> tuple[float, float]:
    if not total:
        return 0.0, 1.0
    share, square = hits / total, z * z / total
    middle, half = share + square / 2, z * math.sqrt(share * (1 - share) / total + square / (4 * total))
    return (middle - half) / (1 + square), (middle + half) / (1 + square)


def _write(
    folder: Path, limits: Thresholds, reads: Sequence[Read], heard: Sequence[tuple[Row, Interpretation]]
) -> None:
    """Thresholds, and the figures and hash in the card."""
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    card["weights_sha256"] = hashlib.sha256((folder / "weights.npz").read_bytes()).hexdigest()
    card["calibration_error"] = round(calibration_error(reads), 3)
    card["figures"] = {
        "on": sorted({row.voice for row, _ in heard}),
        "lists alone": figures((r.row, r.lists) for r in reads).line(),
        "with the classifier": figures(heard).line(),
    }
    (folder / "card.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    (folder / "thresholds.toml").write_text(toml_of(limits), encoding="utf-8")


def main() -> None:
    """Print the figures."""
    wanted = argparse.ArgumentParser(description=__doc__)
    wanted.add_argument("--voices", default="v05,v12")
    wanted.add_argument("--model", type=Path, default=MODEL)
    wanted.add_argument("--choose", action="store_true")
    wanted.add_argument("--recall", type=float, default=0.99)
    wanted.add_argument("--veto", type=float, default=0.0, help="with --choose: see [veto] in thresholds.toml")
    wanted.add_argument("--write", action="store_true", help="write thresholds and figures beside the model")
    wanted.add_argument("--misses", action="store_true", help="print what goes wrong")
    asked = wanted.parse_args()
    folder: Traversable = asked.model
    classifier = Classifier(folder)
    rows = [r for r in read_voices(HERE / "data" / "voices") if r.voice in asked.voices.split(",")]
    start = perf_counter()
    reads = read_rows(rows, classifier)
    spent = 1000 * (perf_counter() - start) / len(rows)
    print(f"{len(rows)} rows, {spent:.1f} ms each (lists, whole and every clause)")
    error, fitting = calibration_error(reads), temperature_of(reads)
    print(f"calibration error {error:.3f}; best temperature (times the card's) {fitting:.2f}")
    alone = sum(r.readings[r.row.text].probabilities[0][0].value == r.row.label for r in reads) / len(reads)
    print(f"classifier alone: label right {alone:.3f}")
    print("lists alone:   ", figures((r.row, r.lists) for r in reads).line())
    limits = choose(reads, asked.recall, asked.veto) if asked.choose else shipped_thresholds()
    if asked.choose:
        print(toml_of(limits))
    heard = [(r.row, second(r, limits)) for r in reads]
    print("together:      ", figures(heard).line())
    for voice in asked.voices.split(","):
        print(f"  {voice}:        ", figures((row, h) for row, h in heard if row.voice == voice).line())
    if asked.write:
        _write(asked.model, limits, reads, heard)
    if asked.misses:
        for row, h in heard:
            handed, label = verdict(h)
            if handed != (row.label in {t.value for t in Topic}):
                rules = ",".join(c.rule for c in h.clauses)
                print(f"{'needless' if handed else 'MISSED'} {row.label}->{label} [{rules}] {row.text}")


if __name__ == "__main__":
    main()
