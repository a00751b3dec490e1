"""Start-up: what an embedding program and a shell wait for, each in a fresh process."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from benchmarks.results import Result, median_ms, ratio

PROGRAMS: dict[str, tuple[str, ...]] = {
    "python -c pass": ("-c", "pass"),
    "import langgraph.graph": ("-c", "import langgraph.graph"),
    "import treatment_agent": ("-c", "import treatment_agent"),
    "import treatment_agent; Coordinator": ("-c", "import treatment_agent; treatment_agent.Coordinator"),
    "treatment-agent --help": (str(Path(sys.executable).with_name("treatment-agent")), "--help"),
}
REFERENCE = "import langgraph.graph"


def measure(*, quick: bool = False) -> Result:
    """Median wall time of each program, started in turn so that a busy moment hits all of them."""
    times: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for number in range(4 if quick else 12):
        for name, arguments in PROGRAMS.items():
            began = time.perf_counter()
            subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
            if number:  # the first round fills the file cache and writes .pyc files
                times[name].append(time.perf_counter() - began)
    rows = tuple((name, median_ms(found), ratio(found, times[REFERENCE])) for name, found in times.items())
    return Result(
        title="Start-up",
        columns=("program", "median", f"against {REFERENCE}"),
        rows=rows,
        note="Aims: Coordinator at most 1.2x; --help under 500 ms.",
    )
