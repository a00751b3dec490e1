"""`history`, `replay`, `whatif`, `bugreport`: past conversations as a file, and decided again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from treatment_agent.cli import screen
from treatment_agent.cli.options import DEMO_FOLDER, AppOption, FolderOption, JsonOption, NowOption, opened

if TYPE_CHECKING:
    from treatment_agent.coordinator import Coordinator
    from treatment_agent.replay.history import Header, History
    from treatment_agent.replay.running import Change, Outcome

SHOWN = 5

SourceArgument = Annotated[
    str | None,
    typer.Argument(help="A history file, or a ledger (its SQLite file or address). Default: the practice's own."),
]
OutOption = Annotated[Path, typer.Option("--out", "-o", help="The file to write.")]
KeepOption = Annotated[
    bool, typer.Option("--keep-readings", help="Use how messages were understood then, instead of reading them again.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(history)
    app.command()(replay)
    app.command()(whatif)
    app.command()(bugreport)


def history(
    cases: Annotated[list[str] | None, typer.Argument(help="Patients or cases. Default: all.")] = None,
    out: OutOption = Path("history.jsonl"),
    full: Annotated[
        bool, typer.Option("--full", help="Keep names, numbers and words. The file is then like the ledger itself.")
    ] = False,
    app: AppOption = None,
    folder: FolderOption = DEMO_FOLDER,
    now: NowOption = None,
) -> None:
    """Write past conversations to a file that `replay` and `whatif` read, with everybody in it invented."""
    with opened(app, folder, now) as coordinator:
        found = _exported(coordinator, cases, full=full)
    _written(found, out)


def bugreport(
    case: Annotated[str, typer.Argument(help="The patient or case.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Default: bugreport-<today of the books>.jsonl")
    ] = None,
    app: AppOption = None,
    folder: FolderOption = DEMO_FOLDER,
    now: NowOption = None,
) -> None:
    """One conversation as one file for a bug report: everybody invented, policy and versions included."""
    with opened(app, folder, now) as coordinator:
        found = _exported(coordinator, [case], full=False)
        today = coordinator.clock.now().date()
    _written(found, out or Path(f"bugreport-{today}.jsonl"))


def _exported(coordinator: Coordinator, cases: list[str] | None, *, full: bool) -> History:
    from treatment_agent.replay import export
    from treatment_agent.replay.redacting import redact

    ledger, policy, interpreter = coordinator.ledger, coordinator.policy, coordinator.interpreter
    wanted = [export.conversation_of(ledger, case) for case in cases] if cases else None
    found = export.export(ledger, policy, interpreter.version, cases=wanted)
    if full:
        return found
    people = [row.case for row in ledger.work_list() if row.case is not None]
    with screen.progress("turns", len(found.turns)) as done:
        return redact(found, policy, interpreter, people=people, told=done)


def _written(found: History, out: Path) -> None:
    from treatment_agent.evals.telling import counted
    from treatment_agent.replay import history as files

    files.write(found, out)
    header = found.header
    kept = "everybody in it is invented" if header.redacted else "with names, numbers and words of patients"
    console = screen.out()
    told = f"{counted(header.turns, 'turn')} of {counted(len(found.cases), 'conversation')}"
    console.print(f"{out}: {told}; {kept}.", style="bold")
    for turn in found.turns:
        if turn.reads_differently:
            told = "; ".join(turn.reads_differently)
            console.print(f"{turn.conversation_id}, turn {turn.seq} does not come out as the true one did: {told}")
    if header.own_parts:
        console.print(f"Not in the file, so name them with --app to replay it: {', '.join(header.own_parts)}")
    _skipped(header.unrecorded)


def replay(
    source: SourceArgument = None,
    as_json: JsonOption = False,
    app: AppOption = None,
    folder: FolderOption = DEMO_FOLDER,
    now: NowOption = None,
) -> None:
    """Decide past turns again, exactly as they were decided. Exits with 1 if anything comes out otherwise."""
    outcome = _run(source, app, folder, now, keep=False)
    if as_json:
        typer.echo(json.dumps(_as_json(outcome), indent=2))
    else:
        console = screen.out()
        for change in outcome.changes:
            for difference in change.differences:
                console.print(f"{change.turn.conversation_id}, turn {change.turn.seq} ({change.what}): {difference}")
        same = outcome.turns - len(outcome.changes)
        console.print(f"{same} of {outcome.turns} turns came out as they were.", style="bold")
        _skipped(outcome.skipped)
    if outcome.changes:
        raise typer.Exit(1)


def whatif(
    source: SourceArgument = None,
    keep_readings: KeepOption = False,
    everything: Annotated[bool, typer.Option("--all", help=f"Show every change, not {SHOWN} of each kind.")] = False,
    words: Annotated[bool, typer.Option("--words", help="Show what patients wrote.")] = False,
    as_json: JsonOption = False,
    app: AppOption = None,
    folder: FolderOption = DEMO_FOLDER,
    now: NowOption = None,
) -> None:
    """What the policy, scripts and interpreter of --app would have decided otherwise in past conversations.

    --app may also name a PracticePolicy. Every turn is decided from the books as they stood then; nothing is sent.
    """
    outcome = _run(source, app, folder, now, keep=keep_readings)
    if as_json:
        typer.echo(json.dumps(_as_json(outcome, words=words), indent=2))
        return
    _show(outcome, SHOWN if not everything else len(outcome.changes), words=words)


def _run(source: str | None, app: str | None, folder: Path, now: str | None, *, keep: bool) -> Outcome:
    from treatment_agent.cli.past import past
    from treatment_agent.replay.again import Again
    from treatment_agent.replay.running import run

    found, rules = past(source, app, folder, now)
    _other_release(found.header)
    again = Again(rules.policy, rules.interpreter, reread=not keep)
    with screen.progress("turns", len(found.turns)) as done:
        return run(found, again, told=done)


def _other_release(header: Header) -> None:
    """Differences may come of other versions: say so before they are looked at."""
    from treatment_agent.replay.export import installed

    other = [
        f"{name} {then} (here {installed(name) or 'none'})"
        for name, then in header.packages.items()
        if then != installed(name)
    ]
    if other:
        screen.err().print(f"The file was made with other versions: {', '.join(other)}", style="yellow")


def _skipped(skipped: dict[str, int]) -> None:
    for why, count in skipped.items():
        screen.err().print(f"{count} turns cannot be decided again: {why}.", style="yellow")


def _show(outcome: Outcome, most: int, *, words: bool) -> None:
    from treatment_agent.replay.running import ONLY_READ

    console = screen.out()
    for group, changes in outcome.groups.items():
        screen.heading(f"{group}: {len(changes)}")
        shown = () if group == ONLY_READ and most == SHOWN else changes[:most]
        for change in shown:
            _show_change(change, words=words)
        if len(changes) > len(shown):
            console.print(f"  ... {len(changes) - len(shown)} more, with --all")
    decided = sum(1 for change in outcome.changes if change.decided)
    texts = sum(1 for change in outcome.changes if change.texts)
    console.print()
    console.print(
        f"{decided} of {outcome.turns} decisions change; patients would read something else in {texts}.", style="bold"
    )
    assumed = sum(1 for change in outcome.changes if change.now.assumed)
    if assumed:
        console.print(f"{assumed} of them rest on an answer that nobody gave then; they are marked (assumed).")
    _skipped(outcome.skipped)


def _show_change(change: Change, *, words: bool) -> None:
    console = screen.out()
    was, now = change.rules
    rule = was if was == now else f"{was} -> {now}"
    mark = f"  (assumed: {', '.join(change.now.assumed)})" if change.now.assumed else ""
    at = f"{change.turn.outcome.at:%Y-%m-%d %H:%M}"
    console.print(f"  {change.turn.conversation_id}, turn {change.turn.seq}, {at} UTC, {change.what}: {rule}{mark}")
    if words and change.turn.text is not None:
        console.print(f"      patient: {change.turn.text.get_secret_value()}")
    for text in change.texts:
        for sign, side in (("-", text.was), ("+", text.now)):
            if side is not None:
                console.print(f"    {sign} {side.script_id} v{side.script_version}: {side.body.get_secret_value()}")
    if not change.texts:
        for difference in change.decided or change.differences:
            console.print(f"      {difference}")


def _as_json(outcome: Outcome, *, words: bool = False) -> dict[str, object]:
    groups = [
        {"group": name, "count": len(changes), "changes": [_change_json(c, words=words) for c in changes]}
        for name, changes in outcome.groups.items()
    ]
    return {
        "turns": outcome.turns,
        "skipped": outcome.skipped,
        "changed": sum(1 for change in outcome.changes if change.decided),
        "groups": groups,
    }


def _change_json(change: Change, *, words: bool) -> dict[str, object]:
    turn, (was, now) = change.turn, change.rules
    texts = [
        {side: None if t is None else t.model_dump(mode="json") for side, t in (("was", c.was), ("now", c.now))}
        for c in change.texts
    ]
    data: dict[str, object] = {
        "case": turn.conversation_id,
        "turn": turn.seq,
        "event": change.what,
        "at": turn.outcome.at.isoformat(),
        "rule": {"was": was, "now": now},
        "texts": texts,
        "differences": [{"place": d.place, "was": d.was, "now": d.now} for d in change.differences],
        "assumed": list(change.now.assumed),
    }
    if words and turn.text is not None:
        data["words"] = turn.text.get_secret_value()
    return data
