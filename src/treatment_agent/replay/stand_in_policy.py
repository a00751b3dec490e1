"""The office's policy with an invented office: same rules, same scripts, other names, numbers and days."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Final

from treatment_agent.policies.places import office_state
from treatment_agent.policies.practice import PracticePolicy

POLICY_ID: Final = "office"
OFFICE_NAME: Final = "Example Dental"
_PHONE: Final = "(999) 010-0199"
OFFICE_LINK: Final = "https://example.org/book"
_EMAIL: Final = "office@example.org"
_PROVIDERS: Final = ("Dr. Adler", "Dr. Birch", "Dr. Cedar", "Dr. Dorn", "Dr. Elm", "Dr. Fern", "Dr. Gale", "Dr. Heath")


def provider_ids(policy: PracticePolicy) -> dict[str, str]:
    """An invented id for each provider the policy names, in the order it names them."""
    named = [p.id for p in policy.office.providers]
    named += policy.scope.provider_ids
    named += [provider for template in policy.templates for provider in template.provider_ids]
    return {provider: f"provider-{n}" for n, provider in enumerate(dict.fromkeys(named), start=1)}


def stand_in(policy: PracticePolicy, day: Callable[[date], date]) -> PracticePolicy:
    """The policy of an invented office; `day` moves the holidays. Own guardrails and factors stay as they are."""
    data = policy.model_copy(update={"guardrails": (), "priority_factors": ()}).model_dump(mode="json")
    providers = provider_ids(policy)
    swaps = _swaps(policy)
    data["id"] = POLICY_ID
    data["office"] = _office(policy, data["office"], providers, day)
    data["scope"]["provider_ids"] = [providers[p] for p in policy.scope.provider_ids]
    for template in data["templates"]:
        template["provider_ids"] = [providers[p] for p in template["provider_ids"]]
    for script in data["scripts"]["scripts"]:
        script["approved_by"] = "approver" if script["approved_by"].strip() else ""
        for field in ("text", "subject"):
            script[field] = swapped(script[field], swaps)
    made = PracticePolicy.model_validate_json(json.dumps(data))
    own = {"guardrails": policy.guardrails, "priority_factors": policy.priority_factors}
    return made.model_copy(update=own)


def with_office_of(policy: PracticePolicy, carried: dict[str, object]) -> PracticePolicy:
    """Any policy, put into the invented office of a redacted file, whose holidays have moved already."""
    made = stand_in(policy, lambda day: day)
    office = type(policy.office).model_validate_json(json.dumps(carried["office"]))
    return made.model_copy(update={"office": office})


def swapped(text: str, swaps: dict[str, str]) -> str:
    """The text with the office's own words replaced, longest first."""
    for original in sorted(swaps, key=len, reverse=True):
        text = text.replace(original, swaps[original])
    return text


def _swaps(policy: PracticePolicy) -> dict[str, str]:
    office = policy.office
    swaps = {
        office.name: OFFICE_NAME,
        office.phone: _PHONE,
        office.booking_link: OFFICE_LINK,
        office.address: _address(policy),
    }
    swaps |= {office.email: _EMAIL}
    swaps |= {p.name: _provider_name(n) for n, p in enumerate(office.providers)}
    return {original: invented for original, invented in swaps.items() if len(original) > 2}


def _address(policy: PracticePolicy) -> str:
    state = office_state(policy.office, policy.law)
    return f"100 Example Street, Springfield{f', {state} 00000' if state else ''}"


def _provider_name(number: int) -> str:
    return _PROVIDERS[number] if number < len(_PROVIDERS) else f"Dr. {'X' * (number // 26 + 1)}{chr(97 + number % 26)}"


def _office(
    policy: PracticePolicy, office: dict[str, object], providers: dict[str, str], day: Callable[[date], date]
) -> dict[str, object]:
    own = policy.office
    names = {
        "name": OFFICE_NAME,
        "phone": _PHONE,
        "booking_link": OFFICE_LINK if own.booking_link else "",
        "address": _address(policy),
        "email": _EMAIL if own.email else "",
        "providers": [{"id": providers[p.id], "name": _provider_name(n)} for n, p in enumerate(own.providers)],
        "holidays": [day(holiday).isoformat() for holiday in own.holidays],
        "words": [{"language": w.language, **_sentences(w.model_dump(mode="json"), w.language)} for w in own.words],
    }
    return office | names | _sentences(office, "en")


def _sentences(words: dict[str, object], language: str) -> dict[str, object]:
    """Sentences of the office, each as long as there is one."""
    example = "Este es un ejemplo." if language == "es" else "This is an example."
    return {field: example if words.get(field) else "" for field in ("hours_text", "parking", "financing_next_step")}
