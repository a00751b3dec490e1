"""What patients wrote, with everybody and everything in it invented, and readable as before.

Known names go wherever they stand, unknown capitalised words and words after "my name is" are taken for names. Times of
day, weekdays and small numbers stay: they are what a message is about.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Final

from treatment_agent.replay.stand_ins import StandIns

_MONTHS: Final = (
    ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
     "december"),
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    ("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre",
     "diciembre"),
)  # fmt: skip
_MONTH: Final = "|".join(sorted({m for months in _MONTHS for m in months} | {"sept"}, key=len, reverse=True))
_CUES: Final = re.compile(
    r"(?i)\b(?:my name(?:'s| is)|this is|name's|i am|i'm|call me|ask for|speak (?:to|with)|talk (?:to|with)|"
    r"(?:my|his|her|our) (?:husband|wife|son|daughter|mom|mother|dad|father|brother|sister|friend|boss|dentist|doctor)|"
    r"dr\.?|dra\.?|mrs?\.?|ms\.?|sra?\.?|soy|me llamo|mi nombre es|habla|"
    r"mi (?:esposo|esposa|hijo|hija|mama|mamá|papa|papá))"
    r"[ ,]+$"
)
_PARTS: Final = re.compile(
    rf"""
    (?P<email>[\w.+%-]+@[\w-]+(?:\.[\w-]+)+)
  | (?P<link>(?i:https?://|www\.)\S+
            | \b[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)*\.(?i:com|org|net|io|co|us|info|biz|me|ly|gov|edu|example)\b(?:/\S*)?)
  | (?P<iso>\b\d{{4}}-\d\d?-\d\d?\b)
  | (?P<slashed>\b\d{{1,2}}[/.-]\d{{1,2}}[/.-](?:\d{{4}}|\d{{2}})\b | (?<![\d/])\d{{1,2}}/\d{{1,2}}(?![\d/]))
  | (?P<named>\b(?i:{_MONTH})\b\.?[ ]+(?:the[ ]+)?\d{{1,2}}(?:st|nd|rd|th)?\b(?!:)(?:,?[ ]+(?:19|20)\d\d\b)?)
  | (?P<named_after>\b\d{{1,2}}(?:st|nd|rd|th)?[ ]+(?:of[ ]+|de[ ]+)?(?i:{_MONTH})\b
            (?:,?[ ]+(?:de[ ]+)?(?:19|20)\d\d\b)?)
  | (?P<ordinal>\b(?:the[ ]+)\d{{1,2}}(?:st|nd|rd|th)\b)
  | (?P<street>\b\d{{1,6}}[ ]+(?:[^\W\d_]+\.?[ ]+){{1,3}}?
               (?i:street|st|avenue|ave|road|rd|blvd|boulevard|drive|lane|ln|court)\b\.?
             | \b(?i:calle|avenida)[ ]+[^\W\d_]+(?:[ ]+\d+)?)
  | (?P<money>[$€£][ ]?\d[\d,]*(?:\.\d+)?[kK]? | \b\d[\d,]*(?:\.\d\d)?[ ]?(?i:dollars?|bucks|usd|pesos|d[oó]lares)\b)
  | (?P<phone>(?<![\w@])[(+]?\d(?:[ ().-]{{0,2}}\d){{6,14}}(?!\w))
  | (?P<long>\b\d{{5,}}\b | (?<![:\d])\b(?:19|20)?\d{{4}}\b(?![:\d]))
  | (?P<code>\b(?=\w*\d)(?=\w*[^\W\d_])\w{{6,}}\b)
  | (?P<word>[^\W\d_]+(?:['’][^\W\d_]+)*)
    """,
    re.VERBOSE,
)  # fmt: skip
_CLOCK_BEFORE: Final = re.compile(r"(?i)\b(?:at|by|after|before|until|till|around|from|to|a las|@)[ ]*$")
_LOOK_AHEAD: Final = timedelta(days=300)


@cache
def plain_words() -> frozenset[str]:
    """Words of everyday messages, folded: not taken for names."""
    text = (files("treatment_agent.replay") / "plain_words.txt").read_text(encoding="utf-8")
    return frozenset(text.split())


@dataclass(frozen=True, slots=True)
class FreeText:
    """Redacts messages. `names` are the folded words of all names on the books; `now` is the office's day."""

    stand_ins: StandIns
    names: frozenset[str]

    def redact(self, text: str, *, on: date) -> str:
        """The text with invented names, numbers, days and amounts, in the same order and the same places."""
        shouted = text.upper() == text

        def replaced(found: re.Match[str]) -> str:
            kind, written = str(found.lastgroup), found.group()
            if kind == "word":
                return self._word(written, text[: found.start()], shouted=shouted)
            if kind in ("long", "code") and _is_time(kind, written, text[: found.start()]):
                return written
            return self._replacers(on)[kind](written)

        return _PARTS.sub(replaced, text)

    def _replacers(self, on: date) -> dict[str, Callable[[str], str]]:
        made = self.stand_ins
        return {
            "email": made.email,
            "link": lambda _: "https://example.org/page",
            "iso": lambda w: self._date(w, on),
            "slashed": lambda w: self._date(w, on),
            "named": lambda w: self._named(w, on),
            "named_after": lambda w: self._named(w, on),
            "ordinal": lambda w: self._ordinal(w, on),
            "street": lambda w: "100 Example Street" if w[0].isdigit() else "calle Ejemplo",
            "money": made.digits,
            "phone": self._phone,
            "long": made.digits,
            "code": lambda w: made.digits("1" * len(w)),
        }

    def _word(self, word: str, before: str, *, shouted: bool) -> str:
        ending = re.search(r"['’]s$", word, re.IGNORECASE)
        core, tail = (word[: ending.start()], ending.group()) if ending else (word, "")
        folded = core.casefold().replace("’", "'")
        plain = folded in plain_words() or word.casefold().replace("’", "'") in plain_words()
        capital = core[:1].isupper() and not shouted
        starts = not before.strip(" \"'(¿¡*-\n") or before.rstrip(" \"'(¿¡*-")[-1:] in ".!?\n:;…"
        if folded in self.names:
            # A name that is also a word ("will", "may") is a name only where it is written like one.
            certain = not plain or (capital and not starts) or bool(_CUES.search(before[-40:]))
        else:
            certain = not plain and len(core) > 1 and (capital or shouted or bool(_CUES.search(before[-40:])))
        return self._name(core) + tail if certain else word

    def _name(self, word: str) -> str:
        parts = re.split(r"(['’])", word)
        return "".join(p if p in "'’" else self.stand_ins.name_word(p) for p in parts if p)

    def _phone(self, written: str) -> str:
        digits = re.sub(r"\D", "", written)
        made = re.sub(r"\D", "", self.stand_ins.phone(f"+1{digits[-10:]}" if len(digits) >= 10 else f"+1312{digits}"))
        return f"{made[1:4]}-{made[4:7]}-{made[7:11]}" if len(digits) >= 10 else f"{made[-7:-4]}-{made[-4:]}"

    def _date(self, written: str, on: date) -> str:
        numbers = [int(n) for n in re.split(r"\D", written)]
        mark = re.sub(r"\d", "", written)[:1]
        if "-" in written and len(written.split("-")[0]) == 4:
            moved = self._moved(numbers[0], numbers[1], numbers[2])
            return self.stand_ins.digits(written) if moved is None else moved.isoformat()
        year = _full_year(numbers[2], on) if len(numbers) == 3 else None
        moved = self._moved(year, *numbers[:2]) if year else self._next(numbers[0], numbers[1], on)
        if moved is None:
            # 14/3: the day before the month, as outside the United States.
            moved = self._moved(year, numbers[1], numbers[0]) if year else self._next(numbers[1], numbers[0], on)
            if moved is None:
                return self.stand_ins.digits(written)
            first, second = moved.day, moved.month
        else:
            first, second = moved.month, moved.day
        last = "" if len(numbers) == 2 else f"{mark}{moved.year if numbers[2] > 99 else moved.strftime('%y')}"
        return f"{first}{mark}{second}{last}"

    def _named(self, written: str, on: date) -> str:
        month_found = re.search(rf"(?i)\b(?:{_MONTH})\b", written)
        if month_found is None:
            return written
        word = month_found.group()
        months = next((m for m in _MONTHS if word.casefold() in m), _MONTHS[1])
        folded = "sep" if word.casefold() == "sept" else word.casefold()
        year = re.search(r"(?:19|20)\d\d", written)
        day = re.search(r"\d{1,2}", written[: year.start()] if year else written)
        if day is None:
            return written
        month = months.index(folded) + 1
        moved = (
            self._moved(int(year.group()), month, int(day.group())) if year else self._next(month, int(day.group()), on)
        )
        if moved is None:
            return written
        named = months[moved.month - 1]
        named = named.upper() if word.isupper() else named.capitalize() if word[0].isupper() else named
        swapped = written.replace(word, "\0").replace(year.group(), "\1") if year else written.replace(word, "\0")
        swapped = re.sub(r"\d{1,2}(?:st|nd|rd|th)?", lambda d: _like(d.group(), moved.day), swapped, count=1)
        return swapped.replace("\0", named).replace("\1", str(moved.year))

    def _ordinal(self, written: str, on: date) -> str:
        day = int(re.sub(r"\D", "", written))
        for ahead in range(62):
            candidate = on + timedelta(days=ahead)
            if candidate.day == day:
                return re.sub(r"\d+\w\w", _like("1st", self.stand_ins.day(candidate).day), written)
        return written

    def _moved(self, year: int, month: int, day: int) -> date | None:
        try:
            return self.stand_ins.day(date(year, month, day))
        except (ValueError, OverflowError):
            return None

    def _next(self, month: int, day: int, on: date) -> date | None:
        """The day without a year that is meant: the last one not long past, else the next."""
        for year in (on.year, on.year + 1):
            try:
                meant = date(year, month, day)
            except ValueError:
                continue
            if meant >= on - (timedelta(days=365) - _LOOK_AHEAD):
                return self.stand_ins.day(meant)
        return None


def _full_year(year: int, on: date) -> int:
    if year > 99:
        return year
    return 2000 + year if 2000 + year <= on.year + 10 else 1900 + year


def _like(written: str, day: int) -> str:
    """The day, as an ordinal where the original was one."""
    if written.isdigit():
        return str(day)
    ending = "th" if 10 <= day % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{ending}"


def _is_time(kind: str, written: str, before: str) -> bool:
    """True for `at 1030`, and for times with letters such as `10am` glued to more."""
    if kind == "code":
        return bool(re.fullmatch(r"(?i)\d{1,4}(?:am|pm|ish|ish|hrs?|min|mins)\w*", written))
    return len(written) == 4 and int(written[:2]) < 24 and int(written[2:]) < 60 and bool(_CLOCK_BEFORE.search(before))
