"""How many handoffs each kind of noise loses, on voices that the classifier was not trained on.

`python training/noise.py` prints the table; `--show` adds the messages that were lost. Exits with 1 if a kind loses one
that may lose none.
"""
# ruff: noqa: T201 -- it prints a report

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from treatment_agent.demo.policy import maple_policy
from treatment_agent.evals.messages import LabelledMessage
from treatment_agent.evals.noise import measure
from treatment_agent.triage import Triage

VOICES = Path(__file__).parent / "data" / "voices"
HELD_OUT = ("v40", "v41", "v42", "v43")


def read_rows(names: tuple[str, ...] = HELD_OUT) -> Iterator[LabelledMessage]:
    """The rows of these voices, each in the first of its contexts that a message can be judged in."""
    known = ("first_message", "offer", "reminder", "callback_ask", "reason_ask", "booked")
    for name in names:
        for line in (VOICES / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            context = next((c for c in row["contexts"] if c in known), "first_message")
            fields = {"text": row["text"], "label": row["label"], "lang": row["lang"], "voice": row["voice"]}
            yield LabelledMessage.model_validate(fields | {"context": context})


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--show", action="store_true", help="print the messages that were lost")
    parser.add_argument("--every", type=int, default=1, help="take only every n-th row")
    given = parser.parse_args()
    broken = False
    print(f"{'noise':<44}{'lost':>6}{'of':>6}{'share':>8}  95 % interval  must")
    for heard in measure(tuple(read_rows())[:: given.every], Triage(maple_policy())):
        share, (low, high) = heard.lost, heard.lost.interval
        lost = len(heard.rows)
        must = "none" if heard.noise.exact else ""
        figures = f"{lost:>6}{share.total:>6}{100 * share.value:>7.1f}%  {100 * low:>4.1f}-{100 * high:<8.1f} {must}"
        print(f"{heard.noise.title:<44}{figures}", flush=True)
        for message, text in heard.rows if given.show else ():
            print(f"    {message.label}: {text!r}")
        broken = broken or (heard.noise.exact and lost > 0)
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
