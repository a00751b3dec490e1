"""Reads dialogue files. A mistake is told with its line, its key, and what was probably meant."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from treatment_agent.errors import ConfigurationError
from treatment_agent.evals.cast import PracticeSeed
from treatment_agent.evals.dialogue import Dialogue
from treatment_agent.evals.naming import unknown_words
from treatment_agent.evals.overrides import merged
from treatment_agent.policies.practice import PracticePolicy

FOLDER = "dialogues"
"""Files lie somewhere below a folder of this name."""

_SETTINGS = ("practice", "policy")
_HEADER = re.compile(r"\s*(\[\[?)\s*([\w.\"-]+)\s*\]\]?")
_KEY = re.compile(r"\s*([\w-]+)\s*(?:\.|=)")
_BARE = re.compile(r"\s*([\w-]+)\s*=\s*([A-Za-z][\w -]*?)\s*(?:#.*)?$")
_QUOTED = re.compile(r"'([^']*)'")
_AT_LINE = re.compile(r"line (\d+)")


@dataclass(frozen=True, slots=True)
class DialogueFile:
    """A dialogue with where it stands. `source` are the lines of the file."""

    path: Path
    dialogue: Dialogue
    source: tuple[str, ...] = field(repr=False)

    @property
    def lines(self) -> tuple[int, ...]:
        """The line of each turn."""
        return tuple(line_of(self.source, ("turn", number)) for number in range(len(self.dialogue.turn)))

    def check_names(self, policy: PracticePolicy) -> None:
        """Check that every setting, script, rule and tool that is named exists.

        Raises:
            ConfigurationError: with the line of each that does not, and what was probably meant.
        """
        overrides = self.dialogue.practice.policy
        try:
            merged(policy, overrides)
        except ValidationError as error:
            raise ConfigurationError(_mistakes(self.path, self.source, error, overrides, within=_SETTINGS)) from None
        found = sorted(
            (line_of(self.source, place), _place(place), words) for place, words in unknown_words(self.dialogue, policy)
        )
        if found:
            raise ConfigurationError("\n".join(f"{self.path}:{line}: {place}: {words}" for line, place, words in found))

    @property
    def area(self) -> str:
        """The folder's name: what it is about."""
        return self.path.parent.name

    @property
    def name(self) -> str:
        """`area/file`, without the ending."""
        return f"{self.area}/{self.path.stem}"


def find_files(place: Path) -> tuple[Path, ...]:
    """The dialogue files at a place: the file itself, or every `*.toml` below a folder called `dialogues`."""
    if place.is_file():
        return (place,)
    inside = FOLDER in place.resolve().parts
    return tuple(p for p in sorted(place.rglob("*.toml")) if inside or FOLDER in p.relative_to(place).parts)


def read_dialogue(path: Path) -> DialogueFile:
    """Read one file.

    Raises:
        ConfigurationError: it is not a dialogue; every mistake with `file:line`, its key and a suggestion.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: cannot be read: {type(error).__name__}") from None
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _AT_LINE.search(str(error))
        line = int(found[1]) if found else 1
        raise ConfigurationError(f"{path}:{line}: not TOML: {error}{_unquoted(text, line)}") from None
    lines = text.splitlines()
    try:
        dialogue = Dialogue.model_validate(raw)
    except ValidationError as error:
        raise ConfigurationError(_mistakes(path, lines, error, raw)) from None
    return DialogueFile(path, dialogue, tuple(lines))


def _unquoted(text: str, line: int) -> str:
    """What to write where a word stands without quotes, as it may in YAML."""
    bare = _BARE.match("".join(text.splitlines()[line - 1 : line]))
    return f'; write {bare[1]} = "{bare[2]}"' if bare and bare[2] not in ("true", "false") else ""


def _mistakes(
    path: Path, lines: Sequence[str], error: ValidationError, raw: object, *, within: tuple[str, ...] = ()
) -> str:
    """Every mistake on a line of its own, in order of the file. `raw` is what stands at the place `within` of it."""
    details = error.errors(include_input=False, include_url=False)
    # A list with a mistake in it is called too short as well.
    wrong_inside = {e["loc"][0] for e in details if len(e["loc"]) > 1}
    real = [e for e in details if not (e["type"] == "too_short" and e["loc"][0] in wrong_inside)]
    told = sorted({(line_of(lines, (*within, *e["loc"])), _told(e, _written(raw, e["loc"]), within)) for e in real})
    return "\n".join(f"{path}:{line}: {words}" for line, words in told)


def line_of(lines: Sequence[str], loc: Sequence[str | int]) -> int:
    """The line, from 1, at which a place of the file stands: the nearest that can be found for it."""
    names = [str(part) for part in loc if isinstance(part, str)]
    best = 1
    for number, table in _tables(lines):
        depth = _shared(table, loc)
        if depth is None:
            continue
        best = number or best
        rest = names[depth:]
        if rest:
            best = _key_line(lines, number, rest) or best
    return best


def _tables(lines: Sequence[str]) -> Iterator[tuple[int, tuple[str | int, ...]]]:
    """Every table header as (line, place); the top of the file is (0, ())."""
    yield 0, ()
    counts: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        header = _HEADER.match(line)
        if header:
            name = header[2].replace('"', "")
            parts: list[str | int] = list(name.split("."))
            if header[1] == "[[":
                counts[name] = counts.get(name, -1) + 1
                parts.append(counts[name])
            elif parts[0] in counts:
                parts.insert(1, counts[str(parts[0])])
            yield number, tuple(parts)


def _shared(table: tuple[str | int, ...], loc: Sequence[str | int]) -> int | None:
    """How many names of `loc` the table's place takes up, or None if it is another place."""
    if tuple(loc[: len(table)]) != table:
        return None
    return sum(1 for part in table if isinstance(part, str))


def _key_line(lines: Sequence[str], start: int, names: Sequence[str]) -> int | None:
    """The line of the first of these keys, below the header at `start` and before the next one."""
    for number, line in enumerate(lines[start:], start + 1):
        if _HEADER.match(line) and number > start:
            return None
        key = _KEY.match(line)
        if key and key[1] == names[0]:
            return number
    return None


def _written(raw: object, loc: Sequence[str | int]) -> object:
    """What stands at a place of the file; what comes last where a short form was written."""
    for part in loc:
        if isinstance(part, int):
            raw = raw[part] if isinstance(raw, list) and part < len(raw) else raw
        elif isinstance(raw, dict):
            raw = raw.get(part, raw)
    return raw


def _told(error: ErrorDetails, written: object, within: tuple[str, ...]) -> str:
    loc = [*within, *(part for part in error["loc"] if not str(part).startswith("function-"))]
    place = _place(loc)
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        return f"{place}: there is no such key{_meant(loc)}"
    if error["type"] == "missing":
        return f"{place}: this is missing{_why(loc)}"
    if error["type"] == "tuple_type":
        return f'{place}: write it as a list: ["..."]'
    if error["type"] in ("enum", "literal_error") and isinstance(written, str):
        words = _QUOTED.findall(message)
        close = get_close_matches(written, words, n=1)
        meant = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(words)}"
        return f"{place}: there is no {written!r}; {meant}"
    return f"{place}: {message[0].lower()}{message[1:]}"


def _place(loc: Sequence[str | int]) -> str:
    """A place as people count: `turn.1.expect`."""
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in loc) or "file"


def _why(loc: Sequence[str | int]) -> str:
    return "; every dialogue ends with what must be on the books" if list(loc) == ["end"] else ""


def _meant(loc: Sequence[str | int]) -> str:
    model = _model_at(loc[:-1])
    known = list(model.model_fields) if model else []
    close = get_close_matches(str(loc[-1]), known, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; there are: {', '.join(known)}" if known else ""


def _model_at(loc: Sequence[str | int]) -> type[BaseModel] | None:
    """The model that describes a place of the file."""
    model: type[BaseModel] | None = Dialogue
    for part in loc:
        if model is PracticeSeed and part == "policy":
            model = PracticePolicy
        elif isinstance(part, str) and model is not None and part in model.model_fields:
            model = _inside(model.model_fields[part].annotation)
    return model


def _inside(annotation: object) -> type[BaseModel] | None:
    """The first model within an annotation such as `tuple[Turn, ...] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _inside(inner)
        if found is not None:
            return found
    return None
