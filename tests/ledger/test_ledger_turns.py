from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from ledger_samples import (
    CENTRAL,
    DAY,
    HOUR,
    NOW,
    REVOKE,
    case,
    claimed,
    committed,
    email,
    enrolled,
    entry,
    message,
    packet,
    patient,
    phone,
    record,
    revocation,
    sent,
    state,
    text_out,
    values_of,
)
from sqlalchemy import create_engine, text

from treatment_agent.domain.books import SentMark, TurnCommit
from treatment_agent.domain.consent import ConsentHow, ConsentStatus
from treatment_agent.domain.conversation import Conversation, Disposition, Phase
from treatment_agent.domain.events import ChartChange, ChartChanged, Event, StaffAction, StaffVerb
from treatment_agent.domain.handoff import HandoffKind, HandoffStatus
from treatment_agent.domain.interpretation import Reason, Span
from treatment_agent.domain.messages import SendKind
from treatment_agent.domain.scheduling import Booking, BookingStatus, Slot
from treatment_agent.domain.turn import ConsentChange, ReasonNote, TurnRecord
from treatment_agent.errors import NotFound
from treatment_agent.ledger.sql_ledger import SqlLedger

SLOT = Slot(
    datetime(2026, 12, 1, 9, tzinfo=CENTRAL), datetime(2026, 12, 1, 10, tzinfo=CENTRAL), "lee", "s1"
)  # fmt: skip
GRANT = ConsentChange(ConsentStatus.GRANTED, ConsentHow.KEYWORD, by="START")


def staff(event_id: str, verb: StaffVerb, at: datetime = NOW) -> StaffAction:
    return StaffAction(id=event_id, at=at, verb=verb, by="s1")


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    engine = create_engine(url)
    with engine.connect() as conn:
        found = [tuple(row) for row in conn.execute(text(query))]
    engine.dispose()
    return found


def dump(url: str) -> dict[str, list[tuple[object, ...]]]:
    """Everything in the ledger, to see that nothing changed."""
    names = ("events", "conversations", "outbox", "handoffs", "consents", "reasons", "journal", "contact_points")
    return {name: sorted(rows(url, f"SELECT * FROM {name}"), key=repr) for name in names}


class TestCommitTurn:
    def test_writes_every_part(self, ledger: SqlLedger) -> None:
        enrolled(ledger)
        after = state(phase=Phase.WITH_STAFF, handoff_id="h1", reasons=(Reason.COST,))
        done = record(reason=ReasonNote(Reason.COST))
        claimed(ledger)

        written = ledger.commit_turn(
            TurnCommit(
                done, after, (text_out(),), (packet(),), (entry("hand_off", conversation_id="c17", event_id="SM1"),)
            ),
            at=NOW,
        )

        assert written
        facts = ledger.facts("c17", at=NOW)
        assert facts.conversation == after
        assert facts.open_handoffs == (packet(),)
        (out,) = ledger.outbox("c17")
        assert (out.message, out.event_id, out.status, out.created_at) == (text_out(), "SM1", "pending", NOW)
        stored = ledger.event("SM1")
        assert stored is not None
        assert stored.outcome == done
        assert [e.action for e in ledger.journal(patient_id="p17")] == ["hand_off"]
        assert ledger.pending("c17") == ()

    def test_changes_nothing_the_second_time(self, ledger: SqlLedger, url: str) -> None:
        enrolled(ledger)
        parts = {
            "outbox": (text_out(),), "handoffs": (packet(),), "journal": (entry(conversation_id="c17"),),
            "attach_words_to": "h1", "conversation": state(phase=Phase.WITH_STAFF, handoff_id="h1"),
            "record": record(consent=REVOKE, reason=ReasonNote(Reason.COST), desk=HandoffStatus.ACKNOWLEDGED),
        }  # fmt: skip
        assert committed(ledger, **parts)
        before = dump(url)

        again = TurnCommit(**(parts | {"conversation": state(phase=Phase.CLOSED)}))

        assert not ledger.commit_turn(again, at=NOW + DAY)
        assert dump(url) == before

    def test_refuses_an_event_nobody_claimed(self, ledger: SqlLedger, url: str) -> None:
        enrolled(ledger)
        before = dump(url)

        with pytest.raises(NotFound, match="SM9"):
            ledger.commit_turn(TurnCommit(record("SM9"), state(phase=Phase.CLOSED), (text_out(),)), at=NOW)

        assert dump(url) == before

    def test_writes_nothing_when_one_part_fails(self, ledger: SqlLedger, url: str) -> None:
        enrolled(ledger)
        claimed(ledger)
        before = dump(url)

        with pytest.raises(NotFound):
            ledger.commit_turn(TurnCommit(record(), state("c99"), (text_out(),)), at=NOW)

        assert dump(url) == before
        assert len(ledger.pending("c17")) == 1

    @settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    @given(values_of(TurnRecord), values_of(Conversation))
    def test_property_gives_back_every_field(
        self, ledger: SqlLedger, done: TurnRecord, after: Conversation
    ) -> None:  # fmt: skip
        number = len(ledger.history("c17")) if ledger.conversation_ids_of_patient("p17") else enrolled(ledger) and 0
        event_id = f"SM-{number}"
        done = replace(done, id=event_id, conversation_id="c17", consent=None, reason=None)
        after = replace(after, id="c17", case_id="c17", patient_id="p17")

        committed(ledger, event=message(event_id), record=done, conversation=after)

        stored = ledger.event(event_id)
        assert stored is not None
        assert stored.outcome == done
        assert ledger.facts("c17", at=NOW).conversation == after

    def test_moves_the_due_time(self, ledger: SqlLedger) -> None:
        enrolled(ledger, due_at=NOW)
        committed(ledger, conversation=state(due_at=NOW + DAY))
        assert ledger.due(at=NOW + HOUR) == ()
        assert ledger.due(at=NOW + DAY) == ("c17",)

        committed(ledger, event=message("SM2"), conversation=state(due_at=None))
        assert ledger.due(at=NOW + 9 * DAY) == ()


class TestConsentChange:
    def test_counts_for_every_contact_point_of_the_person(self, ledger: SqlLedger) -> None:
        enrolled(ledger, case=case(owner=patient(email=email())))

        committed(ledger, record=record(consent=REVOKE), conversation=state(phase=Phase.OPTED_OUT))

        facts = ledger.facts("c17", at=NOW)
        assert [c.consent for c in facts.contacts] == [ConsentStatus.REVOKED] * 2
        assert facts.revoked_at == NOW

    def test_blocks_a_shared_number_for_everybody_but_not_their_own(self, ledger: SqlLedger) -> None:
        enrolled(ledger, 1, case=case(1, owner=patient(1, mobile=phone())))
        enrolled(ledger, 2, case=case(2, owner=patient(2, mobile=phone(), email=email())))

        committed(ledger, record=record(conversation="c1", consent=REVOKE), conversation=state("c1", "p1"))

        sms, mail = ledger.facts("c2", at=NOW).contacts
        assert sms.consent is ConsentStatus.REVOKED
        assert mail.consent is ConsentStatus.NONE

    def test_follows_the_person_to_a_new_number(self, ledger: SqlLedger) -> None:
        enrolled(ledger)
        committed(ledger, record=record(consent=REVOKE))

        enrolled(ledger, case=case(owner=patient(mobile=phone(18))))

        (contact,) = ledger.facts("c17", at=NOW).contacts
        assert (contact.address, contact.consent) == (phone(18), ConsentStatus.REVOKED)

    def test_is_lifted_by_a_later_grant(self, ledger: SqlLedger) -> None:
        enrolled(ledger)
        committed(ledger, record=record(consent=REVOKE))

        committed(ledger, event=message("SM2", NOW + HOUR), record=record("SM2", consent=GRANT))

        facts = ledger.facts("c17", at=NOW)
        assert [(c.consent, c.consent_at) for c in facts.contacts] == [(ConsentStatus.GRANTED, NOW + HOUR)]
        assert facts.revoked_at is None

    def test_is_lifted_only_for_the_contact_point_of_the_grant(self, ledger: SqlLedger) -> None:
        enrolled(ledger, case=case(owner=patient(email=email())))
        committed(ledger, record=record(consent=REVOKE))

        ledger.record_consent(
            phone(), revocation(NOW + HOUR, status=ConsentStatus.GRANTED), at=NOW + HOUR
        )  # fmt: skip

        sms, mail = ledger.facts("c17", at=NOW).contacts
        assert (sms.consent, mail.consent) == (ConsentStatus.GRANTED, ConsentStatus.REVOKED)

    def test_from_a_former_number_still_binds(self, ledger: SqlLedger) -> None:
        enrolled(ledger)
        enrolled(ledger, case=case(owner=patient(mobile=phone(18))))

        ledger.record_consent(phone(17), revocation(NOW + HOUR), at=NOW + HOUR)

        (contact,) = ledger.facts("c17", at=NOW).contacts
        assert (contact.address, contact.consent) == (phone(18), ConsentStatus.REVOKED)

    def test_wrong_number_binds_only_that_number(self, ledger: SqlLedger) -> None:
        enrolled(ledger, case=case(owner=patient(email=email())))
        wrong = ConsentChange(ConsentStatus.REVOKED, ConsentHow.WRONG_NUMBER)

        committed(ledger, record=record(consent=wrong))

        sms, mail = ledger.facts("c17", at=NOW).contacts
        assert (sms.consent, mail.consent) == (ConsentStatus.REVOKED, ConsentStatus.NONE)

    def test_works_for_a_stranger(self, ledger: SqlLedger) -> None:
        stranger = ledger.stranger(phone(), at=NOW)

        committed(ledger, record=record(conversation=stranger.id, consent=REVOKE), conversation=stranger)

        assert ledger.facts(stranger.id, at=NOW).revoked_at == NOW

    def test_records_who_and_how(self, ledger: SqlLedger, url: str) -> None:
        enrolled(ledger, consents=())

        committed(ledger, record=record(consent=GRANT))

        found = rows(url, "SELECT status, how, recorded_by, evidence, purpose, patient_id FROM consents")
        assert found == [("granted", "keyword", "START", "SM1", "treatment_follow_up", "p17")]


class TestReason:
    @pytest.mark.parametrize(
        ("evidence", "words"),
        [((Span(0, 4),), "cost"), ((Span(0, 4), Span(8, 11)), "cost ... the"), ((), "cost is the issue")],
    )
    def test_keeps_the_patients_words(
        self, ledger: SqlLedger, url: str, evidence: tuple[Span, ...], words: str
    ) -> None:  # fmt: skip
        enrolled(ledger)

        note = ReasonNote(Reason.COST, evidence, until=date(2027, 1, 2))
        committed(ledger, text="cost is the issue", record=record(reason=note))

        found = rows(url, "SELECT event_id, conversation_id, code, words FROM reasons")
        assert found == [("SM1", "c17", "cost", words)]


class TestDesk:
    def test_acknowledges_and_releases_what_holds_the_conversation(self, ledger: SqlLedger) -> None:
        enrolled(ledger)
        task = packet("h2", kind=HandoffKind.CALL_BACK)
        committed(ledger, handoffs=(packet(), task))

        for n, status in enumerate((HandoffStatus.ACKNOWLEDGED, HandoffStatus.RESOLVED, HandoffStatus.RELEASED), 1):
            at = NOW + n * HOUR
            done = record(f"A{n}", at=at, desk=status, desk_by="s1")
            committed(ledger, event=staff(f"A{n}", StaffVerb.ACKNOWLEDGE, at), record=done)

        held, untouched = ledger.handoffs(conversation_id="c17", open_only=False)
        assert held == packet(
            status=HandoffStatus.RELEASED, acknowledged_at=NOW + HOUR, acknowledged_by="s1",
            resolved_at=NOW + 2 * HOUR, released_at=NOW + 3 * HOUR,
        )  # fmt: skip
        assert untouched == task
        assert ledger.handoffs() == (task,)

    def test_acknowledges_what_the_same_turn_opens(self, ledger: SqlLedger) -> None:
        enrolled(ledger)

        taken = record("A1", desk=HandoffStatus.ACKNOWLEDGED, desk_by="s1")
        committed(ledger, event=staff("A1", StaffVerb.TAKE_OVER), record=taken, handoffs=(packet(),))

        assert [p.status for p in ledger.handoffs()] == [HandoffStatus.ACKNOWLEDGED]

    def test_does_not_release_what_the_same_turn_opens(self, ledger: SqlLedger) -> None:
        enrolled(ledger)
        committed(ledger, handoffs=(packet(),))

        let_go = record("A1", desk=HandoffStatus.RELEASED, desk_by="s1")
        committed(ledger, event=staff("A1", StaffVerb.RELEASE), record=let_go, handoffs=(packet("h2"),))

        assert [(p.id, p.status) for p in ledger.handoffs()] == [("h2", HandoffStatus.OPENED)]

    def test_attaches_what_the_patient_writes_meanwhile(self, ledger: SqlLedger) -> None:
        enrolled(ledger)
        committed(ledger, handoffs=(packet(),))

        committed(ledger, event=message("SM2"), text="are you there?", attach_words_to="h1")

        assert ledger.handoffs()[0].words == ("cost is the issue", "are you there?")

    def test_survives_words_for_a_handoff_nobody_knows(self, ledger: SqlLedger) -> None:
        enrolled(ledger)

        assert committed(ledger, attach_words_to="h9")


class TestFacts:
    def test_refuses_an_unknown_conversation(self, ledger: SqlLedger) -> None:
        with pytest.raises(NotFound, match="c99"):
            ledger.facts("c99", at=NOW)

    def test_lists_what_went_to_person_and_household_newest_first(self, ledger: SqlLedger) -> None:
        for n, home in ((1, "h"), (2, "h"), (3, "other"), (4, None)):
            enrolled(ledger, n, case=case(n, owner=patient(n, household_id=home)))
        for n in (1, 2, 3, 4):
            out = text_out(f"c{n}:x:0", f"c{n}", to=phone(n), kind=SendKind.REPLY if n == 2 else SendKind.OUTREACH)
            sent(ledger, out, at=NOW + n * HOUR)

        assert ledger.facts("c1", at=NOW + DAY).sent == (
            SentMark(NOW + 2 * HOUR, SendKind.REPLY, "c2"), SentMark(NOW + HOUR, SendKind.OUTREACH, "c1"),
        )  # fmt: skip
        assert [m.conversation_id for m in ledger.facts("c4", at=NOW + DAY).sent] == ["c4"]

    def test_counts_a_text_that_may_have_gone_out(self, ledger: SqlLedger) -> None:
        enrolled(ledger)
        committed(ledger, outbox=tuple(text_out(f"k{n}") for n in range(4)))
        for key, status in (("k0", "doubtful"), ("k1", "failed"), ("k2", None)):
            ledger.mark_sending(key, at=NOW)
            if status:
                ledger.mark_unsent(key, status, "x.y", at=NOW)

        assert len(ledger.facts("c17", at=NOW).sent) == 2

    def test_forgets_texts_after_sixty_days(self, ledger: SqlLedger) -> None:
        enrolled(ledger)
        sent(ledger, text_out())

        assert len(ledger.facts("c17", at=NOW + 60 * DAY).sent) == 1
        assert ledger.facts("c17", at=NOW + 60 * DAY + HOUR).sent == ()

    def test_names_live_conversations_on_the_same_number(self, ledger: SqlLedger) -> None:
        for n in (1, 2, 3, 4):
            enrolled(ledger, n, case=case(n, owner=patient(n, mobile=phone())))
        for n in (1, 2, 3):
            sent(ledger, text_out(f"c{n}:x:0", f"c{n}"), at=NOW + n * HOUR)
        ended = state("c3", "p3", phase=Phase.CLOSED, disposition=Disposition.DECLINED)
        committed(ledger, conversation=ended)

        assert ledger.facts("c1", at=NOW).shared_with == ("c2",)
        assert ledger.facts("c4", at=NOW).shared_with == ("c2", "c1")

    def test_names_nobody_who_gave_the_number_up(self, ledger: SqlLedger) -> None:
        for n in (1, 2):
            enrolled(ledger, n, case=case(n, owner=patient(n, mobile=phone())))
        sent(ledger, text_out("c2:x:0", "c2"))
        assert ledger.facts("c1", at=NOW).shared_with == ("c2",)

        enrolled(ledger, 2, case=case(2, owner=patient(2, mobile=phone(18))))

        assert ledger.facts("c1", at=NOW).shared_with == ()

    @pytest.mark.parametrize(
        ("event", "counts"),
        [
            (staff("A1", StaffVerb.TAKE_OVER), True),
            (staff("A1", StaffVerb.RECORD_CONSENT), False),
            (ChartChanged(id="A1", at=NOW, change=ChartChange.STAFF_CONTACT), True),
            (ChartChanged(id="A1", at=NOW, change=ChartChange.BOOKED), False),
            (message("A1"), False),
        ],
    )
    def test_tells_when_staff_last_dealt_with_the_patient(
        self, ledger: SqlLedger, event: Event, counts: bool
    ) -> None:  # fmt: skip
        enrolled(ledger, case=case(last_staff_contact_at=NOW - DAY))
        assert ledger.facts("c17", at=NOW).last_staff_at == NOW - DAY

        committed(ledger, event=event)

        assert ledger.facts("c17", at=NOW).last_staff_at == (NOW if counts else NOW - DAY)

    def test_tells_when_the_patient_last_wrote(self, ledger: SqlLedger) -> None:
        enrolled(ledger)
        assert ledger.facts("c17", at=NOW).last_patient_at is None

        committed(ledger, event=message("SM1", NOW))
        claimed(ledger, event=message("SM2", NOW + HOUR))
        claimed(ledger, event=staff("A1", StaffVerb.RELEASE, NOW + DAY))

        assert ledger.facts("c17", at=NOW).last_patient_at == NOW + HOUR

    def test_tells_who_cannot_receive_texts(self, ledger: SqlLedger) -> None:
        enrolled(ledger)

        ledger.mark_incapable(phone(), "delivery.landline", at=NOW)

        assert [c.capable for c in ledger.facts("c17", at=NOW).contacts] == [False]

    def test_asks_the_database_six_times(self, ledger: SqlLedger) -> None:
        from sqlalchemy import event as sqlalchemy_event

        enrolled(ledger, case=case(owner=patient(household_id="h")))
        seen: list[str] = []
        engine = ledger._database._engine
        sqlalchemy_event.listen(engine, "before_cursor_execute", lambda *call: seen.append(call[2]))

        ledger.facts("c17", at=NOW)

        assert len([statement for statement in seen if statement.startswith("SELECT")]) <= 6


class TestBookedAt:
    BOOKING = Booking("k", SLOT, BookingStatus.CONFIRMED, ("crown-30",), "apt-1")

    def booked(self, url: str) -> tuple[object, ...]:
        found = rows(url, "SELECT booked_at IS NOT NULL, booked_on FROM conversations")[0]
        return bool(found[0]), None if found[1] is None else str(found[1])

    def test_is_the_first_confirmation_on_the_offices_date(self, ledger: SqlLedger, url: str) -> None:
        enrolled(ledger)
        late = datetime(2026, 11, 24, 3, 0, tzinfo=NOW.tzinfo)  # 21:00 the day before in the office
        booked = state(phase=Phase.BOOKED, disposition=Disposition.BOOKED, booking=self.BOOKING)

        committed(ledger, event=message("SM1", late), conversation=booked)
        committed(ledger, event=message("SM2", late + 9 * DAY), conversation=replace(booked, phase=Phase.OFFER_OPEN))
        committed(ledger, event=message("SM3", late + 9 * DAY), conversation=booked)

        assert self.booked(url) == (True, "2026-11-23")

    def test_waits_for_the_confirmation(self, ledger: SqlLedger, url: str) -> None:
        enrolled(ledger)

        asked = replace(self.BOOKING, status=BookingStatus.REQUESTED)
        committed(ledger, conversation=state(phase=Phase.BOOKING_REQUESTED, booking=asked))

        assert self.booked(url) == (False, None)

    def test_is_cleared_when_the_booking_is_given_up(self, ledger: SqlLedger, url: str) -> None:
        enrolled(ledger)
        committed(ledger, conversation=state(phase=Phase.BOOKED, booking=self.BOOKING))

        given_up = replace(self.BOOKING, status=BookingStatus.CANCELLED)
        committed(ledger, event=message("SM2"), conversation=state(phase=Phase.IN_CONVERSATION, booking=given_up))

        assert self.booked(url) == (False, None)


class TestJournal:
    def test_is_kept_in_order_of_time(self, ledger: SqlLedger) -> None:
        enrolled(ledger)
        full = entry("skip", conversation_id="c17", patient_id="p17", event_id="SM1", at=NOW + HOUR)

        ledger.add_journal([full, entry("queue", patient_id="p17", at=NOW)])

        assert ledger.journal(patient_id="p17") == (entry("queue", patient_id="p17", at=NOW), full)

    def test_is_found_under_the_patient_of_its_conversation(self, ledger: SqlLedger) -> None:
        enrolled(ledger)

        ledger.add_journal([entry(conversation_id="c17"), entry("reject")])

        assert [e.conversation_id for e in ledger.journal(patient_id="p17")] == ["c17"]

    def test_takes_rows_that_were_never_enrolled(self, ledger: SqlLedger) -> None:
        ledger.add_journal([entry(patient_id="p99", conversation_id="c99")])
        ledger.add_journal([])

        assert len(ledger.journal(patient_id="p99")) == 1


class TestRememberPolicy:
    def test_gives_back_the_first_digest(self, ledger: SqlLedger) -> None:
        assert ledger.remember_policy("maple/1", "abc", at=NOW) == "abc"
        assert ledger.remember_policy("maple/1", "xyz", at=NOW) == "abc"
        assert ledger.remember_policy("maple/2", "xyz", at=NOW) == "xyz"
