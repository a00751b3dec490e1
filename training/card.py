"""The model card: what `measure.py --write` found, in `card.json` for programs, in `docs/model-card.md` for people."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from rows import TOPICS, Row

from treatment_agent.domain.shares import Share

REFERENCE = Path(__file__).parent.parent / "src" / "treatment_agent" / "evals" / "reference.jsonl"
PAGE = Path(__file__).parent.parent / "docs" / "model-card.md"
_NAMES = {
    "recall": "what a person must have, handed off",
    "emergencies": "emergencies, handed off",
    "needless": "routine messages, handed off needlessly",
    "right": "the label exactly right",
    "opt_outs": "opt-outs recognised",
}
_KINDS = {
    "missed": "missed: a person should have had it",
    "needless": "needless: handed off, and was routine",
    "topic": "handed off, under another topic",
    "intent": "answered, as another intent",
}


def share_of(share: Share) -> dict[str, float | int]:
    """A share with its 95 % Wilson interval."""
    low, high = share.interval
    return {"share": round(share.value, 4), "low": round(low, 4), "high": round(high, 4), "of": share.total}


def errors_by_kind(read: Iterable[tuple[str, str, bool, bool]]) -> list[dict[str, str | int]]:
    """Counts of what went wrong; never a text.

    Args:
        read: Per message the label it has, the one it was read as, whether a person must have it, whether one got it.
    """
    counts: Counter[tuple[str, str, str]] = Counter()
    for label, as_label, must, handed in read:
        if must and not handed:
            counts["missed", label, as_label] += 1
        elif handed and not must:
            counts["needless", label, as_label] += 1
        elif label != as_label:
            counts["topic" if must else "intent", label, as_label] += 1
    order = list(_KINDS)
    rows = sorted(counts.items(), key=lambda row: (order.index(row[0][0]), -row[1], row[0]))
    return [{"kind": kind, "label": label, "read_as": read, "messages": n} for (kind, label, read), n in rows]


def write_reference(rows: Iterable[Row]) -> None:
    """The messages that `treatment-agent tune` may not lose: what a person must have, by voices not trained on."""
    kept = ({"text": r.text, "label": r.label, "contexts": list(r.contexts), "lang": r.lang} for r in rows)
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in kept if row["label"] in TOPICS)
    REFERENCE.write_text("".join(lines), encoding="utf-8")


def page(card: Mapping[str, object]) -> str:
    """The readable card."""
    data, figures = _table(card["data"]), _table(card["figures"])
    voices = ", ".join(f"`{voice}`" for voice in _list(figures["on"]))
    lines = [
        "# Model card: the classifier of the local interpreter",
        "",
        "Written by `python training/measure.py --write` from `card.json` beside the weights; do not edit it by hand.",
        "",
        "| | |",
        "|---|---|",
        f"| weights | `{str(card['weights_sha256'])[:16]}...` (SHA-256) |",
        f"| trained | {card['trained_on']}, {data['written_rows']:,} messages, data `{str(data['sha256'])[:16]}...` |",
        f"| starts from | {card['start']} |",
        f"| measured on | {voices}: voices that were not trained on. The limits of the judge come from them too, "
        "so what counts is `treatment-agent eval evals/messages` |",
        f"| calibration | expected error {card['calibration_error']} (ten bins, likeliest label, classifier alone) |",
        "",
        "What it was made from and what it does not cover: [training/README.md](../training/README.md).",
        "",
        "## Figures",
        "",
        "| of the whole interpreter | share | 95 % interval | of |",
        "|---|---|---|---|",
    ]
    for name, found in _table(figures["shares"]).items():
        one = _table(found)
        low, high = 100 * float(str(one["low"])), 100 * float(str(one["high"]))
        lines.append(
            f"| {_NAMES[name]} | {100 * float(str(one['share'])):.1f} % | {low:.1f}-{high:.1f} | {one['of']} |"
        )
    lines += ["", "## Errors by kind", ""]
    for kind, title in _KINDS.items():
        rows = [row for row in map(_table, _list(figures["errors"])) if row["kind"] == kind]
        total = sum(int(str(row["messages"])) for row in rows)
        pairs = ", ".join(f"{row['label']} as {row['read_as']} {row['messages']}" for row in rows)
        lines += [f"- **{title}: {total}.** {pairs or 'none'}."]
    return "\n".join(lines) + "\n"


def _table(found: object) -> Mapping[str, object]:
    if not isinstance(found, Mapping):
        raise TypeError("card.json is older than this page; run `python training/measure.py --write`")
    return found


def _list(found: object) -> list[object]:
    return found if isinstance(found, list) else []
