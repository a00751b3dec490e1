"""Handoff summaries drafted by a model for staff: after the handoff, beside the fixed summary, never for a patient."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import timedelta

import pytest
from office_samples import Office

from treatment_agent import Phase, PracticePolicy
from treatment_agent.domain.handoff import HandoffPacket
from treatment_agent.errors import AdapterUnavailable, ConfigurationError
from treatment_agent.testing import OpenAIServer, ScriptedModel, Served
from treatment_agent.testing.models import Step
from treatment_agent.tools.memory import MemoryDesk
from treatment_agent.understanding.language_model import Breaker, OpenAICalls, Patience, SummaryDrafter
from treatment_agent.web.books import page_of
from treatment_agent.web.telling import model_lines

WORDS = "how much is it, this is ana marker-lastname, 312-555-0117"
SUMMARY = "[NAME1] asks what it costs. Two times were offered; none was picked."
FULL = "Ana asks what it costs. Two times were offered; none was picked."
ONCE = Patience(attempts=1, wait_seconds=0)
Build = Callable[..., Office]


def summed_up(words: str = SUMMARY) -> str:
    return json.dumps({"summary": words})


@pytest.fixture
def with_drafts(built: Build, policy: PracticePolicy) -> Callable[..., tuple[Office, ScriptedModel]]:
    """An office with a scripted drafter, after the first message to Ana and her question."""

    def make(*steps: Step, **more: object) -> tuple[Office, ScriptedModel]:
        model = ScriptedModel(steps)
        office = built(policy, drafter=SummaryDrafter(model, patience=ONCE), **more)
        office.first_touch()
        office.clock.advance(timedelta(minutes=5))
        assert office.text(WORDS).phase_after is Phase.WITH_STAFF
        return office, model

    return make


WithDrafts = Callable[..., tuple[Office, ScriptedModel]]


def packet_of(office: Office) -> HandoffPacket:
    (packet,) = office.coordinator.handoffs()
    return packet


class TestDraft:
    def test_stands_beside_the_fixed_summary_and_says_what_it_is(self, with_drafts: WithDrafts):
        office, model = with_drafts(summed_up())
        before = packet_of(office)

        office.coordinator.run_due()

        packet = packet_of(office)
        assert packet.summary == before.summary
        assert packet.draft is not None
        assert packet.draft.text == FULL
        assert packet.draft.marked == f"Drafted by a language model, not checked: {FULL}"
        model.done()

    def test_comes_after_the_desk_has_the_handoff_and_reaches_it_later(self, with_drafts: WithDrafts):
        office, _ = with_drafts(summed_up())
        assert [packet.draft for packet in office.desk.packets] == [None]

        office.coordinator.run_due()

        (packet,) = office.desk.packets
        assert packet.draft is not None

    def test_is_built_from_the_conversation_with_names_and_numbers_hidden(self, with_drafts: WithDrafts):
        office, model = with_drafts(summed_up())

        office.coordinator.run_due()

        told = json.loads(model.requests[0].question)
        first, asked, *answered = told["conversation"].split("\n")
        assert set(told) == {"topics", "now", "conversation"}
        assert "financing" in told["topics"]
        assert first.startswith("office: Maple Dental")
        assert asked == "patient: how much is it, this is [NAME1] [NAME2], [PHONE2]"
        assert all(line.startswith("office: ") for line in answered)
        assert "marker" not in told["conversation"].lower()
        assert "555" not in told["conversation"]

    def test_reaches_no_patient_no_log_and_no_turn(self, with_drafts: WithDrafts, caplog: pytest.LogCaptureFixture):
        caplog.set_level(logging.DEBUG)
        office, _ = with_drafts(summed_up("Zorbing is asked about."))
        office.coordinator.run_due()

        office.coordinator.release("case-ana", by="kim")
        office.text("1")

        assert packet_of_all(office).draft is not None
        assert all("Zorbing" not in message.body.get_secret_value() for message in office.sent_messages())
        assert "Zorbing" not in caplog.text
        assert "Zorbing" not in repr(packet_of_all(office))
        assert "Zorbing" not in repr(office.coordinator.ledger.history("case-ana"))
        assert "Zorbing" not in repr(office.coordinator.ledger.inputs("case-ana"))

    def test_is_made_once_and_anew_when_the_patient_writes_again(self, with_drafts: WithDrafts):
        office, model = with_drafts(summed_up(), summed_up("[NAME1] asks again."))
        office.coordinator.run_due()
        office.coordinator.run_due()
        assert len(model.requests) == 1

        office.clock.advance(timedelta(minutes=1))
        office.text("hello?")
        assert packet_of(office).draft is None
        office.coordinator.run_due()

        draft = packet_of(office).draft
        assert draft is not None
        assert draft.text == "Ana asks again."
        assert draft.use.calls == 2

    def test_counts_in_the_report_with_all_that_it_took(self, with_drafts: WithDrafts):
        office, _ = with_drafts(summed_up(), summed_up("[NAME1] asks again."))
        office.coordinator.run_due()
        office.clock.advance(timedelta(minutes=1))
        office.text("hello?")
        office.coordinator.run_due()

        model = office.coordinator.report().model

        assert (model.messages, model.drafts, model.draft_calls) == (0, 1, 2)
        assert model.models == ("scripted s1",)
        told = dict(model_lines(model))
        assert told["handoffs summed up for staff"] == "1, in 2 calls"

    def test_stands_in_the_staff_list_of_the_page(self, with_drafts: WithDrafts):
        office, _ = with_drafts(summed_up())
        office.coordinator.run_due()

        page = page_of(office.coordinator)

        assert page.handoffs[0].draft == f"Drafted by a language model, not checked: {FULL}"
        assert ("drafted", page.handoffs[0].draft) in [d for e in page.threads[0].entries for d in e.detail]

    def test_is_told_by_why_with_what_it_took(self, with_drafts: WithDrafts):
        office, _ = with_drafts(summed_up())
        office.coordinator.run_due()

        (line,) = (line for line in office.coordinator.why("ana").lines if line.rule == "handoff.drafted")

        assert "model scripted s1, 1 calls" in line.detail
        assert "costs" not in line.detail


def packet_of_all(office: Office) -> HandoffPacket:
    (packet,) = (p for p in office.coordinator.handoffs(open_only=False) if p.kind.holds)
    return packet


class TestFailure:
    @pytest.mark.parametrize(
        "said",
        [
            Served(status=500),
            Served(cut=True, text=summed_up()),
            Served(refusal="I cannot"),
            Served(finish="length", text=summed_up()),
            Served(wait_seconds=5, text=summed_up()),
            "",
            "She asks about costs.",
            summed_up(""),
            summed_up("x" * 701),
            summed_up("Send her to https://evil.example/pay"),
            summed_up("Call 312-555-0166 instead."),
            summed_up("[NAME9] asks."),
            summed_up("right\u202eto left"),
        ],
        ids=range(13),
    )
    def test_leaves_the_handoff_as_it_was(self, said: Served | str, built: Build, policy: PracticePolicy):
        with OpenAIServer([said]) as server:
            calls = OpenAICalls("test", base_url=server.url)
            office = built(policy, drafter=SummaryDrafter(calls, patience=Patience(seconds=0.4, attempts=1)))
            office.first_touch()
            office.text(WORDS)
            before = packet_of(office)

            office.coordinator.run_due()
            office.coordinator.run_due()

            packet = packet_of(office)
        assert (packet.summary, packet.words, packet.due_at) == (before.summary, before.words, before.due_at)
        assert packet.draft is not None
        assert packet.draft.text == packet.draft.marked == ""
        rules = [line.rule for line in office.coordinator.why("ana").lines]
        assert rules.count("handoff.not-drafted") == 1

    def test_of_the_desk_shows_the_draft_with_the_next_run(self, with_drafts: WithDrafts):
        class Moody(MemoryDesk):
            broken = False

            def deliver(self, packet: HandoffPacket) -> None:
                if self.broken:
                    raise AdapterUnavailable("away")
                super().deliver(packet)

        desk = Moody()
        office, _ = with_drafts(summed_up(), desk=desk)
        desk.broken = True
        office.coordinator.run_due()
        assert [packet.draft for packet in desk.packets] == [None]

        desk.broken = False
        office.coordinator.run_due()

        assert desk.packets[0].draft is not None

    def test_rests_with_the_breaker_and_asks_when_it_is_over(self, built: Build, policy: PracticePolicy):
        model = ScriptedModel([summed_up()])
        breaker = Breaker(failures=1, rest_seconds=60, stopwatch=lambda: now[0])
        now = [0.0]
        breaker.count(ok=False)
        office = built(policy, drafter=SummaryDrafter(model, patience=ONCE, breaker=breaker))
        office.first_touch()
        office.text(WORDS)

        assert office.coordinator.draft_summaries() == 0
        now[0] = 61.0

        assert office.coordinator.draft_summaries() == 1

    def test_of_a_drafter_of_ones_own_stops_nothing(self, built: Build, policy: PracticePolicy):
        class Broken:
            remote = False

            def draft(self, *args: object) -> object:
                raise RuntimeError("no")

        office = built(policy, drafter=Broken())
        office.first_touch()
        office.text(WORDS)

        office.coordinator.run_due()

        assert packet_of(office).draft is None


class TestOff:
    def test_by_default(self, office: Office):
        office.first_touch()
        office.text(WORDS)

        assert office.coordinator.draft_summaries() == 0
        assert packet_of(office).draft is None

    def test_without_an_agreement_for_a_model_elsewhere(self, built: Build, policy: PracticePolicy):
        with pytest.raises(ConfigurationError, match="business associate agreement"):
            SummaryDrafter(ScriptedModel(remote=True))

        local = SummaryDrafter(ScriptedModel())
        local._remote = True
        with pytest.raises(ConfigurationError, match="baa_on_file"):
            built(policy, drafter=local)


class TestServed:
    def test_is_drafted_through_the_real_client(self, built: Build, policy: PracticePolicy):
        with OpenAIServer([summed_up()]) as server:
            office = built(policy, drafter=SummaryDrafter(OpenAICalls("test", base_url=server.url), patience=ONCE))
            office.first_touch()
            office.clock.advance(timedelta(minutes=5))
            office.text(WORDS)
            office.coordinator.run_due()

        draft = packet_of(office).draft
        assert draft is not None
        assert draft.text == FULL
        assert (draft.use.calls, draft.use.input_tokens, draft.use.output_tokens) == (1, 900, 60)
