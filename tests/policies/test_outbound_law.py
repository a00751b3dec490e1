"""What the boundary holds each text to by law and for privacy: who writes, and how much the text tells."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from policy_samples import NOW, POLICY, case, contact, conversation, facts, patient

from treatment_agent.domain.books import ConversationFacts
from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.messages import Channel, PlannedSend, ScriptFacts, SendKind
from treatment_agent.domain.private import PhoneNumber
from treatment_agent.errors import NotPermitted
from treatment_agent.policies.law import Disclosure, Law
from treatment_agent.policies.outbound import approve
from treatment_agent.policies.practice import PracticePolicy, Script
from treatment_agent.policies.texting import PhiLevel, Texting

TEXAN = PhoneNumber("+12145550117")


def policy(text: str, script_id: str = "own", language: str = "en", **changes: object) -> PracticePolicy:
    script = Script(id=script_id, version=9, language=language, text=text, approved_by="Pat")
    return POLICY.model_copy(update={"scripts": POLICY.scripts.with_script(script), **changes})


def refused(
    chosen: PracticePolicy, about: ConversationFacts | None = None, kind: SendKind = SendKind.OUTREACH, **send: object
) -> str | None:
    values: dict[str, object] = {
        "script_id": "own",
        "language": "en",
        "facts": ScriptFacts(visit_on=date(2026, 11, 24)),
    }
    planned = PlannedSend(key="c1:e1:0", kind=kind, **{**values, **send})  # type: ignore[arg-type]
    try:
        approve(planned, policy=chosen, facts=about or facts(), now=NOW)
    except NotPermitted as error:
        return error.rule
    return None


class TestDisclosure:
    def test_stands_in_the_first_text_to_a_person(self) -> None:
        assert refused(policy("{office}: hello")) == "outbound.no-disclosure"
        assert refused(policy("{office}, automated assistant: hello")) is None

    @pytest.mark.parametrize(
        ("text", "rule"), [("Hola", "outbound.no-disclosure"), ("Hola, soy un asistente virtual", None)]
    )
    def test_is_read_in_the_texts_own_language(self, text: str, rule: str | None) -> None:
        assert refused(policy(text, language="es"), language="es") == rule

    def test_is_not_repeated_unless_the_office_says_so(self) -> None:
        again = facts(conversation=conversation(first_sent_at=NOW - timedelta(days=4), phase=Phase.CONTACTED))
        always = Law(disclosure=Disclosure.ALWAYS)

        assert refused(policy("hello"), again) is None
        assert refused(policy("hello", law=always), again) == "outbound.no-disclosure"

    def test_is_left_out_on_request_only_where_no_law_wants_it(self) -> None:
        quiet = policy("hello", law=Law(disclosure=Disclosure.ON_REQUEST))
        in_texas = facts(case=case(who=patient(mobile=TEXAN)), contacts=(contact(address=TEXAN),))

        assert refused(quiet) is None
        assert refused(quiet, in_texas) == "outbound.no-disclosure"

    def test_is_not_asked_of_an_answer(self) -> None:
        assert refused(policy("hello"), kind=SendKind.REPLY) is None


class TestPrivacy:
    DETAIL = Texting(phi=dict.fromkeys(Channel, PhiLevel.DETAIL))

    def test_keeps_treatment_out_of_texts(self) -> None:
        assert refused(policy("About your crown"), kind=SendKind.REPLY) == "outbound.phi"
        assert refused(policy("About your visit"), kind=SendKind.REPLY) is None

    def test_names_treatment_only_to_whom_wished_for_it(self) -> None:
        chosen = policy("About your crown", texting=self.DETAIL)
        wished = facts(case=case(who=patient(detail_allowed=True)))

        assert refused(chosen, kind=SendKind.REPLY) == "outbound.phi"
        assert refused(chosen, wished, SendKind.REPLY) is None
        assert refused(policy("About your crown"), wished, SendKind.REPLY) == "outbound.phi"
        assert refused(chosen, replace(wished, shared_with=("c2",)), SendKind.REPLY) == "outbound.phi"

    def test_keeps_the_name_off_a_channel_that_carries_nothing(self) -> None:
        nothing = Texting(phi={Channel.SMS: PhiLevel.NONE})

        assert refused(policy("Hi {first_name}", texting=nothing), kind=SendKind.REPLY) == "outbound.phi"
        assert refused(policy("Hi there", texting=nothing), kind=SendKind.REPLY) is None

    def test_never_holds_back_an_emergency_text(self) -> None:
        chosen = policy("Call 911. Hold a cloth on the tooth.", "emergency")

        assert refused(chosen, kind=SendKind.EMERGENCY, script_id="emergency") is None
