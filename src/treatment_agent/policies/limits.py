"""How much outreach an office lets happen before a person looks: capacity, a daily limit, approvals, automatic pauses.

Only writing first is limited. An answer to a patient's own message is never held back by any of this, except when the
kill switch is thrown: then staff get it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pydantic import Field

from treatment_agent.domain.office import ApprovalStatus, LogEntry, Proof, Switch, SwitchMode
from treatment_agent.domain.value import Value

# Carrier codes, as Twilio numbers them. 30034: the sender is not registered, every text is lost. 30007: filtered.
UNREGISTERED: Final = frozenset({"30034"})
FILTERED: Final = frozenset({"30007", "30004"})
APPROVAL_WAIT: Final = timedelta(hours=2)
PAUSE_WAIT: Final = timedelta(minutes=30)


class Limits(Value):
    """An office's limits. The defaults suit one practice; None switches a limit off where it says so.

    - `texts_per_day`: texts that nobody asked for, per office and local day. Bounds what a mistake can do.
    - `invitations_per_opening`: patients invited and not yet settled, per bookable opening of the next `weeks` weeks
      (None: not asked). First texts need room; reminders and the wake-up a patient asked for do not. An invitation
      counts until `invitation_days` after our last text. In `crunch_months`, when benefits end and openings vanish,
      `crunch_invitations_per_opening` counts, and only openings until the end of the year.
    - `approve_changed`: how many texts of a new version of a script a person must approve before the others go;
      `approve_first` is the same for a script that never went out in any version.
    - Outreach pauses by itself when of the texts of the last `window_days` `opt_outs` or more, and at least the share
      `opt_out_share`, led to an opt-out; or when carriers filtered `filtered` texts in 24 hours, or refused one because
      the sender is not registered.
    - It waits while the last list could not be read, or more than the share `unreadable` of it, or when it is older
      than `stale_hours` (None: 72 if no chart is asked at the moment of sending, else any age).
    """

    texts_per_day: int = Field(default=50, ge=0)
    weeks: int = Field(default=4, ge=1, le=52)
    invitations_per_opening: float | None = Field(default=1.0, gt=0)
    invitation_days: int = Field(default=14, ge=1)
    crunch_months: tuple[int, ...] = (11, 12)
    crunch_invitations_per_opening: float = Field(default=1.0, gt=0)
    approve_changed: int = Field(default=3, ge=0)
    approve_first: int = Field(default=0, ge=0)
    window_days: int = Field(default=7, ge=1)
    opt_outs: int = Field(default=5, ge=1)
    opt_out_share: float = Field(default=0.08, gt=0, le=1)
    filtered: int = Field(default=3, ge=1)
    unreadable: float = Field(default=0.5, gt=0, le=1)
    stale_hours: int | None = Field(default=None, ge=1)

    def ratio(self, month: int) -> float | None:
        """Invitations per opening in this month (1 to 12), or None when capacity does not limit."""
        if self.invitations_per_opening is None:
            return None
        if month in self.crunch_months:
            return min(self.invitations_per_opening, self.crunch_invitations_per_opening)
        return self.invitations_per_opening


@dataclass(frozen=True, slots=True)
class Office:
    """What the limits are judged on. `live_chart`: a chart is asked at the moment of sending."""

    now: datetime
    switch: Switch | None
    last_sync: LogEntry | None
    sent_today: int
    live_chart: bool


def closed(office: Office, limits: Limits) -> str | None:
    """The rule that holds back all outreach now, or None.

    `limit.paused` and its automatic sisters, `limit.stopped`, `limit.sync-failed`, `limit.sync-stale`, `limit.daily`.
    """
    if office.switch is not None and office.switch.mode is not SwitchMode.ON:
        return office.switch.rule
    return _sync_rule(office, limits) or ("limit.daily" if office.sent_today >= limits.texts_per_day else None)


def _sync_rule(office: Office, limits: Limits) -> str | None:
    """A list that failed, or is too old, must not be worked from. An office that never read one has nothing due."""
    last = office.last_sync
    if last is None:
        return None
    if last.value != "ok":
        return "limit.sync-failed"
    hours = limits.stale_hours or (None if office.live_chart else 72)
    return "limit.sync-stale" if hours is not None and office.now - last.at > timedelta(hours=hours) else None


@dataclass(frozen=True, slots=True)
class Warnings:
    """Signs that something is wrong with what we send, since outreach was last resumed and within the windows."""

    opt_outs: int = 0
    sent: int = 0
    filtered: int = 0
    unregistered: int = 0


def alarm(signs: Warnings, limits: Limits) -> str | None:
    """The rule by which outreach pauses by itself until a person resumes it, or None.

    `limit.unregistered`, `limit.filtered`, `limit.opt-out-spike`.
    """
    if signs.unregistered:
        return "limit.unregistered"
    if signs.filtered >= limits.filtered:
        return "limit.filtered"
    # Texts of before the window may be answered within it: an opt-out always counts against at least one text.
    share = signs.opt_outs / max(signs.sent, signs.opt_outs, 1)
    return "limit.opt-out-spike" if signs.opt_outs >= limits.opt_outs and share >= limits.opt_out_share else None


def unproven(proof: Proof, limits: Limits) -> bool:
    """True when a text of this script version waits for a person: the rule `limit.approval`.

    One that was approved goes. So do all others once enough texts of the version were approved.
    """
    needed = limits.approve_changed if proof.changed else limits.approve_first
    return proof.approved < needed and proof.mine is not ApprovalStatus.APPROVED


def asks(proof: Proof, limits: Limits) -> bool:
    """True when a waiting text is to be shown to a person: only as many as are needed are."""
    needed = limits.approve_changed if proof.changed else limits.approve_first
    return proof.mine is None and proof.approved + proof.pending < needed
