"""The two weeks, played once: the stories end as they should and no promise is broken on the way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest

from treatment_agent.demo import story
from treatment_agent.demo.app import Practice, open_practice
from treatment_agent.demo.moments import Happened, What
from treatment_agent.demo.run import Simulation
from treatment_agent.demo.telling import tell
from treatment_agent.domain.conversation import Conversation, Disposition, Phase
from treatment_agent.domain.handoff import HandoffKind
from treatment_agent.domain.interpretation import Topic
from treatment_agent.domain.messages import SendKind
from treatment_agent.web import render
from treatment_agent.web.books import page_of

ZONE = ZoneInfo("America/Chicago")


@dataclass(frozen=True)
class Played:
    practice: Practice
    simulation: Simulation
    happened: tuple[Happened, ...]

    def conversation(self, patient_id: str) -> Conversation:
        ledger = self.practice.coordinator.ledger
        conversation_id = ledger.conversation_ids_of_patient(patient_id)[0]
        return ledger.facts(conversation_id, at=self.practice.clock.now()).conversation

    def topics(self, patient_id: str) -> set[Topic]:
        ledger = self.practice.coordinator.ledger
        packets = ledger.handoffs(conversation_id=self.conversation(patient_id).id, open_only=False)
        return {topic for p in packets for topic in p.topics}

    def texts(self, patient_id: str) -> list[str]:
        rows = self.practice.coordinator.ledger.outbox(self.conversation(patient_id).id)
        return [row.message.script_id for row in rows if row.sent_at]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    practice = open_practice(tmp_path_factory.mktemp("maple"), fresh=True)
    simulation = Simulation(practice, story.load())
    happened = tuple(simulation.happenings())
    yield Played(practice, simulation, happened)
    practice.coordinator.close()


class TestStories:
    def test_jordan_is_written_to_the_morning_after_and_booked_after_a_person_helped(self, played: Played) -> None:
        mine = [h for h in played.happened if h.patient_id == "P-2001"]

        first = mine[0]
        assert first.what is What.TOUCH
        assert first.at.astimezone(ZONE).date().isoformat() == "2026-11-25"
        assert first.outcome is not None
        assert first.outcome.replies[0].script_id == "first-message"
        assert played.topics("P-2001") == {Topic.FINANCING}
        assert played.texts("P-2001")[1] == "handoff-financing"
        assert played.conversation("P-2001").phase is Phase.BOOKED

    @pytest.mark.parametrize(
        "patient_id", ["P-1001", "P-1003", "P-1005", "P-1006", "P-1037", "P-1046", "P-2002", "P-2004"]
    )
    def test_books_who_picks_a_time(self, played: Played, patient_id: str) -> None:
        assert played.conversation(patient_id).disposition is Disposition.BOOKED

    @pytest.mark.parametrize("patient_id", ["P-1033", "P-1034"])
    def test_books_in_spanish(self, played: Played, patient_id: str) -> None:
        conversation = played.conversation(patient_id)
        assert conversation.language == "es"
        assert conversation.disposition is Disposition.BOOKED

    @pytest.mark.parametrize(
        ("patient_id", "topic"),
        [
            ("P-1027", Topic.EMERGENCY),
            ("P-1012", Topic.CLINICAL),
            ("P-1028", Topic.CLINICAL),
            ("P-1010", Topic.FINANCING),
            ("P-1011", Topic.FINANCING),
            ("P-1035", Topic.FINANCING),
            ("P-1013", Topic.INSURANCE),
            ("P-1044", Topic.COMPLAINT),
            ("P-1048", Topic.SENSITIVE),
            ("P-1045", Topic.HUMAN),
            ("P-1025", Topic.HUMAN),
        ],
    )
    def test_gives_to_a_person_what_is_not_routine(self, played: Played, patient_id: str, topic: Topic) -> None:
        assert topic in played.topics(patient_id)

    def test_gives_to_a_person_what_nobody_understands(self, played: Played) -> None:
        assert played.topics("P-1049")

    @pytest.mark.parametrize("patient_id", ["P-1023", "P-1036"])
    def test_confirms_an_opt_out_once_and_is_silent_after(self, played: Played, patient_id: str) -> None:
        assert played.conversation(patient_id).phase is Phase.OPTED_OUT
        assert played.texts(patient_id)[-1] == "opt-out-confirmation"
        assert played.texts(patient_id).count("opt-out-confirmation") == 1

    def test_writes_again_only_after_a_fresh_opt_in(self, played: Played) -> None:
        texts = played.texts("P-1024")

        stopped = texts.index("opt-out-confirmation")
        assert texts[stopped + 1] == "opt-in-confirmation"
        assert played.conversation("P-1024").phase is Phase.BOOKED

    def test_never_reminds_who_was_booked_by_phone_without_a_word_to_this_software(self, played: Played) -> None:
        assert played.conversation("P-1040").disposition is Disposition.BOOKED_ELSEWHERE
        assert played.texts("P-1040") == ["first-message"]

    def test_hands_silence_to_a_person(self, played: Played) -> None:
        silent = [h for h in played.happened if h.outcome and "outreach.no-response" in h.outcome.rules]
        assert silent

    def test_never_writes_to_who_was_left_out(self, played: Played) -> None:
        for patient_id in ("P-1055", "P-1057", "P-1058", "P-1059", "P-1062", "P-1063", "P-1064", "P-1068"):
            assert played.texts(patient_id) == []


class TestPromises:
    def test_sends_outreach_only_by_day_and_never_on_sundays_or_holidays(self, played: Played) -> None:
        coordinator = played.practice.coordinator
        sent = [
            row.sent_at.astimezone(ZONE)
            for conversation in coordinator.work_list()
            for row in coordinator.ledger.outbox(conversation.conversation.id)
            if row.sent_at and row.message.kind is SendKind.OUTREACH
        ]

        assert len(sent) > 60
        assert all(time(9) <= at.time() < time(20) for at in sent)
        assert all(at.weekday() != 6 for at in sent)
        assert all(at.date() not in coordinator.policy.office.holidays for at in sent)

    def test_sends_one_outreach_text_a_day_to_a_number(self, played: Played) -> None:
        per_day: dict[tuple[str, object], int] = defaultdict(int)
        coordinator = played.practice.coordinator
        for conversation in coordinator.work_list():
            for row in coordinator.ledger.outbox(conversation.conversation.id):
                if row.sent_at and row.message.kind is SendKind.OUTREACH:
                    per_day[row.message.to.reveal(), row.sent_at.astimezone(ZONE).date()] += 1

        assert set(per_day.values()) == {1}

    def test_is_silent_while_staff_hold_a_conversation(self, played: Played) -> None:
        held: dict[str, datetime] = {}
        for h in played.happened:
            outcome = h.outcome
            if outcome is None:
                continue
            if outcome.conversation_id in held and outcome.phase_before is Phase.WITH_STAFF:
                kinds = {r.script_id for r in outcome.replies}
                assert kinds <= {"emergency", "opt-out-confirmation"}, (h.patient_id, kinds)
            if any(p.kind is HandoffKind.HANDOFF for p in outcome.handoffs):
                held[outcome.conversation_id] = h.at

        assert held

    def test_says_booked_only_for_visits_in_the_calendar(self, played: Played) -> None:
        in_calendar = {a.key for a in played.practice.scheduler.appointments() if a.key}
        booked = [h.outcome.booking for h in played.happened if h.outcome and h.outcome.booking]

        assert len(booked) >= 15
        gone = [b.key for b in booked if b.key not in in_calendar]
        # A visit that was moved or cancelled leaves the calendar; none of ours is lost otherwise.
        assert len(gone) <= 2

    def test_answers_why_for_everybody(self, played: Played) -> None:
        for row in played.practice.coordinator.work_list():
            assert row.case is not None
            answer = played.practice.coordinator.why(row.case.patient.id)
            assert answer.lines
            assert all(line.rule for line in answer.lines)


class TestTelling:
    def test_tells_every_message_and_ends_with_a_funnel_that_adds_up(self, played: Played) -> None:
        wrote = [h for h in played.happened if h.what is What.WROTE]
        tally = played.practice.coordinator.report()

        assert len(wrote) > 60
        assert all(tell(h, ZONE)[0].mark == "<" for h in wrote)
        assert tally.entered > tally.responded > tally.booked > 10
        assert sum(tally.phases.values()) == tally.entered
        assert tally.handoffs_by_topic

    def test_shows_every_conversation_on_the_page(self, played: Played) -> None:
        view = page_of(played.practice.coordinator, since=played.simulation.story.starts, sample=True)
        html = render(view)

        assert len(view.threads) >= 55
        assert sum(day.sent for day in view.days) > 100
        assert [c.label for c in view.funnel] == ["Entered", "Contacted", "Answered", "Booked"]
        assert "Can it wait six months?" in html
        assert "SecretStr" not in html
        assert "***" not in html
