"""What routine phrases a clause holds, and how much of it they explain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from treatment_agent.domain.interpretation import LogisticsAsk, Reason, Situation, Span
from treatment_agent.policies.canonical import Words
from treatment_agent.policies.lexicon import Lexicon, Match, WordLists
from treatment_agent.policies.phrases import words_of
from treatment_agent.understanding.clauses import is_emoji

_MARKS = frozenset(".?!")
_QUESTION_WORDS = frozenset(
    "why how what which who when where cual cuales cuanto cuanta cuando donde quien como".split()
)
_FEWEST_DIGITS = 7
_NEAR = 3
_AUXILIARIES = frozenset(
    "am is are was were do does did can could should would will shall may might must has have dont doesnt didnt isnt"
    " arent cant couldnt shouldnt wouldnt wont puedo puede pueden podria podrian tiene tienen hay es esta debo".split()
)
_SUBJECTS = frozenset(
    "i it you we this that there they he she my the your any those these someone anyone doctor dr a yall not".split()
)
_BEFORE_A_QUESTION = frozenset(
    "ok hi hello hey so and but or um yes no sorry thanks please just also wait oh well then y pero hola entonces si"
    " gracias ya".split()
)
_SPANISH_OPENERS = frozenset("puedo puede pueden podria podrian tiene tienen hay debo".split())
_COURTESIES = ("ack", "yes", "no", "aside")
# Kinds of phrases that a question may be: an answer or a search follows.
_QUESTION_KINDS = frozenset(
    ("ask_times", "link", "logistics", "who", "callback", "change", "affirm", "accept", "already")
)


@dataclass(frozen=True, slots=True)
class ClauseEvidence:
    """Routine phrases in one clause.

    `kinds` maps a phrase label (`accept`, `reject`, `defer` ...) to its matches. `telling` are the words that carry
    meaning, `dated` those of times and options, `strange` those that nothing explains. `open_question` is set when no
    phrase explains the question. `asks` tells that the clause is a question.
    """

    words: range
    kinds: Mapping[str, tuple[Match, ...]]
    telling: frozenset[int]
    dated: frozenset[int]
    strange: tuple[int, ...]
    content: int
    open_question: bool
    asks: bool

    @property
    def timed(self) -> bool:
        """True when the clause names a time or an option."""
        return bool(self.dated)

    def held(self, kind: str) -> int:
        """How many words the phrases of this kind, times and courtesies explain."""
        return len(self._held(kind))

    def stray(self, kind: str) -> int:
        """How many meaningful words they leave over, though some list knows them."""
        return len(self.telling - self._held(kind))

    def _held(self, kind: str) -> set[int]:
        rows = (self.kinds.get(name, ()) for name in (kind, *_COURTESIES))
        return {index for row in rows for match in row for index in match.words} | self.dated

    @property
    def unknown(self) -> int:
        """How many words nothing explains."""
        return len(self.strange)

    @property
    def weighed(self) -> tuple[range, ...]:
        """The words it was read by, next to each other together; those that nothing explains where there are any."""
        phrases = {index for row in self.kinds.values() for match in row for index in match.words}
        return _stretches(self.strange or (phrases | self.dated) & self.telling or phrases | self.dated)

    @property
    def explained(self) -> bool:
        """True when every word is known and no question is left open."""
        return self.unknown == 0 and not self.open_question

    @property
    def coverage(self) -> float:
        """The share of meaningful words that are explained."""
        return 1 - self.unknown / self.content if self.content else 1.0

    def reason(self) -> Reason | None:
        """The most telling reason among the matches."""
        groups = [match.group for row in self.kinds.values() for match in row]
        found = [group.extras["reason"] for group in groups if "reason" in group.extras]
        told = [code for code in found if code != Reason.UNSPECIFIED.value]
        return Reason((told or found)[0]) if found else None

    def question(self) -> LogisticsAsk | None:
        """The practical question asked; the particular ones before the general one."""
        found = [LogisticsAsk(match.group.extras["asks"]) for match in self.kinds.get("logistics", ())]
        told = [ask for ask in found if ask is not LogisticsAsk.GENERAL]
        return (told or found)[0] if found else None


class RoutineLists:
    """The routine word lists, applied clause by clause."""

    def __init__(self, book: Lexicon) -> None:
        self._book = book
        self._lists = WordLists(book.routine_groups, (), book.sets)
        self._words_of_group = {
            group.rule: frozenset[str]().union(*(words_of(pattern, book.sets) for pattern in group.patterns))
            for group in book.routine_groups
        }

    def evidence(self, words: Words, part: range, spans: Iterable[Span], situation: Situation) -> ClauseEvidence:
        """Collect what the clause `part` says.

        Args:
            words: The message.
            part: The clause, as word numbers.
            spans: Raw stretches that the time and option parsers explained.
            situation: Names of providers count as known.
        """
        kinds: dict[str, list[Match]] = {}
        covered: set[int] = set()
        related: frozenset[str] = frozenset()
        for match in self._lists.find(words, words.part(part), part.start):
            kinds.setdefault(match.group.label, []).append(match)
            covered.update(match.words)
            related |= self._words_of_group[match.group.rule]
        timed = _words_in(words, part, spans)
        covered |= timed
        opener = _opener(words, part)
        if opener is not None:
            kinds = {
                kind: found
                for kind, found in kinds.items()
                if kind in _QUESTION_KINDS and any(_answers(opener, match) for match in found)
            }
        names = {name for _, full in situation.provider_names for name in full.lower().replace(".", " ").split()}
        content = [index for index in part if words.word(index) not in _MARKS]
        rest = [index for index in content if index not in covered]
        return ClauseEvidence(
            words=part,
            kinds={kind: tuple(found) for kind, found in kinds.items()},
            telling=frozenset(i for i in content if words.word(i) not in self._book.small),
            dated=frozenset(timed),
            strange=tuple(i for i in rest if not (words.word(i) in related or self._harmless(words.word(i), names))),
            content=len(content),
            open_question=(opener is not None and not kinds) or any(words.word(i) in _QUESTION_WORDS for i in rest),
            asks=opener is not None or "?" in words.part(part),
        )

    def known(self, words: Words) -> int:
        """How many of the message's words some list holds."""
        return sum(self._book.spelling.knows(words.word(index)) for index in range(len(words)))

    def _harmless(self, word: str, names: set[str]) -> bool:
        if word in self._book.plain or word in names:
            return True
        if is_emoji(word):
            return False
        is_number = sum(char.isdigit() for char in word) >= _FEWEST_DIGITS
        return is_number or word in ("doctor", "doctora")


def _answers(opener: int, match: Match) -> bool:
    """True when the phrase holds the question's first word, or begins right behind it."""
    return match.words.start <= opener + _NEAR and opener < match.words.stop


def _opener(words: Words, part: range) -> int | None:
    """The number of the word that makes the clause a question ("is it", "should i", "how"), or None."""
    for index in part:
        word = words.word(index)
        if word in _BEFORE_A_QUESTION or word in _MARKS:
            continue
        if word in _QUESTION_WORDS or word in _SPANISH_OPENERS:
            return index if word not in ("when", "cuando") or "?" in words.part(part) else None
        after = words.word(index + 1) if index + 1 in part else ""
        return index if word in _AUXILIARIES and after in _SUBJECTS else None
    return None


def _words_in(words: Words, part: range, spans: Iterable[Span]) -> set[int]:
    found: set[int] = set()
    for span in spans:
        for index in part:
            own = words.span(range(index, index + 1))
            if own.start < span.end and span.start < own.end:
                found.add(index)
    return found


def _stretches(indexes: Iterable[int]) -> tuple[range, ...]:
    """Numbers that follow on each other, as ranges."""
    found: list[range] = []
    for index in sorted(indexes):
        follows = found and found[-1].stop == index
        found[-1:] = [range(found[-1].start, index + 1)] if follows else [*found[-1:], range(index, index + 1)]
    return tuple(found)
