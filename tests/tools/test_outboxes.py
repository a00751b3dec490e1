"""Messengers and desks that write to the terminal or to files."""

from __future__ import annotations

import io
import json
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from rich.console import Console

from treatment_agent.domain.handoff import HandoffKind, HandoffPacket, HandoffStatus, Role, Urgency
from treatment_agent.domain.interpretation import Topic
from treatment_agent.domain.messages import ApprovedMessage, Channel, Lookup, SendKind
from treatment_agent.domain.private import EmailAddress, PhoneNumber
from treatment_agent.errors import AdapterRejected, AdapterUnavailable, ConfigurationError, DeliveryInDoubt
from treatment_agent.testing import FrozenClock
from treatment_agent.tools.desks import ConsoleDesk, FileDesk
from treatment_agent.tools.json_lines import JsonLines
from treatment_agent.tools.memory import MemoryMessenger
from treatment_agent.tools.messengers import ChannelMessenger, ConsoleMessenger, FileMessenger

NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)


def message(key: str = "k1", channel: Channel = Channel.SMS) -> ApprovedMessage:
    return ApprovedMessage(
        key=key,
        conversation_id="c1",
        to=PhoneNumber("+13125550117") if channel is Channel.SMS else EmailAddress("ann@example.com"),
        channel=channel,
        body=SecretStr("Hi Ana, it's [bold]Maple[/bold] Dental.\nReply STOP to opt out."),
        subject="" if channel is Channel.SMS else "Your visit",
        script_id="first-message",
        script_version=1,
        language="en",
        approved_by="staff",
        content_hash="0" * 64,
        kind=SendKind.OUTREACH,
    )


def packet(status: HandoffStatus = HandoffStatus.OPENED) -> HandoffPacket:
    return HandoffPacket(
        id="h1",
        conversation_id="c1",
        patient_id="1",
        kind=HandoffKind.HANDOFF,
        status=status,
        topics=(Topic.CLINICAL,),
        urgency=Urgency.TODAY,
        owner=Role.CLINICIAN,
        opened_at=NOW,
        due_at=NOW + timedelta(hours=2),
        summary="A clinical question.",
        suggestion="Call the patient.",
        words=("can it wait [six] months?",),
    )


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=100)


def printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


class TestConsoleMessenger:
    def test_prints_the_text_as_it_is_and_masks_the_address(self, console: Console) -> None:
        ConsoleMessenger(console).send(message())
        ConsoleMessenger(console).send(message("k2", Channel.EMAIL))

        assert "Hi Ana, it's [bold]Maple[/bold] Dental." in printed(console)
        assert "***0117" in printed(console)
        assert "Your visit" in printed(console)
        assert "5550117" not in printed(console)
        assert "ann@" not in printed(console)

    def test_knows_only_what_it_printed_itself(self, console: Console) -> None:
        messenger = ConsoleMessenger(console)
        receipt = messenger.send(message())

        assert messenger.find("k1") == (Lookup.SENT, receipt)
        assert messenger.find("k2") == (Lookup.UNKNOWN, None)


def write_many(path: str, number: int) -> None:
    messenger = FileMessenger(path)
    for n in range(25):
        messenger.send(message(f"{number}:{n}"))


class TestFileMessenger:
    def test_writes_a_line_that_another_object_finds(self, tmp_path: Path) -> None:
        path = tmp_path / "out" / "outbox.jsonl"
        receipt = FileMessenger(path, clock=FrozenClock(NOW)).send(message())

        record = json.loads(path.read_text(encoding="utf-8"))
        assert (record["to"], record["at"]) == ("+13125550117", "2026-11-23T16:00:00+00:00")
        assert record["body"].endswith("opt out.")
        assert record["script_id"] == "first-message"
        assert FileMessenger(path).find("k1") == (Lookup.SENT, receipt)
        assert FileMessenger(path).find("k") == (Lookup.NOT_SENT, None)
        assert FileMessenger(tmp_path / "absent").find("k1") == (Lookup.NOT_SENT, None)

    @pytest.mark.skipif(os.name == "nt", reason="file modes are a matter of POSIX")
    def test_keeps_the_file_to_its_owner(self, tmp_path: Path) -> None:
        FileMessenger(tmp_path / "outbox.jsonl").send(message())

        assert (tmp_path / "outbox.jsonl").stat().st_mode & 0o777 == 0o600

    @pytest.mark.parametrize("keep", [3, 12, 14, 60])
    def test_cannot_tell_when_a_crash_cut_the_line_of_this_key(self, tmp_path: Path, keep: int) -> None:
        path = tmp_path / "outbox.jsonl"
        messenger = FileMessenger(path)
        messenger.send(message("before"))
        whole = path.read_bytes()
        messenger.send(message())
        path.write_bytes(whole + path.read_bytes()[len(whole) :][:keep])

        assert FileMessenger(path).find("k1")[0] is Lookup.UNKNOWN
        assert FileMessenger(path).find("before")[0] is Lookup.SENT
        if keep > 12:
            assert FileMessenger(path).find("other")[0] is Lookup.NOT_SENT

    def test_begins_a_new_line_after_one_that_was_cut(self, tmp_path: Path) -> None:
        path = tmp_path / "outbox.jsonl"
        FileMessenger(path).send(message())
        path.write_bytes(path.read_bytes()[:40])

        FileMessenger(path).send(message("k2"))

        assert FileMessenger(path).find("k2")[0] is Lookup.SENT
        assert FileMessenger(path).find("k1")[0] is Lookup.UNKNOWN

    def test_lines_of_several_processes_stay_whole(self, tmp_path: Path) -> None:
        path = tmp_path / "outbox.jsonl"
        with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
            list(pool.map(write_many, [str(path)] * 4, range(4)))

        keys = [r["key"] for r in JsonLines(path).records() if isinstance(r, dict)]
        assert sorted(keys) == sorted(f"{number}:{n}" for number in range(4) for n in range(25))

    def test_is_unavailable_when_it_cannot_be_opened_and_unknown_when_it_cannot_be_read(self, tmp_path: Path) -> None:
        with pytest.raises(AdapterUnavailable) as caught:
            FileMessenger(tmp_path).send(message())

        assert "0117" not in str(caught.value)
        assert FileMessenger(tmp_path).find("k1") == (Lookup.UNKNOWN, None)

    def test_is_in_doubt_when_the_disk_fails_within_the_write(self) -> None:
        if not Path("/dev/full").exists():
            pytest.skip("no /dev/full here")
        with pytest.raises(DeliveryInDoubt) as caught:
            FileMessenger("/dev/full").send(message())

        assert "Ana" not in repr(caught.value)
        with pytest.raises(AdapterUnavailable):
            FileDesk("/dev/full").deliver(packet())


class TestChannelMessenger:
    def test_routes_by_channel(self) -> None:
        sms, email = MemoryMessenger([Channel.SMS]), MemoryMessenger([Channel.EMAIL])
        router = ChannelMessenger({Channel.SMS: sms, Channel.EMAIL: email})

        router.send(message("a"))
        router.send(message("b", Channel.EMAIL))

        assert [m.key for m in sms.sent] == ["a"]
        assert [m.key for m in email.sent] == ["b"]
        assert router.channels == {Channel.SMS, Channel.EMAIL}
        assert [router.find(key)[0] for key in ("a", "b", "c")] == [Lookup.SENT, Lookup.SENT, Lookup.NOT_SENT]

    def test_cannot_tell_when_one_of_its_messengers_cannot(self, console: Console) -> None:
        router = ChannelMessenger({Channel.SMS: MemoryMessenger(), Channel.EMAIL: ConsoleMessenger(console)})

        assert router.find("a") == (Lookup.UNKNOWN, None)

    def test_refuses_routes_that_cannot_work(self) -> None:
        with pytest.raises(ConfigurationError, match="does not send email; it sends sms"):
            ChannelMessenger({Channel.EMAIL: MemoryMessenger([Channel.SMS])})
        with pytest.raises(ConfigurationError, match="at least one"):
            ChannelMessenger({})
        with pytest.raises(AdapterRejected, match="no route for email"):
            ChannelMessenger({Channel.SMS: MemoryMessenger()}).send(message(channel=Channel.EMAIL))


class TestDesks:
    def test_console_shows_words_as_they_are_and_later_one_line(self, console: Console) -> None:
        desk = ConsoleDesk(console)

        desk.deliver(packet())
        desk.deliver(packet(HandoffStatus.ACKNOWLEDGED))

        assert "can it wait [six] months?" in printed(console)
        assert "clinician, today" in printed(console)
        assert printed(console).rstrip().endswith("handoff h1: acknowledged")

    def test_file_keeps_the_last_state_of_a_packet(self, tmp_path: Path) -> None:
        path = tmp_path / "desk.jsonl"
        FileDesk(path).deliver(packet())
        FileDesk(path).deliver(packet(HandoffStatus.RESOLVED))

        (kept,) = FileDesk(path).packets()
        assert (kept["status"], kept["topics"], kept["owner"]) == ("resolved", ["clinical"], "clinician")
        assert kept["words"] == ["can it wait [six] months?"]
