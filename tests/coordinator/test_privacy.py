"""No patient's name, number, address or word in logs, exceptions, reprs or checkpoints (P11).

One conversation lives through everything, with every port failing once and quoting the patient in its error. Then each
place is searched for the marker strings.
"""

from __future__ import annotations

import logging
import re
import sqlite3
import traceback
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest
from crash_stories import READINGS
from crash_world import World
from office_samples import ana
from pydantic import SecretStr, ValidationError

from treatment_agent import InboundMessage, Patient
from treatment_agent.domain.interpretation import Topic
from treatment_agent.domain.messages import DeliveryReport, DeliveryStatus
from treatment_agent.domain.patients import Permission
from treatment_agent.domain.private import EmailAddress, PhoneNumber
from treatment_agent.errors import AdapterRejected, AdapterUnavailable, DeliveryInDoubt, TreatmentAgentError
from treatment_agent.testing import Crash, understood

PHONE, STRANGER = PhoneNumber("+13125550177"), PhoneNumber("+13125550178")
MARKERS = re.compile(r"zebulina|quagmeyer|312\D{0,3}555\D?01(77|78)|60699|zanzibar|1983-07-19|19830719", re.IGNORECASE)
QUOTING = "Zebulina Quagmeyer +13125550177 quagmeyer@example.com 60699 wrote: zanzibar"

# The ledger's own columns for personal data; everything else holds ids, enums, numbers and times.
PERSONAL = {
    ("patients", "payload"),
    ("seen_cases", "payload"),
    ("turn_inputs", "payload"),
    ("contact_points", "address"),
    ("events", "body"),
    ("outbox", "body"),
    ("handoffs", "words"),
    ("reasons", "words"),
}


@dataclass
class Life:
    """What a conversation's life left behind."""

    database: Path
    records: list[logging.LogRecord] = field(default_factory=list)
    raised: list[BaseException] = field(default_factory=list)
    seen: list[object] = field(default_factory=list)
    failures: set[str] = field(default_factory=set)


class _Collector(logging.Handler):
    def __init__(self, life: Life) -> None:
        super().__init__(logging.DEBUG)
        self.life = life

    def emit(self, record: logging.LogRecord) -> None:
        self.life.records.append(record)


def zebulina() -> Patient:
    return Patient(
        id="pat-1",
        first_name=SecretStr("Zebulina"),
        last_name=SecretStr("Quagmeyer"),
        born_on=date(1983, 7, 19),
        mobile=PHONE,
        email=EmailAddress("quagmeyer@example.com"),
        postal_code=SecretStr("60699"),
        sms=Permission.YES,
    )


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """Everything that can happen to one patient, once."""
    folder = tmp_path_factory.mktemp("life")
    life = Life(folder / "practice.db")
    handler, root = _Collector(life), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        readings = {f"zanzibar {words}": reading for words, reading in READINGS.items()}
        readings["zanzibar sad"] = understood(Topic.SENSITIVE)
        world = World(folder, readings)
        _talk(world, life)
        _break_everything(world, life)
        _look(world, life)
        world.stop()
        yield life
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def _talk(world: World, life: Life) -> None:
    world.first_touch(ana(patient=zebulina()))
    _due(world, life, AdapterUnavailable(QUOTING))
    _due(world, life, ValueError(QUOTING))
    _say(world, life, "friday please")
    _say(world, life, "move it to friday")
    _say(world, life, "after new year")
    _say(world, life, "1")
    _say(world, life, "what is this about")
    _say(world, life, "is anybody there")
    _say(world, life, "who is that", sender=STRANGER)
    world.coordinator.acknowledge("case-ana", by="staff-1")
    life.seen.append(world.coordinator.release("case-ana", by="staff-1"))


def _say(world: World, life: Life, words: str, *, sender: PhoneNumber = PHONE) -> None:
    name = f"m-{len(life.seen)}-{len(life.raised)}"
    message = InboundMessage(id=name, sender=sender, text=SecretStr(f"zanzibar {words}"), received_at=world.clock.now())
    life.seen.append(message)
    try:
        outcome = world.coordinator.receive(message)
    except Exception as error:
        life.raised.append(error)
    else:
        life.seen.append(outcome)
        life.failures |= set(outcome.failures)
        if outcome.handoff is not None:
            world.coordinator.release("case-ana", by="staff-1")


def _break_everything(world: World, life: Life) -> None:
    for port, method, words in (
        ("interpreter", "interpret", "friday please"),
        ("scheduler", "find_slots", "friday please"),
        ("scheduler", "book", "1"),
        ("scheduler", "find_booking", "1"),
        ("desk", "deliver", "sad"),
        ("saver", "put", "thanks"),
    ):
        for error in (ValueError(QUOTING), AdapterUnavailable(QUOTING)):
            world.faults.fail_before(1, error, port=port, method=method)
            _say(world, life, words)
    for refusal in (
        AdapterUnavailable(QUOTING),
        AdapterRejected(QUOTING, code=QUOTING),
        DeliveryInDoubt(QUOTING),
        OSError(QUOTING),
    ):
        world.faults.fail_before(1, refusal, port="messenger", method="send")
        _say(world, life, "friday please")
    for nth in (1, 2, 3, 4):
        world.faults.fail_before(nth, OSError(QUOTING), port="saver", method="put")
    _say(world, life, "the graph is broken")
    world.faults.crash_before(1, port="ledger", method="commit_turn")
    with pytest.raises(Crash):
        _say(world, life, "friday please")
    world.restart()
    world.coordinator.run_due()
    _report(world, life)
    _say(world, life, "STOP")


def _due(world: World, life: Life, error: Exception) -> None:
    """A reminder falls due and the chart cannot be asked."""
    due = world.conversation().due_at
    assert due is not None
    world.clock.set(due)
    world.faults.fail_before(1, error, port="chart", method="check")
    life.seen.append(world.coordinator.run_due())


def _report(world: World, life: Life) -> None:
    fields = {"id": "report-1", "provider_message_id": "memory-1", "status": DeliveryStatus.FAILED}
    report = DeliveryReport.model_validate(fields | {"reported_at": world.clock.now()})
    life.seen.append(world.coordinator.delivery(report))


def _look(world: World, life: Life) -> None:
    """Everything a developer may print, and the errors of a database that broke in earnest."""
    office, now = world.coordinator, world.clock.now()
    life.seen += [office, office._ports, office._turns, office._inbox, office.graph, office.tools, office.policy]
    life.seen += [office.handoffs(open_only=False), office.why("pat-1"), office.report(), office.preview("pat-1")]
    life.seen += [list(office.work_list()), world.ledger.facts("case-ana", at=now), world.history()]
    life.seen += [world.ledger.outbox("case-ana"), world.ledger.journal(patient_id="pat-1"), zebulina()]
    facts = world.ledger.facts("case-ana", at=now)
    life.seen += [
        world.messenger.sent,
        world.desk.packets,
        office._deciding.context(facts, SecretStr("zanzibar"), now=now),
    ]
    with closing(sqlite3.connect(life.database)) as raw:
        raw.execute("ALTER TABLE events RENAME COLUMN payload TO gone")
        raw.commit()
    _say(world, life, "after the table broke")
    with closing(sqlite3.connect(life.database)) as raw:
        raw.execute("ALTER TABLE events RENAME COLUMN gone TO payload")
        raw.commit()
    for make in (
        lambda: InboundMessage(id="x", sender="zanzibar 60699", text=QUOTING, received_at=now),  # type: ignore[arg-type]
        lambda: InboundMessage(id="x", sender=PHONE, text=QUOTING, received_at=now, media=-1),  # type: ignore[arg-type]
        lambda: Patient(id="x", first_name=SecretStr("Zebulina"), mobile="60699"),  # type: ignore[arg-type]
        lambda: PhoneNumber.parse("zanzibar"),
        lambda: EmailAddress.parse("quagmeyer"),
    ):
        with pytest.raises((ValidationError, ValueError)) as caught:
            make()
        life.raised.append(caught.value)


class TestMarkers:
    def test_would_be_found(self) -> None:
        assert len(MARKERS.findall(QUOTING)) == 6
        assert MARKERS.search("(312) 555-0177")

    def test_everything_happened(self, life: Life) -> None:
        kinds = {"turn.understand-failed", "turn.act-failed", "turn.failed"}
        assert kinds <= life.failures
        assert any(isinstance(e, TreatmentAgentError) for e in life.raised)
        with closing(sqlite3.connect(life.database)) as raw:
            dump = "\n".join(raw.iterdump())
        assert len(MARKERS.findall(dump)) > 30


class TestLogs:
    def test_hold_no_marker(self, life: Life) -> None:
        ours = [r for r in life.records if r.name.startswith("treatment_agent")]
        assert {r.getMessage().split()[0] for r in ours} >= {
            "turn.touch-gate-failed",
            "turn.understand-failed",
            "turn.act-failed",
            "turn.failed",
            "desk.unavailable",
            "dispatch.in-doubt",
        }
        formatter = logging.Formatter("%(name)s %(message)s")
        found = [formatter.format(r) for r in life.records if MARKERS.search(formatter.format(r) + repr(r.__dict__))]
        assert found == []


class TestExceptions:
    def test_hold_no_marker(self, life: Life) -> None:
        assert len(life.raised) >= 6
        for error in life.raised:
            # Without the frames of this file: their source lines hold the markers themselves.
            told = traceback.TracebackException.from_exception(error)
            chain = [told, told.__cause__, told.__context__]
            text = "".join(line for t in chain if t is not None for line in t.format_exception_only()) + repr(error)
            assert not MARKERS.search(text), type(error)


class TestReprs:
    def test_hold_no_marker(self, life: Life) -> None:
        names = MARKERS.pattern.replace("|1983-07-19|19830719", "")
        assert len(life.seen) > 30
        for value in life.seen:
            found = re.search(names, f"{value!r} {value}", re.IGNORECASE)
            assert found is None, f"{type(value).__name__} shows {found and found[0]!r}"


class TestCheckpoints:
    def test_hold_no_marker(self, life: Life) -> None:
        with closing(sqlite3.connect(life.database)) as raw:
            rows = [*raw.execute("SELECT * FROM checkpoints"), *raw.execute("SELECT * FROM writes")]
        assert rows
        for row in rows:
            for cell in row:
                text = cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell)
                assert not MARKERS.search(text), text


class TestLedger:
    def test_holds_personal_data_only_where_it_belongs(self, life: Life) -> None:
        found = set()
        with closing(sqlite3.connect(life.database)) as raw:
            raw.row_factory = sqlite3.Row
            tables = [r["name"] for r in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            for table in tables:
                for row in raw.execute(f"SELECT * FROM {table}"):
                    found |= {(table, column) for column in row.keys() if MARKERS.search(_text(row[column]))}  # noqa: SIM118
        assert found <= PERSONAL
        assert found >= PERSONAL - {("reasons", "words")}


def _text(cell: object) -> str:
    return cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell)
