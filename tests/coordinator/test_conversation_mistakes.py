"""Mistakes of a developer or an office: a clear error with the place and the fix, before any patient is written to."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from office_samples import ANA_PHONE, CHICAGO, FIRST_MORNING, ana, build, office_profile
from pydantic import SecretStr, ValidationError

from treatment_agent import Case, InboundMessage, Patient, PracticePolicy, Procedure, Script
from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.handoff import HandoffKind
from treatment_agent.errors import ConfigurationError, NaiveDatetimeError, NotFound, PolicyError
from treatment_agent.policies.practice import BookingTemplate, Scope
from treatment_agent.policies.queue import assess


def says(error: pytest.ExceptionInfo[BaseException], *parts: str) -> bool:
    return all(part in str(error.value) for part in parts)


class TestPolicy:
    def test_with_a_zone_nobody_knows_names_the_place(self, tmp_path):
        profile = office_profile().model_copy(update={"zone": "America/Chigaco"})
        with pytest.raises(PolicyError) as error:
            build(tmp_path, PracticePolicy(id="maple", office=profile))
        assert says(error, "office.zone", "America/Chigaco")

    def test_with_a_script_nobody_approved_names_it(self, tmp_path, policy):
        draft = Script(id="offer", version=2, language="en", text="How about {slot_1} or {slot_2}?", approved_by="")
        scripts = policy.scripts.with_script(draft)
        with pytest.raises(PolicyError) as error:
            build(tmp_path, policy.model_copy(update={"scripts": scripts}))
        assert says(error, "'offer'", "approved_by")

    def test_with_a_family_in_scope_that_has_no_template_names_it(self, tmp_path, policy):
        with pytest.raises(PolicyError) as error:
            build(tmp_path, policy.model_copy(update={"templates": policy.templates[1:]}))
        assert says(error, "templates", "'crown'", "add a BookingTemplate")

    def test_family_nobody_knows_is_refused_where_it_is_written(self):
        with pytest.raises(ValidationError, match="family"):
            BookingTemplate.model_validate({"family": "crowns", "minutes": 90})
        with pytest.raises(ValidationError, match="families"):
            Scope.model_validate({"families": ("crowns",)})
        with pytest.raises(ValidationError, match="code"):
            Procedure(id="p", code="2740")

    def test_two_with_one_id_and_version_on_one_ledger_are_refused(self, tmp_path, policy):
        build(tmp_path, policy).coordinator.close()
        changed = policy.model_copy(update={"defer_days": 14})

        with pytest.raises(ConfigurationError) as error:
            build(tmp_path, changed)
        assert says(error, "maple/1", "version")

        build(tmp_path, changed.model_copy(update={"version": "2"})).coordinator.close()
        build(tmp_path, policy).coordinator.close()

    def test_mistakes_come_all_at_once(self, tmp_path, policy):
        profile = office_profile().model_copy(update={"zone": "nowhere"})
        wrong = policy.model_copy(update={"office": profile, "templates": ()})
        with pytest.raises(PolicyError) as error:
            build(tmp_path, wrong)
        assert len(error.value.problems) > 2


class TestTimes:
    def test_message_without_an_offset_is_refused(self):
        with pytest.raises(ValidationError, match="received_at"):
            InboundMessage(
                id="m",
                sender=ANA_PHONE,
                text=SecretStr("2"),
                received_at=datetime(2026, 11, 25, 10),  # noqa: DTZ001 - what is being tested
            )

    def test_policy_asked_without_an_offset_says_how_to_attach_one(self, policy):
        with pytest.raises(NaiveDatetimeError, match="ZoneInfo"):
            assess(ana(), policy, datetime(2026, 11, 25, 10))  # noqa: DTZ001 - what is being tested

    def test_patients_zone_nobody_knows_falls_back_to_the_strictest_known(self, office):
        patient = ana().patient.model_copy(update={"zone": "Mars/Olympus"})
        office.first_touch(ana(patient=patient))
        assert office.sent() == ["first-message"]

    def test_message_of_last_week_is_answered_as_of_now(self, office):
        office.first_touch()
        office.sent()
        late = InboundMessage(
            id="late", sender=ANA_PHONE, text=SecretStr("2"), received_at=FIRST_MORNING - timedelta(days=7)
        )
        assert office.coordinator.receive(late).phase_after is Phase.BOOKED


class TestRequiredFields:
    def test_case_without_a_procedure_is_refused(self):
        with pytest.raises(ValidationError, match="procedures"):
            ana(procedures=())

    def test_case_id_that_would_break_keys_is_refused(self):
        with pytest.raises(ValidationError, match="id"):
            ana(id="a:b")

    def test_patient_without_a_name_is_refused(self):
        with pytest.raises(ValidationError, match="first_name"):
            Patient.model_validate({"id": "x"})

    def test_errors_name_no_patient(self):
        with pytest.raises(ValidationError) as error:
            Case.model_validate({"id": "x", "patient": ana().patient})
        assert "Marker-Lastname" not in str(error.value)


class TestUnknown:
    def test_patient_is_named_with_where_to_look(self, office):
        with pytest.raises(NotFound, match="enroll the list"):
            office.coordinator.why("nobody")
        with pytest.raises(NotFound, match="'nobody'"):
            office.coordinator.preview("nobody")

    def test_task_is_an_error(self, office):
        with pytest.raises(NotFound):
            office.coordinator.complete_task("no-such-task", by="kim")


class TestOwnGuardrail:
    class Broken:
        id = "guardrail.broken"

        def check(self, text, interpretation, conversation, situation):
            raise RuntimeError("a bug in the office's own rule")

    def test_that_breaks_means_a_person(self, tmp_path, policy):
        office = build(tmp_path, policy.model_copy(update={"guardrails": (self.Broken(),)}))
        office.first_touch()
        office.sent()

        outcome = office.text("2")

        assert outcome.rules[0] == "turn.topic-guard-failed"
        assert outcome.handoff is not None
        assert office.sent() == ["handoff-other"]
        assert office.scheduler.bookings == ()
        office.coordinator.close()


class TestUnfillableScript:
    def test_answer_that_may_not_leave_goes_to_a_person(self, tmp_path, policy):
        """A text that was fine when it was checked, and asks for a fact that this conversation does not have."""
        wrong = Script(id="who", version=2, language="en", text="We will call {call_time}.", approved_by="kim")
        office = build(tmp_path, policy.model_copy(update={"scripts": policy.scripts.with_script(wrong)}))
        office.first_touch()
        office.sent()

        outcome = office.text("who is this?")

        assert "outbound.unfillable" in outcome.failures
        assert "turn.refused" in outcome.failures
        assert outcome.phase_after is Phase.WITH_STAFF
        assert office.tasks() == [HandoffKind.HANDOFF]
        assert office.sent() == ["handoff-other"]
        office.coordinator.close()


def test_the_zone_of_these_tests_is_the_offices():
    assert office_profile().tz == CHICAGO
