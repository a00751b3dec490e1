"""Finds written messages that stand, almost word for word, in the sets that measure; `--remove` takes them out.

`python training/overlap.py` prints how many there are. A message of fewer than four words ("thursday works") is
nobody's own and is left alone. Nothing of the measuring sets is printed.
"""
# ruff: noqa: T201 -- it prints a report

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from treatment_agent.domain.text import normalize

HERE = Path(__file__).parent
VOICES = HERE / "data" / "voices"
EXAM = HERE.parent / "evals" / "messages"
FEWEST_WORDS = 4
TOO_LIKE = 0.8  # cosine of weighed character 4-grams


def near(texts: list[str], exam: list[str]) -> list[bool]:
    """For each text whether some exam text is almost the same."""
    grams = TfidfVectorizer(analyzer="char_wb", ngram_range=(4, 4), sublinear_tf=True)
    against = grams.fit_transform(exam).T.tocsr()
    rows = grams.transform(texts)
    likest = [rows[n : n + 1000].dot(against).max(axis=1).toarray().ravel() for n in range(0, rows.shape[0], 1000)]
    long = [len(text.split()) >= FEWEST_WORDS for text in texts]
    return [bool(like >= TOO_LIKE) and enough for like, enough in zip(np.concatenate(likest), long, strict=True)]


def _texts(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [normalize(json.loads(line)["text"]).folded for line in lines if line.strip()]


def main() -> None:
    """Print, and take out if asked."""
    wanted = argparse.ArgumentParser(description=__doc__)
    wanted.add_argument("--remove", action="store_true", help="rewrite the voice files without them")
    asked = wanted.parse_args()
    exam = [text for path in sorted(EXAM.glob("*.jsonl")) for text in _texts(path)]
    total = 0
    for path in sorted(VOICES.glob("v*.jsonl")):
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        alike = near(_texts(path), exam)
        total += sum(alike)
        if any(alike):
            print(f"{path.stem}: {sum(alike)} of {len(lines)}")
        if asked.remove and any(alike):
            kept = [line for line, like in zip(lines, alike, strict=True) if not like]
            path.write_text("".join(line + "\n" for line in kept), encoding="utf-8")
    print(f"{total} messages are almost the same as one that measures" + (", taken out" if asked.remove else ""))


if __name__ == "__main__":
    main()
