"""Approved scripts: the only words patients read (P3), and the strict way they are filled.

A script names its fill-ins as `{name}`. Filling is a parser, not `str.format`: a brace or an attribute in a fact is
plain text, and a fact is never parsed again.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
import unicodedata
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from pydantic import Field, ValidationError

from treatment_agent.domain.messages import ScriptFacts
from treatment_agent.domain.scheduling import Slot
from treatment_agent.domain.value import Value
from treatment_agent.errors import ScriptError
from treatment_agent.policies.office import OfficeProfile
from treatment_agent.policies.wording import (
    Words,
    day_in,
    hours_in,
    moment_in,
    verified_name,
    visit_day_in,
    words_of,
)

FALLBACK_LANGUAGE: Final = "en"
LIBRARY_APPROVER: Final = "library default"
"""Stands where no person of an office approved a shipped text yet."""
# Controls, invisible and private characters, line and paragraph separators: no fact and no text holds them.
NOT_TEXT: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
# These may be unknown: the word and the space before it are left out instead.
_OPTIONAL: Final = frozenset({"first_name", "visit_day"})
_FIELD: Final = re.compile(r"\{([a-z][a-z0-9_]*)\}")


class Script(Value):
    """One approved text in one language. `approved_by` empty means a draft: it is never sent."""

    id: str = Field(min_length=1)
    version: int = Field(ge=1)
    language: str = Field(min_length=2)
    text: str = Field(min_length=1)
    subject: str = ""
    approved_by: str
    approved_on: str = ""

    @property
    def content_hash(self) -> str:
        """SHA-256 (hex) of what was approved: language, id, version, text and subject."""
        content = "\x1f".join((self.language, self.id, str(self.version), self.text, self.subject))
        return hashlib.sha256(content.encode()).hexdigest()

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fill-ins in the text and subject, in order, each once."""
        return tuple(dict.fromkeys(_FIELD.findall(self.text) + _FIELD.findall(self.subject)))

    @property
    def well_formed(self) -> bool:
        """True when every brace belongs to a fill-in."""
        return not set("{}") & set(_FIELD.sub("", self.text + self.subject))

    @property
    def slots_needed(self) -> int:
        """How many offered times the text names: 0, 1 or 2."""
        if "slot_2" in self.fields:
            return 2
        return 1 if {"slot", "slot_1"} & set(self.fields) else 0


class ScriptBook(Value):
    """All scripts of an office. Of several versions of one text the newest counts."""

    scripts: tuple[Script, ...] = ()

    def get(self, script_id: str, language: str) -> Script:
        """The newest version in `language`, or in English if the office has none in that language.

        Raises:
            ScriptError: nobody wrote it, or its newest version has no approver.
        """
        script = self._newest(script_id, language) or self._newest(script_id, FALLBACK_LANGUAGE)
        if script is None:
            raise ScriptError(f"script {script_id!r} is unknown; add it with ScriptBook.with_script")
        if not script.approved_by.strip():
            raise ScriptError(
                f"script {script_id!r} ({script.language}, version {script.version}) is not approved; "
                "set approved_by to the person who approved this wording"
            )
        return script

    def has(self, script_id: str, language: str) -> bool:
        """True when an approved text exists in this very language."""
        script = self._newest(script_id, language)
        return script is not None and bool(script.approved_by.strip())

    def fitting(self, script_id: str, slots: int) -> str:
        """The variant of a script that names no more times than there are: `-one` or `-none`, if the office has it.

        With two slots, and for a script without variants, the id itself.
        """
        wanted = {0: ("-none", ""), 1: ("-one", "", "-none")}.get(slots, ("",))
        ids = [f"{script_id}{ending}" for ending in wanted]
        fits = (i for i in ids if (s := self._newest(i, FALLBACK_LANGUAGE)) is not None and s.slots_needed <= slots)
        return next(fits, script_id)

    def with_script(self, script: Script) -> ScriptBook:
        """A new book that also holds `script`. To change a wording, add it with a higher version.

        Two texts with the same id, language and version are reported by `PracticePolicy.validate_all`.
        """
        if script in self.scripts:
            return self
        return self.model_copy(update={"scripts": (*self.scripts, script)})

    def with_scripts(self, *scripts: Script) -> ScriptBook:
        """A new book that also holds these; `book.with_scripts(*load_scripts(path).scripts)` adds a file."""
        book = self
        for script in scripts:
            book = book.with_script(script)
        return book

    def approved(self, language: str, *, by: str, on: str = "") -> ScriptBook:
        """A new book in which every text of one language carries the name of the person who read and approved it.

        Raises:
            ScriptError: the name is empty, or there is no text in that language.
        """
        if not by.strip() or all(s.language != language for s in self.scripts):
            raise ScriptError(f"approve the texts in {language!r} with a person's name, in a language the book has")
        signed = {"approved_by": by, "approved_on": on}
        scripts = (s.model_copy(update=signed) if s.language == language else s for s in self.scripts)
        return self.model_copy(update={"scripts": tuple(scripts)})

    def _newest(self, script_id: str, language: str) -> Script | None:
        found = [s for s in self.scripts if s.id == script_id and s.language == language]
        return max(found, key=lambda s: s.version, default=None)


def load_scripts(path: Path | Traversable) -> ScriptBook:
    """Read a TOML file: `language`, `approved_by`, `approved_on` once at the top, then `[[script]]` tables.

    A table needs `id` and `text`; it may set `version` (1 if absent), `subject`, and its own language or approver.

    Raises:
        ScriptError: the file cannot be read; names the file, the script and the fix.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ScriptError(
            f"{path.name}: cannot be read as TOML ({type(error).__name__}); see script_texts/en.toml"
        ) from None
    tables = content.pop("script", [])
    if not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables):
        raise ScriptError(f"{path.name}: write each script as a [[script]] table")
    scripts = []
    for number, table in enumerate(tables, start=1):
        try:
            scripts.append(Script.model_validate({"version": 1, **content, **table}))
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise ScriptError(f"{path.name}, script {number} ({table.get('id', 'no id')!r}): {wrong}") from None
    return ScriptBook(scripts=tuple(scripts))


@cache
def default_scripts() -> ScriptBook:
    """The shipped texts, in English and Spanish. An office should read and approve its own before going live."""
    folder = files("treatment_agent.policies") / "script_texts"
    books = (load_scripts(folder / f"{language}.toml") for language in ("en", "es", "en-workflows", "es-workflows"))
    return ScriptBook(scripts=tuple(script for book in books for script in book.scripts))


class _Filling:
    """The values for one script's fill-ins; an empty string means that the fact is not known."""

    def __init__(self, language: str, facts: ScriptFacts, office: OfficeProfile, first_name: str) -> None:
        self._language = language
        self._facts = facts
        self._office = office
        self._first_name = first_name

    def value(self, field: str) -> str:
        """The fact, or an empty string."""
        words = words_of(self._language)
        if field == "first_name":
            return verified_name(self._first_name) or (words.neutral_name if words else "")
        plain = _OFFICE_FACTS.get(field)
        if plain is not None:
            return plain(self._office, self._language)
        return self._dated(field, words) if words else ""

    def _dated(self, field: str, words: Words) -> str:
        facts, office = self._facts, self._office
        if field == "hours":
            return office.text_in(self._language, "hours_text") or hours_in(office.hours, words)
        if field == "visit_day":
            return visit_day_in(facts.visit_on, words) if facts.visit_on else ""
        if field == "until":
            return day_in(facts.until, words) if facts.until else ""
        if field == "call_time":
            return moment_in(facts.call_at.astimezone(office.tz), words) if facts.call_at else ""
        if field == "provider":
            return office.provider_name(facts.provider_id or _only_provider(facts.slots))
        slot = _slot_for(field, facts.slots)
        return moment_in(slot.start.astimezone(office.tz), words) if slot else ""


_OFFICE_FACTS: Final[dict[str, Callable[[OfficeProfile, str], str]]] = {
    "office": lambda office, _: office.name,
    "phone": lambda office, _: office.phone,
    "link": lambda office, _: office.booking_link,
    "address": lambda office, _: office.address,
    "parking": lambda office, language: office.text_in(language, "parking"),
    "financing_next_step": lambda office, language: office.text_in(language, "financing_next_step"),
}
_SLOT_FIELDS: Final = {"slot": 0, "slot_1": 0, "slot_2": 1}
ALLOWED_FIELDS: Final[frozenset[str]] = frozenset(
    {*_OFFICE_FACTS, *_SLOT_FIELDS, "first_name", "hours", "visit_day", "provider", "call_time", "until"}
)


def unfilled(script: Script, *, facts: ScriptFacts, office: OfficeProfile) -> tuple[str, ...]:
    """Fill-ins of `script` that no fact is known for: with any, `render` refuses. Useful to pick another script."""
    filling = _Filling(script.language, facts, office, "")
    return tuple(f for f in script.fields if f not in _OPTIONAL and (f not in ALLOWED_FIELDS or not filling.value(f)))


def render(script: Script, *, facts: ScriptFacts, office: OfficeProfile, first_name: str) -> str:
    """The text of `script` filled with verified facts, times in the office's zone.

    `first_name` is used only if it can only be a name; otherwise the language's neutral form stands, and where that or
    `{visit_day}` is empty the space before it is dropped.

    Raises:
        ScriptError: a fill-in is unknown or has no fact, a fact holds a control character, or a brace is stray.
    """
    return _fill(script, script.text, _Filling(script.language, facts, office, first_name))


def render_subject(script: Script, *, facts: ScriptFacts, office: OfficeProfile, first_name: str) -> str:
    """The subject line for email: the script's own, or the office's name.

    Raises:
        ScriptError: as for `render`.
    """
    subject = script.subject or "{office}"
    return _fill(script, subject, _Filling(script.language, facts, office, first_name))


def _fill(script: Script, template: str, filling: _Filling) -> str:
    text = ""
    for index, piece in enumerate(_FIELD.split(template)):
        if index % 2 == 0:
            if "{" in piece or "}" in piece:
                raise ScriptError(f"script {script.id!r} ({script.language}): a brace that is no fill-in; remove it")
            text += piece
            continue
        value = _fact(script, piece, filling)
        if not value:
            text = text.removesuffix(" ")
        text += value
    return text


def _fact(script: Script, field: str, filling: _Filling) -> str:
    place = f"script {script.id!r} ({script.language})"
    if field not in ALLOWED_FIELDS:
        raise ScriptError(f"{place}: unknown fill-in {{{field}}}; allowed are {', '.join(sorted(ALLOWED_FIELDS))}")
    value = filling.value(field)
    if not value and field not in _OPTIONAL:
        raise ScriptError(
            f"{place}: nothing to fill {{{field}}} with; complete the office profile or pick another script"
        )
    if any(unicodedata.category(c) in NOT_TEXT for c in value):
        raise ScriptError(f"{place}: the fact for {{{field}}} holds a line break or control character; remove it")
    return value


def _slot_for(field: str, slots: tuple[Slot, ...]) -> Slot | None:
    position = _SLOT_FIELDS[field]
    return slots[position] if position < len(slots) else None


def _only_provider(slots: tuple[Slot, ...]) -> str | None:
    providers = {slot.provider_id for slot in slots}
    return providers.pop() if len(providers) == 1 else None
