"""Simulated patients: who they are, what they want, and what they write when. No key, no network: weighted chance."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from importlib.resources import files
from random import Random
from typing import Final, Literal

from pydantic import Field

from treatment_agent.domain.value import Value
from treatment_agent.evals.noise import NOISES

When = Literal["touch", "offer", "person", "booked", "any"]

_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
_HARMLESS_NOISE: Final = ("upper", "lower", "ends", "emoji", "typos", "prefix", "suffix")
_NOISY: Final = 0.25
_NOISES: Final = {noise.name: noise for noise in NOISES}


class Persona(Value):
    """One kind of patient. Texts are picked by `when`: what the patient last read from us."""

    name: str
    goal: str
    weight: int = Field(ge=1)
    language: str = "en"
    hours: tuple[float, float] = (0.1, 12)
    turns: int = Field(ge=0)
    quiet: float = Field(default=0, ge=0, le=1)
    says: Mapping[When, tuple[str, ...]] = Field(default_factory=dict)

    def answers(self, script_id: str, turn: int, chance: Random) -> str | None:
        """What this patient writes after reading a text of ours, or None: silence. `turn` counts from 0."""
        if turn >= self.turns or chance.random() < self.quiet:
            return None
        lines = self.says.get(read_as(script_id)) or self.says.get("any", ())
        if not lines:
            return None
        text = chance.choice(lines).replace("{day}", chance.choice(_DAYS))
        if chance.random() < _NOISY:
            text = _NOISES[chance.choice(_HARMLESS_NOISE)].change(text, self.language, chance)
        return text

    def waits(self, chance: Random) -> timedelta:
        """How long until they write: mostly soon, sometimes late."""
        least, most = self.hours
        return timedelta(hours=least + (most - least) * chance.random() ** 2)


def read_as(script_id: str) -> When:
    """What a text of ours is to the patient who reads it."""
    if script_id in ("booked", "moved"):
        return "booked"
    if script_id.startswith(("first-message", "reminder", "wake")):
        return "touch"
    if script_id.startswith(("offer", "slot-taken", "ask-which")):
        return "offer"
    return "person" if script_id.startswith(("handoff", "emergency", "crisis", "bot-question")) else "any"


@cache
def personas() -> tuple[Persona, ...]:
    """The shipped ones, as `personas.toml` has them."""
    place = files("treatment_agent.evals") / "personas.toml"
    return tuple(Persona.model_validate(p) for p in tomllib.loads(place.read_text(encoding="utf-8"))["persona"])


def drawn(chance: Random) -> Persona:
    """One of them, the common ones more often."""
    everyone = personas()
    return chance.choices(everyone, weights=[p.weight for p in everyone])[0]
