"""Pictures of the state machine, drawn from the code that runs: the turn's graph and the table of phases."""

from __future__ import annotations

from collections import defaultdict

from treatment_agent.domain.conversation import TALKING, TRANSITIONS, Move, Phase
from treatment_agent.graph.build import build_graph


def turn_mermaid() -> str:
    """The graph of one turn as a Mermaid flowchart."""
    return build_graph().get_graph().draw_mermaid(with_styles=False).strip() + "\n"


def phases_mermaid() -> str:
    """The transition table as a Mermaid state diagram. Phases in which nothing is settled are drawn as one box."""
    arrows: dict[tuple[str, str], list[Move]] = defaultdict(list)
    for move, (starts, target) in TRANSITIONS.items():
        if target is None:
            continue
        together = set(TALKING) <= set(starts)
        for start in (["talking"] if together else []) + [p.value for p in starts if not together or p not in TALKING]:
            arrows[start, target.value].append(move)
    lines = ["stateDiagram-v2", f"    [*] --> {Phase.QUEUED.value}", "    state talking {"]
    lines += [f"        {phase.value}" for phase in TALKING]
    lines.append("    }")
    for (start, end), moves in arrows.items():
        lines.append(f"    {start} --> {end}: {', '.join(m.value for m in moves)}")
    return "\n".join(lines) + "\n"


def phases_table() -> str:
    """The transition table as a Markdown table: each move, from where, to where."""
    rows = ["| move | from | to |", "| --- | --- | --- |"]
    for move, (starts, target) in TRANSITIONS.items():
        every = len(starts) == len(Phase)
        names = "every phase" if every else ", ".join(s.value for s in starts)
        rows.append(f"| {move.value} | {names} | {target.value if target else 'stays'} |")
    return "\n".join(rows) + "\n"


def picture_page() -> str:
    """`docs/graph.md`: both pictures and the table. A test compares the file with this."""
    return (
        "# The state machine\n\n"
        "Drawn from the code; `make pictures` writes this file again and a test compares it.\n\n"
        "## One event, one turn\n\n"
        f"```mermaid\n{turn_mermaid()}```\n\n"
        "## Phases of a conversation\n\n"
        f"```mermaid\n{phases_mermaid()}```\n\n"
        f"{phases_table()}"
    )
