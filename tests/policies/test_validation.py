from __future__ import annotations

import re
from datetime import time
from pathlib import Path

import pytest
from policy_samples import OFFICE, POLICY

import treatment_agent
from treatment_agent.domain.interpretation import Topic
from treatment_agent.domain.treatment import Family
from treatment_agent.errors import PolicyError
from treatment_agent.policies.practice import (
    BookingTemplate,
    Cadence,
    ContactRules,
    Hours,
    OfficeProfile,
    PracticePolicy,
    Scope,
    Script,
    Step,
)
from treatment_agent.policies.rules import RULES
from treatment_agent.policies.validation import problems


def office(**changes: object) -> PracticePolicy:
    return POLICY.model_copy(update={"office": OFFICE.model_copy(update=changes)})


def policy(**changes: object) -> PracticePolicy:
    return POLICY.model_copy(update=changes)


def with_script(**changes: object) -> PracticePolicy:
    values = {"id": "own", "version": 1, "language": "en", "text": "Hello", "approved_by": "Pat", **changes}
    return policy(scripts=POLICY.scripts.with_script(Script.model_validate(values)))


def without_script(script_id: str) -> PracticePolicy:
    kept = tuple(s for s in POLICY.scripts.scripts if s.id != script_id)
    return policy(scripts=POLICY.scripts.model_copy(update={"scripts": kept}))


def steps(*some: Step, **changes: object) -> PracticePolicy:
    return policy(cadence=Cadence(steps=some, **changes))  # type: ignore[arg-type]


def topics_without(topic: Topic) -> PracticePolicy:
    return policy(topics={t: p for t, p in POLICY.topics.items() if t is not topic})


class TestProblems:
    def test_finds_nothing_in_the_defaults(self) -> None:
        assert problems(POLICY) == ()
        POLICY.validate_all()

    def test_finds_nothing_in_the_smallest_policy(self) -> None:
        bare = OfficeProfile(
            name="Oak", phone="312-555-0100", booking_link="http://oak.example", address="1 Oak St", zone="UTC"
        )

        assert problems(PracticePolicy(id="oak", office=bare)) == ()

    @pytest.mark.parametrize(
        ("wrong", "place", "says"),
        [
            (office(zone="Mars/Base"), "office.zone", "America/Chicago"),
            (office(phone="555"), "office.phone", "digits"),
            (office(phone="call us"), "office.phone", "phone number"),
            (office(name=" "), "office.name", "empty"),
            (office(booking_link="maple.example"), "office.booking_link", "https://"),
            (office(booking_link="ftp://maple.example"), "office.booking_link", "https://"),
            (office(hours=(Hours(weekday=0, opens=time(9), closes=time(9)),)), "office.hours[0]", "closes"),
            (policy(scope=Scope(provider_ids=("gone",))), "scope.provider_ids", "'gone'"),
            (policy(scope=Scope(families=(Family.DENTURE,))), "templates", "'denture'"),
            (policy(scope=POLICY.scope.model_copy(update={"families": ("wig",)})), "scope.families", "'wig'"),
            (policy(scope=Scope(youngest_days=9, oldest_days=8)), "scope.youngest_days", "swap"),
            (
                policy(templates=(*POLICY.templates, BookingTemplate(family=Family.CROWN, minutes=10))),
                "templates[6]",
                "second",
            ),
            (
                policy(
                    templates=(
                        *POLICY.templates,
                        BookingTemplate(family=Family.DENTURE, minutes=10, provider_ids=("x",)),
                    )
                ),
                "templates[6].provider_ids",
                "'x'",
            ),
            (
                policy(
                    templates=(*POLICY.templates, BookingTemplate(family=Family.DENTURE, minutes=10, horizon_days=1))
                ),
                "templates[6].horizon_days",
                "longer",
            ),
            (policy(contact=ContactRules(quiet_from=time(9))), "contact.quiet_from", "equals"),
            (policy(contact=ContactRules(quiet_from=time(8), quiet_until=time(21))), "contact.quiet_from", "swap"),
            (policy(contact=ContactRules(max_per_case=2)), "contact.max_per_case", "3 steps"),
            (policy(contact=ContactRules(max_per_day=0)), "contact.max_per_day", "1 or more"),
            (policy(contact=ContactRules(max_per_day=3)), "contact.max_per_week", "raise"),
            (policy(contact=ContactRules(no_weekdays=tuple(range(7)))), "contact.no_weekdays", "every day"),
            (policy(contact=ContactRules(channels=())), "contact.channels[0]", "SMS"),
            (policy(contact=ContactRules(no_weekdays=(7,))), "contact.no_weekdays", "no weekday"),
            (steps(), "cadence.steps", "empty"),
            (steps(Step(after_days=1, script_id="gone")), "cadence.steps[0].script_id", "'gone' is unknown"),
            (steps(Step(after_days=1, at=time(22), script_id="wake")), "cadence.steps[0].at", "quiet"),
            (steps(Step(after_days=1, script_id="offer")), "cadence.steps[0].script_id", "add offer-none"),
            (policy(cadence=Cadence(wake_script_id="gone")), "cadence.wake_script_id", "'gone' is unknown"),
            (policy(cadence=Cadence(wake_script_id="offer")), "cadence.wake_script_id", "names times"),
            (topics_without(Topic.CLINICAL), "topics['clinical']", "TopicPolicy"),
            (without_script("handoff-clinical"), "topics['clinical'].script_id", "unknown"),
            (without_script("thanks"), "scripts['thanks']", "unknown"),
            (policy(rule_scripts={"human.bot-question": "gone"}), "rule_scripts['human.bot-question']", "'gone'"),
            (with_script(approved_by=""), "scripts['own', 'en', version 1]", "approved_by"),
            (with_script(text="{fee}"), "scripts['own', 'en', version 1]", "{fee}"),
            (with_script(text="{office"), "scripts['own', 'en', version 1]", "brace"),
            (with_script(id="thanks", text="Other words"), "scripts['thanks', 'en', version 1]", "higher version"),
            (
                with_script(id="first-message", version=2, text="{office}: hello"),
                "scripts['first-message', 'en', version 2]",
                "STOP",
            ),
            (
                with_script(id="first-message", version=2, text="Hello. Reply STOP to opt out."),
                "scripts['first-message', 'en', version 2]",
                "{office}",
            ),
            (office(words=()), "scripts['handoff-financing', 'es', version 1]", "office.words"),
        ],
    )
    def test_names_place_and_fix(self, wrong: PracticePolicy, place: str, says: str) -> None:
        found = problems(wrong)

        assert any(where == place and says in text for where, text in found), found
        with pytest.raises(PolicyError, match="maple"):
            wrong.validate_all()

    @pytest.mark.parametrize(
        "right",
        [
            policy(scope=Scope(provider_ids=("lee",), families=(Family.CROWN,))),
            policy(rule_scripts={}),
            policy(contact=ContactRules(max_per_case=9, max_per_week=7)),
            steps(Step(after_days=0, script_id="first-message")),
            with_script(),
            with_script(id="thanks", version=2, text="Other words"),
            office(booking_link="http://localhost:8080/x"),
        ],
    )
    def test_leaves_good_policies_alone(self, right: PracticePolicy) -> None:
        assert problems(right) == ()

    def test_tells_an_own_first_text_the_same_rules(self) -> None:
        own = with_script().model_copy(update={"cadence": Cadence(steps=(Step(after_days=1, script_id="own"),))})

        assert {place for place, _ in problems(own)} == {"scripts['own', 'en', version 1]"}

    def test_tells_all_mistakes_at_once(self) -> None:
        broken = office(zone="Mars/Base", phone="1", booking_link="x")

        with pytest.raises(PolicyError) as error:
            broken.validate_all()

        assert [place for place, _ in error.value.problems] == ["office.zone", "office.phone", "office.booking_link"]


class TestRules:
    def test_are_all_explained_in_one_sentence(self) -> None:
        assert all(text.endswith(".") and len(text) < 160 for text in RULES.values())

    def test_hold_every_id_of_these_modules(self) -> None:
        folder = Path(treatment_agent.__file__).parent / "policies"
        names = ("contact", "zones", "outbound", "queue", "exclusions", "booking", "lint")
        sources = "".join((folder / f"{name}.py").read_text(encoding="utf-8") for name in names)

        used = set(re.findall(r"\"((?:contact|outbound|queue|booking|lint)\.[a-z-]+)\"", sources))

        assert len(used) > 60
        assert used - set(RULES) == set()
