"""What a cell of an export says: text, money, codes, names, yes and no.

Every function takes one cell and returns a value, or raises `CellProblem` with the fix. A problem never repeats what
the cell holds.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from treatment_agent.domain.patients import Permission
from treatment_agent.tools.cell_words import LANGUAGE_CODES, NO_WORDS, YES_WORDS

Cell = str | int | float | Decimal | bool | date | datetime | None
"""What a source may hand over: text from files, typed values from JSON and databases."""


class CellProblem(ValueError):
    """A cell that cannot be read. `fix` tells what to do; `column` is set by the row mapper."""

    def __init__(self, fix: str) -> None:
        self.fix = fix
        self.column: str | None = None
        super().__init__(fix)


_NOTHING: Final = frozenset({"", "null", "\\n", "#n/a", "n/a", "-", "--", "#null!"})
_LONGEST_NOTHING: Final = max(map(len, _NOTHING))
_NO_CONTACT: Final = frozenset({"none", "na", "unknown", "no", "no cell", "no email", "declined", "refused"})
_NO_ALERT: Final = frozenset(
    {"none", "na", "unknown", "nka", "nkda", "no known allergies", "none known", "no alerts", "no alert"}
)
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}", re.ASCII)
_CODE: Final = re.compile(r"(?:[Dd] ?0?(\d{4})|0(\d{4})|(\d{3,4}))(?:(?: *[-:] *| +)[^\d\s].*)?", re.ASCII | re.DOTALL)
_POINT: Final = re.compile(r"(?:\d+|\d{1,3}(?:,\d{3})+)?(?:\.\d{0,2}0*)?", re.ASCII)
_COMMA: Final = re.compile(r"(?:\d+|\d{1,3}(?:[.']\d{3})+)?(?:,\d{0,2}0*)?", re.ASCII)
_MONEY_SIGNS: Final = re.compile(r"USD|US\$|EUR|CAD|[$€£]|\s", re.IGNORECASE)
_SIGNED: Final = re.compile(r"([-+])?([^-+()]*?)(-|CR)?|\(([^-+()]*)\)", re.IGNORECASE)
_BETWEEN_PHONES: Final = re.compile(r"[/;,|&\n]|\bor\b|\band\b", re.IGNORECASE)
_CELL_LABEL: Final = re.compile(r"(?<![a-z])(?:cell|mobile|mob|c)(?![a-z])", re.IGNORECASE)
_EXTENSION: Final = re.compile(r"\s*(?:\bextension|\bext|(?<![a-z])x|#)[ .:#]*\d{1,6}\D*$", re.IGNORECASE)
_PHONE_LABEL: Final = re.compile(r"\(\s*[^\W\d_][^\d()]*\)|[^\W\d_]+[.:]?")
_SITE: Final = re.compile(r"[A-Z0-9][A-Z0-9 ,/&.-]{0,19}", re.ASCII)
_NAME_MARKS: Final = frozenset(" '’`´.-,()\"")


def text_of(value: Cell) -> str:
    """The cell as one line of text; empty for the ways systems write "nothing". Excel's `="007"` is `007`."""
    if value is None:
        return ""
    if not isinstance(value, str):
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, float) and value.is_integer():
            return str(int(value))
    text = value if isinstance(value, str) else str(value)
    if not text.isalnum():
        text = " ".join(text.replace("\x00", "").split())
        if text.startswith('="') and text.endswith('"'):
            text = text[2:-1].strip()
    return "" if len(text) <= _LONGEST_NOTHING and text.casefold() in _NOTHING else text


def identifier(value: Cell) -> str:
    """A chart number or other opaque id.

    Raises:
        CellProblem: it has spaces or signs that ids do not have: then it may be a name, which must not become an id.
    """
    text = text_of(value).lstrip("'")
    if text and not _ID.fullmatch(text):
        raise CellProblem("not an id: letters, digits and . _ - : / without spaces; map the chart number's column")
    return text


def household(value: Cell) -> str | None:
    """A guarantor's id. A name in its place becomes a digest, so that it groups without being readable."""
    text = text_of(value)
    if not text:
        return None
    if _ID.fullmatch(text) and any(c.isdigit() for c in text):
        return text
    return "household-" + hashlib.sha256(text.casefold().encode()).hexdigest()[:16]


def procedure_code(value: Cell) -> str:
    """A CDT code as `D2740`, from `D2740`, `2740`, the old five-digit `02740`, or with a description behind it.

    Raises:
        CellProblem: not a CDT code.
    """
    text = text_of(value).lstrip("'")
    if not text:
        return ""
    found = _CODE.fullmatch(text)
    if found is None:
        raise CellProblem("not a CDT code such as D2740; leave out office codes, or map the column with the codes")
    return "D" + (found[1] or found[2] or found[3].zfill(4))


def cents(value: Cell, *, decimal_comma: bool = False) -> int:
    """Money in cents: `1250`, `$1,250.00`, `(45.00)`, `-45`, `45-`; empty and `$ -` are 0.

    `1.250,00 €` is read only when `decimal_comma` is declared.

    Raises:
        CellProblem: it cannot be read, or its separators do not fit the declared notation.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value * 100
    text = str(value) if isinstance(value, float | Decimal) else text_of(value)
    if not text or text.casefold() in _NO_CONTACT:
        return 0
    signed = _SIGNED.fullmatch(_MONEY_SIGNS.sub("", text))
    number = (signed[2] or signed[4] or "") if signed else "?"
    if not number:
        return 0
    comma = decimal_comma and isinstance(value, str)
    if not (_COMMA if comma else _POINT).fullmatch(number) or not any(c.isdigit() for c in number):
        other = "1.250,00" if decimal_comma else "1,250.00; declare decimal_comma=True for 1.250,00"
        raise CellProblem(f"not an amount of money; write it like {other}")
    if comma:
        number = number.replace(".", "").replace("'", "").replace(",", ".")
    amount = int((Decimal(number.replace(",", "")) * 100).to_integral_exact())
    return -amount if signed and (signed[1] == "-" or signed[3] or signed[4]) else amount


def person_name(value: Cell) -> str:
    """A name fit to be put into a text: letters and the marks of names, at most 60; `JANE` becomes `Jane`.

    Raises:
        CellProblem: it holds digits, addresses or signs, or characters lost to a wrong encoding.
    """
    text = text_of(value)
    if not text:
        return ""
    if not text.replace(" ", "").isalpha():
        for char in text:
            if char not in _NAME_MARKS and not unicodedata.category(char).startswith(("L", "M")):
                raise CellProblem("not a name: it has digits or signs; correct it in the chart, or set encoding=...")
    if len(text) > 60:
        raise CellProblem("not a name: longer than 60 characters; correct it in the chart")
    return text.title() if text.isupper() and len(text) > 2 else text


def split_name(text: str) -> tuple[str, str]:
    """First and last name of `Rivera, Ana M` or `Ana Rivera`."""
    if "," in text:
        last, _, first = text.partition(",")
        return first.strip().split(" ")[0], last.strip()
    first, _, last = text.partition(" ")
    return first, last.strip()


def language_code(value: Cell) -> str:
    """ISO 639-1: `es` from `spa`, `Spanish`, `es-MX`; `en` when empty; `und` when nobody knows it."""
    text = text_of(value).casefold()
    if not text:
        return "en"
    head = re.split(r"[-_ (;/,]", text, maxsplit=1)[0]
    return LANGUAGE_CODES.get(text) or LANGUAGE_CODES.get(head) or "und"


def permission(value: Cell) -> Permission:
    """Yes, no, or unknown when empty.

    Raises:
        CellProblem: any other word: consent is not guessed.
    """
    text = text_of(value).casefold()
    if text in ("", "unknown", "not set", "unset", "?"):
        return Permission.UNKNOWN
    if text in YES_WORDS:
        return Permission.YES
    if text in NO_WORDS or text.startswith(("no ", "no,", "do not", "don't")):
        return Permission.NO
    raise CellProblem("not a yes or no; use Yes, No or an empty cell")


def marked(value: Cell) -> bool:
    """True for a note or a yes, False when empty or a no: for alert columns, where any words count."""
    text = text_of(value).casefold()
    return bool(text) and text not in NO_WORDS and text not in _NO_ALERT


def contact_text(value: Cell) -> str:
    """A phone or mail cell; empty for `none`, `unknown` and their like."""
    text = text_of(value).lstrip("'")
    return "" if text.casefold() in _NO_CONTACT else text


def phone_candidates(text: str) -> tuple[str, ...]:
    """What may be the phone in a cell: a part called a cell phone first, then the others as they stand.

    Labels and extensions are taken off: `(312) 555-0105 (cell)`, `312-555-0105 x12`, `C: 312-555-0105`.
    """
    parts = [part for part in _BETWEEN_PHONES.split(text) if any(c.isdigit() for c in part)]
    parts.sort(key=lambda part: _CELL_LABEL.search(part) is None)
    bare = (_PHONE_LABEL.sub(" ", _EXTENSION.sub("", part)).strip(" :.,-") for part in parts)
    return tuple(dict.fromkeys(part for part in bare if part)) or (text,)


def site(value: Cell) -> str:
    """A tooth, quadrant or surface: `30` from `#30`, `MOD` from `mod`.

    Raises:
        CellProblem: it is longer than 20 characters or holds signs.
    """
    text = text_of(value).upper().removeprefix("TOOTH").strip(" #'")
    if text and not _SITE.fullmatch(text):
        raise CellProblem("not a tooth, area or surface; write it like 30, A, UR or MOD")
    return text
