"""Measures from what the ledger tells: pure arithmetic over rows, so that every number can be checked by hand."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from treatment_agent.coordinator import staff_times
from treatment_agent.domain.conversation import Disposition
from treatment_agent.domain.handoff import HandoffKind
from treatment_agent.domain.interpretation import Reason, Topic
from treatment_agent.domain.measured import MeasuredBooks, MeasuredCase, MeasuredText
from treatment_agent.domain.measures import Cohort, Comparison, Funnel, Group, Measures, Path
from treatment_agent.domain.shares import Share
from treatment_agent.domain.survival import Survival
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.ports import Ledger


def measure(
    ledger: Ledger,
    policy: PracticePolicy,
    now: datetime,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Measures:
    """Everything the books say about the cases that entered in `[since, until)`, as things stand at `now`."""
    return of_books(ledger.measured(since=since, until=until), policy, now, since=since, until=until)


def of_books(
    books: MeasuredBooks,
    policy: PracticePolicy,
    now: datetime,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Measures:
    """The same from rows that were read already."""
    zone = policy.office.tz
    cases = [case for case in books.cases if not case.held_out]
    ids = {case.id for case in cases}
    marks = _marks(books)

    funnel = partial(_funnel, marks=marks)
    running = now - timedelta(days=_days_of_outreach(policy))
    return Measures(
        at=now,
        since=since,
        until=until,
        funnel=funnel(cases),
        booked_by_staff=sum(1 for c in cases if c.booked and c.disposition is Disposition.BOOKED_BY_STAFF),
        staff_items=sum(1 for h in books.handoffs if h.case_id in ids),
        by_week=_cohorts(cases, lambda c: _monday(c.entered_at, zone), funnel, running),
        by_month=_cohorts(cases, lambda c: c.entered_at.astimezone(zone).date().replace(day=1), funnel, running),
        by_provider=_groups(cases, lambda c: c.provider_id, funnel),
        by_family=_groups(cases, lambda c: c.family, funnel),
        paths=_paths(cases, books.texts),
        reasons=_counted(code for case_id, code in books.reasons if case_id in ids),
        declined_by_reason=_counted(c.reason or Reason.UNSPECIFIED.value for c in cases if c.declined),
        handoffs=staff_times.by_topic(books.handoffs, ids, len(cases), now),
        tasks=staff_times.by_kind(books.handoffs, ids, len(cases), now),
        phases=_counted(c.phase.value for c in cases),
        dispositions=_counted(c.disposition.value for c in cases if c.disposition),
        days_to_scheduled=_days_to_scheduled(cases, now.astimezone(zone).date()),
        days_to_booked=_days_to_booked(cases, now),
        cases_held_out=len(books.cases) - len(cases),
        comparison=_comparison(books.cases, policy, now),
        left_out=dict(sorted(books.left_out.items(), key=lambda item: (-item[1], item[0]))),
    )


def _counted(codes: Iterable[str]) -> dict[str, int]:
    """How often each code comes, the most frequent first."""
    return dict(sorted(Counter(codes).items(), key=lambda item: (-item[1], item[0])))


@dataclass(frozen=True, slots=True)
class _Marks:
    """Ids of cases of which staff got the conversation, of which the patient complained, and that were mistaken."""

    handed: frozenset[str]
    complained: frozenset[str]
    mistaken: frozenset[str]


def _marks(books: MeasuredBooks) -> _Marks:
    held = [h for h in books.handoffs if h.kind == HandoffKind.HANDOFF.value]
    # A number of somebody else's leaves the task to mend the chart.
    wrong_person = {h.case_id for h in books.handoffs if h.kind == HandoffKind.CHART_REPAIR.value}
    done_before = {case_id for case_id, code in books.reasons if code == Reason.DONE.value}
    return _Marks(
        handed=frozenset(h.case_id for h in held),
        complained=frozenset(h.case_id for h in held if h.topic == Topic.COMPLAINT.value),
        mistaken=frozenset(wrong_person | done_before),
    )


def _was_false(case: MeasuredCase, marks: _Marks) -> bool:
    """True when our first text should not have gone out, as it turned out."""
    before = (
        case.elsewhere_at is not None and case.first_sent_at is not None and case.elsewhere_at <= case.first_sent_at
    )
    return before or case.id in marks.mistaken


def _funnel(cases: Sequence[MeasuredCase], marks: _Marks) -> Funnel:
    entered = len(cases)
    contacted = [c for c in cases if c.arrived]
    booked = [c for c in cases if c.booked]
    reached = len(contacted)
    return Funnel(
        entered=entered,
        contacted=Share(reached, entered),
        responded=Share(sum(1 for c in contacted if c.reply_after_at is not None), reached),
        booked=Share(len(booked), entered),
        booked_of_contacted=Share(sum(1 for c in contacted if c.booked), reached),
        declined=Share(sum(1 for c in contacted if c.declined), reached),
        opted_out=Share(sum(1 for c in contacted if c.opted_out), reached),
        complained=Share(sum(1 for c in contacted if c.id in marks.complained), reached),
        false_contacts=Share(sum(1 for c in contacted if _was_false(c, marks)), reached),
        handed_off=Share(sum(1 for c in cases if c.id in marks.handed), entered),
        elsewhere=Share(sum(1 for c in cases if c.elsewhere_at is not None and not c.booked), entered),
        value_entered_cents=sum(c.value_cents for c in cases),
        value_booked_cents=sum(c.value_cents for c in booked),
        value_kept_cents=sum(c.kept_cents for c in booked),
    )


def _days_of_outreach(policy: PracticePolicy) -> int:
    """How long a case may still be written to after it entered: the cadence's steps and the wait for review."""
    return sum(step.after_days for step in policy.cadence.steps) + policy.cadence.review_after_days


def _monday(at: datetime, zone: ZoneInfo) -> date:
    day = at.astimezone(zone).date()
    return day - timedelta(days=day.weekday())


def _cohorts(
    cases: Sequence[MeasuredCase],
    first_day: Callable[[MeasuredCase], date],
    funnel: Callable[[Sequence[MeasuredCase]], Funnel],
    running: datetime,
) -> tuple[Cohort, ...]:
    """By entry, oldest first. A period in which nobody entered is not listed."""
    found: defaultdict[date, list[MeasuredCase]] = defaultdict(list)
    for case in cases:
        found[first_day(case)].append(case)
    return tuple(
        Cohort(day, funnel(some), is_running=max(c.entered_at for c in some) > running)
        for day, some in sorted(found.items())
    )


def _groups(
    cases: Sequence[MeasuredCase],
    code: Callable[[MeasuredCase], str],
    funnel: Callable[[Sequence[MeasuredCase]], Funnel],
) -> tuple[Group, ...]:
    """The largest first."""
    found: defaultdict[str, list[MeasuredCase]] = defaultdict(list)
    for case in cases:
        found[code(case)].append(case)
    return tuple(
        Group(name, funnel(some)) for name, some in sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    )


def _paths(cases: Sequence[MeasuredCase], texts: Iterable[MeasuredText]) -> tuple[Path, ...]:
    """What each text led to. The last one before the answer (or the booking) is credited, once per case."""
    by_case: defaultdict[str, list[MeasuredText]] = defaultdict(list)
    for text in texts:
        by_case[text.case_id].append(text)
    sent: Counter[tuple[int, str, str]] = Counter()
    arrived: Counter[tuple[int, str, str]] = Counter()
    answered: Counter[tuple[int, str, str]] = Counter()
    booked: Counter[tuple[int, str, str]] = Counter()
    for case in cases:
        mine = by_case.get(case.id, ())
        sent.update(_key(t) for t in mine)
        reached = [t for t in mine if t.arrived]
        arrived.update(_key(t) for t in reached)
        answered.update(_credited(reached, case.reply_after_at))
        booked.update(_credited(reached, case.booked_at))
    return tuple(
        Path(*key, sent=count, answered=Share(answered[key], arrived[key]), booked=Share(booked[key], arrived[key]))
        for key, count in sorted(sent.items())
    )


def _key(text: MeasuredText) -> tuple[int, str, str]:
    return text.step, text.script_id, text.channel


def _credited(texts: Iterable[MeasuredText], at: datetime | None) -> list[tuple[int, str, str]]:
    before = [text for text in texts if at is not None and text.sent_at <= at]
    return [_key(before[-1])] if before else []


def _days_to_scheduled(cases: Iterable[MeasuredCase], today: date) -> Survival:
    """From diagnosis; a case without a day of diagnosis cannot be counted."""
    spans = []
    for case in cases:
        booked_on = case.booked_on if case.booked else None
        if case.diagnosed_on is not None:
            spans.append((((booked_on or today) - case.diagnosed_on).days, booked_on is not None))
    return Survival.of(spans)


def _days_to_booked(cases: Iterable[MeasuredCase], now: datetime) -> Survival:
    """From our first text; whoever was booked before it is not counted."""
    spans = []
    for case in cases:
        if case.first_sent_at is not None and (case.booked_at is None or case.booked_at >= case.first_sent_at):
            spans.append((((case.booked_at or now) - case.first_sent_at) // timedelta(days=1), case.booked))
    return Survival.of(spans)


def _comparison(cases: Iterable[MeasuredCase], policy: PracticePolicy, now: datetime) -> Comparison | None:
    """Booked within the same time of entry in both groups; None if nobody was held out."""
    cases = list(cases)
    held = [case for case in cases if case.held_out]
    if not held:
        return None
    # Only written cases of the time in which the draw was made are a fair match.
    began = min(case.entered_at for case in held)
    window = timedelta(days=policy.hold_out.within_days)
    compared = [case for case in cases if case.entered_at >= began]
    old = [case for case in compared if case.entered_at + window <= now]
    released = [c for c in old if c.held_out and c.first_sent_at and c.first_sent_at < c.entered_at + window]
    left = {case.id for case in released}

    def outcome(some: Iterable[MeasuredCase]) -> Share:
        return Share.of(_settled_within(case, window) for case in some if case.id not in left)

    oldest = min(case.entered_at for case in compared)
    return Comparison(
        within_days=policy.hold_out.within_days,
        written=outcome(c for c in old if not c.held_out),
        held_out=outcome(c for c in old if c.held_out),
        maturing=len(compared) - len(old),
        released=len(released),
        first_on=None if old else (oldest + window).astimezone(policy.office.tz).date(),
    )


def _settled_within(case: MeasuredCase, window: timedelta) -> bool:
    moments = [at for at in (case.booked_at, case.elsewhere_at) if at is not None]
    return bool(moments) and min(moments) <= case.entered_at + window
