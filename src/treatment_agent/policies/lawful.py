"""What a policy gets wrong about the law, and what somebody should look at before a date."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final

from treatment_agent.errors import ScriptError
from treatment_agent.policies.disclosure import denies, discloses
from treatment_agent.policies.law import FEDERAL, SOON_DAYS, Disclosure, coming, stale
from treatment_agent.policies.places import office_state, state_code
from treatment_agent.policies.practice import DEFAULT_RULE_SCRIPTS, PracticePolicy

Note = tuple[str, str]

_BOT_RULE: Final = "human.bot-question"


def problems(policy: PracticePolicy) -> Iterator[Note]:
    """Mistakes that hold whatever the day: as (place, what is wrong and how to fix it)."""
    law = policy.law
    if not any(j.id == FEDERAL for j in law.jurisdictions):
        yield "law.jurisdictions", f"has no {FEDERAL} file; keep default_jurisdictions() and add to them"
    if law.state and state_code(law.state) is None:
        yield "law.state", "is no state of the United States; write two letters such as IL"
    minutes = [r.confirmation_minutes for j in law.jurisdictions for r in j.rules if r.confirmation_minutes is not None]
    if minutes and policy.contact.opt_out_confirmation_minutes > min(minutes):
        yield (
            "contact.opt_out_confirmation_minutes",
            f"is more than {min(minutes)}, the time in which an opt-out may be confirmed; lower it",
        )
    yield from _bot_answers(policy)


def _bot_answers(policy: PracticePolicy) -> Iterator[Note]:
    """Whoever asks if this is a bot gets the truth, in every language that we write first in."""
    first = policy.cadence.steps[0].script_id if policy.cadence.steps else ""
    answer = policy.rule_scripts.get(_BOT_RULE, DEFAULT_RULE_SCRIPTS[_BOT_RULE])
    for language in sorted({s.language for s in policy.scripts.scripts if s.id == first}):
        place = f"scripts[{answer!r}, {language!r}]"
        if not policy.scripts.has(answer, language):
            yield place, f"is missing or not approved, and the office writes first in {language!r}; add it"
            continue
        try:
            text = policy.scripts.get(answer, language).text
        except ScriptError:
            continue
        if not discloses(text, language) or denies(text, language):
            yield place, "must answer truthfully that an automated assistant writes"


def notes(policy: PracticePolicy, on: date) -> Iterator[Note]:
    """What to look at on a day: stale files, rules that change soon, hours that the law shortens, open holidays."""
    law, state = policy.law, office_state(policy.office, policy.law)
    for place in stale(law, on):
        yield f"law {place.id}", f"was due to be read again by {place.review_by:%Y-%m-%d}; check it and set review_by"
    for day, place, rule in coming(law, on):
        word = "begins" if day == rule.effective_from else "ends"
        yield f"law {place.id}", f"{rule.id} {word} on {day:%Y-%m-%d}: {rule.says} ({rule.source})"
    if state is None:
        yield "law", "the office's state is not known; set law.state so that its rules are kept"
    elif not any(j.id == f"{FEDERAL}-{state}" for j in law.jurisdictions):
        yield "law", f"no file for {state}: only federal rules and the office's own are kept there; add one if needed"
    if law.disclosure is Disclosure.ON_REQUEST:
        yield "law.disclosure", "first texts say who writes only where the law wants it"
    yield from _shortened(policy, on)
    yield from _open_holidays(policy, on)


def _shortened(policy: PracticePolicy, on: date) -> Iterator[Note]:
    """Steps whose time of day the office's own state never allows."""
    state = office_state(policy.office, policy.law)
    law = policy.law.binding([state] if state else [])
    week = [on + timedelta(days=n) for n in range(7)]
    for index, step in enumerate(policy.cadence.steps):
        if all(law.blocked_by(datetime.combine(day, step.at, policy.office.tz)) for day in week):
            yield f"cadence.steps[{index}].at", "the law of the office's own state never allows this time of day"


def _open_holidays(policy: PracticePolicy, on: date) -> Iterator[Note]:
    """Legal holidays of the coming three months on which texts would go out."""
    if policy.law.federal_holidays:
        return
    found = []
    for day in (on + timedelta(days=n) for n in range(SOON_DAYS)):
        free = day in policy.office.holidays or day.weekday() in policy.contact.no_weekdays
        name = next((h.name for j in policy.law.jurisdictions for h in j.holidays if h.falls_on(day)), None)
        if name is not None and not free:
            found.append(f"{name} ({day:%Y-%m-%d})")
    if found:
        yield "office.holidays", f"texts go out on {', '.join(found)}; add the day, or set law.federal_holidays"
