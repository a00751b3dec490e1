"""`tune`: the office's own examples and limit, their effect before they are used."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from treatment_agent.cli import screen

if TYPE_CHECKING:
    from treatment_agent.evals import tuning
    from treatment_agent.evals.tuning import Effect, Read


def register(app: typer.Typer) -> None:
    """Add `tune` to the application."""
    app.command()(tune)


Messages = Annotated[
    Path,
    typer.Argument(metavar="MESSAGES.jsonl", exists=True, dir_okay=False, help="The office's messages, with labels."),
]
Out = Annotated[Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="Where the office model goes.")]
Person = Annotated[
    float | None,
    typer.Option("--person", min=0.0, max=1.0, help="From this probability on a person gets it; lower hands off more."),
]
Likeness = Annotated[
    float, typer.Option("--likeness", min=0.7, max=1.0, help="How alike a message must be to be read as an example.")
]
Reference = Annotated[
    Path | None,
    typer.Option(metavar="FILE.jsonl", exists=True, dir_okay=False, help="Messages that must not be lost, not ours."),
]
Lose = Annotated[
    bool, typer.Option("--accept-lost-handoffs", help="Write it although messages for a person would be missed.")
]


def tune(
    messages: Messages,
    out: Out = None,
    person: Person = None,
    likeness: Likeness = 0.85,
    reference: Reference = None,
    lose: Lose = False,
) -> None:
    """Teach the local interpreter this office's own messages, and see what it does before using it.

    Each line needs `text`, `label` and `context` (or `contexts`), as docs/tuning.md says. Without --out it only tells.
    Use it with `LocalInterpreter(office=Path("FOLDER"))`. Exits with 1 and writes nothing if a handoff would be lost.
    """
    from treatment_agent.evals import tuning

    reads = _read(tuning.read_examples(messages), "Reading your messages")
    known = _read(tuning.read_examples(reference) if reference else tuning.reference(), "Reading the reference")
    model = tuning.fit(reads, person=person, likeness=likeness)
    own = tuning.held_out(reads, person=person, likeness=likeness)
    shipped = tuning.on(known, model)
    _tell(reads, own, tuning.on(reads, model))
    screen.out().print(f"\nThe reference, {len(known)} messages by other people:")
    _show(shipped)
    if _handoffs_lost(own, shipped) and not lose:
        if out is not None:
            screen.out().print(
                "Nothing was written. Raise --likeness, lower --person, or check the labels.", style="red"
            )
        raise typer.Exit(1)
    if out is not None:
        model.write(out)
        screen.out().print(f'Written: {out}. Use it: LocalInterpreter(office=Path("{out}")).')


def _tell(reads: list[Read], own: Effect, itself: Effect) -> None:
    """What the examples do to messages they are not among, and to themselves."""
    console, right = screen.out(), "label right"
    console.print(f"Your {len(reads)} messages, each judged by examples it is not among:")
    _show(own)
    console.print(
        f"{own.changed} of them are read otherwise. With all your examples in place: {itself.changed} of them; "
        f"label right {itself.before[right].hits} before, {itself.after[right].hits} after."
    )


def _handoffs_lost(own: Effect, shipped: Effect) -> bool:
    """Say loudly how many messages a person must have would be answered by the software."""
    lost = own.lost + shipped.lost
    if lost:
        screen.out().print(
            f"HANDOFFS LOST: {lost} messages that a person must have would be answered by the software "
            f"({own.lost} of yours, {shipped.lost} of the reference).",
            style="bold red",
        )
    return lost > 0


def _read(examples: tuple[tuning.Example, ...], title: str) -> list[Read]:
    from treatment_agent.evals import tuning

    found: list[Read] = []
    with screen.progress(title, len(examples)) as done:
        for read in tuning.read_all(examples):
            found.append(read)
            done(len(found))
    return found


def _show(effect: Effect) -> None:
    made = screen.table("measure", "shipped (95 % interval)", "with your examples", right=())
    for name, before in effect.before.items():
        if before.total:
            made.add_row(name, str(before), str(effect.after[name]))
    screen.show(made)
