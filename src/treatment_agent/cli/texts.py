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


def register(app: typer.Typer) -> None:
    """Add `preview` to the application."""
    app.command()(preview)


def preview(
    patient: Annotated[
        str | None, typer.Argument(metavar="[PATIENT]", help="The next text to this patient. Without: every script.")
    ] = None,
    script: Annotated[str | None, typer.Option("--script", help="Only this script, for example first-message.")] = None,
    language: Annotated[str | None, typer.Option("--language", help="Only this language: en or es.")] = None,
    app: AppOption = None,
    folder: FolderOption = DEMO_FOLDER,
    now: NowOption = None,
) -> None:
    """Show the exact texts with their length in SMS segments. Nothing is sent.

    With PATIENT: what the next touch would say, and why. Without: every approved script, filled with example facts.
    """
    with opened(app, folder, now) as coordinator:
        if patient is not None:
            _next_text(coordinator, patient)
        else:
            _scripts(coordinator.policy, coordinator.clock.now(), script, language)


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
        _print_text(f"{text.script_id}, {text.language}, {text.channel}", text.body.get_secret_value())
    if not found.texts:
        console.print("Nothing would be sent.")


def _scripts(policy: PracticePolicy, now: datetime, only: str | None, language: str | None) -> None:
    from treatment_agent.policies.scripts import render

    facts = _example_facts(policy, now)
    scripts = [s for s in _newest(policy) if only in (None, s.id) and language in (None, s.language)]
    languages = sorted({s.language for s in policy.scripts.scripts})
    if language is not None and language not in languages:
        raise ConfigurationError(f"--language {language}: no script in it; this policy has {', '.join(languages)}")
    if not scripts:
        known = ", ".join(sorted({s.id for s in policy.scripts.scripts}))
        raise ConfigurationError(f"no such script; this policy has {known}")
    for script in scripts:
        title = f"{script.id}, {script.language}, v{script.version}, approved by {script.approved_by or 'NOBODY'}"
        try:
            body = render(script, facts=facts, office=policy.office, first_name="Jordan")
        except ScriptError as error:
            screen.out().print(f"\n{title}", style="bold")
            screen.out().print(f"  cannot be filled: {error}", style="red")
            continue
        _print_text(title, body)
    screen.out().print(f"\n{len(scripts)} scripts. Nothing was sent.")


def _newest(policy: PracticePolicy) -> list[Script]:
    newest: dict[tuple[str, str], Script] = {}
    for script in policy.scripts.scripts:
        key = script.language, script.id
        if key not in newest or newest[key].version < script.version:
            newest[key] = script
    return list(newest.values())


def _print_text(title: str, body: str) -> None:
    from treatment_agent.policies.segments import segments

    size = segments(body)
    console = screen.out()
    plural = "" if size.segments == 1 else "s"
    console.print(f"\n{title}", style="bold")
    console.print(f"  {len(body)} characters, {size.segments} segment{plural}, {size.encoding}", style="dim")
    for line in body.splitlines():
        console.print(f"  {line}")


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
