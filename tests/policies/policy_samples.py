"""An invented practice and patient, with everything allowed: each test takes one thing away."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from pydantic import SecretStr

from treatment_agent.domain.books import ContactFacts, ConversationFacts, SentMark
from treatment_agent.domain.consent import ConsentStatus
from treatment_agent.domain.conversation import Conversation, Phase
from treatment_agent.domain.messages import Channel, SendKind
from treatment_agent.domain.patients import Patient, Permission
from treatment_agent.domain.private import PhoneNumber
from treatment_agent.domain.scheduling import Slot
from treatment_agent.domain.treatment import Case, Family, Procedure
from treatment_agent.policies.practice import OfficeProfile, OfficeWords, PracticePolicy, Provider

CHICAGO = ZoneInfo("America/Chicago")
PHONE = PhoneNumber("+13125550117")
# Wednesday morning after a Tuesday exam.
NOW = datetime(2026, 11, 25, 10, 0, tzinfo=CHICAGO)
OFFICE = OfficeProfile(
    name="Maple Street Dental",
    phone="(312) 555-0100",
    booking_link="https://maple.example/book",
    address="12 Crown St, Springfield",
    zone="America/Chicago",
    parking="Free lot behind the building.",
    words=(
        OfficeWords(
            language="es",
            parking="Hay lugar gratis en la parte de atras.",
            financing_next_step="Nuestro coordinador puede revisar con usted las opciones de pago.",
        ),
    ),
    providers=(Provider(id="lee", name="Dr. Lee"), Provider(id="kim", name="Dr. Kim")),
)
POLICY = PracticePolicy(id="maple", office=OFFICE)
CROWN = Procedure(id="p1", code="D2740", tooth="30", fee_cents=120_000, diagnosed_on=date(2026, 11, 24))


def instants(first_year: int, last_year: int, zone: tzinfo = UTC) -> st.SearchStrategy[datetime]:
    # The bounds of the strategy must be naive; what it draws is not.
    first, last = datetime(first_year, 1, 1), datetime(last_year, 12, 31)  # noqa: DTZ001
    return st.datetimes(first, last, timezones=st.just(zone))


def procedure(number: str, code: str, tooth: str = "30", **changes: object) -> Procedure:
    return CROWN.model_copy(update={"id": number, "code": code, "tooth": tooth, "family": Family.OTHER}).model_validate(
        {**CROWN.model_dump(exclude={"family"}), "id": number, "code": code, "tooth": tooth, **changes}
    )


def patient(**changes: object) -> Patient:
    values: dict[str, object] = {
        "id": "ana",
        "first_name": SecretStr("Ana"),
        "born_on": date(1980, 5, 1),
        "mobile": PHONE,
        "sms": Permission.YES,
    }
    return Patient.model_validate({**values, **changes})


def case(*procedures: Procedure, who: Patient | None = None, **changes: object) -> Case:
    values: dict[str, object] = {
        "id": "case-1",
        "patient": who or patient(),
        "procedures": procedures or (CROWN,),
        "provider_id": "lee",
        "visit_on": date(2026, 11, 24),
    }
    return Case.model_validate({**values, **changes})


def slot(number: int = 1, start: datetime = datetime(2026, 12, 1, 9, tzinfo=CHICAGO), minutes: int = 90) -> Slot:
    return Slot(
        start=start, end=start + timedelta(minutes=minutes), provider_id="lee", id=f"s{number}", family=Family.CROWN
    )


SLOTS = (slot(1), slot(2, datetime(2026, 12, 3, 14, tzinfo=CHICAGO)))


def conversation(**changes: object) -> Conversation:
    plain = Conversation(id="c1", case_id="case-1", patient_id="ana", phase=Phase.QUEUED, offers=SLOTS)
    return replace(plain, **changes)  # type: ignore[arg-type]


def contact(**changes: object) -> ContactFacts:
    plain = ContactFacts(
        channel=Channel.SMS, address=PHONE, consent=ConsentStatus.GRANTED, consent_at=datetime(2026, 1, 5, tzinfo=UTC)
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def facts(**changes: object) -> ConversationFacts:
    plain = ConversationFacts(conversation=conversation(), case=case(), contacts=(contact(),))
    return replace(plain, **changes)  # type: ignore[arg-type]


def mark(
    ago: timedelta, kind: SendKind = SendKind.OUTREACH, conversation_id: str = "c1", now: datetime = NOW
) -> SentMark:
    return SentMark(at=now - ago, kind=kind, conversation_id=conversation_id)


def contact_rules(**changes: object) -> PracticePolicy:
    return POLICY.model_copy(update={"contact": POLICY.contact.model_copy(update=changes)})
