"""House rules for every test in `tests`, `evals` and `examples`: offline, no keys, no local zone, same run twice.

Nothing here is a helper for tests; those are in `treatment_agent.testing`.
"""

from __future__ import annotations

import os
import socket
import tempfile
import time
from collections.abc import Iterator

import pytest
from hypothesis import settings

# Dialogue files are tests. Named here too, so that they are collected from a checkout that is not installed.
pytest_plugins = ["treatment_agent.evals.plugin"]

# LangGraph reads this when it is first imported: only types named in the state's annotations come out of a checkpoint.
os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"

# Two workers on two cores: threads of the matrix library would only wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# SQLite and PostgreSQL wait for the disk at every commit. A disk in memory, where there is one, keeps the suite short.
_IN_MEMORY = "/dev/shm"  # noqa: S108 - only tests write there, each in a folder of its own
if "TMPDIR" not in os.environ and os.access(_IN_MEMORY, os.W_OK):
    os.environ["TMPDIR"] = _IN_MEMORY
    tempfile.tempdir = None

# A zone of no office, a quarter of an hour off: code that leans on the machine's own zone fails everywhere.
os.environ["TZ"] = "Asia/Kathmandu"
if hasattr(time, "tzset"):
    time.tzset()

# dev: quick; the same examples in every CI run. prove: HYPOTHESIS_PROFILE=prove, before a release.
settings.register_profile("dev", max_examples=40, stateful_step_count=25, deadline=None, derandomize="CI" in os.environ)
settings.register_profile("prove", max_examples=2000, stateful_step_count=60, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1", "", "0.0.0.0"})  # noqa: S104 - compared with, never bound
_SECRET_ENDINGS = ("_API_KEY", "_TOKEN", "_SECRET", "_PASSWORD", "_SID")
_SECRET_STARTS = ("OPENAI_", "ANTHROPIC_", "AZURE_", "AWS_", "TWILIO_", "LANGSMITH_", "LANGCHAIN_", "PG", "DATABASE_")


class NetworkUsed(AssertionError):
    """A test tried to leave this machine."""


def _is_local(host: object) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    return name is None or (isinstance(name, str) and (name in _LOOPBACK or name.startswith("127.")))


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Refuse every socket but loopback and unix ones, and fail the test even if the refusal was swallowed."""
    attempts: list[str] = []
    connect, connect_ex, getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def check(host: object) -> None:
        if not _is_local(host):
            attempts.append(str(host))
            raise NetworkUsed(f"tests run offline, but one reached for {host!r}; use a loopback server or a double")

    def guarded_connect(self: socket.socket, address: tuple[object, ...] | str) -> None:
        check(address[0] if isinstance(address, tuple) else None)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: tuple[object, ...] | str) -> int:
        check(address[0] if isinstance(address, tuple) else None)
        return connect_ex(self, address)

    def guarded_getaddrinfo(host: object, *args: object, **kwargs: object) -> object:
        check(host)
        return getaddrinfo(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)
    yield
    if attempts:
        raise NetworkUsed(f"tests run offline, but this one reached for {sorted(set(attempts))}")


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take keys, database addresses and tracing settings out of the environment."""
    for name in list(os.environ):
        if name.endswith(_SECRET_ENDINGS) or name.startswith(_SECRET_STARTS):
            monkeypatch.delenv(name)
