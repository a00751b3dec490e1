"""`laws`: which rules of which places are kept on a day, and where they come from."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from treatment_agent.cli import screen
from treatment_agent.cli.options import DEMO_FOLDER, AppOption, FolderOption, JsonOption, NowOption, opened
from treatment_agent.errors import ConfigurationError

if TYPE_CHECKING:
    from treatment_agent.policies.law import Jurisdiction, LawRule
    from treatment_agent.policies.practice import PracticePolicy


def register(app: typer.Typer) -> None:
    """Add `laws` to the application."""
    app.command()(laws)


def laws(
    state: Annotated[
        list[str] | None,
        typer.Option("--state", help="A state where patients may be, for example FL. Again for more. Default: all."),
    ] = None,
    on: Annotated[datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help="The day. Default: today.")] = None,
    app: AppOption = None,
    folder: FolderOption = DEMO_FOLDER,
    now: NowOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the dated rules of law that outreach keeps: source, first and last day, and what changes soon.

    Engineering notes, not legal advice. Every rule binds texts to people who may be in its place; the strictest counts.
    """
    with opened(app, folder, now) as coordinator:
        policy = coordinator.policy
        day = on.date() if on else coordinator.clock.now().astimezone(policy.office.tz).date()
    places = _places(policy, state)
    if as_json:
        typer.echo(json.dumps([_row(place, rule, day) for place in places for rule in place.rules], indent=2))
        return
    console = screen.out()
    for place in places:
        late = day > place.review_by
        console.print(f"\n{place.id} {place.title}", style="bold")
        console.print(
            f"  read {place.verified_on}, to be read again by {place.review_by}{': STALE' if late else ''}",
            style="yellow" if late else "dim",
        )
        for rule in place.rules:
            _print_rule(rule, day)
    _print_together(policy, places, day)


def _places(policy: PracticePolicy, states: list[str] | None) -> tuple[Jurisdiction, ...]:
    from treatment_agent.policies.places import state_code

    if not states:
        return policy.law.jurisdictions
    codes = [state_code(state) for state in states]
    if None in codes:
        raise ConfigurationError("--state: write two letters of a state of the United States, for example FL")
    return policy.law.binding([code for code in codes if code is not None]).places


def _print_rule(rule: LawRule, day: date) -> None:
    last = f" until {rule.effective_until}" if rule.effective_until else ""
    mark, style = ("*", None) if rule.in_force(day) else (" ", "dim")
    doubt = "" if rule.checked == "source" else "  [not read in the source: verify]"
    console = screen.out()
    console.print(f"  {mark} {rule.id}: {rule.says}", style=style)
    console.print(f"      from {rule.effective_from}{last}; {rule.source}{doubt}", style="dim")


def _print_together(policy: PracticePolicy, places: tuple[Jurisdiction, ...], day: date) -> None:
    from treatment_agent.policies.law import Binding, revoke_scope

    binding = Binding(policy.law, places)
    rules = policy.contact
    console = screen.out()
    console.print(f"\nTogether on {day} (the office's own rules included)", style="bold")
    console.print(f"  texts a day: {binding.cap(day, 'day', rules.max_per_day)}")
    console.print(f"  texts in 7 days: {binding.cap(day, 'week', rules.max_per_week)}")
    console.print(f"  says that it is automated: {binding.disclosure(day)}")
    console.print(f"  a STOP reaches: {revoke_scope(policy.law, day)}")


def _row(place: Jurisdiction, rule: LawRule, day: date) -> dict[str, object]:
    return {
        "place": place.id,
        "in_force": rule.in_force(day),
        "stale": day > place.review_by,
        **rule.model_dump(mode="json"),
    }
