"""The pictures in docs/ are the machine that runs."""

from __future__ import annotations

from pathlib import Path

from treatment_agent.domain.conversation import Phase
from treatment_agent.graph.drawing import phases_mermaid, picture_page, turn_mermaid

PAGE = Path(__file__).parents[2] / "docs" / "graph.md"


class TestPicturePage:
    def test_is_what_the_code_draws(self):
        assert PAGE.read_text(encoding="utf-8") == picture_page(), "run `make pictures`"


class TestTurnMermaid:
    def test_goes_through_the_consent_gate_before_anything_is_understood(self):
        arrows = {tuple(line.strip(" \t;").split(" ")[::2]) for line in turn_mermaid().splitlines() if ">" in line}
        assert ("__start__", "consent_gate") in arrows
        assert ("consent_gate", "understand") in arrows
        assert ("__start__", "understand") not in arrows

    def test_ends_only_behind_the_output_guard(self):
        into_end = [line for line in turn_mermaid().splitlines() if "__end__" in line]
        assert len(into_end) == 1
        assert "output_guard" in into_end[0]


class TestPhasesMermaid:
    def test_shows_every_phase(self):
        assert all(phase.value in phases_mermaid() for phase in Phase)
