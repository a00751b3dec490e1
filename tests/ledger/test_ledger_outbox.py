from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from ledger_samples import DAY, HOUR, NOW, committed, email, enrolled, message, text_out
from pydantic import SecretStr

from treatment_agent.domain.books import OutboxRow, OutboxStatus
from treatment_agent.domain.messages import Channel, DeliveryReport, DeliveryStatus, Receipt, SendKind
from treatment_agent.ledger.sql_ledger import SqlLedger

KEY = "c17:SM1:0"


@pytest.fixture
def key(ledger: SqlLedger) -> str:
    """The key of one pending text."""
    enrolled(ledger)
    committed(ledger, outbox=(text_out(KEY),))
    return KEY


def only(ledger: SqlLedger) -> OutboxRow:
    (row,) = ledger.outbox("c17")
    return row


def report(status: DeliveryStatus) -> DeliveryReport:
    return DeliveryReport(id="r", provider_message_id="out-1", status=status, reported_at=NOW)


class TestOutbox:
    def test_keeps_every_field_in_order(self, ledger: SqlLedger) -> None:
        enrolled(ledger)
        mail = text_out(
            "b", to=email(), channel=Channel.EMAIL, subject="Your visit", kind=SendKind.REPLY, script_version=9,
            language="es", approved_by="dr", content_hash="cd" * 32, script_id="x", body=SecretStr("¿Sí? 👍\n"),
        )  # fmt: skip

        committed(ledger, outbox=(text_out("c"), mail), event=message("SM1", NOW + HOUR))

        first, second = ledger.outbox("c17")
        assert first.message == text_out("c")
        assert second == OutboxRow(mail, "SM1", OutboxStatus.PENDING, NOW + HOUR, seq=second.seq)
        assert first.seq < second.seq

    def test_lists_only_unsent_ones_when_asked(self, ledger: SqlLedger) -> None:
        enrolled(ledger)
        committed(ledger, outbox=tuple(text_out(f"k{n}") for n in range(4)))
        for name in ("k1", "k2", "k3"):
            ledger.mark_sending(name, at=NOW)
        ledger.mark_sent("k2", Receipt("out-1"), at=NOW)
        ledger.mark_unsent("k3", "failed", "x.y", at=NOW)

        assert [r.message.key for r in ledger.outbox("c17", unsent=True)] == ["k0", "k1"]


class TestMarkSending:
    def test_is_granted_once(self, ledger: SqlLedger, key: str) -> None:
        with ThreadPoolExecutor(8) as pool:
            granted = list(pool.map(lambda _: ledger.mark_sending(key, at=NOW), range(16)))

        assert granted.count(True) == 1
        assert only(ledger).status is OutboxStatus.SENDING

    def test_is_refused_for_an_unknown_key(self, ledger: SqlLedger) -> None:
        assert not ledger.mark_sending("nothing", at=NOW)


class TestMarkSent:
    def test_notes_time_and_provider_id(self, ledger: SqlLedger, key: str) -> None:
        ledger.mark_sending(key, at=NOW)

        ledger.mark_sent(key, Receipt("out-1"), at=NOW + HOUR)

        row = only(ledger)
        assert (row.status, row.sent_at, row.provider_message_id) == (OutboxStatus.SENT, NOW + HOUR, "out-1")
        assert ledger.find_sent("out-1") == row

    @pytest.mark.parametrize("status", ["pending", "failed", "doubtful", "cancelled"])
    def test_changes_only_what_is_being_sent(self, ledger: SqlLedger, key: str, status: str) -> None:
        ledger.mark_sending(key, at=NOW)
        ledger.mark_unsent(key, status, "x.y", at=NOW)

        ledger.mark_sent(key, Receipt("out-1"), at=NOW)

        assert only(ledger).status == status
        assert ledger.find_sent("out-1") is None

    def test_is_idempotent(self, ledger: SqlLedger, key: str) -> None:
        ledger.mark_sending(key, at=NOW)
        ledger.mark_sent(key, Receipt("out-1"), at=NOW)

        ledger.mark_sent(key, Receipt("out-2"), at=NOW + DAY)

        assert (only(ledger).sent_at, only(ledger).provider_message_id) == (NOW, "out-1")


class TestMarkUnsent:
    @pytest.mark.parametrize("status", ["pending", "failed", "doubtful", "cancelled"])
    def test_moves_what_is_being_sent(self, ledger: SqlLedger, key: str, status: str) -> None:
        ledger.mark_sending(key, at=NOW)

        ledger.mark_unsent(key, status, "send.rule", at=NOW)

        assert (only(ledger).status, only(ledger).rule, only(ledger).sent_at) == (status, "send.rule", None)

    @pytest.mark.parametrize(
        ("status", "after"), [("cancelled", "cancelled"), ("failed", "failed"), ("doubtful", "pending")]
    )
    def test_moves_what_never_left_but_not_into_doubt(
        self, ledger: SqlLedger, key: str, status: str, after: str
    ) -> None:  # fmt: skip
        ledger.mark_unsent(key, status, "x.y", at=NOW)

        assert only(ledger).status == after

    @pytest.mark.parametrize("status", ["pending", "failed", "doubtful", "cancelled"])
    def test_never_takes_back_what_was_sent(self, ledger: SqlLedger, key: str, status: str) -> None:
        ledger.mark_sending(key, at=NOW)
        ledger.mark_sent(key, Receipt("out-1"), at=NOW)

        ledger.mark_unsent(key, status, "x.y", at=NOW)

        assert only(ledger).status is OutboxStatus.SENT
        assert not ledger.mark_sending(key, at=NOW)

    @pytest.mark.parametrize("status", ["cancelled", "doubtful", "failed"])
    def test_is_final_unless_put_back(self, ledger: SqlLedger, key: str, status: str) -> None:
        ledger.mark_sending(key, at=NOW)
        ledger.mark_unsent(key, status, "x.y", at=NOW)

        ledger.mark_unsent(key, "pending", "retry", at=NOW)

        assert only(ledger).status == status

    def test_lets_a_text_be_tried_again(self, ledger: SqlLedger, key: str) -> None:
        ledger.mark_sending(key, at=NOW)
        ledger.mark_unsent(key, "pending", "send.retry", at=NOW)

        assert ledger.mark_sending(key, at=NOW)

    @pytest.mark.parametrize("status", ["sent", "sending", "nonsense"])
    def test_refuses_other_statuses(self, ledger: SqlLedger, key: str, status: str) -> None:
        with pytest.raises(ValueError, match="must be pending, failed, doubtful or cancelled"):
            ledger.mark_unsent(key, status, "x.y", at=NOW)


class TestRecordDelivery:
    @pytest.fixture(autouse=True)
    def _sent(self, ledger: SqlLedger, key: str) -> None:
        ledger.mark_sending(key, at=NOW)
        ledger.mark_sent(key, Receipt("out-1"), at=NOW)

    def test_moves_forward(self, ledger: SqlLedger) -> None:
        for status in (DeliveryStatus.QUEUED, DeliveryStatus.SENT, DeliveryStatus.DELIVERED):
            assert ledger.record_delivery(report(status))
            assert only(ledger).delivery is status

    def test_never_moves_back(self, ledger: SqlLedger) -> None:
        ledger.record_delivery(report(DeliveryStatus.DELIVERED))

        assert not ledger.record_delivery(report(DeliveryStatus.SENT))
        assert not ledger.record_delivery(report(DeliveryStatus.DELIVERED))

        assert only(ledger).delivery is DeliveryStatus.DELIVERED

    def test_ignores_a_text_nobody_knows(self, ledger: SqlLedger) -> None:
        stray = report(DeliveryStatus.SENT).model_copy(update={"provider_message_id": "other"})

        assert not ledger.record_delivery(stray)

        assert only(ledger).delivery is None
