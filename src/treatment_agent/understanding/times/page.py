"""The tokens of one message together with what is needed to read them, and tables of fixed phrases."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files

from treatment_agent.domain.interpretation import Asked, Situation
from treatment_agent.understanding.times.tokens import Kind, Token

MOST_SKIPPED = 4
"""Small words that are passed over at one place: it keeps reading linear, whatever is sent."""


@dataclass(frozen=True, slots=True)
class Page:
    """Tokens, the moment they were written (aware, office zone) and the starts of the offered slots.

    `for_call` is True when we asked when to call, `booked` when a visit stands, at `visit` if that is known (aware,
    office zone).
    """

    tokens: tuple[Token, ...]
    now: datetime
    offers: tuple[datetime, ...] = ()
    for_call: bool = False
    booked: bool = False
    visit: datetime | None = None

    @property
    def today(self) -> date:
        """The office's date at the moment of writing."""
        return self.now.date()

    def kind(self, index: int) -> Kind | None:
        """The kind of a token, None outside the message."""
        return self.tokens[index].kind if 0 <= index < len(self.tokens) else None

    def word(self, index: int) -> str:
        """The word at `index`, empty for anything else."""
        return self.tokens[index].word if self.kind(index) is Kind.WORD else ""

    def value(self, index: int) -> int:
        """The number of a token, 0 outside the message."""
        return self.tokens[index].value if 0 <= index < len(self.tokens) else 0

    def skip(self, index: int, words: frozenset[str]) -> int:
        """The first index at or after `index` whose word is not one of `words`; at most four are passed over."""
        last = index + MOST_SKIPPED
        while index < last and self.word(index) in words:
            index += 1
        return index


def page_of(tokens: tuple[Token, ...], situation: Situation) -> Page:
    """The page for a message; offers are seen in the zone of `situation.now`."""
    zone = situation.now.tzinfo
    offers = tuple(offer.start.astimezone(zone) for offer in situation.offers)
    asked = situation.asked
    visit = situation.visit.astimezone(zone) if situation.visit else None
    return Page(
        tokens, situation.now, offers, for_call=asked is Asked.CALLBACK_ASK, booked=asked is Asked.BOOKED, visit=visit
    )


class PhraseTable:
    """Fixed phrases and what each stands for; the longest phrase that begins at a place wins."""

    def __init__(self, meanings: Mapping[str, Iterable[str]]) -> None:
        """Take the phrases of each meaning as folded words with single spaces, without apostrophes."""
        found: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for meaning, phrases in meanings.items():
            for phrase in phrases:
                words = tuple(phrase.split())
                found.setdefault(words[0], []).append((words, meaning))
        self._by_first = {
            first: tuple(sorted(entries, key=lambda entry: -len(entry[0]))) for first, entries in found.items()
        }

    def at(self, page: Page, index: int) -> tuple[str, int] | None:
        """The meaning of the phrase that begins at `index` and the index behind it."""
        for words, meaning in self._by_first.get(page.word(index), ()):
            if all(page.word(index + place) == word for place, word in enumerate(words)):
                return meaning, index + len(words)
        return None


def phrase_at(table: str, page: Page, index: int) -> tuple[str, int] | None:
    """The meaning of a phrase of `phrases.toml` that begins at `index`, and the index behind it."""
    return _tables()[table].at(page, index)


@cache
def _tables() -> Mapping[str, PhraseTable]:
    source = files("treatment_agent.understanding.times").joinpath("phrases.toml").read_text(encoding="utf-8")
    return {name: PhraseTable(meanings) for name, meanings in tomllib.loads(source).items()}
