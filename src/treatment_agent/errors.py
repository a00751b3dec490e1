"""Every exception of `treatment_agent`, in one tree.

    TreatmentAgentError
    ├── ConfigurationError      a policy, script or setting is wrong: names the place and the fix
    │   ├── PolicyError         several mistakes in one `PracticePolicy`
    │   └── ScriptError         an unapproved, unknown or unfillable script
    ├── NaiveDatetimeError      a datetime without an offset reached us
    ├── BadRow                  a source row that cannot be read (reported, never fatal)
    ├── AdapterError
    │   ├── AdapterUnavailable  retry is safe: nothing was written
    │   ├── AdapterRejected     the other system said no; retrying will not help
    │   ├── DeliveryInDoubt     a send may or may not have happened: a person decides
    │   ├── ModelFailed         a language model gave no answer that counts; `kind` says why
    │   └── SlotTaken           somebody else has the slot
    ├── NotPermitted            a rule forbids it; carries the rule id
    ├── NotFound                no such patient, conversation or handoff
    ├── ConversationBusy        another worker holds the conversation and did not finish in time
    └── StateTooNew             a checkpoint written by a newer release

Messages carry ids and rule ids. They never carry a name, a phone number, an address or a patient's words.
"""

from __future__ import annotations


class TreatmentAgentError(Exception):
    """Root of the tree: `except TreatmentAgentError` catches everything this library raises on purpose."""


class ConfigurationError(TreatmentAgentError):
    """A policy, script or setting is wrong. The message names the place and the fix."""


class PolicyError(ConfigurationError):
    """A `PracticePolicy` has mistakes; `problems` lists each as (place, what is wrong and how to fix it)."""

    def __init__(self, policy_id: str, problems: tuple[tuple[str, str], ...]) -> None:
        self.policy_id = policy_id
        self.problems = problems
        lines = "\n".join(f"  {place}: {text}" for place, text in problems)
        super().__init__(f"policy {policy_id!r} cannot be used:\n{lines}")


class ScriptError(ConfigurationError):
    """A script is missing, unapproved, or asks for a fact that nobody declared."""


class NaiveDatetimeError(TreatmentAgentError):
    """A datetime had no UTC offset."""

    def __init__(self, place: str) -> None:
        super().__init__(
            f"{place}: the datetime has no UTC offset; attach a zone, for example "
            "`.replace(tzinfo=ZoneInfo('America/Chicago'))`"
        )


class BadRow(TreatmentAgentError):
    """A source row that cannot be read: where it stands, which column, and how to fix it."""

    def __init__(self, place: str, column: str | None, fix: str) -> None:
        self.place = place
        self.column = column
        self.fix = fix
        super().__init__(f"{place}{f', column {column!r}' if column else ''}: {fix}")


class AdapterError(TreatmentAgentError):
    """Something went wrong at the edge: scheduler, messenger, chart, desk or model."""


class AdapterUnavailable(AdapterError):
    """The other system could not be reached and nothing was written: a retry is safe."""


class AdapterRejected(AdapterError):
    """The other system refused. Retrying the same call will not help.

    `code` is the other system's own short code, when it gave one.
    """

    def __init__(self, message: str, *, code: str | None = None) -> None:
        self.code = code
        super().__init__(message)


class DeliveryInDoubt(AdapterError):
    """A message may or may not have left. It is never sent again by itself."""


class ModelFailed(AdapterError):
    """A language model gave no answer that counts. `kind` is a `ModelFailure`, told in one word.

    `retry_after` is how many seconds the provider asked to wait, if it did.
    """

    def __init__(self, kind: str, *, retry_after: float | None = None) -> None:
        self.kind = kind
        self.retry_after = retry_after
        super().__init__(f"the language model gave no usable answer: {kind}")


class SlotTaken(AdapterError):
    """The slot was open when it was offered and is not any more."""


class NotPermitted(TreatmentAgentError):
    """A rule forbids the action."""

    def __init__(self, rule: str, message: str = "") -> None:
        self.rule = rule
        super().__init__(f"{rule}: {message}" if message else rule)


class NotFound(TreatmentAgentError):
    """No such patient, conversation or handoff in this ledger."""


class ConversationBusy(TreatmentAgentError):
    """Another worker holds the conversation's lease and did not finish in time. The event is stored."""


class StateTooNew(TreatmentAgentError):
    """The stored conversation was written by a newer release of this library."""
