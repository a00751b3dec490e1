"""How things look on the screen and in a pipe: consoles, tables, progress bars. Rich is imported when first needed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from treatment_agent.domain.shares import Share

Done = Callable[[int], None]

# A pipe has no width: lines are never folded there, so that grep and cut see what was meant.
_PIPE_WIDTH = 4000


def out() -> Console:
    """Standard output: colours and tables on a terminal, plain unfolded lines in a pipe or file."""
    return _console(stderr=False)


def err() -> Console:
    """Standard error, for progress, warnings and errors."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    plain = not stream.isatty()
    return Console(
        file=stream,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=plain,
        width=_PIPE_WIDTH if plain else None,
        no_color=plain or None,
        force_terminal=False if plain else None,
    )


def complain(message: str) -> None:
    """One clear line in red, on standard error."""
    err().print(f"Error: {message}", style="bold red")


def table(*columns: str, right: Sequence[str] = ()) -> Table:
    """An empty table; `right` names the columns that hold numbers. In a pipe it has no lines."""
    from rich import box
    from rich.table import Table

    piped = not sys.stdout.isatty()
    made = Table(box=None if piped else box.SIMPLE_HEAD, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in columns:
        made.add_column(name, justify="right" if name in right else "left", overflow="fold")
    return made


def show(made: Table, *, to_stderr: bool = False) -> None:
    """Print a table; in a pipe without the padding at the ends of lines."""
    console = err() if to_stderr else out()
    if console.is_terminal:
        console.print(made)
        return
    with console.capture() as captured:
        console.print(made)
    for line in captured.get().splitlines():
        console.print(line.rstrip())


def heading(text: str) -> None:
    """A title above a table."""
    console = out()
    console.print()
    console.print(text, style="bold")


@contextmanager
def progress(label: str, total: int | None = None) -> Iterator[Done]:
    """A progress bar on standard error; call what it yields with the number done so far. Silent in a pipe."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = err()
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task(label, total=total)

        def done(count: int) -> None:
            bar.update(task, completed=count)

        yield done


@contextmanager
def live(console: Console, label: str) -> Iterator[Callable[[str], None]]:
    """A line that stays below what is printed; call what it yields with its next words. Nothing in a pipe."""
    if not console.is_terminal:
        yield lambda words: None
        return
    with console.status(label) as status:
        yield status.update


def words(code: object) -> str:
    """A code as words: `booked_by_staff` becomes `booked by staff`."""
    return str(getattr(code, "value", code)).replace("_", " ")


def share(part: Share) -> str:
    """A share with its Wilson interval at 95 %; empty where there is nothing to count."""
    low, high = part.interval
    return f"{100 * part.value:.1f} % ({100 * low:.1f}-{100 * high:.1f})" if part.total else ""


def dollars(cents: int) -> str:
    """Whole dollars."""
    return f"${cents / 100:,.0f}"
