from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import pytest
from hypothesis import given
from langgraph.checkpoint.base import BaseCheckpointSaver, empty_checkpoint
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.graph import END, START, StateGraph
from ledger_samples import NOW, enrolled, record, state, values_of
from test_ledger_codec import types_within

from treatment_agent.domain.conversation import Conversation, Move, Phase
from treatment_agent.domain.interpretation import ClauseReading, Intent, Interpretation, Span, Topic
from treatment_agent.domain.messages import PlannedSend
from treatment_agent.domain.scheduling import Booking, Slot
from treatment_agent.domain.turn import Decision, TurnRecord
from treatment_agent.errors import ConfigurationError, StateTooNew
from treatment_agent.ledger.checkpoints import StateSerializer, checkpoint_types, close_saver, open_saver, prune
from treatment_agent.ledger.sql_ledger import SqlLedger


@dataclass(frozen=True)
class Unnamed:
    """A state type that nobody named."""

    word: str = "x"


class State(TypedDict, total=False):
    conversation: Conversation
    turn: TurnRecord


@pytest.fixture
def saver(url: str) -> Iterator[BaseCheckpointSaver[str]]:
    opened = open_saver(url)
    yield opened
    close_saver(opened)


def serializer() -> StateSerializer:
    return StateSerializer(checkpoint_types())


def there_and_back(value: Any) -> Any:
    return serializer().loads_typed(serializer().dumps_typed(value))


def config(thread: str = "c17") -> dict[str, dict[str, str]]:
    return {"configurable": {"thread_id": thread}}


def graph(saver: BaseCheckpointSaver[str]) -> Any:
    def count(given: State) -> State:
        step = given["conversation"].step + 1
        return {"conversation": state(step=step), "turn": record(f"SM{step}")}

    built = StateGraph(State)
    built.add_node("count", count)
    built.add_edge(START, "count")
    built.add_edge("count", END)
    return built.compile(checkpointer=saver)


def counted(saver: BaseCheckpointSaver[str], thread: str = "c17") -> int:
    return len(list(saver.list(config(thread))))


class TestCheckpointTypes:
    def test_are_all_types_that_occur(self) -> None:
        found = checkpoint_types()

        assert {Conversation, TurnRecord, Slot, Booking, Phase, Interpretation, Span, Topic, Intent} <= set(found)
        assert {PlannedSend, ClauseReading} <= set(found)

    def test_are_no_others(self) -> None:
        assert not {Decision, Move, str, int} & set(checkpoint_types())

    def test_grow_with_the_roots(self) -> None:
        assert {Decision, Move} <= set(checkpoint_types((Decision,)))


class TestStateSerializer:
    @given(values_of(TurnRecord))
    def test_property_turn_record_comes_back_exactly(self, done: TurnRecord) -> None:
        back = there_and_back({"channel_values": {"turn": done}})["channel_values"]["turn"]

        assert back == done
        assert types_within(back) == types_within(done)

    @given(values_of(Conversation))
    def test_property_conversation_comes_back_exactly(self, conversation: Conversation) -> None:
        back = there_and_back(conversation)

        assert back == conversation
        assert types_within(back) == types_within(conversation)

    def test_is_needed_because_langgraphs_own_turns_tuples_into_lists(self) -> None:
        own = JsonPlusSerializer(allowed_msgpack_modules=checkpoint_types())

        assert own.loads_typed(own.dumps_typed(record())).rules == ["reply.ask"]
        assert there_and_back(record()).rules == ("reply.ask",)

    def test_is_smaller_than_langgraphs_own(self) -> None:
        own = JsonPlusSerializer(allowed_msgpack_modules=checkpoint_types())
        value = {"conversation": state(due_at=NOW), "turn": record()}

        assert len(serializer().dumps_typed(value)[1]) * 2 < len(own.dumps_typed(value)[1])

    def test_keeps_enums_and_plain_values(self) -> None:
        value = {"phase": Phase.BOOKED, "at": NOW, "words": ["a", None, 1], "none": None}

        back = there_and_back(value)

        assert back == value
        assert type(back["phase"]) is Phase

    def test_keeps_only_the_name_of_an_exception(self) -> None:
        assert there_and_back(ValueError("MARKER-WORDS")) == "ValueError"

    def test_refuses_to_write_a_type_nobody_named(self) -> None:
        with pytest.raises(ConfigurationError, match="name the state type Unnamed"):
            serializer().dumps_typed({"channel_values": {"x": [Unnamed()]}})

    def test_refuses_to_read_a_type_of_a_newer_release(self) -> None:
        data = StateSerializer((*checkpoint_types(), Unnamed)).dumps_typed({"x": Unnamed()})

        with pytest.raises(StateTooNew, match="Unnamed"):
            serializer().loads_typed(data)

    def test_refuses_two_types_of_one_name(self) -> None:
        twin = dataclass(type("Slot", (), {}))

        with pytest.raises(ConfigurationError, match="same name"):
            StateSerializer((Slot, twin))

    def test_survives_langgraphs_own_copy_for_a_graph(self) -> None:
        copy = serializer().with_msgpack_allowlist([("somewhere", "Else")])

        assert copy.loads_typed(copy.dumps_typed(record())) == record()


class TestOpenSaver:
    def test_stores_no_word_of_what_a_node_raised(self, saver: BaseCheckpointSaver[str]) -> None:
        def fail(given: State) -> State:
            raise RuntimeError("MARKER-WORDS")

        built = StateGraph(State)
        built.add_node("fail", fail)
        built.add_edge(START, "fail")
        runner = built.compile(checkpointer=saver)

        with pytest.raises(RuntimeError):
            runner.invoke({"conversation": state()}, config(), durability="exit")

        (kept,) = saver.list(config())
        assert "RuntimeError" in str(kept.pending_writes)
        assert "MARKER-WORDS" not in str(kept)

    def test_carries_state_from_run_to_run(self, saver: BaseCheckpointSaver[str]) -> None:
        runner = graph(saver)
        runner.invoke({"conversation": state()}, config(), durability="exit")

        found = runner.get_state(config()).values

        assert found == {"conversation": state(step=1), "turn": record("SM1")}

    def test_shares_the_ledgers_database(self, url: str, ledger: SqlLedger, saver: BaseCheckpointSaver[str]) -> None:
        enrolled(ledger)

        graph(saver).invoke({"conversation": state()}, config(), durability="exit")

        assert ledger.due(at=NOW) == ("c17",)
        assert counted(saver) == 1

    def test_opens_what_an_earlier_process_left(self, url: str) -> None:
        first = open_saver(url)
        graph(first).invoke({"conversation": state()}, config(), durability="exit")
        close_saver(first)

        again = open_saver(url)
        assert graph(again).get_state(config()).values["turn"] == record("SM1")
        close_saver(again)

    def test_makes_the_tables_once_when_many_open_it_together(self, url: str) -> None:
        start = threading.Barrier(4)

        def opened(_: int) -> None:
            start.wait()
            close_saver(open_saver(url))

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(opened, range(4))) == [None] * 4

    def test_says_so_when_the_file_is_no_database(self, tmp_path: Path) -> None:
        (tmp_path / "ledger.db").write_text("patients of this office: Qz7Zebra" * 100, encoding="utf-8")

        with pytest.raises(ConfigurationError, match="checkpoints: the SQLite file cannot be opened") as caught:
            open_saver(f"sqlite:///{tmp_path}/ledger.db")
        assert "Zebra" not in str(caught.value)

    def test_works_in_memory(self) -> None:
        saver = open_saver("sqlite://")
        graph(saver).invoke({"conversation": state()}, config(), durability="exit")
        assert counted(saver) == 1
        close_saver(saver)

    def test_refuses_a_wrong_address(self) -> None:
        with pytest.raises(ConfigurationError, match="write sqlite:///"):
            open_saver("practice.db")

    def test_waits_for_another_writer_on_sqlite(self, tmp_path: Path) -> None:
        saver = open_saver(f"sqlite:///{tmp_path / 'ledger.db'}")
        connection: sqlite3.Connection = saver.conn  # type: ignore[attr-defined]

        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA busy_timeout").fetchone() == (30_000,)
        close_saver(saver)


class TestPrune:
    def test_keeps_only_the_newest_checkpoint(self, saver: BaseCheckpointSaver[str]) -> None:
        runner = graph(saver)
        for _ in range(3):
            runner.invoke({"conversation": runner.get_state(config()).values.get("conversation", state())}, config())
        runner.invoke({"conversation": state()}, config("other"))
        other = counted(saver, "other")
        assert counted(saver) > 3

        prune(saver, "c17")

        assert counted(saver) == 1
        assert runner.get_state(config()).values == {"conversation": state(step=3), "turn": record("SM3")}
        assert counted(saver, "other") == other

    def test_lets_the_thread_go_on(self, saver: BaseCheckpointSaver[str]) -> None:
        runner = graph(saver)
        for step in range(3):
            runner.invoke({"conversation": state(step=step)}, config(), durability="exit")
            prune(saver, "c17")

        assert runner.get_state(config()).values["conversation"].step == 3
        assert counted(saver) == 1

    def test_deletes_the_writes_of_what_it_deletes(self, tmp_path: Path) -> None:
        saver = open_saver(f"sqlite:///{tmp_path / 'ledger.db'}")
        runner = graph(saver)
        for step in range(3):
            runner.invoke({"conversation": state(step=step)}, config())

        prune(saver, "c17")

        connection: sqlite3.Connection = saver.conn  # type: ignore[attr-defined]
        assert connection.execute(
            "SELECT count(*) FROM writes WHERE checkpoint_id NOT IN (SELECT checkpoint_id FROM checkpoints)"
        ).fetchone() == (0,)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        close_saver(saver)

    def test_does_nothing_for_an_unknown_thread(self, saver: BaseCheckpointSaver[str]) -> None:
        prune(saver, "nobody")

        assert counted(saver, "nobody") == 0

    def test_leaves_a_saver_alone_that_cannot_prune(self) -> None:
        saver = InMemorySaver()
        saver.put({"configurable": {"thread_id": "c17", "checkpoint_ns": ""}}, empty_checkpoint(), {}, {})

        prune(saver, "c17")

        assert counted(saver) == 1
