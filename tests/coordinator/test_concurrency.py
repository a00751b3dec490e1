"""Many at once on one set of books: turns in order, each event once, each text once, each slot once (P6, P8)."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from crash_stories import READINGS
from crash_world import ANA, BEN, ForgetfulMessenger, StandingClock, World
from office_samples import CHICAGO, FIRST_MORNING, OPENINGS, ana, someone
from pydantic import SecretStr

from treatment_agent import Case, Coordinator, InboundMessage
from treatment_agent.coordinator.hold import LEASE, Hold
from treatment_agent.domain.books import OutboxStatus
from treatment_agent.domain.consent import ConsentHow, ConsentRecord, ConsentStatus
from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.events import PatientMessage, TouchDue
from treatment_agent.domain.messages import ApprovedMessage, Receipt
from treatment_agent.domain.private import PhoneNumber
from treatment_agent.domain.scheduling import ApprovedBooking, Booking, Slot
from treatment_agent.domain.treatment import ChartStatus
from treatment_agent.errors import ConversationBusy
from treatment_agent.ledger.sql_ledger import SqlLedger
from treatment_agent.policies.limits import Limits
from treatment_agent.tools.memory import MemoryCaseSource, MemoryChart, MemoryScheduler

T = TypeVar("T")

_LEDGER_FIXTURES = Path(__file__).resolve().parents[1] / "ledger" / "conftest.py"
_spec = importlib.util.spec_from_file_location("ledger_fixtures", _LEDGER_FIXTURES)
assert _spec is not None
assert _spec.loader is not None
_ledger_fixtures = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_ledger_fixtures)
postgres_url, fresh_postgres = _ledger_fixtures.postgres_url, _ledger_fixtures.fresh_postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """Ana and Ben, written to this morning, on a clock that waiting does not move."""
    address = request.getfixturevalue("fresh_postgres") if request.param == "postgresql" else ""
    made = World(tmp_path, READINGS, address=address, clock=StandingClock(FIRST_MORNING - timedelta(hours=16)))
    made.first_touch(ana(), someone("ben", BEN))
    assert made.scripts() == ["first-message", "first-message"]
    yield made
    made.stop()


def at_once(*calls: Callable[[], T]) -> list[T]:
    """Make the calls in threads that start at the same moment."""
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        gate.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [f.result() for f in [pool.submit(run, call) for call in calls]]


def machines(world: World, count: int) -> list[Coordinator]:
    """That many machines on the same books, each with connections of its own."""
    made = []
    for _ in range(count):
        world._ledgers.clear()
        made.append(world.start())
    return made


class TestTwoWorkersShareOneCap:
    """A second worker writes in the moment between the first one's last look and its text."""

    def interrupted(self, tmp_path: Path, address: str, *cases: Case, limits: Limits | None = None) -> World:
        made = World(tmp_path, READINGS, address=address, clock=StandingClock(FIRST_MORNING - timedelta(hours=16)))
        made.policy = made.policy.model_copy(update={"limits": limits or Limits(invitations_per_opening=None)})
        made.coordinator.enroll(MemoryCaseSource(cases))
        made.clock.set(FIRST_MORNING + timedelta(minutes=5))
        other, mark = machines(made, 1)[0], made.ledger.mark_sending
        asked: list[str] = []

        def and_another_writes(key: str, **asks: Any) -> bool:
            asked.append(key)
            if len(asked) == 1:
                # Not by a run: it would wait for the lease of the text that is about to leave.
                (free,) = {"case-ana", "case-ben"} - {key.split(":")[0]}
                other._inbox.take(free, TouchDue(id=f"touch:{free}", at=made.clock.now(), step=0))
            return mark(key, **asks)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(SqlLedger, "mark_sending", lambda _, key, **asks: and_another_writes(key, **asks))
            made.coordinator.run_due()
        other.close()
        assert len(asked) >= 2, "both were about to leave"
        made.clock.advance(timedelta(minutes=1))
        made.coordinator.run_due()
        return made

    @pytest.fixture(params=["sqlite", "postgresql"])
    def address(self, request: pytest.FixtureRequest) -> str:
        return request.getfixturevalue("fresh_postgres") if request.param == "postgresql" else ""

    def test_of_a_household(self, tmp_path: Path, address: str) -> None:
        family = (someone("ana", ANA, household_id="h-1"), someone("ben", BEN, household_id="h-1"))
        world = self.interrupted(tmp_path, address, *family)

        assert world.scripts() == ["first-message"]
        assert "contact.cap-day" in {
            entry.rule for name in ("ana", "ben") for entry in world.coordinator.why(name).lines
        }
        world.stop()

    def test_of_the_day(self, tmp_path: Path, address: str) -> None:
        strangers = (someone("ana", ANA), someone("ben", BEN))
        world = self.interrupted(tmp_path, address, *strangers, limits=Limits(texts_per_day=1))

        assert world.scripts() == ["first-message"]
        world.stop()


class TestFourMessagesAtOnce:
    def test_are_four_turns_in_order_of_arrival(self, world: World) -> None:
        words = ("friday please", "call me", "thanks", "cost is the issue")
        offices = machines(world, 4)

        outcomes = at_once(*(_says(office, world, text) for office, text in zip(offices, words, strict=True)))

        story = [e for e in world.history() if isinstance(e.event, PatientMessage)]
        assert {e.event.id for e in story} == set(words)
        phases = [(e.outcome.phase_before, e.outcome.phase_after) for e in story if e.outcome]
        assert len(phases) == 4
        assert [before for before, _ in phases] == [Phase.CONTACTED, *(after for _, after in phases[:-1])]
        assert sorted(o.event_id for o in outcomes) == sorted(words)
        assert not any(o.duplicate for o in outcomes)
        _no_text_twice(world)
        for office in offices:
            office.close()


class _SlowProvider(ForgetfulMessenger):
    """Takes its time with a text, during which something else happens."""

    meanwhile: Callable[[], object] | None = None

    def send(self, message: ApprovedMessage) -> Receipt:
        happens, self.meanwhile = self.meanwhile, None
        if happens is not None:
            happens()
        return super().send(message)


class TestATextOnItsWay:
    def test_is_left_alone_by_whoever_comes_meanwhile(self, tmp_path: Path) -> None:
        world = World(tmp_path, READINGS, clock=StandingClock(FIRST_MORNING), messenger=_SlowProvider())
        world.first_touch()
        world.clock.set(datetime(2026, 11, 27, 10, tzinfo=CHICAGO))
        world.coordinator.run_due()
        (other,) = machines(world, 1)
        second = threading.Thread(target=_says(other, world, "call me"))
        given_time = threading.Event()
        world.messenger.meanwhile = lambda: (second.start(), given_time.wait(0.3))  # type: ignore[attr-defined]

        world.text("friday please")
        second.join(timeout=20)

        assert world.scripts() == ["first-message", "offer-one", "callback-ask"]
        assert {r.status for r in world.ledger.outbox("case-ana")} == {OutboxStatus.SENT}
        other.close()
        world.stop()


class TestOneMessageDeliveredByEight:
    def test_is_one_turn(self, world: World) -> None:
        offices = machines(world, 2)

        outcomes = at_once(*(_says(offices[n % 2], world, "2") for n in range(8)))

        assert [o.duplicate for o in outcomes].count(False) == 1
        assert {o.rules for o in outcomes} == {("reply.accept",)}
        assert len(world.live()) == 1
        assert world.scripts().count("booked") == 1
        _no_text_twice(world)
        for office in offices:
            office.close()


class TestTwoRunsAtOnce:
    def test_touch_nobody_twice(self, world: World) -> None:
        names = [f"p{n}" for n in range(6)]
        people = [someone(name, PhoneNumber(f"+131255501{30 + n}")) for n, name in enumerate(names)]
        world.coordinator.enroll(MemoryCaseSource(people))
        world.clock.set(datetime(2026, 11, 27, 10, tzinfo=CHICAGO))
        offices = machines(world, 2)

        reports = at_once(*(office.run_due for office in offices))

        assert [r.failed for r in reports] == [(), ()]
        written = Counter(m.conversation_id for m in world.messenger.sent if m.conversation_id.startswith("case-p"))
        assert written == {f"case-{name}": 1 for name in names}
        _no_text_twice(world)
        for office in offices:
            office.close()


class _Doorway(MemoryScheduler):
    """Lets nobody book before two want to."""

    def __init__(self, openings: Sequence[Slot]) -> None:
        super().__init__(openings)
        self._door = threading.Barrier(2, timeout=20)

    def book(self, booking: ApprovedBooking) -> Booking:
        self._door.wait()
        return super().book(booking)


class TestTwoPatientsForOneSlot:
    def test_one_is_booked_and_the_other_gets_other_times(self, tmp_path: Path) -> None:
        world = World(tmp_path, READINGS, clock=StandingClock(FIRST_MORNING), scheduler=_Doorway(OPENINGS))
        world.first_touch(ana(), someone("ben", BEN))
        world.clock.set(datetime(2026, 11, 27, 10, tzinfo=CHICAGO))
        world.coordinator.run_due()
        assert world.conversation("ana").offers == world.conversation("ben").offers
        offices = machines(world, 2)

        hers, his = at_once(_says(offices[0], world, "2", ANA), _says(offices[1], world, "2", BEN, "ben-2"))

        winner, loser = (hers, his) if hers.phase_after is Phase.BOOKED else (his, hers)
        assert winner.phase_after is Phase.BOOKED
        assert [t.script_id for t in winner.replies] == ["booked"]
        assert loser.phase_after is Phase.OFFER_OPEN
        assert [t.script_id for t in loser.replies] == ["slot-taken"]
        assert loser.rules[0] == "booking.slot-taken"
        (booking,) = world.live()
        name = loser.conversation_id.removeprefix("case-")
        assert booking.slot not in world.conversation(name).offers
        assert len(world.conversation(name).offers) == 2
        world.stop()
        for office in offices:
            office.close()


class _Asked(MemoryChart):
    """Does something while it is asked: the world does not wait for us."""

    meanwhile: Callable[[], object] | None = None

    def check(self, case: Case) -> ChartStatus:
        happens, self.meanwhile = self.meanwhile, None
        if happens is not None:
            happens()
        return super().check(case)


class TestWhileATouchIsDecided:
    @pytest.fixture
    def reminder(self, tmp_path: Path) -> World:
        """The first reminder is due."""
        world = World(tmp_path, READINGS, chart=_Asked())
        world.first_touch()
        world.clock.set(world.conversation().due_at or FIRST_MORNING)
        return world

    def test_a_message_goes_first_and_picks_from_what_the_patient_saw(self, reminder: World) -> None:
        seen = reminder.conversation().offers
        event = PatientMessage(id="in-2", at=reminder.clock.now())
        reminder.scheduler.take(seen[0].id)  # so that the reminder would offer others
        reminder.chart.meanwhile = lambda: reminder.ledger.claim(  # type: ignore[attr-defined]
            "case-ana", event, at=reminder.clock.now(), text=SecretStr("2"), sender=ANA
        )

        reminder.coordinator.run_due()

        assert reminder.scripts() == ["first-message", "booked"]
        assert [b.slot for b in reminder.live()] == [seen[1]]
        touch = next(e for e in reminder.history() if e.event.id.startswith("touch:case-ana:1"))
        assert touch.outcome is not None
        assert touch.outcome.rules == ("outreach.phase",)
        reminder.stop()

    def test_a_revocation_on_the_number_stops_it(self, reminder: World) -> None:
        revoked = ConsentRecord(status=ConsentStatus.REVOKED, at=reminder.clock.now(), how=ConsentHow.STAFF)
        reminder.chart.meanwhile = lambda: reminder.ledger.record_consent(  # type: ignore[attr-defined]
            ANA, revoked, at=reminder.clock.now()
        )

        reminder.coordinator.run_due()

        assert reminder.scripts() == ["first-message"]
        assert [r.rule for r in reminder.ledger.outbox("case-ana")] == ["", "contact.consent-revoked"]
        reminder.stop()


class TestHold:
    """The lease outlives slow work, and work that outlived its lease stops."""

    def test_is_renewed_while_messages_queue_up(self, tmp_path: Path) -> None:
        world = World(tmp_path, READINGS)
        world.first_touch()
        for n in range(4):
            event = PatientMessage(id=f"in-{n}", at=world.clock.now())
            world.ledger.claim("case-ana", event, at=world.clock.now(), text=SecretStr("thanks"), sender=ANA)
        stolen: list[bool] = []
        world.stop()
        world.readings = _Slow(world, timedelta(seconds=50), stolen)

        world.coordinator.resume()

        assert stolen == [False] * 4
        assert all(e.outcome for e in world.history())
        world.stop()

    def test_that_was_lost_leaves_the_work_to_the_other(self, tmp_path: Path) -> None:
        world = World(tmp_path, READINGS)
        world.first_touch()
        stolen: list[bool] = []
        world.stop()
        world.readings = _Slow(world, LEASE + timedelta(seconds=1), stolen)

        with pytest.raises(ConversationBusy):
            world.text("2")

        assert stolen == [True]
        assert world.scripts() == ["first-message"]
        assert world.history()[-1].outcome is None
        world.readings = READINGS
        world.restart()
        assert world.text("2").phase_after is Phase.BOOKED
        assert world.scripts() == ["first-message", "booked"]
        world.stop()

    def test_costs_nothing_while_it_is_young(self, tmp_path: Path) -> None:
        world = World(tmp_path, READINGS)
        world.enroll()
        hold = Hold.take(world.ledger, world.clock, "case-ana", "one")
        assert hold is not None
        world.clock.advance(timedelta(seconds=29))
        hold.keep()
        assert hold.taken_at == world.clock.now() - timedelta(seconds=29)
        world.clock.advance(timedelta(seconds=1))
        hold.keep()
        assert hold.taken_at == world.clock.now()
        world.stop()


class _Slow(dict):  # type: ignore[type-arg]
    """Readings that take their time, while somebody else tries the conversation's door."""

    def __init__(self, world: World, takes: timedelta, stolen: list[bool]) -> None:
        super().__init__(READINGS)
        self._world, self._takes, self._stolen = world, takes, stolen

    def get(self, words: object, default: object = None) -> object:
        now = self._world.clock.advance(self._takes)
        self._stolen.append(self._world.ledger.lease("case-ana", "thief", at=now, ttl=LEASE))
        return super().get(words, default)


_PROCESS = """
import sys
from datetime import datetime
from pathlib import Path
sys.path[:0] = {path!r}
from crash_stories import READINGS
from crash_world import StandingClock, World
from office_samples import FIRST_MORNING
from treatment_agent.tools.messengers import FileMessenger
world = World(Path({folder!r}), READINGS, clock=StandingClock(FIRST_MORNING, id_prefix={me!r}))
world.messenger = FileMessenger(Path({folder!r}) / "outbox.jsonl")
world.coordinator
print("ready", flush=True)
sys.stdin.readline()
for words in {words!r}:
    print(words, world.text(words).duplicate, flush=True)
world.stop()
"""


class TestTwoProcesses:
    def test_share_one_conversation(self, tmp_path: Path) -> None:
        world = World(tmp_path, READINGS, clock=StandingClock(FIRST_MORNING))
        world.first_touch()
        world.stop()
        shares = (("friday please", "thanks"), ("thanks", "call me"))
        programs = [
            _PROCESS.format(path=sys.path, folder=str(tmp_path), words=words, me=f"p{n}-")
            for n, words in enumerate(shares)
        ]
        processes = [
            subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for program in programs
        ]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        said = [line for process in processes for line in process.communicate(timeout=60)[0].splitlines()]

        assert sorted(said)[:2] == ["call me False", "friday please False"]
        assert sorted(s.endswith("True") for s in said if s.startswith("thanks")) == [False, True]
        story = [e.outcome for e in world.history() if isinstance(e.event, PatientMessage)]
        assert len(story) == 3
        assert all(story)
        lines = (tmp_path / "outbox.jsonl").read_text().splitlines()
        assert len(lines) == len(set(lines)) == 2
        world.stop()


def _says(
    office: Coordinator, world: World, words: str, sender: PhoneNumber = ANA, id: str = ""
) -> Callable[[], object]:
    message = InboundMessage(id=id or words, sender=sender, text=SecretStr(words), received_at=world.clock.now())
    return lambda: office.receive(message)


def _no_text_twice(world: World) -> None:
    keys = [m.key for m in world.messenger.sent]
    assert len(keys) == len(set(keys))
