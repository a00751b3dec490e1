"""The conversation of `chat`, on the screen: every turn with what was understood and why it ended as it did."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime, time, timedelta

from treatment_agent.cli import screen
from treatment_agent.cli.sandbox import PATIENT, Sandbox
from treatment_agent.coordinator.answers import TurnOutcome
from treatment_agent.demo.story import parse_wait
from treatment_agent.domain.interpretation import Facts, Interpretation
from treatment_agent.domain.scheduling import Window
from treatment_agent.policies.rules import sentence
from treatment_agent.understanding.explaining import explain

_MOST_WINDOWS = 3
_LONGEST_WAIT = timedelta(days=400)
_HELP = "/wait 3d lets time pass, /staff gives a handoff back, /why explains, /quit ends"


def talk(sandbox: Sandbox, *, everything: bool = False) -> None:
    """Send the first text, then answer until the input ends.

    `everything` shows for each clause what decided, how likely it held the label, and how likely it had to be.
    """
    console = screen.out()
    office = sandbox.coordinator.policy.office.name
    console.print(f"You had an exam at {office}. A crown was planned, and no visit is booked.", style="bold")
    console.print(f"({_HELP})", style="dim")
    for outcome in sandbox.wait(timedelta(hours=18)):
        _show(sandbox, outcome, "")
    for text in _lines():
        if text in ("/quit", "/q", "/exit"):
            break
        if text.startswith("/"):
            _command(sandbox, text)
        else:
            _show(sandbox, sandbox.write(text), text, everything=everything)


def _lines() -> Iterator[str]:
    """What is typed, or piped in: one text per line, blank lines passed over."""
    typed = sys.stdin.isatty()
    while True:
        try:
            line = input("\nyou> ") if typed else sys.stdin.readline()
        except (EOFError, KeyboardInterrupt):
            return
        if not typed:
            if not line:
                return
            screen.out().print(f"\nyou> {line.strip()}", style="bold")
        if line.strip():
            yield line.strip()


def _command(sandbox: Sandbox, text: str) -> None:
    verb, _, rest = text.partition(" ")
    console = screen.out()
    match verb:
        case "/wait":
            try:
                duration = parse_wait(rest or "1d")
            except ValueError as error:
                console.print(str(error), style="yellow")
                return
            except OverflowError:
                duration = timedelta.max
            if duration > _LONGEST_WAIT:
                console.print(f"/wait: at most {_LONGEST_WAIT.days}d at once; write a wait like 3d", style="yellow")
                return
            outcomes = sandbox.wait(duration)
            for outcome in outcomes:
                _show(sandbox, outcome, "")
            console.print(f"It is {_moment(sandbox.local)}; fell due: {len(outcomes)}.", style="dim")
        case "/staff":
            held = [p for p in sandbox.coordinator.handoffs() if p.kind.holds]
            if not held:
                console.print("Staff hold nothing.", style="dim")
                return
            _show(sandbox, sandbox.coordinator.release(held[0].conversation_id, by="you"), "")
        case "/why":
            for line in sandbox.coordinator.why(PATIENT).lines:
                local = line.at.astimezone(sandbox.local.tzinfo)
                console.print(f"  {_moment(local)}  {screen.words(line.action)}: {line.sentence} [{line.rule}]")
        case _:
            console.print(_HELP, style="dim")


def _show(sandbox: Sandbox, outcome: TurnOutcome, text: str, *, everything: bool = False) -> None:
    console = screen.out()
    console.print(f"-- {_moment(sandbox.local)}", style="dim")
    if outcome.interpretation is not None:
        _show_understanding(outcome.interpretation, text, everything=everything)
    for rule in outcome.rules:
        console.print(f"   rule     {rule}: {sentence(rule)}".rstrip(": "), style="dim")
    moved = outcome.phase_before is not outcome.phase_after
    before = f"{screen.words(outcome.phase_before)} -> " if moved else ""
    console.print(f"   phase    {before}{screen.words(outcome.phase_after)}", style="dim")
    for packet in outcome.handoffs:
        topic = screen.words(packet.topics[0]) if packet.topics else screen.words(packet.kind)
        console.print(f"   staff    {topic}, for the {screen.words(packet.owner)}: {packet.summary}", style="yellow")
    if outcome.booking is not None:
        start = outcome.booking.slot.start.astimezone(sandbox.local.tzinfo)
        console.print(f"   visit    {screen.words(outcome.booking.status)}: {_moment(start)}", style="cyan")
    for reply in outcome.replies:
        console.print(f"   text     {reply.script_id} ({reply.language}, {reply.status})", style="dim")
        for line in reply.body.get_secret_value().splitlines():
            console.print(f"office> {line}", style="green")
    if not outcome.replies:
        console.print("   text     none", style="dim")


def _show_understanding(heard: Interpretation, text: str, *, everything: bool) -> None:
    console = screen.out()
    for one in explain(heard, text):
        label = screen.words(one.label) if one.label else "not sure"
        words = ", ".join(f"'{word}'" for word in one.words)
        if not everything:
            console.print(f"   heard    {label}, by {words or repr(one.clause)}", style="dim", highlight=False)
            continue
        sure = f"{one.probability:.0%}, needs {one.threshold:.0%}"
        console.print(f"   heard    {label}: {one.clause!r}", style="dim", highlight=False)
        console.print(f"            by {one.decided_by}, {one.rule} ({sure})", style="dim", highlight=False)
        if words:
            console.print(f"            words: {words}", style="dim", highlight=False)
    for fact in _facts(heard.facts):
        console.print(f"   fact     {fact}", style="dim", highlight=False)


def _facts(facts: Facts) -> Iterator[str]:
    if facts.option is not None:
        yield f"picked number {facts.option}"
    for window in facts.windows[:_MOST_WINDOWS]:
        yield f"suits {_stretch(window)}"
    if len(facts.windows) > _MOST_WINDOWS:
        yield f"suits {len(facts.windows) - _MOST_WINDOWS} more stretches of time"
    if facts.call_at is not None:
        yield f"call at {_moment(facts.call_at)}"
    if facts.until is not None:
        yield f"not before {facts.until}"
    if facts.reason is not None:
        yield f"reason: {screen.words(facts.reason)}"
    for unclear in facts.ambiguous:
        yield f"can be read two ways: {screen.words(unclear)}"


def _stretch(window: Window) -> str:
    """Days by their names, hours where they were named."""
    start, end = window.start, window.end
    if start.time() == end.time() == time(0):
        last = end - timedelta(days=1)
        return f"{_day(start)}" if last <= start else f"{_day(start)} to {_day(last)}"
    return f"{_moment(start)} to {_hour(end) if end.date() == start.date() else _moment(end)}"


def _day(at: datetime) -> str:
    return f"{at:%a %b} {at.day}"


def _hour(at: datetime) -> str:
    return f"{at.hour % 12 or 12}:{at:%M %p}"


def _moment(at: datetime) -> str:
    return f"{_day(at)}, {_hour(at)}"
