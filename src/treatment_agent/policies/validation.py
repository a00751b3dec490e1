"""Every mistake in a policy, with its place and its fix, before the first patient is touched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from treatment_agent.domain.interpretation import Topic
from treatment_agent.domain.messages import ScriptFacts
from treatment_agent.domain.private import PhoneNumber
from treatment_agent.domain.treatment import Family
from treatment_agent.policies import lawful
from treatment_agent.policies.law import Disclosure
from treatment_agent.policies.lint import lint, opens_with_us
from treatment_agent.policies.plan_checks import PLAN_CHECKS, first_scripts, most_steps, usable
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.policies.scripts import ALLOWED_FIELDS, Script, unfilled

Problem = tuple[str, str]

# Texts that the replies choose by themselves, beside cadence, topics and rule scripts.
NEEDED_SCRIPTS: Final = (
    "offer", "offer-one", "offer-nearest", "offer-nearest-one", "no-slots", "ask-which", "ask-date",
    "booked", "booking-requested", "slot-taken", "slot-taken-one", "moved", "booking-failed", "callback-ask",
    "callback-confirmed", "callback-confirmed-at", "link", "declined", "deferred", "deferred-until", "ask-reason",
    "reason-noted", "already", "change-noted", "logistics", "logistics-duration", "who", "thanks",
    "opt-out-confirmation", "opt-in-confirmation", "help", "email-footer",
)  # fmt: skip
# What the office itself must know for any text to be filled; the rest depends on the conversation.
_OFFICE_FIELDS: Final = frozenset({"office", "phone", "link", "address", "financing_next_step"})
_FIRST_TEXT_RULES: Final = frozenset({"lint.no-office", "lint.no-opt-out", "lint.no-disclosure"})


def problems(policy: PracticePolicy) -> tuple[Problem, ...]:
    """All mistakes in a policy as (place, what is wrong and how to fix it); empty when it can be used.

    Two policies with one id are seen by the coordinator, which knows them all.
    """
    return tuple(problem for check in _CHECKS for problem in check(policy))


def _office(policy: PracticePolicy) -> Iterator[Problem]:
    office = policy.office
    if not _zone_known(policy):
        yield "office.zone", f"unknown time zone {office.zone!r}; use an IANA name such as America/Chicago"
    for name, value in (("name", office.name), ("address", office.address)):
        if not value.strip():
            yield f"office.{name}", "is empty; texts are filled from it"
    try:
        PhoneNumber.parse(office.phone)
    except ValueError as error:
        yield "office.phone", f"{error}; patients are told to call it"
    link = urlsplit(office.booking_link)
    if link.scheme not in ("http", "https") or not link.netloc:
        yield "office.booking_link", "must be a web address that begins with https:// (or http://)"
    for index, hours in enumerate(office.hours):
        if hours.closes <= hours.opens:
            yield f"office.hours[{index}]", "closes before it opens; swap the times or split the day"


def _scope(policy: PracticePolicy) -> Iterator[Problem]:
    scope = policy.scope
    known = {p.id for p in policy.office.providers}
    for provider_id in scope.provider_ids:
        if provider_id not in known:
            yield "scope.provider_ids", f"{provider_id!r} is not in office.providers; add the provider there"
    for family in scope.families:
        if family not in tuple(Family):
            yield "scope.families", f"unknown family {family!r}; use one of {', '.join(Family)}"
        elif policy.template_for(Family(family)) is None:
            yield (
                "templates",
                f"none for {Family(family).value!r}, which is in scope; add a BookingTemplate or take it out",
            )
    if scope.youngest_days > scope.oldest_days:
        yield "scope.youngest_days", "is larger than oldest_days, so no case is in scope; swap them"


def _templates(policy: PracticePolicy) -> Iterator[Problem]:
    known = {p.id for p in policy.office.providers}
    seen: set[Family] = set()
    for index, template in enumerate(policy.templates):
        place = f"templates[{index}]"
        if template.family in seen:
            yield place, f"a second template for {template.family!r}; only the first counts, so remove one"
        seen.add(template.family)
        for provider_id in template.provider_ids:
            if provider_id not in known:
                yield f"{place}.provider_ids", f"{provider_id!r} is not in office.providers; add the provider there"
        if template.lead_hours + template.answer_hours >= template.horizon_days * 24:
            yield f"{place}.horizon_days", "ends before the lead time does, so no slot is ever found; make it longer"


def _contact(policy: PracticePolicy) -> Iterator[Problem]:
    rules, steps = policy.contact, most_steps(policy)
    if rules.quiet_from == rules.quiet_until:
        yield "contact.quiet_from", "equals quiet_until; quiet hours must be a stretch, such as 20:00 to 09:00"
    elif rules.quiet_from < rules.quiet_until:
        yield "contact.quiet_from", "is earlier than quiet_until, so nights are not quiet; swap the two"
    if rules.max_per_day < 1 or rules.max_per_week < 1:
        yield "contact.max_per_day", "max_per_day and max_per_week must be 1 or more; to write nobody, empty the scope"
    if rules.max_per_case < steps:
        yield (
            "contact.max_per_case",
            f"is {rules.max_per_case} but the cadence has {steps} steps; raise it or cut steps",
        )
    if rules.max_per_week < rules.max_per_day:
        yield "contact.max_per_week", "is less than max_per_day; raise it"
    if not rules.channels or len(set(rules.channels)) < len(rules.channels):
        yield "contact.channels[0]", "is empty or names a channel twice; the usual order is SMS, then EMAIL"
    if set(rules.no_weekdays) >= set(range(7)):
        yield "contact.no_weekdays", "names every day, so nothing is ever sent; 0 is Monday and 6 Sunday"
    if not set(rules.no_weekdays) <= set(range(7)):
        yield "contact.no_weekdays", "has a number that is no weekday; 0 is Monday and 6 Sunday"


def _topics(policy: PracticePolicy) -> Iterator[Problem]:
    for topic in Topic:
        if topic not in policy.topics:
            yield f"topics[{topic.value!r}]", "has no TopicPolicy, so nobody would own it; add one"
            continue
        yield from usable(policy, f"topics[{topic.value!r}].script_id", policy.topics[topic].script_id)
    for rule, script_id in policy.rule_scripts.items():
        yield from usable(policy, f"rule_scripts[{rule!r}]", script_id)
    for script_id in NEEDED_SCRIPTS:
        yield from usable(policy, f"scripts[{script_id!r}]", script_id)


def _scripts(policy: PracticePolicy) -> Iterator[Problem]:
    texts: dict[tuple[str, str, int], Script] = {}
    for script in policy.scripts.scripts:
        place = f"scripts[{script.id!r}, {script.language!r}, version {script.version}]"
        same = texts.setdefault((script.id, script.language, script.version), script)
        if (same.text, same.subject) != (script.text, script.subject):
            yield place, "stands there twice with different texts; give the newer one a higher version"
        if not script.approved_by.strip():
            yield place, "nobody approved it; set approved_by, or take the draft out"
        if not script.well_formed:
            yield place, "has a brace that is no fill-in such as {office}; remove it"
        for field in script.fields:
            if field not in ALLOWED_FIELDS:
                yield place, f"unknown fill-in {{{field}}}; allowed are {', '.join(sorted(ALLOWED_FIELDS))}"
        lacking = _OFFICE_FIELDS & set(unfilled(script, facts=ScriptFacts(), office=policy.office))
        for field in sorted(lacking):
            yield place, f"the office profile has nothing for {{{field}}} in {script.language!r}; add it (office.words)"


def _first_texts(policy: PracticePolicy) -> Iterator[Problem]:
    if not _zone_known(policy):
        return
    first = first_scripts(policy)
    for script in policy.scripts.scripts:
        if not any(script.id == f or script.id.startswith(f"{f}-") for f in first) and not opens_with_us(script.id):
            continue
        place = f"scripts[{script.id!r}, {script.language!r}, version {script.version}]"
        opening = script.model_copy(update={"id": "first-message"})
        silent = {"lint.no-disclosure"} if policy.law.disclosure is Disclosure.ON_REQUEST else set()
        wrong = _FIRST_TEXT_RULES - silent
        yield from ((place, f.text) for f in lint(opening, policy.office) if f.rule in wrong)


def _zone_known(policy: PracticePolicy) -> bool:
    try:
        ZoneInfo(policy.office.zone)
    except (KeyError, ValueError, OSError):
        return False
    return True


_CHECKS: Final[tuple[Callable[[PracticePolicy], Iterator[Problem]], ...]] = (
    _office,
    _scope,
    _templates,
    _contact,
    *PLAN_CHECKS,
    _topics,
    _scripts,
    _first_texts,
    lawful.problems,
)
