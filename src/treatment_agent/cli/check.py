"""`doctor` looks for mistakes before patients do; `graph` draws the state machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from treatment_agent.cli import screen
from treatment_agent.cli.options import DEMO_FOLDER, AppOption, FolderOption, opened
from treatment_agent.errors import PolicyError

if TYPE_CHECKING:
    from treatment_agent.coordinator import Coordinator
    from treatment_agent.policies.practice import PracticePolicy


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `level` is `ok`, `note` or `fix`; a `fix` makes the doctor exit with 1."""

    level: str
    place: str
    text: str


def register(app: typer.Typer) -> None:
    """Add `graph` and `doctor` to the application."""
    app.command()(graph)
    app.command()(doctor)


def graph(
    phases: Annotated[bool, typer.Option("--phases", help="The phases of a conversation instead of one turn.")] = False,
    app: AppOption = None,
) -> None:
    """Print the state machine as a Mermaid diagram: what happens to one event, or the phases of a conversation."""
    from treatment_agent.graph.drawing import phases_mermaid, turn_mermaid

    if phases:
        typer.echo(phases_mermaid())
    elif app is None:
        typer.echo(turn_mermaid())
    else:
        with opened(app) as coordinator:
            typer.echo(coordinator.graph.get_graph().draw_mermaid(with_styles=False))


def doctor(
    app: AppOption = None,
    folder: FolderOption = DEMO_FOLDER,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 on notes too.")] = False,
) -> None:
    """Check configuration, authority, consent rules and scripts. Exits with 1 if something must be fixed."""
    try:
        with opened(app, folder) as coordinator:
            findings = [finding for look in _LOOKS for finding in look(coordinator)]
    except PolicyError as error:  # a Coordinator refuses such a policy: say all that is wrong with it
        findings = [Finding("fix", place, text) for place, text in error.problems]
    styles = {"ok": "green", "note": "yellow", "fix": "bold red"}
    console = screen.out()
    for finding in findings:
        console.print(f"{finding.level.upper():<5}{finding.place}: {finding.text}", style=styles[finding.level])
    fixes = sum(f.level == "fix" for f in findings)
    notes = sum(f.level == "note" for f in findings)
    console.print(f"\n{len(findings)} checks: {fixes} to fix, {notes} to look at.")
    if fixes or (strict and notes):
        raise typer.Exit(1)


def _policy(coordinator: Coordinator) -> Iterator[Finding]:
    policy = coordinator.policy
    try:
        policy.validate_all()
    except PolicyError as error:
        for place, text in error.problems:
            yield Finding("fix", place, text)
    else:
        yield Finding("ok", "policy", f"{policy.id} version {policy.version} holds together")


def _authority(coordinator: Coordinator) -> Iterator[Finding]:
    from treatment_agent.domain.scheduling import Authority

    granted, able = coordinator.policy.authority, coordinator.tools.scheduler.authority
    if granted is Authority.BOOK and able is Authority.PROPOSE:
        yield Finding(
            "note", "authority", "the policy may book, the calendar only proposes: staff complete each booking"
        )
    elif granted is Authority.BOOK:
        yield Finding("ok", "authority", "books by itself into the calendar, offered and still open times only")
    else:
        yield Finding("ok", "authority", "proposes only: staff complete each booking")
    if not coordinator.tools.scheduler.can_reschedule:
        yield Finding("note", "authority", "this calendar cannot move a visit in one step: changes go to staff")


def _consent(coordinator: Coordinator) -> Iterator[Finding]:
    rules = coordinator.policy.contact
    if rules.require_consent:
        yield Finding("ok", "consent", "only people with a recorded yes are written to")
    else:
        yield Finding("note", "consent", "require_consent is off: people nobody asked are written to; set it to True")
    yield Finding(
        "ok",
        "quiet hours",
        f"nothing is sent from {rules.quiet_from:%H:%M} to {rules.quiet_until:%H:%M} in the phone owner's zone",
    )
    yield Finding(
        "ok",
        "caps",
        f"{rules.max_per_day} a day, {rules.max_per_week} a week, {rules.max_per_case} a case, per phone and household",
    )


def _law(coordinator: Coordinator) -> Iterator[Finding]:
    from treatment_agent.policies import lawful

    policy = coordinator.policy
    today = coordinator.clock.now().astimezone(policy.office.tz).date()
    for place, text in lawful.notes(policy, today):
        yield Finding("note", place, text)
    kept = ", ".join(j.id for j in policy.law.jurisdictions)
    yield Finding("ok", "law", f"dated rules of {kept}; see treatment-agent laws")


def _tools(coordinator: Coordinator) -> Iterator[Finding]:
    from treatment_agent.policies.plan_checks import all_steps

    tools = coordinator.tools
    channels = ", ".join(sorted(channel.value for channel in tools.messenger.channels))
    yield Finding("ok", "messenger", f"{type(tools.messenger).__name__} sends by {channels}")
    for _, step in all_steps(coordinator.policy):
        if step.channel not in tools.messenger.channels:
            yield Finding(
                "fix",
                "cadence",
                f"{step.script_id} goes out by {step.channel.value}, which the messenger cannot; change the step",
            )
    if tools.chart is None:
        yield Finding("note", "chart", "no chart is connected: who booked by phone is only known from the next export")
    else:
        yield Finding("ok", "chart", f"{type(tools.chart).__name__} is asked again before each outreach text")
    if tools.desk is None:
        yield Finding("note", "desk", "no staff desk is connected: handoffs are only in the ledger; look there daily")
    else:
        yield Finding("ok", "desk", f"handoffs are shown by {type(tools.desk).__name__}")


def _scripts(coordinator: Coordinator) -> Iterator[Finding]:
    from treatment_agent.policies.lint import lint

    policy = coordinator.policy
    read = 0
    for script in policy.scripts.scripts:
        read += 1
        if not script.approved_by.strip():
            yield Finding("fix", f"script {script.id}/{script.language}", "not approved; set approved_by")
        for finding in lint(script, policy.office, policy.texting):
            yield Finding("note", f"script {finding.place}", f"{finding.text} [{finding.rule}]")
    yield from _approvers(policy)
    yield Finding("ok", "scripts", f"{read} read")


def _approvers(policy: PracticePolicy) -> Iterator[Finding]:
    """Each language's texts should carry the name of somebody of the office who read them in that language."""
    from treatment_agent.policies.scripts import LIBRARY_APPROVER

    for language in sorted({s.language for s in policy.scripts.scripts}):
        waiting = [s for s in policy.scripts.scripts if s.language == language and s.approved_by == LIBRARY_APPROVER]
        if waiting:
            yield Finding(
                "note",
                f"scripts {language}",
                f"{len(waiting)} texts are approved by nobody of the office: let a person who reads {language!r} "
                "approve them (ScriptBook.approved)",
            )


def _model(coordinator: Coordinator) -> Iterator[Finding]:
    agreement = coordinator.policy.baa_on_file
    if agreement is not None:
        since = f"{agreement.provider}, signed {agreement.signed_on}, recorded by {agreement.recorded_by}"
        yield Finding("ok", "model", f"agreement on file ({since}): a remote model may be used")
    else:
        yield Finding("ok", "model", "no agreement on file: no patient's words leave this machine for a model")


_LOOKS = (_policy, _authority, _consent, _law, _tools, _scripts, _model)
