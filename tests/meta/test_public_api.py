"""The public names and their signatures change only together with `public_api.txt`."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType

import public_api
import pytest
from pydantic import BaseModel

import treatment_agent

REFRESH = "run: .venv/bin/python tests/meta/public_api.py --write, and note the change in CHANGELOG.md"


class TestPublicApi:
    def test_is_the_pinned_one(self) -> None:
        assert hasattr(treatment_agent, "__all__"), "treatment_agent has no __all__: name what is public"
        assert public_api.PINNED.exists(), f"nothing is pinned yet; {REFRESH}"

        now = public_api.render(treatment_agent).splitlines()
        pinned = public_api.PINNED.read_text(encoding="utf-8").splitlines()

        changes = [f"+ {line}" for line in now if line not in pinned] + [
            f"- {line}" for line in pinned if line not in now
        ]
        assert not changes, "\n" + "\n".join(changes) + f"\n{REFRESH}"


class Colour(enum.StrEnum):
    RED = "red"
    BLUE = "blue"


class Window(BaseModel):
    opens: int
    closes: int = 5

    def holds(self, hour: int) -> bool:
        return self.opens <= hour < self.closes


@dataclass(frozen=True)
class Slot:
    id: str
    minutes: int = 30

    @property
    def long(self) -> bool:
        return self.minutes > 60

    @classmethod
    def parse(cls, text: str, *, strict: bool = False) -> Slot:
        return cls(text)


def offer(slot: Slot, *more: Slot, at: str, **rest: object) -> Iterator[Slot]:
    yield slot


def module_of(**names: object) -> ModuleType:
    module = ModuleType("sample")
    vars(module).update(names, __all__=list(names))
    return module


class TestRender:
    @pytest.mark.parametrize(
        ("name", "value", "lines"),
        [
            ("offer", offer, ["offer(slot: Slot, *more: Slot, at: str, **rest: object) -> Iterator[Slot]"]),
            ("Colour", Colour, ["Colour: red | blue"]),
            ("Window", Window, ["Window(*, opens, closes=...)", "Window.holds(hour: int) -> bool"]),
            (
                "Slot",
                Slot,
                [
                    "Slot(id: str, minutes: int = ...)",
                    "Slot.long",
                    "Slot.parse(cls, text: str, *, strict: bool = ...) -> Slot",
                ],
            ),
            ("__version__", "1", ["__version__: str"]),
        ],
    )
    def test_writes_one_line_per_name_and_method(self, name: str, value: object, lines: list[str]) -> None:
        assert public_api.render(module_of(**{name: value})).splitlines() == lines

    def test_shows_a_parameter_that_became_required(self) -> None:
        def before(slot: Slot, at: str = "now") -> None: ...

        def after(slot: Slot, at: str) -> None: ...

        assert public_api.render(module_of(offer=before)) != public_api.render(module_of(offer=after))
