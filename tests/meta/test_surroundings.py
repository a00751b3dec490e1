"""What `conftest.py` promises every test: no network, no keys, no local zone, strict checkpoints, the same examples."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT_CONFTEST = Path(__file__).resolve().parents[2] / "conftest.py"


@pytest.fixture
def inner(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.Pytester]:
    """A pytest project of its own under the same conftest. Its changes of the environment do not get out."""
    for name in ("TZ", "LANGGRAPH_STRICT_MSGPACK"):
        monkeypatch.setenv(name, os.environ[name])
    pytester.makeconftest(ROOT_CONFTEST.read_text(encoding="utf-8"))
    return pytester


class TestOffline:
    @pytest.mark.parametrize(
        "call",
        [
            "socket.create_connection(('192.0.2.1', 443), timeout=1)",
            "socket.create_connection(('example.com', 443), timeout=1)",
            "with socket.socket() as s: s.connect_ex(('192.0.2.1', 443))",
            "with socket.socket(socket.AF_INET6) as s: s.connect(('2001:db8::1', 443))",
            "socket.getaddrinfo('example.com', 443)",
            "__import__('urllib.request').request.urlopen('http://example.com', timeout=1)",
        ],
    )
    def test_fails_a_test_that_leaves_the_machine_even_if_it_hides_it(self, inner: pytest.Pytester, call: str) -> None:
        inner.makepyfile(
            f"import socket\n\n\ndef test_hides():\n    try:\n        {call}\n    except BaseException:\n        pass\n"
        )

        result = inner.runpytest_inprocess("-p", "no:cacheprovider")

        result.assert_outcomes(passed=1, errors=1)
        result.stdout.fnmatch_lines(["*NetworkUsed: tests run offline*"])

    def test_lets_loopback_through(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            with socket.create_connection(("localhost", port), timeout=5) as client:
                accepted, _ = server.accept()
                with accepted:
                    client.sendall(b"x")
                    assert accepted.recv(1) == b"x"

    def test_lets_unix_sockets_through(self, tmp_path: Path) -> None:
        address = os.path.relpath(tmp_path / "s")
        with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
            server.bind(address)
            server.listen()
            client.connect(address)


class TestNoKeys:
    def test_takes_keys_out_of_the_environment(self, inner: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
        names = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OTHER_TOKEN", "LANGSMITH_TRACING", "PGHOST", "DATABASE_URL")
        for name in names:
            monkeypatch.setenv(name, "x")
        inner.makepyfile(f"import os\n\n\ndef test_none():\n    assert not set(os.environ) & set({names!r})\n")

        inner.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)


class TestZone:
    @pytest.mark.skipif(not hasattr(time, "tzset"), reason="this system cannot change its zone")
    def test_is_one_that_no_office_and_no_server_has(self) -> None:
        assert time.timezone == -(5 * 60 + 45) * 60


class TestCheckpoints:
    def test_are_strict(self) -> None:
        from langgraph.checkpoint.serde import _msgpack

        assert _msgpack.STRICT_MSGPACK_ENABLED is True


class TestHypothesis:
    def test_has_no_deadline_that_a_busy_machine_would_miss(self) -> None:
        assert settings().deadline is None

    @given(st.integers())
    def test_property_runs_under_the_autouse_fixtures(self, number: int) -> None:
        assert number == number + 0

    def test_repeats_the_same_examples_in_ci(self) -> None:
        run = subprocess.run(
            [sys.executable, "-c", "import conftest, hypothesis; print(hypothesis.settings().derandomize)"],
            cwd=ROOT_CONFTEST.parent,
            env={"CI": "1", "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=True,
        )

        assert run.stdout.strip() == "True"
