"""Training rows: the hand-written messages, and marked variations of them.

Every variation is made from a hand-written row and keeps its label, or the label the guide gives to the mixture.
`kind` says which: `written`, `noise`, `dates`, `courtesy`, `joined`, `part`.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from treatment_agent.domain.interpretation import Intent, Topic

LABELS: tuple[str, ...] = (*(t.value for t in Topic), *(i.value for i in Intent))
TOPICS = frozenset(t.value for t in Topic)
# A routine row whose intent is not the point: it may hold any routine label, but no topic.
ANY_ROUTINE = "routine"

_GREETINGS = {
    "en": ["hi ", "Hello, ", "hey ", "Good morning! ", "hi there, ", "Hey it's me again. ", "ok so ", "um ", "Thanks. ",
           "Good afternoon, ", "sorry for the late reply. ", "Hi Maple, ", "yo ",
           "sorry just saw this. ", "oh ", "well "],
    "es": ["hola ", "Buenos días, ", "buenas tardes ", "Hola qué tal, ", "gracias. ", "disculpe la tardanza. ", "oiga ",
           "Buenas, ", "mire ", "perdón apenas vi el mensaje. ", "pues "],
}  # fmt: skip
_ENDINGS = {
    "en": [" thanks", " Thank you!", " thx", ". have a good day", " 🙏", " 😊", " please", ". Sorry!", " ty",
           ". Appreciate it", " lol", ". Bless you", "... thanks again", " haha", ". See you", " :)"],
    "es": [" gracias", ". Muchas gracias", " 🙏", " por favor", ". que tenga buen día", ". Dios la bendiga", " 😊",
           ". disculpe", ". saludos", " porfa"],
}  # fmt: skip
_JOINTS = [". ", " ", ", ", " and ", "\n", "! ", " but ", "... ", ". Also ", " btw ", ". Oh and "]
_JOINTS_ES = [". ", " ", ", ", " y ", "\n", "! ", " pero ", "... ", ". También ", ". Ah y "]
_DAYS = "monday tuesday wednesday thursday friday saturday".split()
_SHORT_DAYS = "mon tue tues wed thu thurs fri sat".split()
_DAYS_ES = "lunes martes miércoles jueves viernes sábado".split()
_MONTHS = "january february march april june july august september october november december".split()
_MONTHS_ES = "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre".split()
_SETS = (_DAYS, _SHORT_DAYS, _DAYS_ES, _MONTHS, _MONTHS_ES)
_SHORTHAND = {
    "you": "u", "are": "r", "please": "pls", "because": "cuz", "thanks": "thx", "tomorrow": "tmrw", "with": "w",
    "appointment": "appt", "okay": "ok", "for": "4", "to": "2", "before": "b4", "going": "goin", "about": "abt",
    "people": "ppl", "que": "q", "por": "x", "porque": "xq", "también": "tmb",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One message with its label and the situations it holds in."""

    text: str
    label: str
    contexts: tuple[str, ...]
    lang: str
    voice: str
    kind: str = "written"


def read_voices(folder: Path) -> list[Row]:
    """All hand-written rows, in the order of the files. Raises ValueError naming file and line for a bad row."""
    rows: list[Row] = []
    for path in sorted(folder.glob("v*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if not line.strip():
                continue
            raw = json.loads(line)
            if raw["label"] not in LABELS:
                raise ValueError(f"{path.name}:{number}: label {raw['label']!r} is unknown; use one of {LABELS}")
            rows.append(Row(raw["text"], raw["label"], tuple(raw["contexts"]), raw["lang"], path.stem))
    return rows


def data_hash(folder: Path) -> str:
    """SHA-256 over all voice files, so that a model can say which data it saw."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("v*.jsonl")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def variations(rows: Sequence[Row], chance: random.Random) -> list[Row]:
    """One epoch's rows: the written ones (half of the first voice), a variation of each, mixtures of two."""
    routine = [row for row in rows if row.label not in TOPICS and row.label != "opt_out"]
    asides = {lang: [r for r in routine if _tongue(r) == lang] for lang in ("en", "es")}
    found: list[Row] = []
    for row in rows:
        # Less of the first voice: it is ten times as large as the others.
        if row.voice != "v01" or _tongue(row) == "es" or chance.random() < 0.5:
            found.append(row)
        if row.voice == "v01" and chance.random() < 0.7:
            continue
        found.append(_varied(row, chance))
        # The encoder we start from has read little Spanish.
        if _tongue(row) == "es":
            found.append(_varied(row, chance))
        if chance.random() < (0.8 if row.label in TOPICS else 0.5):
            found.append(_joined(row, chance.choice(asides[_tongue(row)]), chance))
        if row.label not in TOPICS and row.label != "opt_out" and chance.random() < 0.6:
            found.extend(_parts(row, chance))
    chance.shuffle(found)
    return found


def _varied(row: Row, chance: random.Random) -> Row:
    text, kind = row.text, "noise"
    if row.label != "accept" and chance.random() < 0.6:
        text, kind = _other_dates(text, chance), "dates"
    if chance.random() < 0.4:
        text, kind = _courteous(text, _tongue(row), chance), "courtesy"
    if kind == "noise" or chance.random() < 0.4:
        text = _noisy(text, chance)
    return Row(text, row.label, row.contexts, row.lang, row.voice, kind)


def _joined(row: Row, aside: Row, chance: random.Random) -> Row:
    """A routine message before or behind another: a topic or opt-out wins; of two routine ones no intent is sure."""
    shared = tuple(c for c in row.contexts if c in aside.contexts) or row.contexts
    first, second = (row, aside) if chance.random() < 0.4 else (aside, row)
    text = first.text.rstrip(" .!") + chance.choice(_JOINTS_ES if _tongue(row) == "es" else _JOINTS) + second.text
    wins = row.label in TOPICS or row.label in ("opt_out", aside.label) or aside.label == "ack"
    return Row(text, row.label if wins else ANY_ROUTINE, shared, row.lang, row.voice, "joined")


def _parts(row: Row, chance: random.Random) -> list[Row]:
    """Clauses of a routine message: on their own they say no more than that there is no topic."""
    parts = [part.strip() for part in re.split(r"[.!?,;\n]+| but | and | so | because | pero | y | porque ", row.text)]
    long = [part for part in parts if len(part.split()) >= 3]
    if len(parts) < 2 or not long:
        return []
    return [Row(chance.choice(long), ANY_ROUTINE, row.contexts, row.lang, row.voice, "part")]


def _tongue(row: Row) -> str:
    return "en" if row.lang == "en" else "es"


def _courteous(text: str, tongue: str, chance: random.Random) -> str:
    if chance.random() < 0.5:
        text = chance.choice(_GREETINGS[tongue]) + text
    else:
        text = text.rstrip(" .") + chance.choice(_ENDINGS[tongue])
    return text


def _other_dates(text: str, chance: random.Random) -> str:
    def swap(found: re.Match[str]) -> str:
        word = found.group()
        for listed in _SETS:
            if word.lower() in listed:
                return chance.choice(listed)
        if word.isdigit() and 1 <= int(word) <= 12:
            return str(chance.randint(1, 12))
        return str(chance.randint(13, 30)) if word.isdigit() and 13 <= int(word) <= 31 else word

    return re.sub(r"\w+", swap, text)


def _noisy(text: str, chance: random.Random) -> str:
    if chance.random() < 0.4:
        text = re.sub(r"[.,!?;:'\"¿¡-]", "", text)
    if chance.random() < 0.3:
        text = " ".join(_SHORTHAND.get(word, word) if chance.random() < 0.6 else word for word in text.split(" "))
    for _ in range(1 + len(text) // 40):
        if chance.random() < 0.6:
            text = _slip(text, chance)
    return text


def _slip(text: str, chance: random.Random) -> str:
    """One slip of the thumb inside a longer word."""
    places = [m.start() + chance.randrange(1, len(m.group()) - 1) for m in re.finditer(r"[^\W\d_]{4,}", text)]
    if not places:
        return text
    at = chance.choice(places)
    match chance.randrange(4):
        case 0:
            return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
        case 1:
            return text[:at] + text[at + 1 :]
        case 2:
            return text[:at] + text[at] + text[at:]
        case _:
            gap = text.find(" ", at)
            return text if gap < 0 else text[:gap] + text[gap + 1 :]
