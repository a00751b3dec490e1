"""Reading a script the way a careful colleague would, before it is approved.

Findings are advice for the author and the doctor; what may leave is decided in `policies.outbound`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from treatment_agent.domain.messages import ScriptFacts
from treatment_agent.domain.scheduling import Slot
from treatment_agent.errors import ScriptError
from treatment_agent.policies.disclosure import denies, discloses, licensed_persona
from treatment_agent.policies.office import OfficeProfile, OfficeWords
from treatment_agent.policies.readability import grade
from treatment_agent.policies.scripts import ALLOWED_FIELDS, Script, render
from treatment_agent.policies.segments import SegmentCount, outside_gsm, segments
from treatment_agent.policies.texting import CLINICAL, PhiLevel, Texting, level_of

__all__ = ["LintFinding", "SegmentCount", "lint", "opens_with_us", "segments"]

FIRST_TEXT: Final = "first-message"
BOT_ANSWER: Final = "bot-question"

_FILL_IN = re.compile(r"\{[^{}]*\}")
_SHORTENERS = re.compile(
    r"(?<![\w.-])(bit\.ly|tinyurl\.com|t\.co|goo\.gl|ow\.ly|is\.gd|buff\.ly|rebrand\.ly|cutt\.ly|rb\.gy|shorturl\.at"
    r"|tiny\.cc|t\.ly|lnkd\.in|s\.id|v\.gd|bl\.ink|shorte\.st|adf\.ly|soo\.gd|x\.co|trib\.al|snip\.ly|qr\.ae|bit\.do"
    r"|dub\.sh|short\.io|tny\.im|urlz\.fr|amzn\.to|fb\.me|youtu\.be|wa\.me)(?![\w-])",
    re.IGNORECASE,
)
_PRESSURE = re.compile(
    r"\b(hurry|act now|last chance|final notice|expires?|expiring|limited time|only today|today only|urgent(ly)?|asap"
    r"|don'?t (wait|delay|miss)|do not (wait|delay)|before it('s| is) too late|gets? worse|you must|you need to"
    r"|immediately|ultima oportunidad|ultimo aviso|urgente|no espere|antes de que sea tarde|empeor\w+|vence|caduca"
    r"|solo por hoy|solo hoy|debe (venir|llamar)|tiene que)\b",
    re.IGNORECASE,
)
_PRICE = re.compile(
    r"[$€£%]|\b(free|discounts?|prices?|fees?|costs?|cheap|deals?|specials?|dollars?|per month|monthly|apr|interest"
    r"|gratis|descuentos?|precios?|cuestan?|costo|tarifas?|barato|ofertas?|dolares|mensual(es)?|intereses)\b",
    re.IGNORECASE,
)
_KEYWORDS_KEPT = frozenset({"STOP", "START", "HELP"})
_SHOUTING = re.compile(r"\b[^\W\d_]{3,}\b")
# Carriers read a bare CANCEL or END as an opt-out, so no text may ask for either.
_CARRIER_WORDS = re.compile(
    r"\b(CANCEL|END)\b|\b(?i:reply|text|send|type|say|responda|envie|mande|escriba)\b[^.!?\n]{0,25}\b(?i:cancel|end)\b"
)
_OPT_OUT_WORDS = re.compile(r"\bSTOP\b")


@dataclass(frozen=True, slots=True)
class LintFinding:
    """One finding: where (`script id/language/version`), which rule, and what to do about it."""

    place: str
    rule: str
    text: str


def lint(script: Script, office: OfficeProfile, texting: Texting | None = None) -> tuple[LintFinding, ...]:
    """Read one script as it would be filled for this office with long but likely facts, within the office's limits.

    Returns:
        Findings in a fixed order; empty means clean. Never raises for a bad script.
    """
    place = f"{script.id}/{script.language}/v{script.version}"
    return tuple(
        LintFinding(place, rule, text) for rule, text in _findings(_Read(script, office, texting or Texting()))
    )


def opens_with_us(script_id: str) -> bool:
    """True for the texts that may be the first a patient gets: they must name the office and the way out."""
    return script_id == FIRST_TEXT or script_id.startswith(f"{FIRST_TEXT}-")


@dataclass(frozen=True, slots=True)
class _Read:
    script: Script
    office: OfficeProfile
    texting: Texting
    own: str = field(init=False)

    def __post_init__(self) -> None:
        # Word rules look at the author's own words only: an office may stand in Crown Street.
        object.__setattr__(self, "own", _FILL_IN.sub(" ", f"{self.script.text}\n{self.script.subject}"))

    def filled(self) -> str:
        """The text with sample facts.

        Raises:
            ScriptError: it cannot be filled at all.
        """
        return render(self.script, facts=_FACTS, office=_complete(self.office), first_name="Alejandra")


def _findings(read: _Read) -> Iterator[tuple[str, str]]:
    script = read.script
    if not script.approved_by.strip():
        yield "lint.no-approver", "nobody approved it; set approved_by"
    unknown = [f for f in script.fields if f not in ALLOWED_FIELDS]
    if unknown:
        yield "lint.unknown-fill-in", f"unknown {', '.join(unknown)}; allowed are {', '.join(sorted(ALLOWED_FIELDS))}"
    if opens_with_us(script.id):
        yield from _first_text(read)
    if script.id == BOT_ANSWER and not discloses(read.own, script.language):
        yield "lint.bot-answer", "the answer to whether this is a bot must say so: automated assistant"
    yield from _wording(read)
    yield from _private(read)
    yield from _plain(read)
    if not unknown:
        yield from _length(read)


def _first_text(read: _Read) -> Iterator[tuple[str, str]]:
    if "{office}" not in read.script.text:
        yield "lint.no-office", "a first text must name the office; put {office} first"
    if not _OPT_OUT_WORDS.search(read.own):
        yield "lint.no-opt-out", "a first text must tell the way out: Reply STOP to opt out"
    if not discloses(read.own, read.script.language):
        yield "lint.no-disclosure", "a first text must say who writes: automated assistant"


def _wording(read: _Read) -> Iterator[tuple[str, str]]:
    for rule, find, advice in _WORD_RULES:
        found = find(read.own)
        if found:
            yield rule, f"{found!r}: {advice}"
    link = _SHORTENERS.search(f"{read.own} {read.office.booking_link if 'link' in read.script.fields else ''}")
    if link:
        yield "lint.link-shortener", f"{link.group()!r}: carriers block shortened links; use the office's own address"


def _private(read: _Read) -> Iterator[tuple[str, str]]:
    """What the text tells about the patient, against what each channel may carry."""
    level = level_of(f"{read.script.text}\n{read.script.subject}")
    above = [c.value for c in read.texting.phi if level.above(read.texting.allowed(c))]
    if level is PhiLevel.DETAIL and len(above) == len(read.texting.phi):
        words = _first(CLINICAL)(read.own)
        yield "lint.clinical", f"{words!r}: texts are generic: no tooth, treatment or diagnosis"
    elif above:
        yield "lint.phi", f"tells more ({level.value}) than {', '.join(above)} may carry; take the fact out"


def _plain(read: _Read) -> Iterator[tuple[str, str]]:
    found = grade(_FILL_IN.sub("Ana", read.script.text), read.script.language)
    if found is not None and found > read.texting.highest_grade:
        yield "lint.reading-level", f"reads like grade {found:.0f}; use shorter words and sentences"
    claim = denies(read.own, read.script.language) or licensed_persona(read.own)
    if claim:
        yield "lint.persona", f"{claim!r}: the assistant may not pass for a person or a licensed one"


def _length(read: _Read) -> Iterator[tuple[str, str]]:
    try:
        filled = read.filled()
    except ScriptError as error:
        yield "lint.not-fillable", str(error)
        return
    cost = segments(filled)
    if cost.encoding == "UCS-2":
        letters = " ".join(outside_gsm(filled))
        yield "lint.encoding", f"{letters}: outside GSM-7, which more than doubles the length; write it plainly"
    most = read.texting.most_segments
    if cost.segments > most:
        yield "lint.too-long", f"{cost.segments} segments ({cost.units} units) when filled; {most} are allowed"


def _first(pattern: re.Pattern[str]) -> Callable[[str], str]:
    def find(text: str) -> str:
        found = pattern.search(text)
        return found.group() if found else ""

    return find


def _shouted(text: str) -> str:
    words = (w for w in _SHOUTING.findall(text) if w.isupper() and w not in _KEYWORDS_KEPT)
    return next(words, "")


_WORD_RULES: Final = (
    ("lint.carrier-keyword", _first(_CARRIER_WORDS), "carriers read CANCEL and END as an opt-out; ask for other words"),
    ("lint.pressure", _first(_PRESSURE), "presses the patient; leave it out"),
    ("lint.all-caps", _shouted, "looks like shouting; write it in small letters"),
    ("lint.price", _first(_PRICE), "money is for a person to talk about; leave it out"),
)


def _complete(office: OfficeProfile) -> OfficeProfile:
    """The office with a likely parking sentence where it wrote none, so that length is always measured."""
    spanish = next((w for w in office.words if w.language == "es"), OfficeWords(language="es"))
    filled = spanish.model_copy(
        update={"parking": spanish.parking or _PARKING, "financing_next_step": spanish.financing_next_step or _STEP}
    )
    words = (*(w for w in office.words if w.language != "es"), filled)
    return office.model_copy(update={"parking": office.parking or _PARKING, "words": words})


_PARKING: Final = "free parking behind the building, entrance on the side street."
_STEP: Final = "Nuestro coordinador puede revisar con usted las opciones de pago."


def _sample_slot(start: str, number: int) -> Slot:
    begins = datetime.fromisoformat(start)
    return Slot(start=begins, end=begins + timedelta(minutes=90), provider_id="", id=f"sample-{number}")


_FACTS: Final = ScriptFacts(
    slots=(_sample_slot("2026-11-25T16:30:00+00:00", 1), _sample_slot("2026-12-30T16:30:00+00:00", 2)),
    visit_on=date(2026, 11, 24),
    call_at=datetime.fromisoformat("2026-11-25T16:30:00+00:00"),
    until=date(2026, 12, 30),
)
