"""`demo` shows two weeks of an invented practice; `chat` lets you be the patient."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from treatment_agent.cli import screen
from treatment_agent.cli.options import DEMO_FOLDER, AppOption, load

if TYPE_CHECKING:
    from rich.console import Console

    from treatment_agent.coordinator import Coordinator
    from treatment_agent.demo.run import Simulation
    from treatment_agent.demo.telling import TimelineLine


_SAMPLE_NOTE = (
    "Maple Dental and its patients are invented. They answer far more often than real ones do, so that every kind of "
    "answer is seen once; measure your own office's numbers."
)


def register(app: typer.Typer) -> None:
    """Add `demo` and `chat` to the application."""
    app.command()(demo)
    app.command()(chat)


def demo(
    folder: Annotated[Path, typer.Option("--folder", help="Where the books and the page go.")] = DEMO_FOLDER,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only the funnel and the page.")] = False,
) -> None:
    """Two simulated weeks at an invented practice: texts, answers, bookings, handoffs, and a page of it all."""
    from treatment_agent.cli.books import show_tally
    from treatment_agent.demo.app import open_practice
    from treatment_agent.demo.run import Simulation, page_path
    from treatment_agent.demo.story import load as load_story
    from treatment_agent.web import write
    from treatment_agent.web.books import page_of

    practice = open_practice(folder, fresh=True)
    try:
        simulation = Simulation(practice, load_story())
        _watch(simulation, quiet=quiet)
        show_tally(practice.coordinator.report())
        rejected = [row for report in simulation.enrolments for row in report.rejected]
        page = page_of(
            practice.coordinator,
            since=simulation.story.starts,
            rejected=rejected,
            sample=True,
            notes=(_SAMPLE_NOTE,),
        )
        written = write(page, page_path(folder))
        report = _write_report(practice.coordinator, folder / "report.html")
    finally:
        practice.coordinator.close()
    console = screen.out()
    console.print(f"\nThe page with every conversation: {written}", style="bold")
    console.print(f"The report an office reads every week: {report}", style="bold")
    console.print("Look further: treatment-agent why P-2001, handoffs, report, chat", style="dim")


def _write_report(coordinator: Coordinator, path: Path) -> Path:
    """The report over the whole two weeks."""
    from treatment_agent.cli.report import review_of
    from treatment_agent.web import report_page

    review = review_of(coordinator, None, 14)
    html = report_page.render(
        coordinator.measure(), review, coordinator.policy.office, sample=True, notes=(_SAMPLE_NOTE,)
    )  # fmt: skip
    path.write_text(html, encoding="utf-8")
    return path.resolve()


def _watch(simulation: Simulation, *, quiet: bool) -> None:
    """Print the two weeks as they happen, with running counts below on a terminal."""
    from treatment_agent.demo.telling import Counts, day_of, tell

    zone = simulation.practice.coordinator.policy.office.tz
    console, counts, today = screen.out(), Counts(), ""
    with screen.live(console, "Two weeks at Maple Dental") as below:
        for happened in simulation.happenings():
            day = day_of(happened, zone)
            counts.add(happened)
            below(f"{day}: {counts}")
            lines = () if quiet else tell(happened, zone)
            if lines and day != today:
                today = day
                console.print(f"\n{day}", style="bold underline")
            for line in lines:
                _print_line(console, line)


def _print_line(console: Console, line: TimelineLine) -> None:
    from rich.text import Text

    text = Text.assemble(
        (f"{line.clock:>8}  {line.mark} ", "dim"),
        f"{line.who:<7} ",
        (line.text, line.style),
        (f"  [{line.rule}]" if line.rule else "", "dim"),
    )
    text.rstrip()
    console.print(text, no_wrap=True, overflow="ellipsis" if console.is_terminal else "ignore")


def chat(
    language: Annotated[str, typer.Option("--language", help="The patient's language: en or es.")] = "en",
    explain: Annotated[
        bool,
        typer.Option("--explain", "-x", help="Show per clause what decided, how likely, and how likely it must be."),
    ] = False,
    app: AppOption = None,
) -> None:
    """You are the patient. Shows what was understood, which rules spoke, and what is sent. Nothing leaves this machine.

    Besides texts: /wait 3d lets time pass, /staff gives a handoff back, /why explains, /quit ends.
    """
    from treatment_agent.cli.sandbox import open_sandbox
    from treatment_agent.cli.talk import talk
    from treatment_agent.demo.policy import maple_policy

    if app is not None:
        theirs = load(app)
        policy, interpreter = theirs.policy, getattr(theirs, "interpreter", None)
        theirs.close()
    else:
        policy, interpreter = maple_policy(), None
    with open_sandbox(policy, interpreter=interpreter, language=language) as sandbox:
        talk(sandbox, everything=explain)
