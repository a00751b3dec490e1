"""Staff desks without a task system: the terminal, and a file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from treatment_agent.domain.handoff import HandoffPacket, HandoffStatus
from treatment_agent.errors import AdapterUnavailable
from treatment_agent.tools.json_lines import JsonLines, PartlyWritten


class ConsoleDesk:
    """`ports.StaffDesk` that prints each packet when it is opened and one line for every later change."""

    def __init__(self, console: Console | None = None) -> None:
        """Print to this console, or to standard output."""
        self._console = console or Console()

    def deliver(self, packet: HandoffPacket) -> None:
        """Print the packet. It shows the patient's words: it is made for staff to read."""
        owner = f"{packet.owner.value.replace('_', ' ')}, {packet.urgency.value}"
        if packet.status is not HandoffStatus.OPENED:
            self._console.print(Text(f"handoff {packet.id}: {packet.status.value}"))
            return
        drafted = packet.draft.marked if packet.draft else ""
        lines = [packet.summary, drafted, *(f'"{words}"' for words in packet.words), packet.suggestion]
        title = Text(f"{packet.kind.value} for {owner}, due {packet.due_at:%Y-%m-%d %H:%M %Z}")
        self._console.print(Panel(Text("\n".join(line for line in lines if line)), title=title, title_align="left"))


class FileDesk:
    """`ports.StaffDesk` into a file: one JSON line per delivery; of several with one id the last one counts."""

    def __init__(self, path: str | Path) -> None:
        """Write to `path`, readable by its owner only: packets hold patients' words."""
        self._file = JsonLines(path)

    def deliver(self, packet: HandoffPacket) -> None:
        """Append the packet.

        Raises:
            AdapterUnavailable: it could not be written whole; delivering again is safe.
        """
        try:
            self._file.append(_record(packet))
        except PartlyWritten:
            raise AdapterUnavailable("desk file: the disk failed within the write; deliver again") from None

    def packets(self) -> tuple[dict[str, object], ...]:
        """The last state of each packet, in the order in which they first came."""
        last: dict[object, dict[str, object]] = {}
        for record in self._file.records():
            if isinstance(record, dict):
                last[record.get("id")] = record
        return tuple(last.values())


def _record(packet: HandoffPacket) -> dict[str, object]:
    return {
        "id": packet.id,
        "status": packet.status.value,
        "kind": packet.kind.value,
        "conversation_id": packet.conversation_id,
        "patient_id": packet.patient_id,
        "topics": [topic.value for topic in packet.topics],
        "urgency": packet.urgency.value,
        "owner": packet.owner.value,
        "opened_at": packet.opened_at.isoformat(),
        "due_at": packet.due_at.isoformat(),
        "summary": packet.summary,
        "draft": packet.draft.text if packet.draft else "",
        "suggestion": packet.suggestion,
        "words": list(packet.words),
        "offered": [{"start": slot.start.isoformat(), "provider_id": slot.provider_id} for slot in packet.offered],
        "reason": packet.reason.value if packet.reason else None,
        "call_at": _iso(packet.call_at),
        "acknowledged_at": _iso(packet.acknowledged_at),
        "acknowledged_by": packet.acknowledged_by,
        "resolved_at": _iso(packet.resolved_at),
        "released_at": _iso(packet.released_at),
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
