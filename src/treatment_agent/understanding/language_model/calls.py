"""The seam to a model: one request, one reply. `openai_calls` and `langchain_calls` implement it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

_LONGEST_NAME = 24


@dataclass(frozen=True, slots=True, repr=False)
class Request:
    """What a model is asked. No `repr`: the question holds a patient's words, with stand-ins for what names people.

    `instructions` and `examples` are the same for every message of an office, so that a provider can keep them;
    `cache_key` names that part. `schema` is the JSON Schema of the answer.
    """

    instructions: str
    examples: tuple[tuple[str, str], ...]
    question: str
    schema: Mapping[str, object]
    cache_key: str


@dataclass(frozen=True, slots=True, repr=False)
class Reply:
    """What a model said, and what it counted. `cached_tokens` are part of `input_tokens`."""

    text: str
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0


class ModelCalls(Protocol):
    """One way to reach one model."""

    @property
    def name(self) -> str:
        """The model's name, recorded with every event."""
        ...

    @property
    def remote(self) -> bool:
        """True unless it surely runs on this machine."""
        ...

    def ask(self, request: Request, *, timeout: float) -> Reply:
        """Ask once, without retrying, and come back within about `timeout` seconds.

        Raises:
            ModelFailed: nothing usable came back; the error holds neither the question nor the answer.
        """
        ...


def named(calls: ModelCalls) -> str:
    """The model's name as events record it: an id, short and without anything odd."""
    slug = re.sub(r"[^a-z0-9_.:/-]+", "-", calls.name, flags=re.IGNORECASE).lstrip("_.:/-")
    return slug[:_LONGEST_NAME] or "unnamed"


def on_this_machine(address: str) -> bool:
    """True when the URL names a loopback address. Other names count as remote: nobody knows where they lead."""
    host = urlsplit(address).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Switch:
    """Whether models may be called at all; `testing.no_model_calls` turns it off. Counts refused calls."""

    def __init__(self) -> None:
        self._off = 0
        self.refused = 0

    def off(self) -> None:
        """Forbid calls, until `on` has been said as often."""
        self._off += 1

    def on(self) -> None:
        """Take one `off` back."""
        self._off -= 1

    def check(self) -> None:
        """Raise AssertionError while calls are forbidden."""
        if self._off:
            self.refused += 1
            raise AssertionError("a language model was called where `no_model_calls` forbids it")


# The one switch of this process: a test must catch every caller, whatever thread it is in.
SWITCH = Switch()
