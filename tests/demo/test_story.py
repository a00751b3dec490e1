"""The story of the two weeks: the file is sound, and its patients are in the exports."""

from __future__ import annotations

from datetime import timedelta
from importlib.resources import files

import pytest

from treatment_agent.demo import story
from treatment_agent.demo.policy import maple_policy
from treatment_agent.domain.handoff import HandoffKind
from treatment_agent.domain.interpretation import Topic
from treatment_agent.domain.patients import Flag, Permission
from treatment_agent.domain.treatment import Case
from treatment_agent.errors import BadRow, ConfigurationError
from treatment_agent.tools.csv_source import CsvCaseSource


def rows(file: str) -> list[Case | BadRow]:
    return list(CsvCaseSource(str(files("treatment_agent.demo") / file)).read())


class TestPractice:
    def test_has_more_than_sixty_patients_of_every_kind(self) -> None:
        cases = [row for row in rows("practice.csv") if isinstance(row, Case)]
        patients = [case.patient for case in cases]

        assert len({p.id for p in patients}) >= 64
        assert len({c.provider_id for c in cases}) >= 3
        assert sum(p.language == "es" for p in patients) >= 4
        assert any(p.sms is Permission.NO for p in patients)
        assert any(Flag.PROTECTED in p.flags for p in patients)
        assert any(Flag.MEDICAL_ALERT in p.flags for p in patients)
        assert any(c.next_visit_at for c in cases)
        assert max(c.value_cents for c in cases) > 500_000
        assert any(p.guardian and p.guardian.mobile for p in patients)
        households = [p.household_id for p in patients]
        assert len(households) > len(set(households))
        numbers = [p.mobile for p in patients if p.mobile]
        assert len(numbers) > len(set(numbers))

    def test_reports_each_bad_row_with_its_line_and_fix_and_keeps_the_rest(self) -> None:
        bad = [row for row in rows("practice.csv") if isinstance(row, BadRow)]

        assert len(bad) >= 2
        assert all(row.place.startswith("line ") and row.fix for row in bad)

    def test_uses_only_numbers_that_belong_to_nobody(self) -> None:
        for export in story.load().export:
            for row in rows(export.file):
                if isinstance(row, Case) and row.patient.mobile:
                    assert row.patient.mobile.e164[5:-2] == "55501", row.patient.id

    def test_has_a_policy_without_a_mistake(self) -> None:
        maple_policy().validate_all()


class TestLoad:
    def test_knows_every_patient_from_an_export(self) -> None:
        told = story.load()
        known = {row.patient.id for e in told.export for row in rows(e.file) if isinstance(row, Case)}

        assert {p.id for p in told.patient} <= known
        assert {o.patient for o in told.outside} <= known
        assert len({p.id for p in told.patient}) == len(told.patient)

    def test_names_the_place_of_a_mistake(self) -> None:
        with pytest.raises(ConfigurationError, match=r"patients\.toml"):
            story.load("starts = 2026-11-23T09:00:00-06:00")

    def test_refuses_a_wait_it_cannot_read(self) -> None:
        with pytest.raises(ValueError, match="35m"):
            story.parse_wait("soon")

    @pytest.mark.parametrize(
        ("text", "wait"),
        [
            ("35m", timedelta(minutes=35)),
            ("1d 3h", timedelta(days=1, hours=3)),
            ("2h5m", timedelta(hours=2, minutes=5)),
            ("10s", timedelta(seconds=10)),
        ],
    )
    def test_reads_waits(self, text: str, wait: timedelta) -> None:
        assert story.parse_wait(text) == wait


class TestHabitFor:
    def test_prefers_the_patients_own_over_the_topics_over_the_kinds(self) -> None:
        told = story.load()

        by_patient = told.habit_for(patient="P-1010", topic=Topic.FINANCING, kind=HandoffKind.HANDOFF)
        by_topic = told.habit_for(patient="P-1011", topic=Topic.FINANCING, kind=HandoffKind.HANDOFF)
        by_kind = told.habit_for(patient="P-1011", topic=Topic.IDENTITY, kind=HandoffKind.HANDOFF)

        assert by_patient is not None
        assert by_patient.ends == "booked"
        assert by_topic is not None
        assert by_topic.ends == "resume"
        assert by_kind is not None
        assert by_kind.ends == "close"
