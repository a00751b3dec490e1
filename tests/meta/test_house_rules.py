"""The package keeps the house rules, and each rule still finds a planted breach."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import house_rules as rules
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = REPOSITORY / "src" / "treatment_agent"

PERMITS = {"ApprovedMessage": "policies/outbound.py", "ApprovedBooking": "policies/booking.py"}

# Breaches that stand, as the complaint's `path:` prefix and why. One that is not needed any more fails, too.
ALLOWED: dict[str, dict[str, str]] = {
    "find_any_in_signatures": {
        "ledger/checkpoints.py:": "LangGraph's serializer protocol is written with Any",
        "ledger/tables.py:": "so are SQLAlchemy's column types",
    },
}

Planter = Callable[[str, str], Path]


@pytest.fixture
def plant(tmp_path: Path) -> Planter:
    """Write a file of a make-believe package and return its root."""

    def write(path: str, source: str) -> Path:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source, encoding="utf-8")
        return tmp_path

    return write


def unexcused(rule: str, complaints: list[str]) -> list[str]:
    """Complaints that nobody gave a reason for, and reasons that excuse nothing."""
    excuses = ALLOWED.get(rule, {})
    rest = [c for c in complaints if not c.startswith(tuple(excuses))]
    idle = [excuse for excuse in excuses if not any(c.startswith(excuse) for c in complaints)]
    return rest + [f"{excuse} is excused in ALLOWED but keeps the rule" for excuse in idle]


def assert_none(complaints: list[str]) -> None:
    """Fail with every complaint on its own line."""
    assert not complaints, "\n" + "\n".join(complaints)


class TestThePackage:
    @pytest.mark.parametrize(
        "rule",
        [
            rules.find_long_modules,
            rules.find_long_functions,
            rules.find_wide_constructors,
            rules.find_empty_names,
            rules.find_any_in_signatures,
            rules.find_published_secrets,
        ],
        ids=lambda rule: rule.__name__,
    )
    def test_keeps_the_rule(self, rule: Callable[[Path], list[str]]) -> None:
        assert_none(unexcused(rule.__name__, rule(PACKAGE)))

    def test_constructs_permits_only_where_rules_are_checked(self) -> None:
        assert_none(unexcused("find_permits", rules.find_permits(PACKAGE, PERMITS)))

    def test_has_a_home_for_every_permit(self) -> None:
        homes = {home: (PACKAGE / home).read_text(encoding="utf-8") for home in PERMITS.values()}

        assert [name for name, home in PERMITS.items() if f"{name}(" not in homes[home]] == []


class TestTheRepository:
    def test_names_no_registry_and_no_machine(self) -> None:
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
        ).stdout.split("\n")
        files = [REPOSITORY / name for name in listed if name and (REPOSITORY / name).is_file()]
        if not files:
            pytest.skip("not a git checkout: there is no list of tracked files")

        assert_none(rules.find_addresses(REPOSITORY, files))

    def test_tells_patients_apart_in_the_change_record(self) -> None:
        changes = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
        unreleased = changes.partition("## [Unreleased]")[2].partition("\n## [")[0]

        assert "### Behaviour towards patients" in unreleased

    def test_pins_versions_without_addresses(self) -> None:
        lines = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()

        assert [line for line in lines if line.count("==") != 1 and not line.startswith("#")] == []


class TestFindLongModules:
    def test_complains_at_one_line_over_the_budget(self, plant: Planter) -> None:
        root = plant("room/full.py", "x = 1\n" * 300)
        plant("room/over.py", "x = 1\n" * 301)

        assert rules.find_long_modules(root) == ["room/over.py:1: 301 lines, 300 allowed; split it by subject"]


class TestFindLongFunctions:
    @pytest.mark.parametrize(("body_lines", "complaints"), [(39, 0), (40, 1)])
    def test_counts_code_and_not_the_docstring(self, plant: Planter, body_lines: int, complaints: int) -> None:
        docstring = '    """First.\n\n    Second.\n    """\n'
        root = plant("a.py", "def long():\n" + docstring + "    x = 1\n" * body_lines)

        assert len(rules.find_long_functions(root)) == complaints

    def test_complains_about_async_methods(self, plant: Planter) -> None:
        root = plant("a.py", "class A:\n    async def long(self):\n" + "        x = 1\n" * 60)

        assert rules.find_long_functions(root) == ["a.py:2: long has 61 lines, 40 allowed; name its parts"]


class TestFindWideConstructors:
    @pytest.mark.parametrize(("parameters", "complaints"), [(8, 0), (9, 1)])
    def test_counts_keyword_only_parameters_but_not_self(
        self, plant: Planter, parameters: int, complaints: int
    ) -> None:
        names = ", ".join(f"p{n}" for n in range(parameters))
        root = plant("a.py", f"class A:\n    def __init__(self, *, {names}): ...\n")

        assert len(rules.find_wide_constructors(root)) == complaints


class TestFindEmptyNames:
    @pytest.mark.parametrize("name", ["utils.py", "text_helpers.py", "base.py", "_common.py", "managers/slot.py"])
    def test_complains(self, plant: Planter, name: str) -> None:
        assert len(rules.find_empty_names(plant(name, ""))) == 1

    @pytest.mark.parametrize("name", ["database.py", "baseline.py", "utility_bill.py", "shared_phone.py"])
    def test_keeps_names_with_a_subject(self, plant: Planter, name: str) -> None:
        assert rules.find_empty_names(plant(name, "")) == []


class TestFindAnyInSignatures:
    @pytest.mark.parametrize(
        "source",
        [
            "def f(x: Any) -> int: ...",
            "def f(x: int) -> dict[str, Any]: ...",
            "def f(*rest: typing.Any) -> None: ...",
            "class A:\n    def f(self, *, x: list[Any] | None = None) -> None: ...",
        ],
    )
    def test_complains(self, plant: Planter, source: str) -> None:
        assert len(rules.find_any_in_signatures(plant("graph/a.py", source))) == 1

    @pytest.mark.parametrize(
        "source", ["def _f(x: Any) -> int: ...", "class A:\n    def __getattr__(self, x) -> Any: ..."]
    )
    def test_leaves_private_parts_and_what_python_demands_alone(self, plant: Planter, source: str) -> None:
        assert rules.find_any_in_signatures(plant("graph/a.py", source)) == []

    def test_leaves_the_room_where_foreign_data_comes_in_alone(self, plant: Planter) -> None:
        assert rules.find_any_in_signatures(plant("tools/a.py", "def f(x: Any) -> int: ...")) == []


class TestFindPermits:
    @pytest.mark.parametrize(
        "source",
        [
            "ApprovedMessage(key='k')",
            "messages.ApprovedMessage(key='k')",
            "from treatment_agent.domain.messages import ApprovedMessage as Text",
            "ApprovedMessage.__new__(ApprovedMessage)",
            "def f():\n    return [messages.ApprovedMessage(key=k) for k in ()]",
        ],
    )
    def test_complains_when_another_module_constructs_one(self, plant: Planter, source: str) -> None:
        assert len(rules.find_permits(plant("graph/nodes.py", source), PERMITS)) == 1

    def test_lets_the_home_construct_and_everybody_name_it(self, plant: Planter) -> None:
        root = plant("policies/outbound.py", "ApprovedMessage(key='k')")
        plant("graph/nodes.py", "from x import ApprovedMessage\ndef f(m: ApprovedMessage) -> None: ...")

        assert rules.find_permits(root, PERMITS) == []


class TestFindPublishedSecrets:
    @pytest.mark.parametrize(
        "source",
        [
            "raise ValueError(f'cannot reach {phone.reveal()}')",
            "raise ValueError(message.text.get_secret_value())",
            "logger.info('sent to %s', phone.reveal())",
            "log.exception('failed', extra={'to': phone.reveal()})",
            "logging.getLogger('x').warning(phone.reveal())",
            "warnings.warn(phone.reveal())",
            "def f(m):\n    text = m.text.get_secret_value().strip()\n    raise ValueError(f'cannot read {text!r}')",
            "def f(m):\n    if (text := m.text.get_secret_value()):\n        logger.debug(text)",
        ],
    )
    def test_complains(self, plant: Planter, source: str) -> None:
        assert len(rules.find_published_secrets(plant("a.py", source))) == 1

    @pytest.mark.parametrize(
        "source",
        [
            "provider.send(phone.reveal())",
            "raise ValueError(f'conversation {conversation.id}: cannot send')",
            "def f(m):\n    text = m.text.get_secret_value()\n    raise ValueError(f'{len(text)} are too many')",
            "def f(m):\n    text = m.text.get_secret_value()\n\ndef g(text):\n    raise ValueError(text)",
            "catalog.error(phone_id)",
        ],
    )
    def test_keeps_ids_lengths_and_the_send_itself(self, plant: Planter, source: str) -> None:
        assert rules.find_published_secrets(plant("a.py", source)) == []


class TestFindAddresses:
    @pytest.mark.parametrize(
        "line",
        [
            "--index" + "-url https://example.com/simple",
            "https://files.python" + "hosted.org/packages/x.whl",
            "url = 'https://py" + "pi.org/simple'",
            "see " + "/ho" + "me/ana/project",
            "cd " + "/wo" + "rk/main",
            "path='" + "/tm" + "p/x.db'",
        ],
    )
    def test_complains(self, plant: Planter, line: str) -> None:
        root = plant("notes.md", f"first\n{line}\n")

        assert [c.split(": ")[0] for c in rules.find_addresses(root, [root / "notes.md"])] == ["notes.md:2"]

    @pytest.mark.parametrize("line", ["time/work/childcare", "https://example.com/home/page", "sqlite:///practice.db"])
    def test_keeps_words_and_links(self, plant: Planter, line: str) -> None:
        root = plant("notes.md", line)

        assert rules.find_addresses(root, [root / "notes.md"]) == []

    def test_passes_over_files_that_are_not_text(self, tmp_path: Path) -> None:
        (tmp_path / "model.bin").write_bytes(b"\xff\xfe\x00")

        assert rules.find_addresses(tmp_path, [tmp_path / "model.bin"]) == []


class TestAllowed:
    def test_reports_an_excuse_that_is_not_needed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(ALLOWED, "find_long_modules", {"gone.py:": "was long once"})

        assert unexcused("find_long_modules", ["here.py:1: too long"]) == [
            "here.py:1: too long",
            "gone.py: is excused in ALLOWED but keeps the rule",
        ]
