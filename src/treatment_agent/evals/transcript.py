"""A played dialogue as plain text, with what is wrong marked where it happened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from treatment_agent.evals.findings import Finding
from treatment_agent.evals.played import Played, PlayedTurn, Said

_BROKEN = ">>"


def transcript(played: Played, findings: Sequence[Finding], *, place: str = "", lines: Sequence[int] = ()) -> str:
    """The whole conversation. A line that begins with `>>` says what was expected, what came, and which rule decided.

    `place` is the file, `lines` its turns' lines; they head each turn, so that an editor finds it.
    """
    zone = played.policy.office.tz
    told = [played.dialogue.claim]
    for turn in played.turns:
        told.extend(_turn(turn, findings, zone, place, lines))
    told.append("end" if any(f.turn is None for f in findings) else "")
    told.extend(f"{_BROKEN} {finding}" for finding in findings if finding.turn is None)
    return "\n".join(told).rstrip()


def _turn(
    turn: PlayedTurn, findings: Sequence[Finding], zone: ZoneInfo, place: str, lines: Sequence[int]
) -> Iterator[str]:
    if turn.number == 0:
        yield "before"
    else:
        where = f"  {place}:{lines[turn.number - 1]}" if place and turn.number <= len(lines) else ""
        yield f"turn {turn.number}{where}"
    yield from (_line(said, zone) for said in turn.said)
    yield from (f"{_BROKEN} {finding}" for finding in findings if finding.turn == turn.number)


def _line(said: Said, zone: ZoneInfo) -> str:
    note = f" ({said.note})" if said.note else ""
    rule = f"  [{said.rule}]" if said.rule else ""
    words = " / ".join(said.words.splitlines())
    return (
        f"   {said.at.astimezone(zone):%a %b %d %H:%M}  {said.who.value:<8}{f' {words}' if words else ''}{note}{rule}"
    )
