from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest
from ledger_samples import (
    DAY,
    HOUR,
    NOW,
    case,
    committed,
    email,
    enrolled,
    enrolment,
    entry,
    grant,
    patient,
    phone,
    procedure,
    revocation,
    sent,
    state,
    text_out,
)
from pydantic import SecretStr

from treatment_agent.domain.books import ContactFacts
from treatment_agent.domain.consent import ConsentStatus
from treatment_agent.domain.conversation import Conversation, Phase
from treatment_agent.domain.messages import Channel
from treatment_agent.domain.patients import Contact
from treatment_agent.ledger.sql_ledger import SqlLedger


def consents(ledger: SqlLedger, conversation: str = "c17") -> dict[str, ConsentStatus]:
    return {c.address.reveal(): c.consent for c in ledger.facts(conversation, at=NOW).contacts}


class TestEnroll:
    def test_starts_a_conversation_for_a_new_case(self, ledger: SqlLedger) -> None:
        about = case(owner=patient(language="es"))

        new = ledger.enroll([enrolment(case=about, due_at=NOW + HOUR)], at=NOW)

        facts = ledger.facts("c17", at=NOW)
        assert new == ("c17",)
        assert facts.conversation == Conversation(
            id="c17", case_id="c17", patient_id="p17", phase=Phase.QUEUED, language="es", due_at=NOW + HOUR
        )
        assert facts.case == about
        assert facts.skip_rule is None

    def test_keeps_a_skipped_case_out_of_what_is_due(self, ledger: SqlLedger) -> None:
        enrolled(ledger, skip_rule="eligibility.too-old", due_at=NOW)

        assert ledger.due(at=NOW + DAY) == ()
        facts = ledger.facts("c17", at=NOW)
        assert facts.skip_rule == "eligibility.too-old"
        assert facts.conversation.phase is Phase.QUEUED
        assert facts.conversation.due_at is None

    def test_reports_only_new_cases_when_repeated(self, ledger: SqlLedger) -> None:
        rows = [enrolment(1), enrolment(2)]
        ledger.enroll(rows, at=NOW)

        assert ledger.enroll([*rows, enrolment(3)], at=NOW + DAY) == ("c3",)

    def test_crosses_batches(self, ledger: SqlLedger) -> None:
        rows = [enrolment(n) for n in range(1001)] + [enrolment(5)]

        assert ledger.enroll(rows, at=NOW) == tuple(f"c{n}" for n in range(1001))

    def test_does_nothing_for_no_rows(self, ledger: SqlLedger) -> None:
        assert ledger.enroll([], at=NOW) == ()

    def test_unites_rows_about_one_case_in_one_call(self, ledger: SqlLedger) -> None:
        first = enrolment(case=case(procedures=(procedure("a"),)), journal=(entry("first", patient_id="p17"),))
        second = enrolment(
            case=case(procedures=(procedure("b"),)), score=70, journal=(entry("second", patient_id="p17"),)
        )

        assert ledger.enroll([first, second], at=NOW) == ("c17",)

        (row,) = ledger.work_list()
        assert row.case is not None
        assert [p.id for p in row.case.procedures] == ["a", "b"]
        assert row.score == 70
        assert [e.action for e in ledger.journal(patient_id="p17")] == ["first", "second"]

    def test_refreshes_patient_in_every_case_of_theirs(self, ledger: SqlLedger) -> None:
        owner = patient()
        ledger.enroll([enrolment(case=case(1, owner=owner)), enrolment(case=case(2, owner=owner))], at=NOW)

        renamed = patient(first_name=SecretStr("Anna"))
        ledger.enroll([enrolment(case=case(2, owner=renamed))], at=NOW)

        other = ledger.facts("c1", at=NOW).case
        assert other is not None
        assert other.patient == renamed

    def test_leaves_a_running_conversation_as_it_is(self, ledger: SqlLedger) -> None:
        enrolled(ledger)
        running = state(phase=Phase.CONTACTED, step=1, due_at=NOW + DAY, first_sent_at=NOW)
        committed(ledger, conversation=running)

        enrolled(ledger, skip_rule="eligibility.booked", due_at=NOW)

        facts = ledger.facts("c17", at=NOW)
        assert facts.conversation == running
        assert facts.skip_rule is None

    def test_keeps_the_due_time_of_an_eligible_case(self, ledger: SqlLedger) -> None:
        enrolled(ledger, due_at=NOW)

        enrolled(ledger, due_at=NOW + DAY, score=99)

        (row,) = ledger.work_list()
        assert row.conversation.due_at == NOW
        assert row.score == 99
        assert row.enrolled_at == NOW

    def test_makes_a_skipped_case_due_once_it_is_eligible(self, ledger: SqlLedger) -> None:
        enrolled(ledger, skip_rule="eligibility.no-number")

        enrolled(ledger, due_at=NOW + HOUR)

        assert ledger.due(at=NOW + HOUR) == ("c17",)
        facts = ledger.facts("c17", at=NOW)
        assert facts.skip_rule is None
        assert facts.conversation.due_at == NOW + HOUR

    def test_takes_an_untouched_case_off_the_list_once_it_is_skipped(self, ledger: SqlLedger) -> None:
        enrolled(ledger)

        enrolled(ledger, skip_rule="eligibility.booked")

        assert ledger.due(at=NOW + DAY) == ()
        facts = ledger.facts("c17", at=NOW)
        assert facts.skip_rule == "eligibility.booked"
        assert facts.conversation.due_at is None

    def test_is_safe_when_two_workers_enroll_the_same_cases(self, ledger: SqlLedger) -> None:
        rows = [enrolment(n) for n in range(200)]

        with ThreadPoolExecutor(2) as pool:
            both = list(pool.map(lambda batch: ledger.enroll(batch, at=NOW), [rows, rows[::-1]]))

        assert sorted(both[0] + both[1]) == sorted(f"c{n}" for n in range(200))


class TestContacts:
    def test_are_phone_and_mailbox_of_an_adult(self, ledger: SqlLedger) -> None:
        enrolled(ledger, case=case(owner=patient(email=email())))

        assert ledger.facts("c17", at=NOW).contacts == (
            ContactFacts(Channel.SMS, phone(), ConsentStatus.GRANTED, NOW),
            ContactFacts(Channel.EMAIL, email(), ConsentStatus.NONE),
        )

    def test_are_the_guardians_of_a_minor(self, ledger: SqlLedger) -> None:
        guardian = Contact(first_name=SecretStr("Eva"), mobile=phone(44))
        minor = patient(born_on=date(2012, 1, 1), guardian=guardian)

        enrolled(ledger, case=case(owner=minor))

        assert [c.address for c in ledger.facts("c17", at=NOW).contacts] == [phone(44)]
        assert ledger.conversations_of(phone(17)) == ()

    def test_follow_the_chart_when_a_number_changes(self, ledger: SqlLedger) -> None:
        enrolled(ledger)

        enrolled(ledger, case=case(owner=patient(mobile=phone(18))))

        assert [c.address for c in ledger.facts("c17", at=NOW).contacts] == [phone(18)]
        assert ledger.conversations_of(phone(17)) == ()
        assert [c.id for c in ledger.conversations_of(phone(18))] == ["c17"]

    def test_come_back_when_the_old_number_does(self, ledger: SqlLedger) -> None:
        for number in (17, 18, 17):
            enrolled(ledger, case=case(owner=patient(mobile=phone(number))))

        assert [c.address for c in ledger.facts("c17", at=NOW).contacts] == [phone(17)]


class TestChartConsent:
    def test_is_recorded_for_the_contact_point_of_its_channel(self, ledger: SqlLedger) -> None:
        enrolled(ledger, case=case(owner=patient(email=email())), consents=(grant(channel=Channel.EMAIL),))

        assert consents(ledger) == {
            phone().reveal(): ConsentStatus.NONE,
            email().reveal(): ConsentStatus.GRANTED,
        }  # fmt: skip

    def test_never_overrides_what_the_patient_said(self, ledger: SqlLedger) -> None:
        enrolled(ledger)
        ledger.record_consent(phone(), revocation(NOW + HOUR), at=NOW + HOUR)

        enrolled(ledger, consents=(grant(NOW + DAY),))

        assert consents(ledger) == {phone().reveal(): ConsentStatus.REVOKED}

    @pytest.mark.parametrize("gap", [HOUR, DAY])
    def test_on_a_new_number_does_not_lift_the_persons_revocation(self, ledger: SqlLedger, gap: object) -> None:
        enrolled(ledger)
        ledger.record_consent(phone(), revocation(NOW + HOUR), at=NOW + HOUR)

        moved = case(owner=patient(mobile=phone(18)))
        ledger.enroll([enrolment(case=moved, consents=(grant(NOW + DAY),))], at=NOW + DAY)

        assert consents(ledger) == {phone(18).reveal(): ConsentStatus.REVOKED}

    def test_is_recorded_once_for_a_shared_number(self, ledger: SqlLedger) -> None:
        rows = [enrolment(case=case(n, owner=patient(n, mobile=phone(17)))) for n in (1, 2)]

        ledger.enroll([rows[0], replace(rows[1], consents=(revocation(),))], at=NOW)

        assert consents(ledger, "c2") == {phone().reveal(): ConsentStatus.GRANTED}


class TestDue:
    def test_gives_the_best_score_first_then_the_longest_due(self, ledger: SqlLedger) -> None:
        ledger.enroll(
            [
                enrolment(1, score=10, due_at=NOW - DAY),
                enrolment(2, score=90, due_at=NOW),
                enrolment(3, score=90, due_at=NOW - HOUR),
                enrolment(4, score=99, due_at=NOW + HOUR),
            ],
            at=NOW,
        )

        assert ledger.due(at=NOW) == ("c3", "c2", "c1")
        assert ledger.due(at=NOW, limit=1) == ("c3",)

    def test_counts_the_very_instant_as_due(self, ledger: SqlLedger) -> None:
        enrolled(ledger, due_at=NOW)

        assert ledger.due(at=NOW - HOUR / 3_600_000) == ()
        assert ledger.due(at=NOW) == ("c17",)


class TestWorkList:
    def test_lists_every_case_with_skipped_ones_last(self, ledger: SqlLedger) -> None:
        ledger.enroll([enrolment(1, score=10), enrolment(2, score=95, skip_rule="x.y"), enrolment(3, score=90)], at=NOW)
        ledger.stranger(phone(99), at=NOW)

        rows = list(ledger.work_list())

        assert [(r.conversation.id, r.score, r.skip_rule) for r in rows] == [
            ("c3", 90, None), ("c1", 10, None), ("c2", 95, "x.y"),
        ]  # fmt: skip
        assert rows[0].case == case(3)

    def test_may_be_written_to_while_it_is_read(self, ledger: SqlLedger) -> None:
        ledger.enroll([enrolment(n) for n in range(600)], at=NOW)

        seen = 0
        for row in ledger.work_list():
            seen += 1
            if seen % 200 == 0:
                ledger.add_journal([entry(patient_id=row.conversation.patient_id)])

        assert seen == 600

    def test_stops_at_the_limit(self, ledger: SqlLedger) -> None:
        ledger.enroll([enrolment(1, score=10), enrolment(2, score=20)], at=NOW)

        assert [r.conversation.id for r in ledger.work_list(limit=1)] == ["c2"]


class TestConversationsOf:
    def test_gives_live_ones_first_then_by_our_last_text(self, ledger: SqlLedger) -> None:
        ledger.enroll([enrolment(case=case(n, owner=patient(n, mobile=phone()))) for n in (1, 2, 3, 4)], at=NOW)
        for n, hours in ((1, 1), (2, 2), (3, 3)):
            sent(ledger, text_out(f"c{n}:x:0", f"c{n}"), at=NOW + hours * HOUR)
        committed(ledger, conversation=state("c3", "p3", phase=Phase.OPTED_OUT))

        assert [c.id for c in ledger.conversations_of(phone())] == ["c2", "c1", "c4", "c3"]

    def test_is_empty_for_an_unknown_number(self, ledger: SqlLedger) -> None:
        enrolled(ledger)

        assert ledger.conversations_of(phone(55)) == ()
        assert ledger.conversations_of(email()) == ()


class TestStranger:
    def test_is_created_once_with_an_opaque_id(self, ledger: SqlLedger) -> None:
        first = ledger.stranger(phone(55), at=NOW)

        assert ledger.stranger(phone(55), at=NOW + DAY) == first
        assert ledger.stranger(phone(56), at=NOW).id != first.id
        assert (first.case_id, first.patient_id) == (None, None)
        assert "0155" not in first.id

    def test_is_one_for_many_threads(self, ledger: SqlLedger) -> None:
        with ThreadPoolExecutor(8) as pool:
            found = set(pool.map(lambda _: ledger.stranger(phone(55), at=NOW).id, range(16)))

        assert len(found) == 1

    def test_can_be_read_like_any_conversation(self, ledger: SqlLedger) -> None:
        stranger = ledger.stranger(phone(55), at=NOW)
        ledger.record_consent(phone(55), revocation(), at=NOW)

        facts = ledger.facts(stranger.id, at=NOW)

        assert facts.case is None
        assert facts.contacts == (ContactFacts(Channel.SMS, phone(55), ConsentStatus.REVOKED, NOW),)
        assert facts.revoked_at == NOW


class TestConversationIdsOfPatient:
    def test_gives_the_newest_first(self, ledger: SqlLedger) -> None:
        owner = patient()
        ledger.enroll([enrolment(case=case(1, owner=owner))], at=NOW)
        ledger.enroll([enrolment(case=case(2, owner=owner))], at=NOW + DAY)

        assert ledger.conversation_ids_of_patient("p17") == ("c2", "c1")
        assert ledger.conversation_ids_of_patient("nobody") == ()
