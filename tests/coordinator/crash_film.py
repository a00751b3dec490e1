"""Every moment of a story at which the power may fail, and what must be true however it went on afterwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from crash_stories import READINGS, ForgetfulMessenger, Story
from crash_world import World

from treatment_agent.domain.books import OutboxStatus
from treatment_agent.testing import Faults

T = TypeVar("T")

PROVES_NOTHING = frozenset({"close", "remember_policy"})


@dataclass(frozen=True)
class Frame:
    """What the disk and the outside hold at one boundary. `label` names the first call that came to it."""

    label: str
    step: int
    world: World


class Film(Faults):
    """Keeps a copy of the world before and after every call over a port: a process killed there leaves exactly this."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.frames: list[Frame] = []
        self.world: World | None = None
        self.step = 0
        self.boundaries = 0
        self._seen: set[tuple[object, ...]] = set()

    def passes(self, port: str, method: str, call: Callable[[], T]) -> T:
        if self.world is None or method in PROVES_NOTHING:
            return super().passes(port, method, call)
        self.boundaries += 1
        self._shoot(f"before {port}.{method}")
        result = super().passes(port, method, call)
        self._shoot(f"after {port}.{method}")
        return result

    def _shoot(self, label: str) -> None:
        world = self.world
        assert world is not None
        look = (self.step, *_bytes(world), _outside(world))
        if look in self._seen:
            return  # nothing changed since a frame that is there already: a crash here is that crash
        self._seen.add(look)
        self.frames.append(Frame(label, self.step, world.fork(self.folder / f"frame-{len(self.frames)}")))


def _bytes(world: World) -> tuple[bytes, ...]:
    names = ("practice.db", "practice.db-wal")
    return tuple((world.folder / n).read_bytes() if (world.folder / n).exists() else b"" for n in names)


def _outside(world: World) -> str:
    return repr((world.messenger.sent, world.scheduler.bookings, world.desk.packets))


@dataclass(frozen=True)
class Ending:
    """How a story ended, without anything that depends on the hour."""

    phases: tuple[str, ...]
    sent: tuple[str, ...]
    bookings: tuple[str, ...]
    handoffs: tuple[tuple[str, ...], ...]
    consents: tuple[str, ...]
    events: tuple[str, ...]


def open_world(folder: Path, story: Story) -> World:
    """The world as it stands when the story's first step begins; no process runs."""
    folder.mkdir(parents=True, exist_ok=True)
    world = World(folder, READINGS)
    if story.calendar is not None:
        world.scheduler = story.calendar()
    story.before(world)
    world.stop()
    return world


def shoot(folder: Path, story: Story) -> tuple[Film, Ending]:
    """Run the story once in peace and keep every frame of it."""
    world = open_world(folder / "before", story)
    film = Film(folder)
    world = world.fork(folder / "clean", film)
    world.coordinator  # noqa: B018  starting is not part of the story
    film.world = world
    for number, step in enumerate(story.steps):
        film.step = number
        step(world)
    film.world = None
    world.coordinator.run_due()
    ending = ending_of(world, story)
    world.stop()
    return film, ending


def start_again(frame: Frame, live: Path, downtime: timedelta, *, forgetful: bool = False) -> World:
    """A new process on what a frame left: its scheduled run must handle all that was on the books."""
    world = frame.world.fork(live)
    if forgetful:
        world.messenger.__class__ = ForgetfulMessenger
    world.clock.advance(downtime)
    world.coordinator.run_due()
    return world


def deliver_again(world: World, frame: Frame, story: Story) -> None:
    """What outsiders do after a crash: they deliver again what nobody confirmed, and go on."""
    handled = _outcomes(world, story)
    for step in story.steps[frame.step :]:
        step(world)
    world.coordinator.run_due()
    again = _outcomes(world, story)
    assert {k: v for k, v in again.items() if k in handled} == handled, f"{frame.label}: handled a second time"


def claimed(frame: Frame, film: Film, story: Story) -> bool:
    """True when the event of the story's last step was on the books in this frame."""
    first = next(f for f in film.frames if f.step == frame.step)
    new = len(_outcomes(frame.world, story)) > len(_outcomes(first.world, story))
    return new and frame.step == len(story.steps) - 1


def in_flight(frame: Frame, story: Story) -> bool:
    """True when a text was on its way in this frame, and only the provider can know whether it left."""
    rows = [r for name in story.names for r in frame.world.ledger.outbox(f"case-{name}")]
    return any(r.status is OutboxStatus.SENDING for r in rows)


def _outcomes(world: World, story: Story) -> dict[str, object]:
    return {e.event.id: e.outcome for name in story.names for e in world.history(name)}


def ending_of(world: World, story: Story) -> Ending:
    """What there is to see at the end."""
    now = world.clock.now()
    facts = [world.ledger.facts(f"case-{name}", at=now) for name in story.names]
    handoffs = world.ledger.handoffs(open_only=False)
    events = [e.event for name in story.names for e in world.history(name)]
    return Ending(
        phases=tuple(f.conversation.phase.value for f in facts),
        sent=tuple(m.script_id for m in world.messenger.sent),
        bookings=tuple(f"{b.slot.id} {b.status}" for b in world.scheduler.bookings),
        handoffs=tuple(sorted((h.kind.value, *h.topics, *h.words) for h in handoffs)),
        consents=tuple(c.consent.value for f in facts for c in f.contacts),
        events=tuple(sorted(e.kind for e in events if e.kind != "delivery_reported")),
    )


def check_always(world: World, story: Story, label: str, *, broken_desk: bool = False) -> None:
    """What must hold after any trouble whatever. A desk that refused a packet does not have it; the ledger does."""
    _check_events(world, story, label)
    _check_texts(world, label)
    per_procedure = Counter(p for b in world.live() for p in b.procedure_ids)
    assert max(per_procedure.values(), default=0) <= 1, f"{label}: a procedure is booked twice"
    desk = {p.id: p for p in world.desk.packets}
    for packet in world.ledger.handoffs(open_only=False) if not broken_desk else ():
        assert packet.id in desk, f"{label}: {packet.kind} is in the ledger but never reached the desk"
        assert desk[packet.id].words == packet.words, f"{label}: the desk shows other words than the ledger"


def _check_events(world: World, story: Story, label: str) -> None:
    events = [e for name in story.names for e in world.history(name)]
    missing = {m.id for m in world.delivered} - {e.event.id for e in events}
    assert not missing, f"{label}: {missing} got lost"
    assert [e.event.id for e in events if e.outcome is None] == [], f"{label}: something was never handled"


def _check_texts(world: World, label: str) -> None:
    keys = [m.key for m in world.messenger.sent]
    assert len(keys) == len(set(keys)), f"{label}: a text was sent twice"
    rows = [r for name in _conversations(world) for r in world.ledger.outbox(name)]
    per_event = Counter((r.event_id, r.message.script_id) for r in rows)
    assert max(per_event.values(), default=0) <= 1, f"{label}: two texts for one event"
    assert {r.message.key for r in rows if r.status is OutboxStatus.SENT} <= set(keys), f"{label}: never left"
    assert not [r for r in rows if r.status in (OutboxStatus.PENDING, OutboxStatus.SENDING)], f"{label}: left lying"
    for message in world.messenger.sent:
        script = world.policy.scripts.get(message.script_id, message.language)
        assert message.content_hash == script.content_hash, f"{label}: not an approved text"


def _conversations(world: World) -> list[str]:
    return [row.conversation.id for row in world.ledger.work_list()]


def somebody_has_it(world: World, story: Story) -> bool:
    """True when staff have an open handoff or task about each of the story's patients."""
    held = {h.conversation_id for h in world.ledger.handoffs()}
    return {f"case-{name}" for name in story.names[:1]} <= held
