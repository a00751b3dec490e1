"""`PracticePolicy`: everything an office decides, as one frozen value built in Python.

    policy = PracticePolicy(id="maple-2026", office=OfficeProfile(name="Maple Dental", ...))
    policy = policy.model_copy(update={"cadence": Cadence(steps=(...))})

Sensible, safe defaults everywhere; `policy.validate_all()` explains every mistake with its place and its fix.
"""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Protocol, runtime_checkable
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from treatment_agent.domain.conversation import Conversation
from treatment_agent.domain.handoff import Role, Urgency
from treatment_agent.domain.interpretation import Interpretation, Situation, Topic
from treatment_agent.domain.messages import Channel
from treatment_agent.domain.scheduling import Authority
from treatment_agent.domain.treatment import Case, Family
from treatment_agent.domain.turn import Verdict
from treatment_agent.domain.value import Value
from treatment_agent.policies.scripts import ScriptBook, default_scripts


class Provider(Value):
    """A dentist or hygienist, as patients know them: `Dr. Lee`."""

    id: str
    name: str


class Hours(Value):
    """Opening hours of one weekday (0 = Monday), office-local, half-open."""

    weekday: int = Field(ge=0, le=6)
    opens: time
    closes: time


class OfficeProfile(Value):
    """Verified facts about the office; scripts may be filled from here. `zone` is an IANA name."""

    name: str
    phone: str
    booking_link: str
    address: str
    zone: str
    email: str = ""
    hours_text: str = ""
    parking: str = ""
    financing_next_step: str = "Our treatment coordinator can go over payment options with you."
    hours: tuple[Hours, ...] = tuple(Hours(weekday=d, opens=time(8), closes=time(17)) for d in range(5))
    holidays: tuple[date, ...] = ()
    providers: tuple[Provider, ...] = ()

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except Exception:
            raise ValueError(f"unknown time zone {value!r}; use an IANA name such as America/Chicago") from None
        return value

    @property
    def tz(self) -> ZoneInfo:
        """The office's zone."""
        return ZoneInfo(self.zone)

    def provider_name(self, provider_id: str | None) -> str:
        """How patients know the provider; empty when nobody has that id."""
        return next((p.name for p in self.providers if p.id == provider_id), "")


class Scope(Value):
    """Which cases the coordinator may touch at all. A pilot is a scope. Empty tuples mean all."""

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


class PriorityWeights(Value):
    """Points per factor; a case's score is their sum."""

    age_fresh_points: int = 30
    age_fresh_days: int = 14
    age_points_per_week_after: int = -1
    value_points_per_1000_dollars: int = 5
    value_points_max: int = 25
    benefit_year_end_points: int = 20
    plan_priority_points: int = 15
    high_priority_texts: tuple[str, ...] = ("1", "urgent", "high")


class Step(Value):
    """One touch of the cadence: `after_days` counts from the visit (first step) or from the touch before."""

    after_days: int = Field(ge=0)
    at: time = time(10)
    script_id: str
    channel: Channel = Channel.SMS


class Cadence(Value):
    """When we write first. After the last step plus `review_after_days` without an answer: human review."""

    steps: tuple[Step, ...] = (
        Step(after_days=1, script_id="first-message"),
        Step(after_days=4, script_id="reminder-1"),
        Step(after_days=12, script_id="reminder-2"),
    )
    review_after_days: int = 7
    wake_script_id: str = "wake"


class ContactRules(Value):
    """When and how often. Times are in the phone owner's zone; quiet from `quiet_from` to `quiet_until`."""

    quiet_from: time = time(20)
    quiet_until: time = time(9)
    no_weekdays: tuple[int, ...] = (6,)
    max_per_day: int = 1
    max_per_week: int = 2
    max_per_case: int = 3
    require_consent: bool = True
    staff_contact_days: int = 7
    opt_out_confirmation_minutes: int = 5


class BookingTemplate(Value):
    """How a family is booked: length, who may do it, which blocks, how far ahead."""

    family: Family
    minutes: int = Field(gt=0, le=540)
    provider_ids: tuple[str, ...] = ()
    lead_hours: int = 24
    horizon_days: int = 42


class TopicPolicy(Value):
    """What happens with a topic: who owns it, how urgent, due when, and the one approved text."""

    owner: Role
    urgency: Urgency
    due_minutes: int
    script_id: str


def default_topics() -> dict[Topic, TopicPolicy]:
    """Owners, urgencies and scripts per topic."""
    return {
        Topic.EMERGENCY: TopicPolicy(
            owner=Role.CLINICIAN, urgency=Urgency.NOW, due_minutes=5, script_id="emergency"
        ),
        Topic.SENSITIVE: TopicPolicy(
            owner=Role.OFFICE_MANAGER, urgency=Urgency.TODAY, due_minutes=120, script_id="handoff-sensitive"
        ),
        Topic.CLINICAL: TopicPolicy(
            owner=Role.CLINICIAN, urgency=Urgency.TODAY, due_minutes=120, script_id="handoff-clinical"
        ),
        Topic.COMPLAINT: TopicPolicy(
            owner=Role.OFFICE_MANAGER, urgency=Urgency.TODAY, due_minutes=120, script_id="handoff-complaint"
        ),
        Topic.IDENTITY: TopicPolicy(
            owner=Role.FRONT_DESK, urgency=Urgency.TODAY, due_minutes=240, script_id="handoff-identity"
        ),
        Topic.INSURANCE: TopicPolicy(
            owner=Role.INSURANCE_COORDINATOR, urgency=Urgency.SOON, due_minutes=480, script_id="handoff-insurance"
        ),
        Topic.FINANCING: TopicPolicy(
            owner=Role.TREATMENT_COORDINATOR, urgency=Urgency.SOON, due_minutes=480, script_id="handoff-financing"
        ),
        Topic.HUMAN: TopicPolicy(
            owner=Role.FRONT_DESK, urgency=Urgency.TODAY, due_minutes=120, script_id="handoff-human"
        ),
        Topic.OTHER: TopicPolicy(
            owner=Role.FRONT_DESK, urgency=Urgency.SOON, due_minutes=480, script_id="handoff-other"
        ),
    }


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


@runtime_checkable
class PriorityFactor(Protocol):
    """A product team's own priority factor."""

    @property
    def id(self) -> str:
        """Stable id, for example `priority.loyalty`."""
        ...

    def points(self, case: Case, today: date) -> int:
        """Points to add for this case."""
        ...


class PracticePolicy(Value):
    """All of an office's decisions. Frozen; change one with `policy.model_copy(update={...})`.

    `baa_on_file` records a business associate agreement with the model's provider; without it no remote model is used.
    `rule_scripts` picks another approved text for a single rule id, for example `identity.wrong-number`.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    version: str = "1"
    office: OfficeProfile
    scope: Scope = Scope()
    priority: PriorityWeights = PriorityWeights()
    priority_factors: tuple[PriorityFactor, ...] = ()
    cadence: Cadence = Cadence()
    contact: ContactRules = ContactRules()
    scripts: ScriptBook = Field(default_factory=default_scripts)
    topics: dict[Topic, TopicPolicy] = Field(default_factory=default_topics)
    rule_scripts: dict[str, str] = Field(default_factory=lambda: dict(DEFAULT_RULE_SCRIPTS))
    guardrails: tuple[Guardrail, ...] = ()
    templates: tuple[BookingTemplate, ...] = Field(default_factory=default_templates)
    authority: Authority = Authority.BOOK
    defer_days: int = 30
    baa_on_file: bool = False

    model_config = Value.model_config | {"arbitrary_types_allowed": True}

    def template_for(self, family: Family) -> BookingTemplate | None:
        """The booking template of a family, or None when the office books it by hand."""
        return next((t for t in self.templates if t.family is family), None)

    @property
    def outreach_lead(self) -> timedelta:
        """How far ahead the first offered slot must be at least."""
        return timedelta(hours=min((t.lead_hours for t in self.templates), default=24))
