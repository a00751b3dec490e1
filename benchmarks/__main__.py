"""Run the benchmarks named on the command line, or all of them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

NAMES = ("startup", "turns", "worklist", "planning", "due", "guards")


def main(arguments: Sequence[str]) -> int:
    """Print the tables. Returns the exit code."""
    quick = "--quick" in arguments
    chosen = [a for a in arguments if not a.startswith("-")] or list(NAMES)
    console = Console()
    if strange := sorted({a for a in arguments if a.startswith("-")} - {"--quick"}):
        console.print(f"python -m benchmarks [--quick] [{'|'.join(NAMES)}] ...", markup=False)
        return 0 if strange == ["--help"] else 2
    if unknown := sorted(set(chosen) - set(NAMES)):
        console.print(f"no benchmark called {', '.join(unknown)}; there are {', '.join(NAMES)}")
        return 2
    for name in chosen:
        # Imported one by one: start-up is measured in other processes, memory in this one.
        result = importlib.import_module(f"benchmarks.{name}").measure(quick=quick)
        console.print(_table(result))
    return 0


def _table(result: object) -> Table:
    from benchmarks.results import Result

    if not isinstance(result, Result):
        raise TypeError("a benchmark returns a Result")
    table = Table(title=result.title, caption=result.note, title_justify="left", caption_justify="left")
    for number, column in enumerate(result.columns):
        table.add_column(column, justify="left" if number == 0 else "right")
    for row in result.rows:
        table.add_row(*row)
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
