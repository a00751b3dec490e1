"""How precise each pattern of the topic word lists is on the written messages, and which are only hints.

`python training/patterns.py` prints the patterns that fire on routine messages most; `--split` moves, inside the word
lists, what the messages show to be unreliable from `en`/`es` to `en_hints`/`es_hints`, and back. A sure pattern hands a
message to a person by itself, under any interpreter; a hint is weighed together with the classifier.
"""
# ruff: noqa: T201 -- it prints a report

from __future__ import annotations

import argparse
import json
import tomllib
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rows import TOPICS, Row, read_voices

from treatment_agent.domain.interpretation import Topic
from treatment_agent.domain.text import normalize
from treatment_agent.policies.lexicon import LANGUAGES, Group, Lexicon, WordLists, words_folder

HERE = Path(__file__).parent
WORDS = HERE.parent / "src" / "treatment_agent" / "policies" / "words"
# Never only a hint, whatever the counts say: a figure of speech costs a minute here, a miss may cost a life.
ALWAYS_SURE = frozenset({"sensitive.self-harm", "emergency.breathing", "emergency.overdose", "emergency.harm-now"})
LEAST_PRECISION = 0.94
LEAST_PRECISION_IN_DANGER = 0.6
SURE_ROWS = 6  # a pattern seen this often without one routine message is sure


@dataclass(slots=True)
class Count:
    """On how many messages a pattern fired: those a person must have, and routine ones."""

    topic: int = 0
    routine: int = 0
    examples: list[str] = field(default_factory=list)


def counts(rows: list[Row]) -> dict[tuple[str, str], Count]:
    """Counts by rule and pattern. Opt-outs count for neither side: they are settled before any list of topics."""
    book = Lexicon(words_folder())
    single = [
        Group(g.label, g.name, (part,), g.extras, g.hint)
        for g in book.topic_groups
        for p in g.patterns
        for part in parts(p)
    ]
    lists = WordLists(single, book.harmless_groups, book.sets)
    found: dict[tuple[str, str], Count] = defaultdict(Count)
    for row in rows:
        if row.label == "opt_out":
            continue
        keys = {(m.group.rule, m.group.patterns[0]) for m in lists.find(book.read(normalize(row.text)))}
        for key in keys:
            count = found[key]
            if row.label in TOPICS:
                count.topic += 1
            else:
                count.routine += 1
                count.examples.append(row.text[:80])
    return found


def parts(pattern: str) -> list[str]:
    """The alternatives of a pattern that is nothing but a choice, `(a|b c|d*)`; else the pattern itself."""
    found, depth, start = [], 0, 1
    for place, char in enumerate(pattern):
        depth += (char in "([") - (char in ")]")
        if depth == 0 and place < len(pattern) - 1:
            return [pattern]
        if (char == "|" and depth == 1) or place == len(pattern) - 1:
            found.append(pattern[start:place])
            start = place + 1
    return found if pattern.startswith("(") and len(found) > 1 else [pattern]


def is_sure(rule: str, count: Count | None, group: Count) -> bool:
    """True if a pattern may hand off by itself. Few sightings are judged together with those of its group."""
    if rule in ALWAYS_SURE:
        return True
    if count is None:
        count = Count()
    if count.routine == 0 and count.topic >= SURE_ROWS:
        return True
    share = (group.topic + 1) / (group.topic + group.routine + 2)
    weight = 4
    least = LEAST_PRECISION_IN_DANGER if rule.startswith("emergency.") else LEAST_PRECISION
    return (count.topic + weight * share) / (count.topic + count.routine + weight) >= least


def split(found: dict[tuple[str, str], Count]) -> None:
    """Rewrite the word lists, one pattern a line, sure ones and hints apart."""
    for topic in Topic:
        path = WORDS / f"{topic.value}.toml"
        text = path.read_text(encoding="utf-8")
        table = tomllib.loads(text)
        groups = iter(table["group"])
        out: list[str] = []
        for line in _without_arrays(text):
            out.append(line)
            if line == "[harmless]":
                for lang in LANGUAGES:
                    _array(out, lang, table["harmless"].get(lang, []))
            elif line.startswith("name = "):
                _group(out, f"{topic.value}.", next(groups), found)
        path.write_text("\n".join(out).rstrip() + "\n", encoding="utf-8")


def _group(out: list[str], label: str, group: dict[str, Any], found: dict[tuple[str, str], Count]) -> None:
    rule, whole = label + group["name"], Count()
    for (own, _), count in found.items():
        if own == rule:
            whole.topic, whole.routine = whole.topic + count.topic, whole.routine + count.routine
    for lang in LANGUAGES:
        pairs = [_halves(p, rule, found, whole) for p in (*group.get(lang, []), *group.get(f"{lang}_hints", []))]
        _array(out, lang, [sure for sure, _ in pairs if sure])
        _array(out, f"{lang}_hints", [hint for _, hint in pairs if hint])


def _halves(pattern: str, rule: str, found: dict[tuple[str, str], Count], whole: Count) -> tuple[str, str]:
    """The pattern as a sure one and as a hint; a choice may become both. Empty where nothing is left."""
    every = parts(pattern)
    sure = [part for part in every if is_sure(rule, found.get((rule, part)), whole)]
    return _choice(sure), _choice([part for part in every if part not in sure])


def _choice(every: list[str]) -> str:
    return f"({'|'.join(every)})" if len(every) > 1 else "".join(every)


def _without_arrays(text: str) -> list[str]:
    lines: list[str] = []
    inside = False
    for line in text.splitlines():
        begins = line.partition(" = ")[0] in {*LANGUAGES, *(f"{lang}_hints" for lang in LANGUAGES)}
        if begins:
            inside = not line.rstrip().endswith("]")
        elif inside:
            inside = line != "]"
        else:
            lines.append(line)
    return lines


def _array(out: list[str], name: str, patterns: list[str]) -> None:
    if patterns:
        out.extend([f"{name} = [", *(f"  {json.dumps(p, ensure_ascii=False)}," for p in patterns), "]"])


def main() -> None:
    """Print, and split if asked."""
    wanted = argparse.ArgumentParser(description=__doc__)
    wanted.add_argument("--split", action="store_true", help="rewrite the word lists")
    wanted.add_argument("--voices", default="", help="count on these voices only, e.g. v14,v15")
    wanted.add_argument("--most", type=int, default=40, help="how many of the least precise to print")
    asked = wanted.parse_args()
    voices = set(filter(None, asked.voices.split(",")))
    found = counts([r for r in read_voices(HERE / "data" / "voices") if not voices or r.voice in voices])
    worst = sorted(found.items(), key=lambda item: -item[1].routine)
    for (rule, pattern), count in worst[: asked.most]:
        print(f"{count.routine:4} routine {count.topic:4} topic  {rule}  {pattern}")
        print(f"       e.g. {' / '.join(count.examples[:3])}")
    if asked.split:
        split(found)
    for hint in (False, True):
        groups = [g for g in Lexicon(words_folder()).topic_groups if g.hint is hint]
        kind = "hints" if hint else "sure patterns"
        print(f"{sum(len(parts(p)) for g in groups for p in g.patterns)} {kind}")


if __name__ == "__main__":
    main()
