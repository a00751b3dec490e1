"""The README's code runs and prints what it says."""

from __future__ import annotations

import ast
import contextlib
import io
import re
from pathlib import Path

import pytest
from typer.main import get_command

from treatment_agent import Coordinator
from treatment_agent.cli.application import build

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
PRINTED = re.findall(r"```text\n(.*?)```", README, re.DOTALL)


class TestFirstSample:
    def test_prints_what_the_readme_shows(self):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(PYTHON[0], "README.md", "exec"), {})  # noqa: S102 - our own README
        assert printed.getvalue() == PRINTED[0]

    def test_is_the_first_example_and_short(self):
        code = [line for line in PYTHON[0].splitlines() if line.strip()]
        assert len(code) <= 12
        example = (ROOT / "examples" / "first_conversation.py").read_text(encoding="utf-8")
        assert PYTHON[0] in example


class TestOtherSamples:
    @pytest.mark.parametrize("code", PYTHON[1:])
    def test_name_only_methods_that_exist(self, code):
        used = {
            node.func.attr
            for node in ast.walk(ast.parse(code))
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "coordinator"
        }
        assert used
        assert [name for name in used if not hasattr(Coordinator, name)] == []


class TestReadme:
    def test_is_at_most_150_lines(self):
        assert len(README.splitlines()) <= 150

    def test_names_files_that_exist(self):
        links = [target for target in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in target]
        assert links
        assert [target for target in links if not (ROOT / target).exists()] == []

    def test_names_every_command_and_no_other(self):
        commands = set(get_command(build()).commands)
        section = README.partition("On the command line (`treatment-agent --help`)")[2].partition("All use")[0]

        assert set(re.findall(r"`([a-z-]+)`", section)) == commands
