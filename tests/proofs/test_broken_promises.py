"""Every promise seen broken: a bug is planted where the promise is kept, and the promise's own check must find it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from proof_office import ANA, BEN, Readings, patient, same_graph, stage
from pydantic import SecretStr

from treatment_agent.domain.books import OutboxStatus
from treatment_agent.domain.messages import SendKind
from treatment_agent.domain.scheduling import Booking, BookingStatus
from treatment_agent.domain.treatment import ChartStatus
from treatment_agent.errors import AdapterUnavailable
from treatment_agent.evals.evidence import Books, Thread
from treatment_agent.evals.promises import PROMISES, check, differences
from treatment_agent.evals.stage import Stage

Film = Callable[[Stage], None]


@pytest.fixture(autouse=True)
def _one_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    same_graph(monkeypatch)


def shoot(film: Film = lambda office: None) -> Books:
    """Two patients, their first texts, a booking, a question, a stop, and the weeks after; then `film`."""
    office = stage("sqlite://", Readings(), patient("ana", ANA), patient("ben", BEN))
    try:
        office.clock.advance(timedelta(hours=16))
        office.coordinator.run_due()
        office.write(ANA, "1", id="pick")
        office.write(ANA, "is it going to hurt?", id="question")
        office.write(BEN, "STOP", id="stop")
        for _ in range(3):
            office.clock.advance(timedelta(days=5))
            office.coordinator.run_due()
        film(office)
        return office.books()
    finally:
        office.close()


@pytest.fixture(scope="module")
def books() -> Books:
    with pytest.MonkeyPatch.context() as patch:
        same_graph(patch)
        return shoot()


def thread(books: Books, name: str) -> Thread:
    return next(t for t in books.threads if t.id == f"case-{name}")


def changed(books: Books, name: str, **changes: object) -> Books:
    """The same books with one conversation altered."""
    altered = replace(thread(books, name), **changes)
    return replace(books, threads=tuple(altered if t.id == altered.id else t for t in books.threads))


def departed(books: Books, key: str, **changes: object) -> Books:
    """The same books with one text that left altered: `message` fields, or `at`, `chart`, `confirmed`."""
    ours = ("at", "chart", "confirmed")
    departures = tuple(
        replace(
            d,
            message=replace(d.message, **{k: v for k, v in changes.items() if k not in ours}),
            **{k: v for k, v in changes.items() if k in ours},
        )
        if d.message.key == key
        else d
        for d in books.watched.departures
    )
    return replace(books, watched=replace(books.watched, departures=departures))


def key_of(books: Books, kind: SendKind, name: str = "") -> str:
    return next(
        d.message.key
        for d in books.watched.departures
        if d.message.kind is kind and d.message.conversation_id.endswith(name)
    )


class TestBooks:
    def test_of_an_honest_office_break_nothing(self, books):
        assert check(books) == ()

    def test_tell_of_everything_the_planted_bugs_need(self, books):
        kinds = {d.message.kind for d in books.watched.departures}
        assert kinds >= {SendKind.OUTREACH, SendKind.REPLY, SendKind.HANDOFF, SendKind.OPT_OUT}
        assert [b.status for b in books.watched.bookings] == [BookingStatus.CONFIRMED]


def _p1_reply(books: Books) -> Books:
    return departed(books, key_of(books, SendKind.OPT_OUT), kind=SendKind.REPLY)


def _p1_late(books: Books) -> Books:
    key = key_of(books, SendKind.OPT_OUT)
    at = next(d.at for d in books.watched.departures if d.message.key == key)
    return departed(books, key, at=at + timedelta(minutes=6))


def _p2(books: Books) -> Books:
    """The answer to the pick leaves a day later, when staff hold the conversation."""
    key = key_of(books, SendKind.REPLY, "ana")
    return departed(books, key, at=books.at - timedelta(days=1))


def _p3(books: Books) -> Books:
    return departed(books, key_of(books, SendKind.OUTREACH), body=SecretStr("Hi Ana, your crown is free today!"))


def _p3_hash(books: Books) -> Books:
    return departed(books, key_of(books, SendKind.OUTREACH), content_hash="0" * 64)


def _p4(books: Books) -> Books:
    """The question was read as unsure, and answered all the same."""
    events = tuple(
        replace(s, outcome=replace(s.outcome, handoffs=(), rules=("reply.ack",))) if s.event.id == "question" else s
        for s in thread(books, "ana").events
    )
    return changed(books, "ana", events=events)


def _p5_words(books: Books) -> Books:
    return changed(books, "ana", handoffs=tuple(replace(h, words=()) for h in thread(books, "ana").handoffs))


def _p5_lost(books: Books) -> Books:
    rows = tuple(
        replace(r, status=OutboxStatus.CANCELLED, rule="dispatch.stale") if r.message.kind is SendKind.REPLY else r
        for r in thread(books, "ana").outbox
    )
    return changed(books, "ana", outbox=rows, handoffs=())


def _p6_twice(books: Books) -> Books:
    made = books.watched.bookings[0]
    again = Booking(f"{made.key}-2", made.slot, BookingStatus.CONFIRMED, made.procedure_ids)
    return replace(books, watched=replace(books.watched, bookings=(made, again)))


def _p6_said(books: Books) -> Books:
    return departed(books, key_of(books, SendKind.REPLY, "ana"), confirmed=())


def _p7_night(books: Books) -> Books:
    key = key_of(books, SendKind.OUTREACH, "ana")
    at = next(d.at for d in books.watched.departures if d.message.key == key)
    return departed(books, key, at=at + timedelta(hours=11))


def _p8_twice(books: Books) -> Books:
    seen = books.watched.departures
    return replace(books, watched=replace(books.watched, departures=(*seen, seen[0])))


def _p8_lost(books: Books) -> Books:
    events = tuple(s for s in thread(books, "ben").events if s.event.id != "stop")
    return changed(books, "ben", events=events)


def _p9(books: Books) -> Books:
    return departed(books, key_of(books, SendKind.OUTREACH), chart=ChartStatus(patient_status="deceased"))


def _p10(books: Books) -> Books:
    events = tuple(replace(s, outcome=replace(s.outcome, rules=())) for s in thread(books, "ben").events)
    return changed(books, "ben", events=events)


def _p11(books: Books) -> Books:
    exposed = (("a log line", json.dumps({"to": ANA.reveal()})),)
    return replace(books, watched=replace(books.watched, exposed=exposed))


def _p11_text(books: Books) -> Books:
    return departed(books, key_of(books, SendKind.OUTREACH), body=SecretStr("Hi, your crown D2740 costs $900"))


ALTERED = {
    "P1 a reply after the stop": _p1_reply,
    "P1 a late confirmation": _p1_late,
    "P2 an answer while staff hold": _p2,
    "P3 other words": _p3,
    "P3 another hash": _p3_hash,
    "P4 an unsure message without a person": _p4,
    "P5 a handoff without its words": _p5_words,
    "P5 a lost answer": _p5_lost,
    "P6 a second visit": _p6_twice,
    "P6 booked is said too early": _p6_said,
    "P7 a text at night": _p7_night,
    "P8 a text sent twice": _p8_twice,
    "P8 a lost message": _p8_lost,
    "P9 a text to the dead": _p9,
    "P10 no reason": _p10,
    "P11 a number in the log": _p11,
    "P11 treatment in a text": _p11_text,
}


class TestPromises:
    @pytest.mark.parametrize("claim", ALTERED)
    def test_is_found_broken(self, books, claim):
        promise = claim.split()[0]
        assert {b.promise for b in check(ALTERED[claim](books), only=promise)} == {promise}

    def test_has_an_altered_book_for_every_promise(self):
        assert {claim.split()[0] for claim in ALTERED} == set(PROMISES)

    def test_p12_finds_another_decision(self, books):
        assert tuple(differences(books, books)) == ()
        assert {b.promise for b in differences(books, _p10(books))} == {"P12"}


def _blind(patch: pytest.MonkeyPatch, where: str) -> None:
    patch.setattr(where, lambda *args, **kwargs: None)


def _stop_is_not_heard(patch: pytest.MonkeyPatch) -> Film:
    """Nothing checks consent at the boundary or at dispatch, and a reply was waiting when the stop came."""
    _blind(patch, "treatment_agent.policies.dispatching.refusal")

    def film(office: Stage) -> None:
        office.coordinator.record_consent("case-ben", by="kim")
        office.faults.fail_before(1, AdapterUnavailable("away"), port="messenger", method="send")
        office.write(BEN, "where do I park?", id="parking")
        office.write(BEN, "STOP", id="stop-again")

    return film


def _hold_is_not_kept(patch: pytest.MonkeyPatch) -> Film:
    """As above, with a handoff in place of the stop."""
    _blind(patch, "treatment_agent.policies.dispatching.refusal")

    def film(office: Stage) -> None:
        office.coordinator.record_consent("case-ben", by="kim")
        office.faults.fail_before(1, AdapterUnavailable("away"), port="messenger", method="send")
        office.write(BEN, "where do I park?", id="parking")
        office.write(BEN, "will it hurt?", id="hurt")

    return film


def _chart_is_not_asked(patch: pytest.MonkeyPatch) -> Film:
    _blind(patch, "treatment_agent.policies.outreach.changed")

    def film(office: Stage) -> None:
        office.enroll(patient("dora", BEN, id="dora", mobile=ANA))
        office.chart.set_patient("dora", ChartStatus(patient_status="deceased"))
        office.clock.advance(timedelta(days=9))
        office.coordinator.run_due()

    return film


def _night_is_day(patch: pytest.MonkeyPatch) -> Film:
    _blind(patch, "treatment_agent.policies.contact.blocked_by")

    def film(office: Stage) -> None:
        office.enroll(patient("emil", ANA, mobile=type(ANA)("+13125550131")))
        office.clock.advance(timedelta(days=9, hours=13))
        office.coordinator.run_due()

    return film


PLANTED = {"P1": _stop_is_not_heard, "P2": _hold_is_not_kept, "P7": _night_is_day, "P9": _chart_is_not_asked}


class TestPlantedBugs:
    """Where the code that keeps a promise is switched off, real turns break it and the books show it."""

    @pytest.mark.parametrize("promise", PLANTED)
    def test_is_seen_on_the_books(self, promise, monkeypatch):
        film = PLANTED[promise](monkeypatch)
        assert promise in {b.promise for b in check(shoot(film))}

    @pytest.mark.parametrize("promise", PLANTED)
    def test_is_not_seen_without_the_bug(self, promise):
        with pytest.MonkeyPatch.context() as patch:
            film = PLANTED[promise](patch)
        with pytest.MonkeyPatch.context() as patch:
            same_graph(patch)
            assert check(shoot(film)) == ()
