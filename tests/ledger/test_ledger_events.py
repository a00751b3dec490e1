from __future__ import annotations

import itertools
import multiprocessing
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import TypeVar

import pytest
from ledger_samples import (
    DAY,
    HOUR,
    NOW,
    claimed,
    committed,
    email,
    enrolled,
    enrolment,
    message,
    phone,
    record,
    state,
    text_out,
)
from pydantic import SecretStr

from treatment_agent.domain.books import Freshness, StoredEvent, TurnCommit
from treatment_agent.domain.events import TouchDue
from treatment_agent.errors import NotFound
from treatment_agent.ledger.database import use_write_ahead_log
from treatment_agent.ledger.sql_ledger import SqlLedger

WORKERS = 3

T = TypeVar("T")


def claim_in_a_process(url: str, worker: int) -> list[str]:
    """Claim twenty events that every other process claims too; return the ones that were new here."""
    ledger = SqlLedger(url)
    mine = []
    for n in range(20):
        claim = ledger.claim("c17", message(f"SM{n}"), at=NOW, text=SecretStr(f"from {worker}"), sender=phone())
        if claim.freshness is Freshness.NEW:
            mine.append(claim.stored.event.id)
    ledger.close()
    return mine


def lease_in_a_process(url: str, worker: int) -> bool:
    ledger = SqlLedger(url)
    taken = ledger.lease("c17", f"worker-{worker}", at=NOW, ttl=HOUR)
    ledger.close()
    return taken


def first_use_in_a_process(url: str, worker: int) -> tuple[str, ...]:
    ledger = SqlLedger(url)
    found = ledger.due(at=NOW)
    ledger.close()
    return found


def together(start: Barrier, results: Queue[object], work: Callable[[str, int], object], url: str, n: int) -> None:
    """Wait until every process is up, then work."""
    start.wait(60)
    results.put(work(url, n))


def in_processes(work: Callable[[str, int], T], url: str) -> list[T]:
    context = multiprocessing.get_context("spawn")
    start, results = context.Barrier(WORKERS), context.Queue()
    processes = [context.Process(target=together, args=(start, results, work, url, n)) for n in range(WORKERS)]
    for process in processes:
        process.start()
    found = [results.get(timeout=60) for _ in processes]
    for process in processes:
        process.join()
    results.close()
    return found


class TestClaim:
    def test_stores_event_text_and_sender(self, ledger: SqlLedger) -> None:
        enrolled(ledger)

        claim = ledger.claim("c17", message(), at=NOW, text=SecretStr("¿mañana?"), sender=email())

        assert claim.freshness is Freshness.NEW
        assert claim.stored == StoredEvent(1, "c17", message(), SecretStr("¿mañana?"), None, email())
        assert ledger.event("SM1") == claim.stored

    def test_returns_the_first_when_repeated(self, ledger: SqlLedger) -> None:
        enrolled(ledger)
        first = ledger.claim("c17", message(), at=NOW, text=SecretStr("one"), sender=phone())

        again = ledger.claim("c17", message(at=NOW + HOUR), at=NOW + HOUR, text=SecretStr("two"))

        assert again.freshness is Freshness.DUPLICATE
        assert again.stored == first.stored

    def test_returns_the_outcome_of_a_handled_duplicate(self, ledger: SqlLedger) -> None:
        enrolled(ledger)
        committed(ledger)

        again = ledger.claim("c17", message(), at=NOW)

        assert again.stored.outcome is not None
        assert again.stored.outcome.id == "SM1"

    def test_takes_events_without_text(self, ledger: SqlLedger) -> None:
        enrolled(ledger)

        stored = ledger.claim("c17", TouchDue(id="t1", at=NOW, step=1), at=NOW).stored

        assert (stored.text, stored.sender) == (None, None)
        assert ledger.event("t1") == stored

    def test_keeps_an_empty_text_apart_from_none(self, ledger: SqlLedger) -> None:
        enrolled(ledger)

        assert ledger.claim("c17", message(), at=NOW, text=SecretStr("")).stored.text == SecretStr("")

    def test_loses_no_message_to_characters_that_cannot_be_stored(self, ledger: SqlLedger) -> None:
        enrolled(ledger)

        stored = ledger.claim("c17", message(), at=NOW, text=SecretStr("help\x00 me\ud83d")).stored

        assert stored.text == SecretStr("help\ufffd me\ufffd")
        assert ledger.event("SM1") == stored

    def test_refuses_an_unknown_conversation(self, ledger: SqlLedger) -> None:
        with pytest.raises(NotFound, match="c99"):
            ledger.claim("c99", message(), at=NOW, text=SecretStr("hello"))

        assert ledger.event("SM1") is None

    def test_gives_another_senders_message_an_id_of_its_own(self, ledger: SqlLedger) -> None:
        ledger.enroll([enrolment(17), enrolment(18)], at=NOW)
        first = ledger.claim("c17", message(), at=NOW, text=SecretStr("one"), sender=phone(17))

        other = ledger.claim("c18", message(), at=NOW, text=SecretStr("two"), sender=phone(18))
        again = ledger.claim("c18", message(at=NOW + HOUR), at=NOW + HOUR, text=SecretStr("two"), sender=phone(18))

        assert first.stored.event.id == "SM1"
        assert other.freshness is Freshness.NEW
        assert other.stored.event.id != "SM1"
        assert (other.stored.conversation_id, other.stored.text) == ("c18", SecretStr("two"))
        assert (again.freshness, again.stored) == (Freshness.DUPLICATE, other.stored)
        assert phone(18).reveal().lstrip("+") not in other.stored.event.id

    def test_gives_another_kind_of_event_an_id_of_its_own(self, ledger: SqlLedger) -> None:
        enrolled(ledger)
        ledger.claim("c17", TouchDue(id="SM1", at=NOW, step=0), at=NOW)

        claim = ledger.claim("c17", message(), at=NOW, text=SecretStr("hello"), sender=phone())

        assert claim.freshness is Freshness.NEW
        assert claim.stored.event.kind == "patient_message"
        assert len(ledger.pending("c17")) == 2

    def test_lets_one_thread_win_per_sender(self, ledger: SqlLedger) -> None:
        enrolled(ledger)

        def claim(n: int) -> Freshness:
            sender = phone(n % 4)
            return ledger.claim("c17", message(), at=NOW, text=SecretStr(str(n)), sender=sender).freshness

        with ThreadPoolExecutor(8) as pool:
            outcomes = list(pool.map(claim, range(32)))

        assert outcomes.count(Freshness.NEW) == 4
        assert len(ledger.history("c17")) == 4

    def test_takes_a_time_from_the_future_as_now(self, ledger: SqlLedger) -> None:
        enrolled(ledger)

        stored = ledger.claim("c17", message(at=NOW + DAY), at=NOW).stored

        assert stored.event.at == NOW
        assert ledger.claim("c17", message("SM2", NOW - DAY), at=NOW).stored.event.at == NOW - DAY

    def test_lets_one_thread_win(self, ledger: SqlLedger) -> None:
        enrolled(ledger)

        def claim(n: int) -> Freshness:
            return ledger.claim("c17", message(), at=NOW, text=SecretStr(str(n)), sender=phone()).freshness

        with ThreadPoolExecutor(8) as pool:
            outcomes = list(pool.map(claim, range(32)))

        assert outcomes.count(Freshness.NEW) == 1
        assert len(ledger.history("c17")) == 1

    def test_lets_one_process_win(self, ledger: SqlLedger, url: str) -> None:
        enrolled(ledger)

        won = in_processes(claim_in_a_process, url)

        assert sorted(itertools.chain.from_iterable(won)) == sorted(f"SM{n}" for n in range(20))
        assert len(ledger.pending("c17")) == 20


class TestPending:
    def test_gives_unhandled_events_in_the_order_they_came(self, ledger: SqlLedger) -> None:
        enrolled(ledger)
        for n in (3, 1, 2):
            claimed(ledger, event=message(f"SM{n}", NOW - n * HOUR))
        committed(ledger, event=message("SM3"))

        found = ledger.pending("c17")

        assert [e.event.id for e in found] == ["SM1", "SM2"]
        assert found[0].seq < found[1].seq

    def test_keeps_conversations_apart(self, ledger: SqlLedger) -> None:
        enrolled(ledger, 1)
        enrolled(ledger, 2)
        claimed(ledger, "c1")

        assert ledger.pending("c2") == ()

    def test_history_keeps_handled_events_with_their_outcomes(self, ledger: SqlLedger) -> None:
        enrolled(ledger)
        committed(ledger)
        claimed(ledger, event=message("SM2"))

        assert [(e.event.id, e.outcome is None) for e in ledger.history("c17")] == [("SM1", False), ("SM2", True)]

    def test_event_is_none_when_unknown(self, ledger: SqlLedger) -> None:
        assert ledger.event("SM1") is None


class TestLease:
    TTL = timedelta(minutes=2)

    def test_is_refused_while_another_holds_it(self, ledger: SqlLedger) -> None:
        assert ledger.lease("c17", "a", at=NOW, ttl=self.TTL)

        assert not ledger.lease("c17", "b", at=NOW + self.TTL / 2, ttl=self.TTL)

    def test_is_renewed_by_its_owner(self, ledger: SqlLedger) -> None:
        ledger.lease("c17", "a", at=NOW, ttl=self.TTL)

        assert ledger.lease("c17", "a", at=NOW + self.TTL / 2, ttl=self.TTL)
        assert not ledger.lease("c17", "b", at=NOW + self.TTL, ttl=self.TTL)

    def test_is_free_at_the_instant_it_expires(self, ledger: SqlLedger) -> None:
        ledger.lease("c17", "a", at=NOW, ttl=self.TTL)

        assert ledger.lease("c17", "b", at=NOW + self.TTL, ttl=self.TTL)
        assert not ledger.lease("c17", "a", at=NOW + self.TTL, ttl=self.TTL)

    def test_is_given_back_only_by_its_owner(self, ledger: SqlLedger) -> None:
        ledger.lease("c17", "a", at=NOW, ttl=self.TTL)

        ledger.free("c17", "b")
        assert not ledger.lease("c17", "c", at=NOW, ttl=self.TTL)

        ledger.free("c17", "a")
        assert ledger.lease("c17", "c", at=NOW, ttl=self.TTL)

    def test_goes_to_one_thread(self, ledger: SqlLedger) -> None:
        with ThreadPoolExecutor(8) as pool:
            taken = list(pool.map(lambda n: ledger.lease("c17", str(n), at=NOW, ttl=self.TTL), range(24)))

        assert taken.count(True) == 1

    def test_goes_to_one_process(self, ledger: SqlLedger, url: str) -> None:
        ledger.due(at=NOW)

        assert in_processes(lease_in_a_process, url).count(True) == 1


class TestFirstUse:
    def test_makes_the_tables_once_when_many_processes_start_together(self, url: str) -> None:
        assert in_processes(first_use_in_a_process, url) == [()] * WORKERS

    def test_waits_for_whoever_makes_the_file(self, tmp_path: Path) -> None:
        path = tmp_path / "practice.db"
        other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        other.executescript("BEGIN EXCLUSIVE; CREATE TABLE another (id)")
        leaving = threading.Timer(0.3, other.execute, ("COMMIT",))
        leaving.start()

        mine = sqlite3.connect(path, timeout=0)
        use_write_ahead_log(mine.cursor())

        leaving.join()
        other.close()
        assert mine.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert mine.execute("SELECT name FROM sqlite_master").fetchall() == [("another",)]
        mine.close()


class TestUnfinished:
    def test_finds_unhandled_events_and_unsent_texts(self, ledger: SqlLedger) -> None:
        for n in (1, 2, 3, 4):
            enrolled(ledger, n)
        claimed(ledger, "c1")
        committed(ledger, event=message("SM2"), conversation=state("c2", "p2"), outbox=(text_out("k2", "c2"),))
        committed(ledger, event=message("SM3"), conversation=state("c3", "p3"), outbox=(text_out("k3", "c3"),))
        ledger.mark_sending("k3", at=NOW)
        committed(ledger, event=message("SM4"), conversation=state("c4", "p4"))

        assert ledger.unfinished(at=NOW) == ("c1", "c2", "c3")

    def test_leaves_out_what_somebody_holds(self, ledger: SqlLedger) -> None:
        enrolled(ledger)
        claimed(ledger)
        ledger.lease("c17", "a", at=NOW, ttl=HOUR)

        assert ledger.unfinished(at=NOW + HOUR / 2) == ()
        assert ledger.unfinished(at=NOW + HOUR) == ("c17",)

    def test_is_empty_once_all_is_done(self, ledger: SqlLedger) -> None:
        enrolled(ledger)
        committed(ledger, outbox=(text_out(),))
        ledger.mark_sending("c17:SM1:0", at=NOW)
        ledger.mark_unsent("c17:SM1:0", "doubtful", "send.in-doubt", at=NOW)

        assert ledger.unfinished(at=NOW + DAY) == ()


class TestTurnRace:
    def test_commits_a_turn_once_for_many_threads(self, ledger: SqlLedger) -> None:
        enrolled(ledger)
        event = claimed(ledger)
        commit = TurnCommit(record=record(event.id), conversation=state(), outbox=(text_out(),))

        with ThreadPoolExecutor(8) as pool:
            outcomes = list(pool.map(lambda _: ledger.commit_turn(commit, at=NOW), range(16)))

        assert outcomes.count(True) == 1
        assert len(ledger.outbox("c17")) == 1
