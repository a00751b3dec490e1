from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from policy_samples import (
    CHICAGO,
    NOW,
    OFFICE,
    PHONE,
    POLICY,
    case,
    contact,
    contact_rules,
    conversation,
    facts,
    instants,
    mark,
    patient,
)

from treatment_agent.domain.books import ConversationFacts
from treatment_agent.domain.consent import ConsentStatus
from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.messages import Channel, SendKind
from treatment_agent.domain.patients import Contact, Flag, PatientStatus, Permission
from treatment_agent.domain.private import EmailAddress, PhoneNumber
from treatment_agent.errors import NaiveDatetimeError, NotPermitted
from treatment_agent.policies.contact import (
    Allowed,
    Contactability,
    Deferred,
    Denied,
    decide_outreach,
    next_allowed,
    plausible_zones,
)
from treatment_agent.policies.practice import ContactRules, PracticePolicy
from treatment_agent.policies.zones import is_quiet

NEW_YORK = ZoneInfo("America/New_York")
HONOLULU = ZoneInfo("Pacific/Honolulu")
RULES = ContactRules()
GUARDIAN_PHONE = PhoneNumber("+13125550118")


def decide(
    known: ConversationFacts | None = None, *, now: datetime = NOW, policy: PracticePolicy = POLICY
) -> Contactability:
    return decide_outreach(now=now, facts=known or facts(), policy=policy)


def at(day: int, hour: int, minute: int = 0, *, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=CHICAGO)


class TestDecideOutreach:
    def test_allows_a_consenting_patient_in_the_morning(self) -> None:
        assert decide() == Allowed()

    def test_refuses_a_naive_instant(self) -> None:
        with pytest.raises(NaiveDatetimeError):
            decide(now=NOW.replace(tzinfo=None))

    @pytest.mark.parametrize(
        ("rule", "known"),
        [
            ("contact.held", facts(conversation=conversation(handoff_id="h1"))),
            ("contact.consent-revoked", facts(contacts=(contact(consent=ConsentStatus.REVOKED),))),
            ("contact.consent-revoked", facts(revoked_at=NOW)),
            ("contact.consent-revoked", facts(conversation=conversation(phase=Phase.OPTED_OUT))),
            ("contact.no-consent", facts(contacts=(contact(consent=ConsentStatus.NONE, consent_at=None),))),
            ("contact.no-consent", facts(case=case(who=patient(sms=Permission.NO)))),
            ("contact.no-number", facts(contacts=())),
            ("contact.no-number", facts(case=None)),
            ("contact.no-number", facts(case=case(who=patient(mobile=None)))),
            ("contact.not-capable", facts(contacts=(contact(capable=False),))),
            ("contact.do-not-contact", facts(case=case(who=patient(flags=frozenset({Flag.DO_NOT_CONTACT}))))),
            ("contact.deceased-or-inactive", facts(case=case(who=patient(status=PatientStatus.DECEASED)))),
            ("contact.deceased-or-inactive", facts(case=case(who=patient(status=PatientStatus.INACTIVE)))),
            ("contact.cap-case", facts(sent=tuple(mark(timedelta(days=n)) for n in (10, 20, 30)))),
        ],
    )
    def test_denies_for_good(self, rule: str, known: ConversationFacts) -> None:
        assert decide(known) == Denied(rule)

    @pytest.mark.parametrize(
        "known",
        [
            facts(conversation=conversation(phase=Phase.CONTACTED)),
            facts(revoked_at=datetime(2025, 1, 1, tzinfo=UTC)),
            facts(case=case(who=patient(sms=Permission.UNKNOWN))),
            facts(case=case(who=patient(flags=frozenset({Flag.MEDICAL_ALERT})))),
            facts(sent=tuple(mark(timedelta(days=n)) for n in (10, 20))),
            facts(sent=tuple(mark(timedelta(days=n), conversation_id="other") for n in (10, 20, 30))),
            facts(sent=tuple(mark(timedelta(hours=n), SendKind.REPLY) for n in range(9))),
        ],
    )
    def test_allows_what_only_looks_like_a_denial(self, known: ConversationFacts) -> None:
        assert decide(known) == Allowed()

    def test_needs_no_recorded_consent_when_the_office_says_so(self) -> None:
        unknown = facts(contacts=(contact(consent=ConsentStatus.NONE, consent_at=None),))

        assert decide(unknown, policy=contact_rules(require_consent=False)) == Allowed()

    def test_keeps_a_revocation_on_another_channel(self) -> None:
        mail = contact(
            channel=Channel.EMAIL,
            address=EmailAddress("ana@example.com"),
            consent=ConsentStatus.REVOKED,
            consent_at=datetime(2026, 2, 1, tzinfo=UTC),
        )

        assert decide(facts(contacts=(contact(), mail))) == Denied("contact.consent-revoked")

    def test_lifts_a_revocation_only_by_a_later_grant(self) -> None:
        revoked_at = datetime(2026, 1, 5, tzinfo=UTC)

        assert decide(facts(revoked_at=revoked_at)) == Denied("contact.consent-revoked")
        assert decide(facts(revoked_at=revoked_at - timedelta(seconds=1))) == Allowed()

    @pytest.mark.parametrize(
        ("rule", "known", "until"),
        [
            ("contact.shared-number", facts(shared_with=("c2",)), at(28, 10)),
            ("contact.staff-recent", facts(last_staff_at=at(24, 15)), at(1, 15, month=12)),
            ("contact.staff-recent", facts(case=case(last_staff_contact_at=at(24, 15))), at(1, 15, month=12)),
            ("contact.cap-day", facts(sent=(mark(timedelta(hours=3)),)), at(26, 9)),
            ("contact.cap-day", facts(sent=(mark(timedelta(hours=3), conversation_id="other"),)), at(26, 9)),
            ("contact.cap-week", facts(sent=(mark(timedelta(days=2)), mark(timedelta(days=4)))), at(28, 10)),
        ],
    )
    def test_defers_what_passes_with_time(self, rule: str, known: ConversationFacts, until: datetime) -> None:
        assert decide(known) == Deferred(until, rule)

    @pytest.mark.parametrize(
        "known",
        [
            facts(last_staff_at=NOW - timedelta(days=7)),
            facts(sent=(mark(timedelta(hours=24)),)),
            facts(sent=(mark(timedelta(days=2)), mark(timedelta(days=7)))),
        ],
    )
    def test_allows_at_the_very_end_of_a_wait(self, known: ConversationFacts) -> None:
        assert decide(known) == Allowed()

    @pytest.mark.parametrize(
        ("rule", "now", "until"),
        [
            ("contact.quiet-hours", at(25, 8, 59), at(25, 9)),
            ("contact.quiet-hours", at(25, 20), at(26, 9)),
            ("contact.quiet-hours", at(28, 23), at(30, 9)),
            ("contact.no-sunday", at(29, 12), at(30, 9)),
        ],
    )
    def test_defers_to_a_decent_hour(self, rule: str, now: datetime, until: datetime) -> None:
        assert decide(now=now) == Deferred(until, rule)

    @pytest.mark.parametrize("now", [at(25, 9), at(25, 19, 59), at(28, 12)])
    def test_allows_at_the_bounds_of_the_day(self, now: datetime) -> None:
        assert decide(now=now) == Allowed()

    def test_defers_over_a_holiday(self) -> None:
        office = OFFICE.model_copy(update={"holidays": (date(2026, 11, 26), date(2026, 11, 27))})
        policy = POLICY.model_copy(update={"office": office})

        assert decide(now=at(26, 12), policy=policy) == Deferred(at(28, 9), "contact.holiday")
        assert decide(now=at(25, 12), policy=policy) == Allowed()

    def test_waits_for_the_latest_of_several_rules(self) -> None:
        known = facts(sent=(mark(timedelta(hours=3)),), last_staff_at=at(24, 21))

        assert decide(known) == Deferred(at(2, 9, month=12), "contact.staff-recent")

    def test_respects_the_zone_of_a_number_from_elsewhere(self) -> None:
        moved = PhoneNumber("+14155550117")
        known = facts(case=case(who=patient(mobile=moved)), contacts=(contact(address=moved),))

        assert decide(known, now=at(25, 10)) == Deferred(at(25, 11), "contact.quiet-hours")
        assert decide(known, now=at(25, 11)) == Allowed()

    def test_writes_to_the_guardian_until_the_eighteenth_birthday(self) -> None:
        child = patient(
            born_on=date(2008, 11, 26), guardian=Contact(first_name="Eva", mobile=GUARDIAN_PHONE), mobile=PHONE
        )
        guardian_only = facts(case=case(who=child), contacts=(contact(address=GUARDIAN_PHONE),))

        assert decide(guardian_only, now=at(25, 10)) == Allowed()
        assert decide(guardian_only, now=at(26, 10)) == Denied("contact.no-number")

    def test_denies_when_the_zones_share_no_hour(self) -> None:
        far = facts(case=case(who=patient(zone="Asia/Dhaka")))

        assert decide(far) == Denied("contact.no-common-hours")
        assert decide(facts(case=case(who=patient(zone="America/Denver")))) == Allowed()

    def test_uses_email_rules_for_email(self) -> None:
        address = EmailAddress("ana@example.com")
        known = facts(
            case=case(who=patient(email=address)), contacts=(contact(channel=Channel.EMAIL, address=address),)
        )

        assert decide_outreach(now=NOW, facts=known, policy=POLICY, channel=Channel.EMAIL) == Allowed()
        assert decide(known) == Denied("contact.no-number")


class TestPlausibleZones:
    def test_gathers_number_state_patient_and_office(self) -> None:
        who = patient(state="ca", zone="America/Denver")

        zones = {z.key for z in plausible_zones(PhoneNumber("+12125550117"), who, OFFICE)}

        assert zones == {"America/New_York", "America/Los_Angeles", "America/Denver", "America/Chicago"}

    def test_keeps_the_office_when_nothing_else_is_known(self) -> None:
        zones = plausible_zones(EmailAddress("a@example.com"), patient(zone="Mars/Base", state="??"), OFFICE)

        assert zones == (CHICAGO,)


class TestNextAllowed:
    def test_waits_for_the_westernmost_morning(self) -> None:
        early = datetime(2026, 11, 25, 9, 30, tzinfo=NEW_YORK)

        assert next_allowed(early, (NEW_YORK, HONOLULU), RULES, OFFICE) == datetime(2026, 11, 25, 9, 0, tzinfo=HONOLULU)

    def test_returns_an_allowed_instant_unchanged(self) -> None:
        assert next_allowed(NOW, (CHICAGO,), RULES, OFFICE) == NOW

    @pytest.mark.parametrize(
        ("evening", "offset_hours"),
        [(datetime(2026, 3, 7, 21, tzinfo=CHICAGO), -5), (datetime(2026, 10, 31, 21, tzinfo=CHICAGO), -6)],
    )
    def test_lands_on_nine_local_after_a_night_of_clock_change(self, evening: datetime, offset_hours: int) -> None:
        rules = RULES.model_copy(update={"no_weekdays": ()})

        morning = next_allowed(evening, (CHICAGO,), rules, OFFICE).astimezone(CHICAGO)

        assert (morning.hour, morning.utcoffset()) == (9, timedelta(hours=offset_hours))

    def test_skips_the_repeated_quiet_hour_when_clocks_go_back(self) -> None:
        rules = ContactRules(quiet_from=time(20), quiet_until=time(1, 30), no_weekdays=())
        # 01:45 summer time may send; fifteen minutes later it is 01:00 again, which may not.
        repeated = datetime(2026, 11, 1, 1, 0, tzinfo=CHICAGO).replace(fold=1)

        found = next_allowed(repeated, (CHICAGO,), rules, OFFICE)

        assert found == datetime(2026, 11, 1, 7, 30, tzinfo=UTC)

    def test_gives_up_when_it_is_always_quiet(self) -> None:
        rules = ContactRules(quiet_from=time(9), quiet_until=time(9))

        with pytest.raises(NotPermitted, match=r"contact\.no-common-hours"):
            next_allowed(NOW, (CHICAGO,), rules, OFFICE)


_ZONES = st.lists(
    st.sampled_from(
        [
            "America/Chicago",
            "America/New_York",
            "America/Los_Angeles",
            "America/Phoenix",
            "America/St_Johns",
            "Pacific/Honolulu",
            "America/Adak",
            "Europe/Lisbon",
        ]
    ).map(ZoneInfo),
    min_size=1,
    max_size=3,
)
_CHANGE_NIGHTS = (datetime(2026, 3, 7, 20, tzinfo=UTC), datetime(2026, 10, 31, 20, tzinfo=UTC))
_INSTANTS = st.one_of(
    instants(2026, 2027),
    st.builds(
        lambda night, minutes: night + timedelta(minutes=minutes),
        st.sampled_from(_CHANGE_NIGHTS),
        st.integers(0, 30 * 60),
    ),
)


class TestProperties:
    @given(now=_INSTANTS, zones=_ZONES, quiet_until=st.integers(1, 10), quiet_from=st.integers(18, 23))
    def test_property_next_allowed_is_never_quiet_anywhere(
        self, now: datetime, zones: list[ZoneInfo], quiet_until: int, quiet_from: int
    ) -> None:
        rules = ContactRules(quiet_from=time(quiet_from), quiet_until=time(quiet_until))
        office = OFFICE.model_copy(update={"holidays": (date(2026, 11, 26),)})

        try:
            found = next_allowed(now, zones, rules, office)
        except NotPermitted:
            return

        assert found >= now
        for zone in zones:
            local = found.astimezone(zone)
            assert time(quiet_until) <= local.time() < time(quiet_from)
            assert local.weekday() != 6
            assert local.date() not in office.holidays

    @given(now=_INSTANTS, zones=_ZONES, step=st.integers(1, 200))
    def test_property_next_allowed_is_the_first(self, now: datetime, zones: list[ZoneInfo], step: int) -> None:
        try:
            found = next_allowed(now, zones, RULES, OFFICE)
        except NotPermitted:
            return
        between = now + (found - now) * (step / 201)

        if now <= between < found:
            local = [between.astimezone(zone) for zone in zones]
            assert any(is_quiet(moment.time(), RULES) or moment.weekday() == 6 for moment in local)

    @given(now=_INSTANTS, home=st.sampled_from(["+13125550117", "+18085550117", "+17095550117", "+19075550117"]))
    def test_property_outreach_is_allowed_only_by_day(self, now: datetime, home: str) -> None:
        number = PhoneNumber(home)
        known = facts(case=case(who=patient(mobile=number)), contacts=(contact(address=number),))

        verdict = decide(known, now=now)

        moment = now if verdict == Allowed() else getattr(verdict, "until", None)
        if moment is not None:
            for zone in plausible_zones(number, None, OFFICE):
                assert not is_quiet(moment.astimezone(zone).time(), RULES)
        if isinstance(verdict, Deferred):
            assert decide(known, now=verdict.until) == Allowed()

    @given(
        now=_INSTANTS,
        restrictions=st.lists(st.sampled_from(range(12)), max_size=4, unique=True),
        more=st.sampled_from(range(12)),
    )
    def test_property_another_restriction_never_sends_more(
        self, now: datetime, restrictions: list[int], more: int
    ) -> None:
        fewer, policy = _restricted(now, restrictions)
        stricter, stricter_policy = _restricted(now, [*restrictions, more])

        if decide(fewer, now=now, policy=policy) != Allowed():
            assert decide(stricter, now=now, policy=stricter_policy) != Allowed()


def _restricted(now: datetime, numbers: list[int]) -> tuple[ConversationFacts, PracticePolicy]:
    known, policy = facts(), POLICY
    for number in numbers:
        known, policy = _restrict(known, policy, number, now)
    return known, policy


def _restrict(
    known: ConversationFacts, policy: PracticePolicy, number: int, now: datetime
) -> tuple[ConversationFacts, PracticePolicy]:
    rules, office = policy.contact, policy.office
    assert known.case is not None
    changed_facts = {
        0: replace(known, revoked_at=now),
        1: replace(known, shared_with=("c2",)),
        2: replace(known, last_staff_at=now - timedelta(days=1)),
        3: replace(known, sent=(*known.sent, mark(timedelta(hours=5), now=now))),
        4: replace(known, sent=(*known.sent, mark(timedelta(days=3), now=now))),
        5: replace(known, conversation=replace(known.conversation, handoff_id="h")),
        6: replace(known, contacts=()),
    }
    changed_rules = {
        7: rules.model_copy(update={"quiet_until": time(11)}),
        8: rules.model_copy(update={"no_weekdays": (5, 6)}),
        9: rules.model_copy(update={"max_per_case": 1}),
    }
    if number in changed_facts:
        return changed_facts[number], policy
    if number in changed_rules:
        return known, policy.model_copy(update={"contact": changed_rules[number]})
    if number == 10:
        holidays = (now.astimezone(CHICAGO).date(),)
        return known, policy.model_copy(update={"office": office.model_copy(update={"holidays": holidays})})
    moved = known.case.patient.model_copy(update={"zone": "Pacific/Honolulu"})
    return replace(known, case=known.case.model_copy(update={"patient": moved})), policy
