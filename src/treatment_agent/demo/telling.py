"""How the two weeks are told, line by line: what happened, to whom, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from treatment_agent.demo.moments import Happened, What
from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.handoff import HandoffKind

MOST_WORDS = 68


@dataclass(frozen=True, slots=True)
class TimelineLine:
    """One line: the time of day, a mark for the kind, who, what was said or done, and the rule. `style` is Rich's."""

    clock: str
    mark: str
    who: str
    text: str
    rule: str = ""
    style: str = ""


@dataclass(slots=True)
class Counts:
    """Running totals of the two weeks."""

    sent: int = 0
    received: int = 0
    booked: int = 0
    to_staff: int = 0

    def add(self, happened: Happened) -> None:
        """Count one happening."""
        self.received += happened.what is What.WROTE
        outcome = happened.outcome
        if outcome is not None:
            self.sent += sum(reply.status == "sent" for reply in outcome.replies)
            self.booked += outcome.phase_after is Phase.BOOKED and outcome.phase_before is not Phase.BOOKED
            self.to_staff += sum(packet.kind.holds for packet in outcome.handoffs)

    def __str__(self) -> str:
        return f"{self.sent} texts out, {self.received} in, {self.booked} booked, {self.to_staff} given to a person"


def day_of(happened: Happened, zone: ZoneInfo) -> str:
    """`Tuesday, November 24`."""
    local = happened.at.astimezone(zone)
    return f"{local:%A, %B} {local.day}"


def tell(happened: Happened, zone: ZoneInfo) -> tuple[TimelineLine, ...]:
    """The lines for one happening; a touch that did nothing but wait tells nothing."""
    clock = _clock(happened.at.astimezone(zone))
    match happened.what:
        case What.ENROLLED:
            return _enrolled(happened, clock)
        case What.WROTE:
            said = TimelineLine(clock, "<", happened.patient_id, f'"{_short(happened.words)}"', "", "bold")
            return (said, *_outcome(happened, clock))
        case What.STAFF:
            return (
                TimelineLine(clock, "*", happened.patient_id, _staff(happened), "", "magenta"),
                *_outcome(happened, clock),
            )
        case What.CHART | What.UNTOLD:
            told = "" if happened.what is What.CHART else ", and nobody tells this software"
            text = f"in the office's calendar: {happened.note.replace('_', ' ')}{told}"
            return (TimelineLine(clock, "*", happened.patient_id, text, "", "magenta"), *_outcome(happened, clock))
        case What.TOUCH:
            return _touch(happened, clock)


def _enrolled(happened: Happened, clock: str) -> tuple[TimelineLine, ...]:
    report = happened.enrolment
    if report is None:
        return (TimelineLine(clock, "+", "", f"read {happened.note}"),)
    text = (
        f"read {happened.note}: {report.enrolled} new, {report.refreshed} known, "
        f"{sum(report.skipped.values())} left out with a reason, {len(report.rejected)} rows could not be read"
    )
    bad = (TimelineLine("", "!", "", str(row), "", "yellow") for row in report.rejected)
    return (TimelineLine(clock, "+", "", text, "", "cyan"), *bad)


def _staff(happened: Happened) -> str:
    said = {
        "acknowledged": "has seen it",
        "resume": "spoke with the patient and gives the conversation back",
        "close": "dealt with it and closes the follow-up",
        "booked": "spoke with the patient and booked the visit",
        "declined": "spoke with the patient, who declines",
        "review": "puts it aside for review",
        "done": "did the task",
    }
    return f"{happened.by} {said.get(happened.note, happened.note)}"


def _touch(happened: Happened, clock: str) -> tuple[TimelineLine, ...]:
    outcome = happened.outcome
    if outcome is None:
        return ()
    if not outcome.replies and not outcome.handoffs and outcome.phase_after is outcome.phase_before:
        return ()
    return _outcome(happened, clock)


def _outcome(happened: Happened, clock: str) -> tuple[TimelineLine, ...]:
    """What the coordinator did about it: texts, a booking, a handoff, or silence."""
    outcome, who = happened.outcome, happened.patient_id
    if outcome is None:
        return ()
    rule = outcome.rules[0] if outcome.rules else ""
    lines = []
    for reply in outcome.replies:
        text = _gist(reply.body.get_secret_value()) if happened.what is What.TOUCH else reply.body.get_secret_value()
        failed = "" if reply.status == "sent" else f" ({reply.status})"
        said = f"{reply.script_id}: {_short(' '.join(text.split()))}{failed}"
        lines.append(TimelineLine(clock, ">", who, said, rule, "green"))
    for packet in outcome.handoffs:
        topic = packet.topics[0].value if packet.topics else packet.kind.value.replace("_", " ")
        held = "to a person" if packet.kind is HandoffKind.HANDOFF else "a task"
        text = f"{held}: {topic}, for the {packet.owner.value.replace('_', ' ')}, {packet.urgency.value}"
        style = "bold red" if packet.urgency.value == "now" else "yellow"
        lines.append(TimelineLine(clock, "!", who, text, rule, style))
    if outcome.phase_after is not outcome.phase_before and outcome.phase_after in _TOLD:
        lines.append(TimelineLine(clock, "=", who, _TOLD[outcome.phase_after], rule, "bold cyan"))
    if not lines and happened.what is What.WROTE:
        lines.append(TimelineLine(clock, ".", who, "no text: nothing to say", rule, "dim"))
    return tuple(lines)


_TOLD = {
    Phase.BOOKED: "booked",
    Phase.DECLINED: "declined, nothing more is sent",
    Phase.OPTED_OUT: "opted out, nothing more is sent",
    Phase.DEFERRED: "deferred",
    Phase.NEEDS_REVIEW: "waits for a person to look",
    Phase.CLOSED: "closed",
}


def _clock(local: datetime) -> str:
    return f"{local.hour % 12 or 12}:{local:%M %p}"


def _gist(body: str) -> str:
    """Of a text that offers times, the times; the rest is the same for everybody."""
    offered = [line for line in body.splitlines() if line[:2] in ("1)", "2)")]
    return " ".join(offered) or body


def _short(text: str) -> str:
    return text if len(text) <= MOST_WORDS else text[: MOST_WORDS - 3].rstrip() + "..."
