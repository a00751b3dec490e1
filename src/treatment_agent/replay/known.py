"""Everybody and everything on the books that must not survive a redaction."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from treatment_agent.domain.patients import Patient
from treatment_agent.domain.private import EmailAddress, PhoneNumber
from treatment_agent.domain.treatment import Case
from treatment_agent.policies.office import OfficeProfile
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.replay.free_text import plain_words
from treatment_agent.replay.history import History, Turn
from treatment_agent.replay.stand_in_policy import OFFICE_LINK, OFFICE_NAME
from treatment_agent.replay.stand_ins import StandIns, name_words

_SHORTEST = 4
_DIGITS = 7
_JITTER_DAYS = 24
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True, repr=False)
class Known:
    """Folded words of names, last digits of numbers, mail addresses, the office's own words, and what is `taken`."""

    names: frozenset[str]
    numbers: frozenset[str]
    emails: frozenset[str]
    phrases: frozenset[str]
    taken: frozenset[str]
    priorities: frozenset[str]

    @classmethod
    def of(cls, history: History, policy: PracticePolicy, people: Iterable[Case]) -> Known:
        """Everything that is on the books of this history, and of `people` beside."""
        inputs = [turn.inputs for turn in history.turns if turn.inputs is not None]
        cases = [*people, *(i.facts.case for i in inputs if i.facts.case is not None)]
        patients = list({case.patient.id: case.patient for case in cases}.values())
        office = policy.office
        titled = [p.name for p in office.providers]
        names = name_words([*(n for p in patients for n in _names(p)), *titled]) - {"dr", "dra", "mr", "mrs", "ms"}
        addresses = {a.reveal() for p in patients for a in _addresses(p)}
        addresses |= {c.address.reveal() for i in inputs for c in i.facts.contacts}
        addresses |= {turn.sender.reveal() for turn in history.turns if turn.sender is not None}
        emails = {a.lower() for a in addresses if "@" in a} | ({office.email.lower()} if office.email else set())
        phones = {a for a in addresses if "@" not in a}
        digits = {re.sub(r"\D", "", a) for a in (*phones, office.phone)}
        ids = {value for case in cases for value in (case.id, case.patient.id)}
        high = (*policy.priority.high_priority_texts, *policy.scope.waiting_texts)
        return cls(
            names=names,
            numbers=frozenset(d[-_DIGITS:] for d in digits if len(d) >= _DIGITS),
            emails=frozenset(emails),
            phrases=_phrases(office),
            taken=frozenset(names | phones | {p[-_DIGITS:] for p in phones} | emails | ids),
            priorities=frozenset(text.casefold() for text in high),
        )

    def sweep(self, text: str, stand_ins: StandIns) -> str:
        """The last look at a message: a known name inside another word, a known number in an odd notation."""
        for phrase in self.phrases:
            text = re.sub(rf"\b{re.escape(phrase)}\b", OFFICE_NAME, text, flags=re.IGNORECASE)
        unusual = sorted(self._unusual, key=len, reverse=True)
        if unusual:
            inside = re.compile("|".join(re.escape(name) for name in unusual), re.IGNORECASE)

            def cleaned(found: re.Match[str]) -> str:
                # "planned" has Anne in it, and is still a word.
                word = found.group()
                if word.casefold() in plain_words():
                    return word
                return inside.sub(lambda name: stand_ins.name_word(name.group()), word)

            text = _WORD.sub(cleaned, text)
        for number in self.numbers:
            spread = r"[\W_]{0,3}".join(number)
            text = re.sub(spread, lambda found: stand_ins.digits(found.group()), text)
        return text

    def found_in(self, turn: Turn) -> str:
        """Where a redacted turn still tells somebody's name, number or address; empty if nowhere."""
        words = turn.text.get_secret_value() if turn.text is not None else ""
        places = {"message": words, "notes": " ".join(turn.reads_differently)}
        for number, text in enumerate(turn.texts, start=1):
            places[f"text {number}"] = f"{text.subject} {text.body.get_secret_value()}"
        return next((place for place, text in places.items() if self._tells(text)), "")

    def _tells(self, text: str) -> bool:
        folded, digits = text.casefold(), re.sub(r"\D", "", text)
        if any(number in digits for number in self.numbers) or any(email in folded for email in self.emails):
            return True
        if any(re.search(rf"\b{re.escape(phrase)}\b", folded) for phrase in self.phrases):
            return True
        return bool(self._unusual.intersection(re.findall(r"[^\W\d_]+", folded)))

    @property
    def _unusual(self) -> frozenset[str]:
        """Names that are no everyday word: they can be looked for inside words too."""
        return frozenset(n for n in self.names if len(n) >= _SHORTEST and n not in plain_words())


def _phrases(office: OfficeProfile) -> frozenset[str]:
    """What names the office, folded. An office that is invented already keeps its name."""
    own = {office.name, office.address, office.booking_link} - {OFFICE_NAME, OFFICE_LINK}
    return frozenset(phrase.casefold() for phrase in own if len(phrase) >= _SHORTEST)


def _names(patient: Patient) -> Iterable[str]:
    yield patient.first_name.get_secret_value()
    yield patient.last_name.get_secret_value()
    if patient.guardian is not None:
        yield patient.guardian.first_name.get_secret_value()


def _addresses(patient: Patient) -> Iterable[PhoneNumber | EmailAddress]:
    guardian = patient.guardian
    found: list[PhoneNumber | EmailAddress | None] = [patient.mobile, patient.email]
    found += [guardian.mobile, guardian.email] if guardian is not None else []
    return [address for address in found if address is not None]


def birthdays(history: History, stand_ins: StandIns) -> dict[str, str]:
    """An invented day of birth for each true one, with the same age on the day of every turn (ISO dates)."""
    days: dict[date, set[date]] = {}
    for turn in history.turns:
        case = turn.inputs.facts.case if turn.inputs is not None else None
        if case is not None and case.patient.born_on is not None:
            on = turn.outcome.at.date()
            days.setdefault(case.patient.born_on, set()).update({on - timedelta(days=1), on, on + timedelta(days=1)})
    return {born.isoformat(): _invented(born, on, stand_ins).isoformat() for born, on in days.items()}


def _invented(born: date, days: set[date], stand_ins: StandIns) -> date:
    start = stand_ins.number(born.isoformat(), 2 * _JITTER_DAYS)
    for step in range(2 * _JITTER_DAYS):
        jitter = (start + step) % (2 * _JITTER_DAYS) - _JITTER_DAYS
        moved = stand_ins.day(born) + timedelta(days=jitter)
        if moved != born and all(_age(born, d) == _age(moved, stand_ins.day(d)) for d in days):
            return moved
    return stand_ins.day(born)


def _age(born: date, day: date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
