"""The office's limits on writing first, one by one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from policy_samples import NOW

from treatment_agent.domain.office import ApprovalStatus, LogEntry, LogKind, Proof, Switch, SwitchMode
from treatment_agent.policies.limits import Limits, Office, Warnings, alarm, asks, closed, unproven

READ = LogEntry(NOW - timedelta(hours=1), LogKind.SYNC, "ok")


def office(**changes: object) -> Office:
    fields: dict[str, object] = {
        "now": NOW,
        "switch": None,
        "last_sync": READ,
        "sent_today": 0,
        "live_chart": True,
    }
    return Office(**(fields | changes))  # type: ignore[arg-type]


def switched(mode: SwitchMode, rule: str) -> Switch:
    return Switch(mode, NOW, rule, "kim")


class TestClosed:
    def test_lets_an_office_where_all_is_well_write(self) -> None:
        assert closed(office(), Limits()) is None
        assert closed(office(switch=switched(SwitchMode.ON, "limit.resumed")), Limits()) is None
        assert closed(office(last_sync=None), Limits()) is None

    @pytest.mark.parametrize("rule", ["limit.paused", "limit.opt-out-spike", "limit.filtered", "limit.unregistered"])
    def test_names_the_rule_of_a_pause(self, rule: str) -> None:
        assert closed(office(switch=switched(SwitchMode.PAUSED, rule)), Limits()) == rule

    def test_names_the_kill_switch_before_anything_else(self) -> None:
        stopped = office(switch=switched(SwitchMode.STOPPED, "limit.stopped"), sent_today=99)
        assert closed(stopped, Limits()) == "limit.stopped"

    @pytest.mark.parametrize(("sent", "rule"), [(49, None), (50, "limit.daily"), (51, "limit.daily")])
    def test_counts_texts_of_the_day(self, sent: int, rule: str | None) -> None:
        assert closed(office(sent_today=sent), Limits(texts_per_day=50)) == rule

    def test_waits_after_a_list_that_failed(self) -> None:
        failed = LogEntry(NOW, LogKind.SYNC, "failed", "limit.sync-failed")
        assert closed(office(last_sync=failed), Limits()) == "limit.sync-failed"

    @pytest.mark.parametrize(
        ("hours", "live", "limit", "rule"),
        [
            (72, False, None, None),
            (73, False, None, "limit.sync-stale"),
            (1000, True, None, None),
            (24, True, 24, None),
            (25, True, 24, "limit.sync-stale"),
        ],
    )
    def test_wants_a_new_list_in_time(self, hours: int, live: bool, limit: int | None, rule: str | None) -> None:
        last = LogEntry(NOW - timedelta(hours=hours), LogKind.SYNC, "ok")
        assert closed(office(last_sync=last, live_chart=live), Limits(stale_hours=limit)) == rule


class TestAlarm:
    def test_is_silent_when_little_happens(self) -> None:
        assert alarm(Warnings(), Limits()) is None
        assert alarm(Warnings(opt_outs=4, sent=4), Limits()) is None
        assert alarm(Warnings(filtered=2), Limits()) is None

    @pytest.mark.parametrize(
        ("signs", "rule"),
        [
            (Warnings(opt_outs=5, sent=62), "limit.opt-out-spike"),
            (Warnings(opt_outs=5, sent=63), None),
            (Warnings(opt_outs=5, sent=0), "limit.opt-out-spike"),
            (Warnings(filtered=3), "limit.filtered"),
            (Warnings(unregistered=1), "limit.unregistered"),
        ],
    )
    def test_sounds_from_its_threshold_on(self, signs: Warnings, rule: str | None) -> None:
        assert alarm(signs, Limits()) == rule


class TestApprovals:
    """The rule is `limit.approval`."""

    def test_of_a_known_script_are_not_needed(self) -> None:
        assert not unproven(Proof(), Limits())

    def test_of_a_changed_script_are_needed_three_times(self) -> None:
        assert unproven(Proof(changed=True, approved=2), Limits())
        assert not unproven(Proof(changed=True, approved=3), Limits())
        assert not unproven(Proof(changed=True, approved=1, mine=ApprovalStatus.APPROVED), Limits())
        assert unproven(Proof(changed=True, mine=ApprovalStatus.REJECTED), Limits())

    def test_are_asked_for_as_often_as_they_are_needed(self) -> None:
        assert asks(Proof(changed=True, approved=1, pending=1), Limits())
        assert not asks(Proof(changed=True, approved=1, pending=2), Limits())
        assert not asks(Proof(changed=True, mine=ApprovalStatus.PENDING, pending=1), Limits())


class TestRatio:
    def test_is_smaller_at_the_end_of_the_year_where_the_office_says_so(self) -> None:
        limits = Limits(invitations_per_opening=2, crunch_invitations_per_opening=0.5)
        assert [limits.ratio(month) for month in (6, 11, 12)] == [2, 0.5, 0.5]

    def test_never_grows_at_the_end_of_the_year(self) -> None:
        assert Limits(invitations_per_opening=0.5).ratio(12) == 0.5

    def test_is_none_when_capacity_does_not_limit(self) -> None:
        assert Limits(invitations_per_opening=None).ratio(12) is None
