"""The weekly review, from what the ledger tells of a period."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from treatment_agent.domain.review import AskedTime, Fault, Happening, Objection, PeriodBooks, Review, SaidReason
from treatment_agent.domain.scheduling import Window
from treatment_agent.policies import faults
from treatment_agent.policies.faults import FaultKind
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.ports import Ledger

MOST_WORDS: Final = 3
_LONGEST: Final = 180
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_UNMET: Final = frozenset({"reply.nearest-times", "reply.no-slots", "reply.too-many-rounds"})
# A call-back at ten is no wish for a visit at ten.
_NO_VISIT: Final = frozenset({"reply.call-back"})
# Numbers of people, cards and mailboxes are no use to a reader, even in the office.
_PRIVATE: Final = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+|\(?(?:\d[\s().-]{0,2}){5,}\d")


def review(ledger: Ledger, policy: PracticePolicy, *, since: datetime, until: datetime) -> Review:
    """What patients said against it in `[since, until)`, and what in the office's ways was in the way."""
    return of_period(ledger.period(since=since, until=until), policy, since=since, until=until)


def of_period(books: PeriodBooks, policy: PracticePolicy, *, since: datetime, until: datetime) -> Review:
    """The same from what was read already."""
    found = [*_by_rule(books.happenings), *_times(books.happenings, policy.office.tz), *_late(books, until)]
    found += [*_asked_often(books.happenings), *_mendable(books.left_out)]
    return Review(
        since=since,
        until=until,
        messages=sum(1 for one in books.happenings if one.kind == "patient_message"),
        objections=_objections(books.reasons),
        asked_times=_asked_times(books.happenings, policy.office.tz),
        faults=tuple(sorted(found, key=lambda fault: (-fault.patients, -fault.times, fault.id, fault.detail))),
    )


def _objections(reasons: Iterable[SaidReason]) -> tuple[Objection, ...]:
    patients: defaultdict[str, set[str]] = defaultdict(set)
    words: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for said in sorted(reasons, key=lambda one: one.at, reverse=True):
        patients[said.code].add(said.case_id)
        if said.words.strip():
            words[said.code][_quote(said.words)] = None
    ordered = sorted(patients, key=lambda code: (-len(patients[code]), code))
    return tuple(Objection(code, len(patients[code]), tuple(words[code])[:MOST_WORDS]) for code in ordered)


def _quote(text: str) -> str:
    """The message on one line, without numbers and addresses, and not too long."""
    said = _PRIVATE.sub("…", " ".join(text.split()))
    return said if len(said) <= _LONGEST else f"{said[:_LONGEST].rsplit(' ', 1)[0]} …"


def _by_rule(happenings: Iterable[Happening]) -> Iterator[Fault]:
    times: Counter[str] = Counter()
    patients: defaultdict[str, set[str]] = defaultdict(set)
    kinds = {rule: kind for kind in faults.FAULTS for rule in kind.rules}
    for one in happenings:
        # A time that was named and not found is told with the time.
        told = {kinds[rule].id for rule in one.rules if rule in kinds and not (one.windows and rule in _UNMET)}
        times.update(told)
        for fault_id in told:
            patients[fault_id].add(one.case_id)
    return (_fault(k, times[k.id], len(patients[k.id])) for k in faults.FAULTS if times[k.id])


def _fault(kind: FaultKind, times: int, patients: int, detail: str = "") -> Fault:
    return Fault(kind.id, kind.what, kind.fix, times, patients, detail)


def _wishes(happenings: Iterable[Happening], zone: ZoneInfo) -> Iterator[tuple[str, Happening]]:
    for one in happenings:
        if one.windows and not _NO_VISIT & set(one.rules):
            for when in _named(one.windows, zone):
                yield when, one


def _named(windows: tuple[Window, ...], zone: ZoneInfo) -> tuple[str, ...]:
    """What these times have in common, as a person would say it: `Saturday`, `evening`, `Friday morning`."""
    starts = [window.start.astimezone(zone) for window in windows]
    ends = [window.end.astimezone(zone) for window in windows]
    days = sorted({start.weekday() for start in starts})
    part = _part([start.time() for start in starts], [end.time() for end in ends])
    if len(days) > 2:
        return (part or "any day",)
    return tuple(f"{_DAYS[day]} {part}".strip() for day in days)


def _part(starts: list[time], ends: list[time]) -> str:
    if all(start >= time(17) for start in starts):
        return "evening"
    if all(start >= time(12) for start in starts):
        return "afternoon"
    if all(time(0) < end <= time(9) for end in ends):
        return "early morning"
    return "morning" if all(time(0) < end <= time(12) for end in ends) else ""


def _asked_times(happenings: Iterable[Happening], zone: ZoneInfo) -> tuple[AskedTime, ...]:
    asked: Counter[str] = Counter()
    unmet: Counter[str] = Counter()
    for when, one in _wishes(happenings, zone):
        asked[when] += 1
        unmet[when] += bool(_UNMET & set(one.rules))
    ordered = sorted(asked, key=lambda when: (-asked[when], -unmet[when], when))
    return tuple(AskedTime(when, asked[when], unmet[when]) for when in ordered)


def _times(happenings: Iterable[Happening], zone: ZoneInfo) -> Iterator[Fault]:
    times: Counter[str] = Counter()
    patients: defaultdict[str, set[str]] = defaultdict(set)
    for when, one in _wishes(happenings, zone):
        if _UNMET & set(one.rules):
            times[when] += 1
            patients[when].add(one.case_id)
    return (_fault(faults.UNMET_TIME, times[when], len(patients[when]), when) for when in times)


def _late(books: PeriodBooks, until: datetime) -> Iterator[Fault]:
    """Handoffs whose due time passed in the period before somebody had looked."""
    late = [h for h in books.due if (h.acknowledged_at or until) > h.due_at]
    for topic, times in sorted(Counter(h.topic for h in late).items()):
        patients = {h.case_id for h in late if h.topic == topic}
        yield _fault(faults.LATE_STAFF, times, len(patients), topic)


def _asked_often(happenings: Iterable[Happening]) -> Iterator[Fault]:
    asked: defaultdict[str, list[str]] = defaultdict(list)
    for one in happenings:
        if one.asks is not None:
            asked[one.asks].append(one.case_id)
    for question, cases in sorted(asked.items()):
        if len(set(cases)) > 1:
            yield _fault(faults.ASKED_OFTEN, len(cases), len(set(cases)), question)


def _mendable(left_out: dict[str, int]) -> Iterator[Fault]:
    for kind in faults.MENDABLE:
        count = sum(left_out.get(rule, 0) for rule in kind.rules)
        if count:
            yield _fault(kind, count, count)
