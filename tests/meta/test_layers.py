"""Each import-linter contract breaks when somebody breaks it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

# File of a temporary copy -> the import planted in it.
BREACHES = {
    "domain/value.py": "from treatment_agent import ports",
    "errors.py": "from treatment_agent.domain import value",
    "policies/practice.py": "import tenacity",
    "ports.py": "from treatment_agent.policies import practice",
    "graph/__init__.py": "import sqlalchemy\nfrom treatment_agent import tools",
    "understanding/__init__.py": "from treatment_agent import ledger",
    "ledger/__init__.py": "from treatment_agent import web",
    "corner.py": "# a room that no layer names",
}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What import-linter says of a copy of the package with all breaches in it."""
    copy = tmp_path_factory.mktemp("layers")
    shutil.copy(REPOSITORY / "pyproject.toml", copy)
    shutil.copytree(
        REPOSITORY / "src" / "treatment_agent", copy / "treatment_agent", ignore=shutil.ignore_patterns("__pycache__")
    )
    for path, line in BREACHES.items():
        with (copy / "treatment_agent" / path).open("a", encoding="utf-8") as file:
            file.write(f"\n{line}\n")
    run = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1, run.stdout + run.stderr
    return run.stdout


class TestContracts:
    @pytest.mark.parametrize("contract", ["Layers: ", "Rules and values do no I/O", "The graph reaches the world"])
    def test_is_broken(self, report: str, contract: str) -> None:
        line = next(line for line in report.splitlines() if line.startswith(contract))

        assert line.endswith("BROKEN")

    @pytest.mark.parametrize(
        "chain",
        [
            "treatment_agent.domain.value -> treatment_agent.ports",
            "treatment_agent.errors -> treatment_agent.domain.value",
            "treatment_agent.policies.practice -> tenacity",
            "treatment_agent.ports -> treatment_agent.policies.practice",
            "treatment_agent.graph -> sqlalchemy",
            "treatment_agent.graph -> treatment_agent.tools",
            "treatment_agent.understanding -> treatment_agent.ledger",
            "treatment_agent.ledger -> treatment_agent.web",
            "treatment_agent.corner",
        ],
    )
    def test_names_the_breach(self, report: str, chain: str) -> None:
        assert chain in report
