"""Where past conversations come from on the command line, and what they are decided with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from treatment_agent.cli.options import imported, load, opened
from treatment_agent.errors import ConfigurationError

if TYPE_CHECKING:
    from treatment_agent.policies.practice import PracticePolicy
    from treatment_agent.ports import Interpreter, Ledger
    from treatment_agent.replay.history import Header, History

_SQLITE = b"SQLite format 3\x00"


@dataclass(frozen=True, slots=True)
class Rules:
    """What turns are decided with. `own` is False for a policy that came out of the file itself."""

    policy: PracticePolicy
    interpreter: Interpreter
    own: bool = True


def past(source: str | None, app: str | None, folder: Path, now: str | None) -> tuple[History, Rules]:
    """The conversations that `source` names, and the policy and interpreter of `app`.

    Without `source` they are those on the practice's own books; without `app` a file is decided under the policy it
    carries, and books under the bundled practice's.

    Raises:
        ConfigurationError: the file is neither a history nor a ledger, or carries only part of its policy.
    """
    from treatment_agent.replay import export, history

    if source is not None and _is_history(source):
        found = history.read(Path(source))
        return found, _in_its_office(rules_of(app), found.header) if app else _carried(found.header)
    with _books(source, app, folder, now) as (ledger, rules):
        return export.export(ledger, rules.policy, rules.interpreter.version), rules


@contextmanager
def _books(source: str | None, app: str | None, folder: Path, now: str | None) -> Iterator[tuple[Ledger, Rules]]:
    if source is None:
        with opened(app, folder, now) as coordinator:
            yield coordinator.ledger, Rules(coordinator.policy, coordinator.interpreter)
        return
    from treatment_agent.demo.policy import maple_policy
    from treatment_agent.ledger.sql_ledger import SqlLedger

    ledger = SqlLedger(_url(source))
    try:
        yield ledger, rules_of(app) if app else _with(maple_policy())
    finally:
        ledger.close()


def rules_of(app: str) -> Rules:
    """The policy and interpreter of a Coordinator, or a bare PracticePolicy with the local interpreter.

    Raises:
        ConfigurationError: it is neither.
    """
    from treatment_agent.policies.practice import PracticePolicy

    found = imported(app)
    if isinstance(found, PracticePolicy):
        found.validate_all()
        return _with(found)
    coordinator = load(app)
    coordinator.close()
    return Rules(coordinator.policy, coordinator.interpreter)


def _with(policy: PracticePolicy, *, own: bool = True) -> Rules:
    from treatment_agent.understanding.union import beside_local

    return Rules(policy, beside_local(None), own=own)


def _carried(header: Header) -> Rules:
    from treatment_agent.policies.practice import PracticePolicy

    if header.policy is None or header.own_parts:
        parts = ", ".join(header.own_parts) or "all of it"
        raise ConfigurationError(f"the file does not carry its whole policy (missing: {parts}); name yours with --app")
    return _with(PracticePolicy.model_validate_json(_json(header.policy)), own=False)


def _in_its_office(rules: Rules, header: Header) -> Rules:
    """A redacted file's office and providers are invented, so any policy is tried on it in that office."""
    from treatment_agent.replay.stand_in_policy import with_office_of

    if not header.redacted or header.policy is None:
        return rules
    return replace(rules, policy=with_office_of(rules.policy, header.policy))


def _json(policy: dict[str, object]) -> str:
    import json

    return json.dumps(policy)


def _is_history(source: str) -> bool:
    if "://" in source:
        return False
    path = Path(source)
    if not path.is_file():
        raise ConfigurationError(f"{source}: no such file; name a history file or the database file of a ledger")
    with path.open("rb") as file:
        return not file.read(len(_SQLITE)).startswith(_SQLITE)


def _url(source: str) -> str:
    return source if "://" in source else f"sqlite:///{source}"
