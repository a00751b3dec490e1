"""Single settings of a policy, replaced by what a dialogue file says."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ValidationError

from treatment_agent.errors import ConfigurationError
from treatment_agent.policies.practice import PracticePolicy


def overridden(policy: PracticePolicy, overrides: Mapping[str, object]) -> PracticePolicy:
    """The policy with these settings, each checked like the policy itself.

    Raises:
        ConfigurationError: there is no such setting, or it cannot have this value; names the place.
    """
    if not overrides:
        return policy
    try:
        changed = merged(policy, overrides)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"practice.policy.{place}: {first['msg']}") from None
    changed.validate_all()
    return changed


def merged(policy: PracticePolicy, overrides: Mapping[str, object]) -> PracticePolicy:
    """The policy with these settings; whether they fit each other is not looked at.

    Raises:
        ValidationError: with the place within the policy.
    """
    return PracticePolicy.model_validate(_merged(policy, overrides))


def _merged(old: object, new: object) -> object:
    """Tables are merged key by key, anything else is replaced."""
    if not isinstance(new, Mapping):
        return new
    if isinstance(old, BaseModel):
        old = {name: getattr(old, name) for name in type(old).model_fields}
    if not isinstance(old, Mapping):
        return new
    return {**old, **{key: _merged(old.get(key), value) for key, value in new.items()}}
