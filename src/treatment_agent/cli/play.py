"""`demo` shows two weeks of an invented practice; `chat` lets you be the patient."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from treatment_agent.cli import screen
from treatment_agent.cli.options import DEMO_FOLDER, AppOption, load

if TYPE_CHECKING:
    from treatment_agent.coordinator.answers import EnrolmentReport
    from treatment_agent.demo.run import Simulation


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
        page = page_of(practice.coordinator, since=simulation.story.starts, rejected=rejected, sample=True)
        written = write(page, page_path(folder))
    finally:
        practice.coordinator.close()
    console = screen.out()
    console.print(f"\nThe page with every conversation: {written}", style="bold")
    console.print("Look further: treatment-agent why P-2001, handoffs, report, chat", style="dim")


def _watch(simulation: Simulation, *, quiet: bool) -> None:
    """Print the two weeks as they happen."""
    from treatment_agent.demo.telling import day_of, tell

    zone = simulation.practice.coordinator.policy.office.tz
    console, today = screen.out(), ""
    with screen.err().status("Two weeks at Maple Dental") if console.is_terminal else screen.nothing():
        for happened in simulation.happenings():
            lines = () if quiet else tell(happened, zone)
            if lines and (day := day_of(happened, zone)) != today:
                today = day
                console.print(f"\n{day}", style="bold underline")
            for line in lines:
                rule = f"  [{line.rule}]" if line.rule else ""
                console.print(f"{line.clock:>8}  {line.mark} {line.who:<7} ", end="")
                console.print(line.text, style=line.style or None, end="")
                console.print(rule, style="dim")
            if happened.enrolment is not None and not quiet:
                _tell_enrolment(happened.enrolment)


def _tell_enrolment(report: EnrolmentReport) -> None:
    console = screen.out()
    for row in report.rejected:
        console.print(f"            ! {row}", style="yellow")


def chat(
    language: Annotated[str, typer.Option("--language", help="The patient's language: en or es.")] = "en",
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
        talk(sandbox)
