from __future__ import annotations

from datetime import date, time

import pytest
from policy_samples import OFFICE, POLICY

from treatment_agent.policies.law import Disclosure, Law, default_jurisdictions
from treatment_agent.policies.lawful import notes
from treatment_agent.policies.practice import Cadence, ContactRules, PracticePolicy, Script, Step
from treatment_agent.policies.validation import problems

TODAY = date(2026, 11, 25)
ILLINOIS = Law(state="IL")


def policy(**changes: object) -> PracticePolicy:
    return POLICY.model_copy(update=changes)


def script(script_id: str, text: str, language: str = "en", approved_by: str = "Pat") -> PracticePolicy:
    own = Script(id=script_id, version=9, language=language, text=text, approved_by=approved_by)
    return policy(scripts=POLICY.scripts.with_script(own))


def without(script_id: str, language: str) -> PracticePolicy:
    kept = tuple(s for s in POLICY.scripts.scripts if (s.id, s.language) != (script_id, language))
    return policy(scripts=POLICY.scripts.model_copy(update={"scripts": kept}))


class TestProblems:
    @pytest.mark.parametrize(
        ("wrong", "place", "says"),
        [
            (policy(law=Law(state="Mars")), "law.state", "two letters"),
            (policy(law=Law(jurisdictions=())), "law.jurisdictions", "default_jurisdictions"),
            (
                policy(contact=ContactRules(opt_out_confirmation_minutes=6)),
                "contact.opt_out_confirmation_minutes",
                "lower",
            ),
            (without("bot-question", "es"), "scripts['bot-question', 'es']", "missing"),
            (script("bot-question", "Soy una persona.", "es"), "scripts['bot-question', 'es']", "truthfully"),
            (script("bot-question", "Someone will call you."), "scripts['bot-question', 'en']", "truthfully"),
            (
                script("bot-question", "Automated assistant, but this is a real person."),
                "scripts['bot-question', 'en']",
                "truthfully",
            ),
            (
                script("first-message", "{office}: hello. Reply STOP to opt out."),
                "scripts['first-message', 'en', version 9]",
                "automated assistant",
            ),
        ],
    )
    def test_name_place_and_fix(self, wrong: PracticePolicy, place: str, says: str) -> None:
        assert any(where == place and says in text for where, text in problems(wrong)), problems(wrong)

    @pytest.mark.parametrize(
        "right",
        [
            policy(law=Law(state="UT", disclosure=Disclosure.ALWAYS, federal_holidays=True)),
            policy(contact=ContactRules(opt_out_confirmation_minutes=5)),
            script("bot-question", "Yes, this is the automated system of {office}."),
            script("first-message", "{office}: hello. Reply STOP to opt out.").model_copy(
                update={"law": Law(disclosure=Disclosure.ON_REQUEST)}
            ),
        ],
    )
    def test_leave_good_policies_alone(self, right: PracticePolicy) -> None:
        assert problems(right) == ()


class TestNotes:
    def test_are_few_for_a_careful_office(self) -> None:
        careful = policy(law=Law(state="FL", federal_holidays=True))

        assert list(notes(careful, date(2026, 9, 1))) == []

    def test_warn_of_a_file_nobody_read_again(self) -> None:
        florida = next(j for j in default_jurisdictions() if j.id == "US-FL")

        assert ("law US-FL", "review_by") not in list(notes(policy(law=ILLINOIS), florida.review_by))
        found = dict(notes(policy(law=ILLINOIS), date(2028, 1, 1)))
        assert "2027-05-31" in found["law US-FL"]

    @pytest.mark.parametrize(
        ("chosen", "on", "place", "says"),
        [
            (policy(law=ILLINOIS), TODAY, "law US", "revoke-all begins on 2027-01-31"),
            (policy(), TODAY, "law", "law.state"),
            (policy(law=ILLINOIS), TODAY, "law", "no file for IL"),
            (policy(law=ILLINOIS), TODAY, "office.holidays", "Christmas Day (2026-12-25)"),
            (policy(law=Law(disclosure=Disclosure.ON_REQUEST)), TODAY, "law.disclosure", "law wants it"),
            (
                policy(
                    law=Law(state="WA"),
                    cadence=Cadence(steps=(Step(after_days=1, at=time(20), script_id="first-message"),)),
                ),
                TODAY,
                "cadence.steps[0].at",
                "never allows",
            ),
        ],
    )
    def test_tell(self, chosen: PracticePolicy, on: date, place: str, says: str) -> None:
        assert any(where == place and says in text for where, text in notes(chosen, on)), list(notes(chosen, on))

    @pytest.mark.parametrize(
        ("chosen", "on", "says"),
        [
            (policy(law=ILLINOIS), date(2027, 1, 31), "revoke-all begins"),
            (policy(law=Law(state="FL")), TODAY, "no file for"),
            (policy(law=Law(state="FL", federal_holidays=True)), TODAY, "Christmas"),
            (
                policy(law=ILLINOIS, office=OFFICE.model_copy(update={"holidays": (date(2026, 12, 25),)})),
                TODAY,
                "Christmas",
            ),
        ],
    )
    def test_do_not_tell(self, chosen: PracticePolicy, on: date, says: str) -> None:
        assert not any(says in text for _, text in notes(chosen, on))
