"""`PracticePolicy`: everything an office decides, as one frozen value built in Python.

    policy = PracticePolicy(id="maple-2026", office=OfficeProfile(name="Maple Dental", ...))
    policy = policy.model_copy(update={"cadence": Cadence(steps=(...))})

Sensible, safe defaults everywhere; `policy.validate_all()` explains every mistake with its place and its fix.
"""

from __future__ import annotations

from datetime import time
from hashlib import sha256
from typing import Protocol, runtime_checkable

from pydantic import Field

from treatment_agent.domain.conversation import Conversation
from treatment_agent.domain.interpretation import Interpretation, Situation, Topic
from treatment_agent.domain.messages import Channel
from treatment_agent.domain.office import Agreement
from treatment_agent.domain.scheduling import Authority
from treatment_agent.domain.treatment import Family
from treatment_agent.domain.turn import Verdict
from treatment_agent.domain.value import Value
from treatment_agent.errors import PolicyError
from treatment_agent.policies.consenting import ConsentRules
from treatment_agent.policies.eligibility import Eligibility
from treatment_agent.policies.hold_out import HoldOut
from treatment_agent.policies.law import Law
from treatment_agent.policies.limits import Limits
from treatment_agent.policies.office import Hours, OfficeProfile, OfficeWords, Provider
from treatment_agent.policies.owners import Escalation
from treatment_agent.policies.priority import PriorityFactor, PriorityWeights
from treatment_agent.policies.scripts import Script, ScriptBook, default_scripts, load_scripts
from treatment_agent.policies.steps import Cadence, CadenceVariant, Step
from treatment_agent.policies.texting import Texting
from treatment_agent.policies.topic_owners import TopicPolicy, default_topics
from treatment_agent.policies.workflows import Workflow, default_workflows

__all__ = [
    "DEFAULT_RULE_SCRIPTS",
    "BookingTemplate",
    "Cadence",
    "CadenceVariant",
    "ContactRules",
    "Eligibility",
    "Guardrail",
    "HoldOut",
    "Hours",
    "OfficeProfile",
    "OfficeWords",
    "PracticePolicy",
    "PriorityFactor",
    "PriorityWeights",
    "Provider",
    "Scope",
    "Script",
    "ScriptBook",
    "Step",
    "TopicPolicy",
    "Workflow",
    "default_scripts",
    "default_templates",
    "default_topics",
    "default_workflows",
    "load_scripts",
]


class Scope(Value):
    """Which cases the coordinator may touch at all. A pilot is a scope. Empty tuples mean all.

    A diagnosis is in scope from `youngest_days` to `oldest_days` after it was made; older than
    `confirm_first_after_days`, the doctor looks again before anybody writes. Cases worth more than
    `staff_first_above_cents` go to staff. `waiting_texts` are treatment-plan priorities that mean "not now".
    """

    families: tuple[Family, ...] = (
        Family.CROWN,
        Family.BRIDGE,
        Family.FILLING,
        Family.INLAY_ONLAY,
        Family.VENEER,
        Family.BUILD_UP,
    )
    provider_ids: tuple[str, ...] = ()
    youngest_days: int = 0
    oldest_days: int = 365
    staff_first_above_cents: int | None = 500_000
    confirm_first_after_days: int = 180
    waiting_texts: tuple[str, ...] = ("wait", "watch", "declined", "hold")


class ContactRules(Value):
    """When and how often. Times are in the phone owner's zone; quiet from `quiet_from` to `quiet_until` (half-open).

    Caps count texts of ours that nobody asked for: in any 24 hours and 7 days per number and household, and per case.
    Who cannot be reached on the first of `channels` is written to on the next; after the last, a person reaches them.
    """

    quiet_from: time = time(20)
    quiet_until: time = time(9)
    no_weekdays: tuple[int, ...] = (6,)
    max_per_day: int = 1
    max_per_week: int = 2
    max_per_case: int = 3
    require_consent: bool = True
    staff_contact_days: int = 7
    shared_number_days: int = 3
    opt_out_confirmation_minutes: int = 5
    channels: tuple[Channel, ...] = (Channel.SMS, Channel.EMAIL)


class BookingTemplate(Value):
    """How a family is booked: length, who may do it, how far ahead.

    Nothing is booked less than `lead_hours` ahead. `answer_hours` are added when we propose times ourselves, so that
    an offered slot is not too close by the time the patient answers.
    """

    family: Family
    minutes: int = Field(gt=0, le=540)
    provider_ids: tuple[str, ...] = ()
    lead_hours: int = Field(default=24, ge=0)
    answer_hours: int = Field(default=12, ge=0)
    horizon_days: int = Field(default=42, gt=0)


def default_templates() -> tuple[BookingTemplate, ...]:
    """Visit lengths in minutes per family, for the first visit of each."""
    minutes = {
        Family.CROWN: 90,
        Family.BRIDGE: 120,
        Family.FILLING: 60,
        Family.INLAY_ONLAY: 90,
        Family.VENEER: 90,
        Family.BUILD_UP: 60,
    }
    return tuple(BookingTemplate(family=family, minutes=length) for family, length in minutes.items())


# A single rule may have a better approved text than its topic.
DEFAULT_RULE_SCRIPTS: dict[str, str] = {
    "human.bot-question": "bot-question",
    "sensitive.self-harm": "crisis",
    "identity.wrong-number": "wrong-number",
    "guardrail.language": "handoff-language",
    "guardrail.media": "handoff-media",
}


@runtime_checkable
class Guardrail(Protocol):
    """A product team's own guardrail: a small class with an id and one method."""

    @property
    def id(self) -> str:
        """Stable rule id, for example `guardrail.pregnancy`."""
        ...

    def check(
        self, text: str, interpretation: Interpretation, conversation: Conversation, situation: Situation
    ) -> Verdict | None:
        """A verdict if a person must have this message, else None. Must be pure and quick."""
        ...


class PracticePolicy(Value):
    """All of an office's decisions. Frozen; change one with `policy.model_copy(update={...})`.

    `baa_on_file` is the business associate agreement with the model's provider; without it no remote model is used.
    `rule_scripts` picks another approved text for a single rule id, for example `identity.wrong-number`.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    version: str = "1"
    office: OfficeProfile
    scope: Scope = Scope()
    eligibility: Eligibility = Eligibility()
    priority: PriorityWeights = PriorityWeights()
    priority_factors: tuple[PriorityFactor, ...] = ()
    cadence: Cadence = Cadence()
    workflows: tuple[Workflow, ...] = Field(default_factory=default_workflows)
    contact: ContactRules = ContactRules()
    law: Law = Field(default_factory=Law)
    texting: Texting = Texting()
    consent: ConsentRules = ConsentRules()
    hold_out: HoldOut = HoldOut()
    scripts: ScriptBook = Field(default_factory=default_scripts)
    topics: dict[Topic, TopicPolicy] = Field(default_factory=default_topics)
    rule_scripts: dict[str, str] = Field(default_factory=lambda: dict(DEFAULT_RULE_SCRIPTS))
    guardrails: tuple[Guardrail, ...] = ()
    escalation: Escalation = Escalation()
    limits: Limits = Limits()
    templates: tuple[BookingTemplate, ...] = Field(default_factory=default_templates)
    authority: Authority = Authority.BOOK
    defer_days: int = 30
    baa_on_file: Agreement | None = None

    model_config = Value.model_config | {"arbitrary_types_allowed": True}

    def template_for(self, family: Family) -> BookingTemplate | None:
        """The booking template of a family, or None when the office books it by hand."""
        return next((t for t in self.templates if t.family is family), None)

    @property
    def digest(self) -> str:
        """SHA-256 of everything in the policy. An own guardrail or factor counts with its class and id."""
        text = self.model_dump_json(fallback=lambda own: f"{type(own).__qualname__}/{getattr(own, 'id', '')}")
        return sha256(text.encode()).hexdigest()

    def validate_all(self) -> None:
        """Check the whole policy: zones, scripts, cadence, scope, templates, contact rules.

        Raises:
            PolicyError: with every mistake at once, each with its place and its fix.
        """
        # Imported here: the checks know every policy module, and those know this one.
        from treatment_agent.policies.validation import problems

        found = problems(self)
        if found:
            raise PolicyError(self.id, found)
