"""`preview`: the exact texts, before anybody gets one. Nothing is sent."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from treatment_agent.cli import screen
from treatment_agent.cli.options import DEMO_FOLDER, AppOption, FolderOption, NowOption, opened
from treatment_agent.errors import ConfigurationError, ScriptError

if TYPE_CHECKING:
    from treatment_agent.coordinator import Coordinator
    from treatment_agent.domain.messages import ScriptFacts
    from treatment_agent.policies.practice import PracticePolicy
    from treatment_agent.policies.scripts import Script
    from treatment_agent.policies.texting import Texting


def register(app: typer.Typer) -> None:
    """Add `preview` to the application."""
    app.command()(preview)


def preview(
    patient: Annotated[
        str | None, typer.Argument(metavar="[PATIENT]", help="The next text to this patient. Without: every script.")
    ] = None,
    script: Annotated[str | None, typer.Option("--script", help="Only this script, for example first-message.")] = None,
    language: Annotated[str | None, typer.Option("--language", help="Only this language: en or es.")] = None,
    email: Annotated[bool, typer.Option("--email", help="As an email, with its subject, instead of a text.")] = False,
    app: AppOption = None,
    folder: FolderOption = DEMO_FOLDER,
    now: NowOption = None,
) -> None:
    """Show the exact texts with their length in SMS segments, their cost and what a reader would object to.

    With PATIENT: what the next touch would say, and why. Without: every approved script, filled with example facts.
    Nothing is sent.
    """
    with opened(app, folder, now) as coordinator:
        if patient is not None:
            _next_text(coordinator, patient)
        else:
            _scripts(coordinator.policy, coordinator.clock.now(), script, language, email=email)


def _next_text(coordinator: Coordinator, patient: str) -> None:
    found = coordinator.preview(patient)
    console = screen.out()
    if found.due_at is not None:
        local = found.due_at.astimezone(coordinator.policy.office.tz)
        console.print(
            f"{patient}: next due {local:%a %b} {local.day}, {local.hour % 12 or 12}:{local:%M %p}", style="bold"
        )
    console.print(f"rules: {', '.join(found.rules)}")
    for text in found.texts:
        title = f"{text.script_id}, {text.language}, {text.channel}"
        _print_text(title, text.body.get_secret_value(), coordinator.policy.texting)
    if not found.texts:
        console.print("Nothing would be sent.")


def _scripts(
    policy: PracticePolicy, now: datetime, only: str | None, language: str | None, *, email: bool = False
) -> None:
    from treatment_agent.policies.lint import lint
    from treatment_agent.policies.outbound import EMAIL_FOOTER
    from treatment_agent.policies.scripts import render, render_subject

    facts = _example_facts(policy, now)
    scripts = _chosen(policy, only, language)
    objections = 0
    for script in scripts:
        approved = (
            f"approved by {script.approved_by or 'NOBODY'}{' on ' if script.approved_on else ''}{script.approved_on}"
        )
        title = f"{script.id}, {script.language}, v{script.version}, {approved}"
        try:
            body = render(script, facts=facts, office=policy.office, first_name="Jordan")
            subject = render_subject(script, facts=facts, office=policy.office, first_name="Jordan")
        except ScriptError as error:
            screen.out().print(f"\n{title}", style="bold")
            screen.out().print(f"  cannot be filled: {error}", style="red")
            continue
        if email and script.id != EMAIL_FOOTER:
            footer = policy.scripts.get(EMAIL_FOOTER, script.language)
            body += f"\n\n{render(footer, facts=facts, office=policy.office, first_name='Jordan')}"
        _print_text(title, body, policy.texting, subject=subject if email else None)
        for finding in lint(script, policy.office, policy.texting):
            objections += 1
            screen.out().print(f"  ! {finding.text} [{finding.rule}]", style="yellow")
    screen.out().print(f"\n{len(scripts)} scripts. {objections} objections. Nothing was sent.")


def _chosen(policy: PracticePolicy, only: str | None, language: str | None) -> list[Script]:
    """The newest version of each script asked for.

    Raises:
        ConfigurationError: there is none.
    """
    languages = sorted({s.language for s in policy.scripts.scripts})
    if language is not None and language not in languages:
        raise ConfigurationError(f"--language {language}: no script in it; this policy has {', '.join(languages)}")
    scripts = [s for s in _newest(policy) if only in (None, s.id) and language in (None, s.language)]
    if not scripts:
        known = ", ".join(sorted({s.id for s in policy.scripts.scripts}))
        raise ConfigurationError(f"no such script; this policy has {known}")
    return scripts


def _newest(policy: PracticePolicy) -> list[Script]:
    newest: dict[tuple[str, str], Script] = {}
    for script in policy.scripts.scripts:
        key = script.language, script.id
        if key not in newest or newest[key].version < script.version:
            newest[key] = script
    return list(newest.values())


def _print_text(title: str, body: str, limits: Texting, *, subject: str | None = None) -> None:
    console = screen.out()
    console.print(f"\n{title}", style="bold")
    if subject is None:
        console.print(f"  {_size(body, limits)}", style="dim")
    else:
        console.print(f"  {len(body)} characters, email", style="dim")
        console.print(f"  Subject: {subject}")
    for line in body.splitlines():
        console.print(f"  {line}")


def _size(body: str, limits: Texting) -> str:
    """What a text costs on the wire: `143 characters, 1 segment, GSM-7`, and in money where the price is known."""
    from treatment_agent.policies.segments import segments

    size = segments(body)
    plural = "" if size.segments == 1 else "s"
    cost = limits.cost_cents(size.segments)
    money = f", {cost:.2f} cents" if cost else ""
    return f"{len(body)} characters, {size.segments} segment{plural}, {size.encoding}{money}"


def _example_facts(policy: PracticePolicy, now: datetime) -> ScriptFacts:
    """Facts as they might be: two openings next week with the first provider, a visit yesterday."""
    from treatment_agent.domain.messages import ScriptFacts
    from treatment_agent.domain.scheduling import Slot

    zone = policy.office.tz
    today = now.astimezone(zone).date()
    provider = policy.office.providers[0].id if policy.office.providers else ""

    def slot(days: int, hour: int) -> Slot:
        start = datetime.combine(today + timedelta(days=days), time(hour), zone)
        return Slot(start=start, end=start + timedelta(minutes=90), provider_id=provider, id=f"example-{days}")

    return ScriptFacts(
        slots=(slot(8, 9), slot(10, 14)),
        visit_on=today - timedelta(days=1),
        provider_id=provider or None,
        call_at=datetime.combine(today + timedelta(days=1), time(10), zone),
        until=today + timedelta(days=30),
    )
