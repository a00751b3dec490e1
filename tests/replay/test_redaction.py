"""Nothing of anybody survives a redaction, and messages read as before."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treatment_agent.replay.free_text import FreeText, plain_words
from treatment_agent.replay.stand_ins import StandIns, name_words

TODAY = date(2026, 11, 25)
LETTERS = st.text(alphabet="abcdefghijklmnopqrstuvwxyzéñü", min_size=4, max_size=11).filter(
    lambda word: word not in plain_words()
)
SENTENCES = (
    "Hi this is {name}, the first one works",
    "my wife {low} will call you",
    "{up} HERE, STOP",
    "Please tell {name} {last} that 10:30 on Tuesday is fine",
    "me llamo {low} {last}, la primera por favor",
    "{name}'s phone is {phone}, mail {email}",
    "you charged me ${money} on {day}",
    "call {phone} or {email}; born {day}",
)


def free_text(*names: str, weeks: int = 5, taken: frozenset[str] = frozenset()) -> FreeText:
    known = name_words(names)
    return FreeText(StandIns(b"seed", timedelta(weeks=weeks), taken=known | taken), known)


def words(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]+", text.casefold()))


class TestFreeText:
    @given(
        name=LETTERS,
        last=LETTERS,
        phone=st.integers(2_000_000_000, 9_999_999_999),
        form=st.sampled_from(("({0}) {1}-{2}", "{0}-{1}-{2}", "{0}.{1}.{2}", "+1 {0} {1} {2}", "{0}{1}{2}")),
        money=st.integers(20, 99_999),
        day=st.dates(date(1930, 1, 1), date(2030, 1, 1)),
        written=st.sampled_from(
            ("{0.month}/{0.day}/{0.year}", "{0:%Y-%m-%d}", "{0:%B} {0.day}, {0.year}", "{0:%m/%d/%y}")
        ),
        sentence=st.sampled_from(SENTENCES),
    )
    def test_leaves_no_name_number_address_amount_or_day(
        self, name: str, last: str, phone: int, form: str, money: int, day: date, written: str, sentence: str
    ) -> None:
        digits = str(phone)
        number, email = form.format(digits[:3], digits[3:6], digits[6:]), f"{last}.{name}@mail.example"
        told = sentence.format(
            name=name.capitalize(), low=name, up=name.upper(), last=last.capitalize(), phone=number, email=email,
            money=f"{money:,}", day=written.format(day),
        )  # fmt: skip

        made = free_text(name, last, taken=frozenset({f"+1{digits}", digits[3:], email})).redact(told, on=TODAY)

        assert not words(made) & {name, last}
        assert digits not in re.sub(r"\D", "", made)
        assert email not in made
        assert f"${money:,} " not in made
        assert written.format(day) not in made

    @pytest.mark.parametrize(
        "text",
        [
            "1",
            "The first one works, thanks!",
            "Tuesday at 9:30 is good, or after 4pm",
            "at 1030 please",
            "Do you have anything in 2 weeks?",
            "Can't do mornings. My son has school",
            "LEAVE ME ALONE",
            "Stop",
            "¿Tienen otras horas?",
        ],
    )
    def test_leaves_what_a_message_is_about(self, text: str) -> None:
        assert free_text("Zebulina Quartermaine").redact(text, on=TODAY) == text

    @pytest.mark.parametrize(
        ("text", "moved"),
        [
            ("Friday, December 4 works", "Friday, January 8 works"),
            ("12/4 works", "1/8 works"),
            ("on 2026-12-04", "on 2027-01-08"),
            ("the 4th is fine", "the 8th is fine"),
            ("el 4 de diciembre", "el 8 de enero"),
            ("Dec 4th", "Jan 8th"),
        ],
    )
    def test_moves_written_days_with_everything_else(self, text: str, moved: str) -> None:
        assert free_text().redact(text, on=TODAY) == moved

    def test_takes_an_unknown_capitalised_word_for_a_name(self) -> None:
        made = free_text().redact("Please ask Ottoline or Grunewald", on=TODAY)

        assert not words(made) & {"ottoline", "grunewald"}
        assert made.startswith("Please ask ")

    def test_takes_a_name_that_is_a_word_only_where_it_is_written_as_one(self) -> None:
        made = free_text("Will").redact("will it hurt? Ask Will", on=TODAY)

        assert made.startswith("will it hurt? Ask ")
        assert not made.endswith("Will")

    def test_gives_the_same_name_each_time(self) -> None:
        one, other = free_text("Zebulina").redact("Zebulina and zebulina", on=TODAY).split(" and ")

        assert one.lower() == other


class TestStandIns:
    def test_never_invents_somebody_else_s_number(self) -> None:
        taken = frozenset(f"555{line:04d}" for line in range(100, 200))

        made = StandIns(b"seed", timedelta(), taken=taken).phone("+13125550161")

        assert made.startswith("+1312555")
        assert made[-7:] not in taken
