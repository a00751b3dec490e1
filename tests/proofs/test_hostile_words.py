"""P3 under attack: whatever chart, calendar and interpreter say, a text holds script and verified facts only."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from proof_office import ANA, CHICAGO, STARTS, Readings, opening, patient, policy, same_graph, stage
from pydantic import SecretStr

from treatment_agent import Case
from treatment_agent.domain.books import ContactFacts, ConversationFacts
from treatment_agent.domain.consent import ConsentStatus
from treatment_agent.domain.conversation import Conversation, Phase
from treatment_agent.domain.interpretation import Situation
from treatment_agent.domain.messages import Channel, PlannedSend, ScriptFacts, SendKind
from treatment_agent.domain.patients import Contact
from treatment_agent.domain.scheduling import Slot
from treatment_agent.domain.treatment import Family
from treatment_agent.errors import NotPermitted
from treatment_agent.evals.hostile import NASTY, anything
from treatment_agent.evals.promises import check
from treatment_agent.evals.promises.words import unapproved
from treatment_agent.policies import outbound
from treatment_agent.policies.scripts import default_scripts
from treatment_agent.policies.wording import moment_in, words_of

NOW = STARTS.replace(hour=12) + timedelta(days=1)
SLOTS = (opening((STARTS + timedelta(days=7)).date(), 9), opening((STARTS + timedelta(days=9)).date(), 14))
TIMES = frozenset(
    moment_in(slot.start.astimezone(CHICAGO), words_of(tongue)) for slot in SLOTS for tongue in ("en", "es")
)
IDS = sorted({script.id for script in default_scripts().scripts})

anywhere = st.sampled_from(NASTY) | st.text(max_size=40) | st.text(st.characters(categories=["Cc", "Cf", "Lo", "Mn"]))
kinds = st.sampled_from([SendKind.REPLY, SendKind.HANDOFF, SendKind.OUTREACH, SendKind.EMERGENCY])


def tale(name: str, case: Case, slots: tuple[Slot, ...], held: bool) -> ConversationFacts:
    conversation = Conversation(
        id=case.id,
        case_id=case.id,
        patient_id=name,
        phase=Phase.WITH_STAFF if held else Phase.OFFER_OPEN,
        offers=slots,
        handoff_id="h" if held else None,
    )
    contacts = tuple(
        ContactFacts(channel, address, ConsentStatus.GRANTED, STARTS)
        for channel, address in ((Channel.SMS, case.patient.mobile), (Channel.EMAIL, case.patient.email))
    )
    return ConversationFacts(conversation=conversation, case=case, contacts=contacts)


class TestWordsOfATextAreOurs:
    @given(
        name=anywhere,
        guardian=st.none() | anywhere,
        provider=anywhere,
        slot_id=anywhere,
        script=st.sampled_from(IDS),
        tongue=st.sampled_from(["en", "es"]) | anywhere,
        kind=kinds,
        channel=st.sampled_from(Channel),
        call=st.none() | st.integers(-400, 400),
    )
    def test_whatever_stands_in_the_chart(self, name, guardian, provider, slot_id, script, tongue, kind, channel, call):
        slots = tuple(Slot(s.start, s.end, provider, slot_id, Family.CROWN) for s in SLOTS)
        person = patient("ana", ANA).patient
        changes = {"first_name": SecretStr(name), "last_name": SecretStr(name)}
        if guardian is not None:
            changes |= {"guardian": Contact(first_name=SecretStr(guardian), mobile=person.mobile, email=person.email),
                        "born_on": NOW.date().replace(year=2015)}  # fmt: skip
        case = patient("ana", ANA).model_copy(
            update={"patient": person.model_copy(update=changes), "provider_id": provider}
        )
        facts = tale("ana", case, slots, kind is SendKind.HANDOFF)
        call_at = NOW + timedelta(hours=call) if call is not None else None
        filling = ScriptFacts(
            slots=slots, visit_on=case.visit_on, provider_id=provider, call_at=call_at, until=NOW.date()
        )
        send = PlannedSend("case-ana:e:0", script, tongue, kind, filling, channel)
        try:
            message = outbound.approve(send, policy=policy(), facts=facts, now=NOW)
        except NotPermitted:
            return
        assert unapproved(message, policy(), case, TIMES) is None

    @pytest.mark.parametrize("name", NASTY)
    def test_of_which_a_hostile_name_is_none(self, name):
        case = patient("ana", ANA)
        person = case.patient.model_copy(update={"first_name": SecretStr(name)})
        case = case.model_copy(update={"patient": person})
        facts = tale("ana", case, SLOTS, held=False)
        send = PlannedSend("case-ana:e:0", "offer", "en", SendKind.REPLY, ScriptFacts(slots=SLOTS))
        body = outbound.approve(send, policy=policy(), facts=facts, now=NOW).body.get_secret_value()
        known = set(default_scripts().get("offer", "en").text) | set("".join(TIMES)) | set("there")
        office = policy().office
        assert set(body) <= known | set(office.name + office.phone + office.booking_link)

    @pytest.mark.parametrize("word", ["crown", "\u202e", "{office}", "\u0430"])
    def test_is_checked_by_a_check_that_can_fail(self, word):
        facts = tale("ana", patient("ana", ANA), SLOTS, held=False)
        send = PlannedSend("case-ana:e:0", "offer", "en", SendKind.REPLY, ScriptFacts(slots=SLOTS))
        message = outbound.approve(send, policy=policy(), facts=facts, now=NOW)
        assert unapproved(message, policy(), facts.case, TIMES) is None
        body = message.body.get_secret_value()
        for place in (0, len(body) // 2, len(body)):
            spoiled = replace(message, body=SecretStr(body[:place] + word + body[place:]))
            assert unapproved(spoiled, policy(), facts.case, TIMES) is not None


class TestHostileReadings:
    @settings(max_examples=max(settings.default.max_examples // 8, 4))
    @given(seeds=st.lists(st.integers(0, 10**6), min_size=6, max_size=12))
    def test_never_put_a_word_into_a_text(self, seeds):
        with pytest.MonkeyPatch.context() as patch:
            same_graph(patch)
            self._hold(seeds)

    @staticmethod
    def _hold(seeds):
        readings = Readings()
        name = NASTY[seeds[0] % len(NASTY)]
        hostile = patient("ana", ANA, first_name=SecretStr(name))
        office = stage("sqlite://", readings, hostile)
        try:
            office.clock.advance(timedelta(hours=16))
            office.coordinator.run_due()
            for number, seed in enumerate(seeds):
                readings.seed = seed
                office.write(ANA, NASTY[seed % len(NASTY)], id=f"m{number}")
                if seed % 3 == 0:
                    office.coordinator.release("case-ana", by="kim")
            assert check(office.books()) == ()
            bodies = "".join(m.body.get_secret_value() for m in office.provider.sent)
            assert all(unicodedata.category(c) not in ("Cf", "Cs", "Co") for c in bodies)
        finally:
            office.close()

    def test_are_of_every_kind(self):
        answers, errors = set(), set()
        for seed in range(2000):
            try:
                answers.add(type(anything(Random(seed))(10, Situation(now=NOW))).__name__)
            except Exception as error:
                errors.add(type(error).__name__)
        assert answers >= {"Interpretation", "NoneType", "str", "dict"}
        assert len(errors) >= 5
