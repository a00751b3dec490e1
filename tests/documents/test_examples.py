"""Every example runs from start to end and shows what it promises."""

from __future__ import annotations

import contextlib
import io
import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
SHOWS = {
    "first_conversation.py": ["booked", "with_staff", "clinical"],
    "own_chart.py": ["in the chart: ('No', "],
    "own_cadence.py": ["case-ana Sat 28 Nov, 11:30", "case-ben queue.no-consent"],
    "langchain_model.py": ["helped ['defer'] list/p1/local-"],
    "local_model.py": ["topics ['insurance'", "failed attempts ['server']"],
    "openai_model.py": [
        "-> deferred, rule reply.defer",
        "-> with_staff",
        "model stand-in p1-",
        "read defer, local",
        "1 message, 1 call, 1 made routine",
    ],
    "own_export.py": ["case-17", "line 3, column 'Handy'", "line 4, column 'Datum'"],
    "own_guardrail.py": ["with_staff guardrail.shuttle front_desk"],
    "own_priority.py": [
        "case-ana: 40",
        "+0 priority.front-tooth: a front tooth",
        "case-ben: left out, queue.no-consent",
    ],
    "own_scripts.py": [
        "not like this: lint.pressure",
        "not like this: lint.clinical",
        "Hi Ana, good to see you! Reply 1 for ",
        "approved by Dana Ortiz",
    ],
    "pilot.py": ["booking_requested", "booking 2026-11-2"],
}


class TestExamples:
    def test_are_all_listed_here(self):
        assert {path.name for path in EXAMPLES.glob("*.py")} == set(SHOWS)

    @pytest.mark.parametrize("name", sorted(SHOWS))
    def test_show_what_they_promise(self, name):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        for piece in SHOWS[name]:
            assert piece in printed.getvalue()
