"""Fits the judge on voices that the classifier was not trained on, and tells how the whole interpreter does there.

`python training/measure.py` prints figures with the weights that ship. `--fit` fits the weights and chooses the limits
anew; each voice is judged by weights fitted on the other voices, so the figures are fair. `--write` keeps them, with
figures and errors by kind in the model card (`card.json`, `docs/model-card.md`). What is quoted outside of here comes
from `treatment-agent eval evals/messages`.
"""
# ruff: noqa: T201 -- it prints a report

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter
from zoneinfo import ZoneInfo

import numpy as np
from card import PAGE, errors_by_kind, page, share_of, write_reference
from rows import TOPICS, Row, read_voices

from treatment_agent.domain.interpretation import (
    Asked,
    ClauseReading,
    Intent,
    Interpretation,
    Situation,
    Topic,
    strictest,
)
from treatment_agent.domain.scheduling import Slot
from treatment_agent.domain.treatment import Family
from treatment_agent.evals.metrics import Share
from treatment_agent.policies.replies import main_intent
from treatment_agent.understanding.classifier import Classifier
from treatment_agent.understanding.evidence import Evidence, features
from treatment_agent.understanding.facts import facts_of
from treatment_agent.understanding.judge import Judge, Limits, shipped_judge, torn
from treatment_agent.understanding.language import SHIPPED
from treatment_agent.understanding.local import Heard, LocalInterpreter

HERE = Path(__file__).parent
MODEL = HERE.parent / "src" / "treatment_agent" / "understanding" / "model"
ZONE = ZoneInfo("America/Chicago")
NOW = datetime(2026, 11, 23, 10, tzinfo=ZONE)
STARTS = (datetime(2026, 12, 1, 9, tzinfo=ZONE), datetime(2026, 12, 3, 14, tzinfo=ZONE))
OFFERS = tuple(Slot(s, s + timedelta(hours=1), "lee", f"offer-{n}", Family.CROWN) for n, s in enumerate(STARTS, 1))


@dataclass(frozen=True, slots=True)
class Read:
    """One row and everything that is known of it; `seen` is None where lists alone decide (another language)."""

    row: Row
    heard: Heard
    seen: Evidence | None

    @property
    def open(self) -> bool:
        """True when the judge has a say: no sure topic and no opt-out was found."""
        labels = {c.label for c in self.heard.clauses}
        return self.seen is not None and Intent.OPT_OUT not in labels and not any(isinstance(x, Topic) for x in labels)


def situation_of(row: Row, number: int) -> Situation:
    """One of the situations the row holds in, in turn."""
    asked = Asked(row.contexts[number % len(row.contexts)])
    return Situation(now=NOW, asked=asked, offers=() if asked is Asked.BOOKED else OFFERS,
                     language="es" if row.lang == "es" else "en", provider_names=(("lee", "Dr. Lee"),),
                     visit=STARTS[0] if asked is Asked.BOOKED else None)  # fmt: skip


def read_rows(rows: Iterable[Row], classifier: Classifier) -> list[Read]:
    """Every row read once by everybody."""
    local = LocalInterpreter()
    found: list[Read] = []
    for number, row in enumerate(rows):
        heard = local.hear(row.text, situation_of(row, number))
        if heard is None:
            continue
        foreign = heard.language not in SHIPPED
        found.append(Read(row, heard, None if foreign else local.evidence(heard, classifier)))
    return found


def interpretation(read: Read, judge: Judge) -> Interpretation:
    """What the interpreter would say with this judge."""
    clauses: tuple[ClauseReading, ...] = read.heard.clauses if read.seen is None else judge.settle(read.seen)
    told = [r.evidence for r in read.heard.reads if r.evidence is not None]
    return Interpretation(clauses, read.heard.language, "measured", facts_of(read.heard.context, clauses, told))


def verdict(heard: Interpretation) -> tuple[bool, str]:
    """Handed off or not, and the one label."""
    if Intent.OPT_OUT in heard.intents and Topic.EMERGENCY not in heard.topics:
        return False, "opt_out"
    if heard.topics or heard.abstained or torn(heard.intents):
        return True, strictest(heard.topics) or "unsure"
    return False, main_intent(heard) or "unsure"


@dataclass(frozen=True, slots=True)
class Figures:
    """Shares over a set of rows."""

    recall: Share
    needless: Share
    right: Share
    emergencies: Share
    opt_outs: Share

    def line(self) -> str:
        """One line for people."""
        return (f"recall {self.recall}; needless {self.needless}; label right {self.right}; "
                f"emergencies {self.emergencies}; opt-outs {self.opt_outs}")  # fmt: skip


def figures(pairs: Iterable[tuple[Row, Interpretation]]) -> Figures:
    """Count."""
    rows = [(row, *verdict(heard)) for row, heard in pairs]
    topics = [(row, handed) for row, handed, _ in rows if row.label in TOPICS]
    routine = [(row, handed) for row, handed, _ in rows if row.label not in TOPICS]
    return Figures(
        recall=Share.of(handed for _, handed in topics),
        needless=Share.of(handed for _, handed in routine),
        right=Share.of(label == row.label for row, _, label in rows),
        emergencies=Share.of(handed for row, handed in topics if row.label == "emergency"),
        opt_outs=Share.of(label == "opt_out" for row, _, label in rows if row.label == "opt_out"),
    )


def fit(reads: Sequence[Read]) -> dict[str, float]:
    """Weights of a logistic regression over the rows on which the judge has a say."""
    from sklearn.linear_model import LogisticRegression  # the only use: figures can be had without it

    some = [r for r in reads if r.open and r.seen is not None and r.row.label != "opt_out"]
    rows = [features(r.seen) for r in some if r.seen is not None]
    names = list(rows[0])
    truth = np.array([r.row.label in TOPICS for r in some])
    model = LogisticRegression(C=0.05, max_iter=2000).fit(np.array([[row[n] for n in names] for row in rows]), truth)
    return {"bias": float(model.intercept_[0])} | {n: float(w) for n, w in zip(names, model.coef_[0], strict=True)}


def fair(reads: Sequence[Read], limits: Limits) -> dict[str, Judge]:
    """One judge per voice, fitted on the other voices."""
    voices = sorted({r.row.voice for r in reads})
    return {voice: Judge(fit([r for r in reads if r.row.voice != voice]), limits) for voice in voices}


def person_limit(reads: Sequence[Read], judges: dict[str, Judge], least_recall: float) -> float:
    """The highest limit at which so much of what a person must have is still handed off."""
    topics = [r for r in reads if r.row.label in TOPICS]
    scores = sorted(judges[r.row.voice].probability(r.seen) if r.open and r.seen is not None else 1.0 for r in topics)
    return round(scores[int((1 - least_recall) * len(scores))], 4)


def _toml(judge: Judge) -> str:
    limits = "\n".join(f"{name} = {getattr(judge.limits, name)}" for name in Limits.__slots__)
    weights = "\n".join(f"{name} = {value:.4f}" for name, value in judge.weights.items())
    return (
        "# How the parts of the local interpreter are weighed, and the probabilities the result is held against.\n"
        "# Written by `training/measure.py --fit --write` from voices that were not trained on. Lower `person`,\n"
        "# `emergency` and `opt_out` find more of each; what the names mean stands in `judge.py` and `evidence.py`.\n\n"
        f"[limits]\n{limits}\n\n[weights]\n{weights}\n"
    )


def _calibration(reads: Sequence[Read], bins: int = 10) -> tuple[float, float]:
    """Expected calibration error of the classifier's likeliest label, and the temperature that would fit best."""
    wholes = [(r.seen.whole, r.row.label) for r in reads if r.seen is not None]
    share = np.array([w.probabilities[0][1] for w, _ in wholes])
    right = np.array([w.probabilities[0][0].value == truth for w, truth in wholes], dtype=float)
    slots = np.minimum((share * bins).astype(int), bins - 1)
    error = sum(abs(share[slots == b].mean() - right[slots == b].mean()) * (slots == b).mean()
                for b in range(bins) if (slots == b).any())  # fmt: skip
    logs = np.log(np.array([[max(p, 1e-12) for _, p in w.probabilities] for w, _ in wholes]))
    places = np.array([[label.value for label, _ in w.probabilities].index(truth) for w, truth in wholes])

    def loss(temperature: float) -> float:
        scaled = logs / temperature
        scaled -= np.log(np.exp(scaled).sum(1, keepdims=True))
        return float(-scaled[np.arange(len(places)), places].mean())

    return float(error), min((t / 20 for t in range(8, 60)), key=loss)


def _report(reads: Sequence[Read], judges: dict[str, Judge]) -> tuple[Figures, list[tuple[Row, Interpretation]]]:
    heard = [(r.row, interpretation(r, judges[r.row.voice])) for r in reads]
    for voice in sorted(judges):
        print(f"  {voice}: ", figures((row, h) for row, h in heard if row.voice == voice).line())
    whole = figures(heard)
    print("all:   ", whole.line())
    return whole, heard


def _misses(reads: Sequence[Read], judges: dict[str, Judge]) -> None:
    for r in reads:
        judge = judges[r.row.voice]
        heard = interpretation(r, judge)
        handed, label = verdict(heard)
        if handed != (r.row.label in TOPICS) or (label != r.row.label and not handed):
            kind = ("needless" if handed else "MISSED") if handed != (r.row.label in TOPICS) else "label"
            p = judge.probability(r.seen) if r.seen is not None else 1.0
            rules = ",".join(dict.fromkeys(c.rule for c in heard.clauses))
            print(f"{kind} {r.row.label}->{label} p={p:.2f} {r.heard.context.situation.asked} [{rules}] {r.row.text}")


def main() -> None:
    """Print the figures."""
    wanted = argparse.ArgumentParser(description=__doc__)
    wanted.add_argument("--voices", default="", help="those the card names as held out, if not given")
    wanted.add_argument("--model", type=Path, default=MODEL)
    wanted.add_argument("--fit", action="store_true")
    wanted.add_argument("--recall", type=float, default=0.9815, help="with --fit: how much must be handed off")
    wanted.add_argument(
        "--write", action="store_true", help="write judge.toml, the card beside the model, and its page"
    )
    wanted.add_argument("--misses", action="store_true", help="print what goes wrong")
    asked = wanted.parse_args()
    card = json.loads((asked.model / "card.json").read_text(encoding="utf-8"))
    voices = asked.voices.split(",") if asked.voices else card["data"]["held_out"]
    rows = [r for r in read_voices(HERE / "data" / "voices") if r.voice in voices]
    start = perf_counter()
    reads = read_rows(rows, Classifier(asked.model))
    print(f"{len(rows)} rows, {1000 * (perf_counter() - start) / len(rows):.1f} ms each")
    error, fitting = _calibration(reads)
    alone = Share.of(r.seen.whole.probabilities[0][0].value == r.row.label for r in reads if r.seen is not None)
    print(f"classifier alone: label right {alone}; calibration error {error:.3f}; temperature times {fitting:.2f}")
    judge = shipped_judge()
    judges = dict.fromkeys(sorted(set(voices)), judge)
    if asked.fit:
        judges = fair(reads, judge.limits)
        limits = replace(judge.limits, person=person_limit(reads, judges, asked.recall))
        judges = {voice: replace(one, limits=limits) for voice, one in judges.items()}
        judge = Judge(fit(reads), limits)
        print(_toml(judge))
    whole, pairs = _report(reads, judges)
    if asked.misses:
        _misses(reads, judges)
    if asked.write:
        card["weights_sha256"] = hashlib.sha256((asked.model / "weights.npz").read_bytes()).hexdigest()
        card["calibration_error"] = round(error, 3)
        shares = {name: share_of(getattr(whole, name)) for name in Figures.__slots__}
        told = [(row.label, *reversed(verdict(heard)), row.label in TOPICS) for row, heard in pairs]
        errors = errors_by_kind((label, read, must, handed) for label, read, handed, must in told)
        card["figures"] = {"on": sorted(set(voices)), "together": whole.line(), "shares": shares, "errors": errors}
        (asked.model / "card.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
        if asked.model == MODEL:
            PAGE.write_text(page(card), encoding="utf-8")
            write_reference(rows)
        (asked.model / "judge.toml").write_text(_toml(judge), encoding="utf-8")


if __name__ == "__main__":
    main()
