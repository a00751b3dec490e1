"""The word lists, loaded once: what needs a person, and how it is found in a message.

One TOML file per label under `policies/words/`. A finding names its rule as `<label>.<group>`. A finding that lies
wholly inside a harmless phrase ("this month is killing me") is dropped; harmless phrases are data too. Patterns under
`en` and `es` are sure: they hand a message to a person by themselves. Those under `en_hints` and `es_hints` also stand
in many routine messages; the local interpreter weighs them together with everything else it sees.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from treatment_agent.domain.interpretation import Intent, Span, Topic
from treatment_agent.domain.text import NormalizedText
from treatment_agent.errors import ConfigurationError
from treatment_agent.policies.canonical import Spelling, Words
from treatment_agent.policies.phrases import Phrase, PhraseBook, phrase, words_of

LANGUAGES = ("en", "es")
_TOPIC_FILES = tuple(topic.value for topic in Topic)
_SELF_HARM = "sensitive.self-harm"
# Somebody else's number. The one rule of a topic that revokes consent.
WRONG_NUMBER = "identity.wrong-number"
# Subjects of `plain.toml` that carry no meaning of their own.
_SMALL = ("function", "function_es", "polite")


@dataclass(frozen=True, slots=True)
class Finding:
    """A word or phrase that stands for a label, with its rule id and where it stands in the raw message."""

    label: Topic | Intent
    rule: str
    span: Span


@dataclass(frozen=True, slots=True)
class Group:
    """Patterns that mean the same: a name, and values that go with it (a reason, a question).

    `hint`: these patterns alone hand nothing to a person.
    """

    label: str
    name: str
    patterns: tuple[str, ...]
    extras: Mapping[str, str]
    hint: bool = False

    @property
    def rule(self) -> str:
        """Stable id of the group."""
        return f"{self.label}.{self.name}"


@dataclass(frozen=True, slots=True)
class Match:
    """A group's pattern found at these canonical words."""

    group: Group
    words: range


class WordLists:
    """Groups of patterns, searched together; matches inside a harmless phrase do not count."""

    def __init__(self, groups: Iterable[Group], harmless: Iterable[Group], sets: Mapping[str, tuple[str, ...]]) -> None:
        self._entries: list[Group] = []
        self._book = self._compile(groups, sets, self._entries)
        self._harmless_entries: list[Group] = []
        self._harmless = self._compile(harmless, sets, self._harmless_entries)

    @staticmethod
    def _compile(groups: Iterable[Group], sets: Mapping[str, tuple[str, ...]], entries: list[Group]) -> PhraseBook:
        phrases: list[Phrase] = []
        for group in groups:
            for pattern in group.patterns:
                phrases.append(phrase(pattern, sets, group.rule))
                entries.append(group)
        return PhraseBook(phrases)

    def find(self, words: Words, line: str | None = None, first: int = 0) -> Iterator[Match]:
        """Matches in the whole message, or in one part of it: `line` is the part, `first` its first word's number."""
        text = words.line if line is None else line
        base = words.starts[first] - 1 if line is not None and words.starts else 0
        hits = list(self._book.find(text))
        if not hits:
            return
        masks: dict[str, list[tuple[int, int]]] = {}
        for mask in self._harmless.find(text):
            masks.setdefault(self._harmless_entries[mask.entry].label, []).append((mask.start, mask.end))
        for hit in hits:
            group = self._entries[hit.entry]
            if not any(start <= hit.start and hit.end <= end for start, end in masks.get(group.label, ())):
                yield Match(group, words.indexes(base + hit.start, base + hit.end))

    def is_harmless(self, words: Words) -> bool:
        """True when a harmless phrase is in the message."""
        return any(True for _ in self._harmless.find(words.line))


class Lexicon:
    """All topic lists and the opt-out list, with the spelling they are written for."""

    def __init__(self, folder: Traversable, extra: Iterable[Traversable] = ()) -> None:
        self.sets = read_sets(folder)
        plain = {
            name: frozenset(word for item in items for word in item.split())
            for name, items in _table(folder, "plain").get("words", {}).items()
        }
        self.small = frozenset[str]().union(*(plain.get(name, ()) for name in _SMALL))
        self._plain = frozenset[str]().union(*plain.values())
        topics, harmless = _read(folder, _TOPIC_FILES)
        for more in extra:
            added, harmless_added = _groups(_load(more), more.name.removesuffix(".toml"))
            topics, harmless = topics + added, harmless + harmless_added
        opt_out, opt_out_harmless = _read(folder, (Intent.OPT_OUT.value,))
        routine, _ = _read(folder, routine_files(folder))
        self.routine_groups = routine
        self.topic_groups = topics
        self.harmless_groups = harmless
        everything = (*topics, *harmless, *opt_out, *opt_out_harmless, *routine)
        self.spelling = _spelling(folder, everything, self.sets, self._plain)
        self._topics = WordLists(topics, harmless, self.sets)
        self._opt_out = WordLists(opt_out, opt_out_harmless, self.sets)
        keywords = _load(folder / "opt_out.toml")
        self._opt_in = WordLists((_group("opt_in", "keyword", keywords["opt_in"]),), (), self.sets)
        self._help = WordLists((_group("help", "keyword", keywords["help"]),), (), self.sets)

    @property
    def plain(self) -> frozenset[str]:
        """Everyday words that need no person: time, work, family, travel, courtesy."""
        return self._plain

    def read(self, text: NormalizedText) -> Words:
        """The canonical words of a message."""
        return self.spelling.read(text)

    def find(self, text: NormalizedText, labels: Iterable[Topic | Intent] | None = None) -> tuple[Finding, ...]:
        """Everything in the message that surely stands for a topic or for an opt-out, in order of place. No hints.

        Args:
            text: The message.
            labels: Only these; all topics and `Intent.OPT_OUT` when None.
        """
        return self.find_in(self.read(text), labels)

    def find_in(self, words: Words, labels: Iterable[Topic | Intent] | None = None) -> tuple[Finding, ...]:
        """As `find`, for words already read."""
        wanted = None if labels is None else frozenset(labels)
        matches: list[Match] = []
        if wanted is None or wanted - {Intent.OPT_OUT}:
            matches.extend(match for match in self.topic_matches(words) if not match.group.hint)
        if wanted is None or Intent.OPT_OUT in wanted:
            matches.extend(self.opt_out_matches(words))
        found = sorted({(match.words.start, match.words.stop, match.group.rule) for match in matches})
        findings = (Finding(label_of(rule), rule, words.span(range(start, stop))) for start, stop, rule in found)
        return tuple(f for f in findings if wanted is None or f.label in wanted)

    def topic_matches(self, words: Words, part: range | None = None) -> Iterator[Match]:
        """Topic patterns found in the message, or in one clause of it, as canonical words. Hints too."""
        if part is None:
            return self._topics.find(words)
        return self._topics.find(words, words.part(part), part.start)

    def opt_out_matches(self, words: Words) -> Iterator[Match]:
        """Revocations found, as canonical words.

        "I don't want to be here anymore" is no revocation: words that speak of self-harm are left to a person.
        """
        found = list(self._opt_out.find(words))
        if found:
            grave = {i for m in self._topics.find(words) if m.group.rule == _SELF_HARM for i in m.words}
            yield from (match for match in found if grave.isdisjoint(match.words))

    def sounds_like_opt_out(self, words: Words) -> bool:
        """True when a phrase is there that has the words of a revocation and means something else ("stop by at 4")."""
        return self._opt_out.is_harmless(words)

    def asks_in(self, words: Words) -> bool:
        """True when the whole message is an opt-in keyword."""
        return any(True for _ in self._opt_in.find(words))

    def asks_help(self, words: Words) -> bool:
        """True when the whole message is a help keyword."""
        return any(True for _ in self._help.find(words))


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """The word lists that come with the package, loaded at the first call."""
    return Lexicon(words_folder())


def words_folder() -> Traversable:
    """Where the word lists are."""
    return files("treatment_agent.policies") / "words"


def label_of(rule: str) -> Topic | Intent:
    """The label a rule id begins with."""
    name = rule.partition(".")[0]
    return Intent.OPT_OUT if name == Intent.OPT_OUT.value else Topic(name)


def read_sets(folder: Traversable) -> dict[str, tuple[str, ...]]:
    """The named word sets that patterns refer to with `@name`."""
    return {name: tuple(items) for name, items in _table(folder, "sets").get("sets", {}).items()}


def routine_files(folder: Traversable) -> tuple[str, ...]:
    """Names of the files that describe routine messages: `routine_*.toml`."""
    return tuple(
        sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.startswith("routine_"))
    )


def _read(folder: Traversable, names: Iterable[str]) -> tuple[tuple[Group, ...], tuple[Group, ...]]:
    groups: tuple[Group, ...] = ()
    harmless: tuple[Group, ...] = ()
    for name in names:
        more, more_harmless = _groups(_table(folder, name), name)
        groups, harmless = groups + more, harmless + more_harmless
    return groups, harmless


def _groups(table: Mapping[str, object], place: str) -> tuple[tuple[Group, ...], tuple[Group, ...]]:
    default = table.get("label")
    rows = table.get("group", [])
    if not isinstance(rows, list):
        raise ConfigurationError(f"{place}: write each group as [[group]]")
    groups: list[Group] = []
    for row in rows:
        label = row.get("label", default)
        if not isinstance(label, str) or not isinstance(row.get("name"), str):
            raise ConfigurationError(f"{place}: every [[group]] needs a name, and the file or the group a label")
        groups.append(_group(label, row["name"], row))
        hints = {language: row.get(f"{language}_hints", []) for language in LANGUAGES}
        if any(hints.values()):
            groups.append(replace(_group(label, row["name"], hints), hint=True))
    calm = table.get("harmless")
    harmless = (_group(str(default), "harmless", calm),) if isinstance(calm, dict) else ()
    return tuple(groups), harmless


def _group(label: str, name: str, row: Mapping[str, object]) -> Group:
    patterns: list[str] = []
    for language in LANGUAGES:
        listed = row.get(language, [])
        if not isinstance(listed, list):
            raise ConfigurationError(f"{label}.{name}: {language} must be a list of patterns")
        patterns.extend(str(item) for item in listed)
    extras = {key: value for key, value in row.items() if isinstance(value, str) and key not in ("name", "label")}
    return Group(label, name, tuple(patterns), extras)


def _spelling(
    folder: Traversable, groups: Iterable[Group], sets: Mapping[str, tuple[str, ...]], plain: frozenset[str]
) -> Spelling:
    table = _table(folder, "spelling")
    words = _strings(table.get("words"))
    vocabulary: set[str] = set(plain)
    for group in groups:
        for pattern in group.patterns:
            vocabulary |= words_of(pattern, sets)
    for items in sets.values():
        for item in items:
            vocabulary.update(item.split())
    pairs = _strings(table.get("pairs"))
    for canonical in (*words.values(), *pairs, *pairs.values()):
        vocabulary.update(canonical.split())
    return Spelling(
        words=words,
        pairs=pairs,
        will_words=table.get("will_words", ()),
        vocabulary=vocabulary,
    )


def _strings(found: object) -> dict[str, str]:
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def _table(folder: Traversable, name: str) -> dict[str, dict[str, dict[str, str]]]:
    return _load(folder / f"{name}.toml")


def _load(place: Traversable) -> dict[str, dict[str, dict[str, str]]]:
    try:
        return tomllib.loads(place.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(f"word list {place.name} is missing; put it beside the others") from None
    except tomllib.TOMLDecodeError as problem:
        raise ConfigurationError(f"word list {place.name} cannot be read: {problem}") from None
