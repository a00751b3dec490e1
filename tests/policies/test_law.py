from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
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
    conversation,
    facts,
    instants,
    mark,
    patient,
)

from treatment_agent.domain.books import ConversationFacts, SentMark
from treatment_agent.domain.consent import ConsentStatus
from treatment_agent.domain.messages import Channel, SendKind
from treatment_agent.domain.private import EmailAddress, PhoneNumber
from treatment_agent.errors import ConfigurationError, NotPermitted
from treatment_agent.policies.contact import Allowed, Deferred, decide_outreach
from treatment_agent.policies.law import (
    Binding,
    Disclosure,
    Holiday,
    Jurisdiction,
    Law,
    LawRule,
    RevokeScope,
    Window,
    coming,
    confirmation_minutes,
    default_jurisdictions,
    load_jurisdiction,
    revoke_scope,
    stale,
)
from treatment_agent.policies.places import office_state, plausible_states, state_code
from treatment_agent.policies.practice import ContactRules, PracticePolicy
from treatment_agent.policies.zones import blocked_by, next_allowed, plausible_zones

LAW = Law()
WIDE = ContactRules(quiet_from=time(22), quiet_until=time(7), no_weekdays=(), max_per_day=9, max_per_week=30)
ALL_WEEK = tuple(range(7))
SEATTLE, TAMPA, DALLAS, PROVO, HARTFORD, OAKLAND, TULSA, SPRINGFIELD = (
    "+12065550117", "+18135550117", "+12145550117", "+18015550117", "+18605550117", "+15105550117", "+19185550117",
    "+12175550117",
)  # fmt: skip


def rule(**changes: object) -> LawRule:
    values = {"id": "r", "effective_from": date(2020, 1, 1), "source": "s", "checked": "general", "says": "No."}
    return LawRule.model_validate({**values, **changes})


def place(*rules: LawRule, code: str = "US", holidays: tuple[Holiday, ...] = ()) -> Jurisdiction:
    day = date(2026, 11, 1)
    return Jurisdiction(id=code, title=code, verified_on=day, review_by=day, rules=rules, holidays=holidays)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CHICAGO)


def known(number: str = PHONE.reveal(), **who: object) -> ConversationFacts:
    phone = PhoneNumber(number)
    return facts(case=case(who=patient(mobile=phone, **who)), contacts=(contact(address=phone),))


def wide(**law: object) -> PracticePolicy:
    return POLICY.model_copy(update={"contact": WIDE, "law": Law.model_validate(law)})


def decide(about: ConversationFacts, now: datetime, policy: PracticePolicy) -> object:
    return decide_outreach(now=now, facts=about, policy=policy)


class TestShippedFiles:
    def test_cover_the_places_the_field_speaks_of(self) -> None:
        assert {j.id for j in default_jurisdictions()} >= {
            "US", "US-FL", "US-OK", "US-WA", "US-TX", "US-CA", "US-UT", "US-CT",
        }  # fmt: skip

    @pytest.mark.parametrize("place", default_jurisdictions(), ids=lambda j: j.id)
    def test_tell_source_and_dates_of_every_rule(self, place: Jurisdiction) -> None:
        assert place.rules
        assert place.review_by > place.verified_on
        assert len({r.id for r in place.rules}) == len(place.rules)
        assert all(r.source and r.effective_from for r in place.rules)

    @pytest.mark.parametrize(
        ("state", "change", "hour", "before", "after"),
        [
            ("WA", date(2022, 6, 9), 20, True, False),
            ("FL", date(2021, 7, 1), 20, True, False),
            ("OK", date(2022, 11, 1), 20, True, False),
            ("CT", date(2023, 10, 1), 20, True, False),
            ("TX", date(2025, 9, 1), 8, True, False),
        ],
    )
    def test_change_hours_on_the_day_a_law_came(
        self, state: str, change: date, hour: int, before: bool, after: bool
    ) -> None:
        law = LAW.binding([state])
        eve, morning = (datetime.combine(change - timedelta(days=d), time(hour, 30), CHICAGO) for d in (1, 0))

        assert (law.blocked_by(eve) is None, law.blocked_by(morning) is None) == (before, after)

    def test_count_three_a_day_in_florida_since_2021(self) -> None:
        assert LAW.binding(["FL"]).cap(date(2021, 6, 30), "day", 9) == 9
        assert LAW.binding(["FL"]).cap(date(2021, 7, 1), "day", 9) == 3
        assert LAW.binding(["FL"]).cap(date(2026, 7, 1), "day", 1) == 1
        assert LAW.binding(["IL"]).cap(date(2026, 7, 1), "day", 9) == 9

    @pytest.mark.parametrize(
        ("state", "change"), [("TX", date(2026, 1, 1)), ("CA", date(2025, 1, 1)), ("UT", date(2024, 5, 1))]
    )
    def test_want_an_ai_to_say_so_from_a_day_on(self, state: str, change: date) -> None:
        quiet = Law(disclosure=Disclosure.ON_REQUEST).binding([state])

        assert quiet.disclosure(change - timedelta(days=1)) is Disclosure.ON_REQUEST
        assert quiet.disclosure(change) is Disclosure.FIRST
        assert Law(disclosure=Disclosure.ALWAYS).binding([state]).disclosure(change) is Disclosure.ALWAYS

    def test_say_that_a_stop_reaches_everything_from_31_january_2027(self) -> None:
        narrow = Law(revoke_scope=RevokeScope.ADDRESS)

        assert revoke_scope(narrow, date(2027, 1, 30)) is RevokeScope.ADDRESS
        assert revoke_scope(narrow, date(2027, 1, 31)) is RevokeScope.OFFICE
        assert revoke_scope(LAW, date(2026, 1, 1)) is RevokeScope.OFFICE

    def test_shorten_the_minutes_for_a_confirmation(self) -> None:
        assert confirmation_minutes(LAW, date(2024, 4, 3), 30) == 30
        assert confirmation_minutes(LAW, date(2024, 4, 4), 30) == 5
        assert confirmation_minutes(LAW, date(2026, 4, 4), 2) == 2


class TestHolidays:
    @pytest.mark.parametrize(
        "day",
        [
            date(2026, 1, 1),
            date(2026, 1, 19),
            date(2026, 5, 25),
            date(2026, 7, 3),  # the Fourth falls on a Saturday
            date(2026, 7, 4),
            date(2027, 7, 5),  # the Fourth falls on a Sunday
            date(2026, 11, 26),
            date(2026, 12, 25),
            date(2027, 12, 31),  # New Year's Day of 2028 falls on a Saturday
        ],
    )
    def test_fall_on(self, day: date) -> None:
        assert LAW.is_holiday(day)

    @pytest.mark.parametrize(
        "day", [date(2026, 1, 2), date(2026, 11, 19), date(2026, 11, 27), date(2026, 12, 26), date(2020, 6, 19)]
    )
    def test_do_not_fall_on(self, day: date) -> None:
        assert not LAW.is_holiday(day)

    def test_need_a_day_or_a_weekday(self) -> None:
        with pytest.raises(ValueError, match="a day, or a weekday"):
            Holiday(name="x", month=1, weekday=1)


class TestFreshness:
    def test_a_file_is_stale_the_day_after_its_review(self) -> None:
        law = Law(jurisdictions=(place(),))

        assert stale(law, date(2026, 11, 1)) == ()
        assert [j.id for j in stale(law, date(2026, 11, 2))] == ["US"]

    def test_tells_what_begins_and_ends_soon(self) -> None:
        ends = rule(id="old", effective_until=date(2026, 12, 1))
        begins = rule(id="new", effective_from=date(2026, 12, 1))
        far = rule(id="far", effective_from=date(2027, 12, 1))

        found = coming(Law(jurisdictions=(place(ends, begins, far),)), date(2026, 11, 1))

        assert [(day, r.id) for day, _, r in found] == [(date(2026, 12, 1), "new"), (date(2026, 12, 1), "old")]


class TestLoadJurisdiction:
    @pytest.mark.parametrize(
        ("content", "says"),
        [
            ("id =", "TOML"),
            ("id = 'Maine'\ntitle = 'x'\nverified_on = 2026-01-01\nreview_by = 2026-01-01", "id"),
            ("id = 'US-ME'\ntitle = 'x'\nverified_on = 2026-01-01", "review_by"),
            (
                "id = 'US-ME'\ntitle = 'x'\nverified_on = 2026-01-01\nreview_by = 2026-01-01\n[[rule]]\nid = 'r'\n"
                "effective_from = 2026-01-02\neffective_until = 2026-01-02\nsource = 's'\nchecked = 'general'\n"
                "says = 'x'",
                "effective_until",
            ),
        ],
    )
    def test_names_file_and_fix(self, tmp_path: Path, content: str, says: str) -> None:
        path = tmp_path / "us-me.toml"
        path.write_text(content, encoding="utf-8")

        with pytest.raises(ConfigurationError, match=says) as error:
            load_jurisdiction(path)
        assert "us-me.toml" in str(error.value)

    def test_lets_an_office_add_a_place(self, tmp_path: Path) -> None:
        path = tmp_path / "us-il.toml"
        path.write_text(
            "id = 'US-IL'\ntitle = 'Illinois'\nverified_on = 2026-01-01\nreview_by = 2027-01-01\n[[rule]]\nid = 'r'\n"
            "effective_from = 2026-01-02\nsource = 's'\nchecked = 'general'\nsays = 'Mornings only.'\n"
            "hours = [{ days = [0, 1, 2, 3, 4], opens = 09:00:00, closes = 12:00:00 }]",
            encoding="utf-8",
        )
        law = Law(jurisdictions=(*default_jurisdictions(), load_jurisdiction(path)))
        policy = POLICY.model_copy(update={"law": law})

        assert decide(known(), local("2026-11-25T11:59"), policy) == Allowed()
        assert decide(known(), local("2026-11-25T12:00"), policy) == Deferred(
            local("2026-11-26T09:00"), "contact.law-hours"
        )


class TestPlausibleStates:
    @pytest.mark.parametrize(
        ("number", "state"),
        [
            (SEATTLE, "WA"), (TAMPA, "FL"), (DALLAS, "TX"), (PROVO, "UT"), (HARTFORD, "CT"), (OAKLAND, "CA"),
            (TULSA, "OK"), (SPRINGFIELD, "IL"),
        ],
    )  # fmt: skip
    def test_reads_the_state_of_a_number(self, number: str, state: str) -> None:
        assert plausible_states(PhoneNumber(number), None, OFFICE, LAW) == (state,)

    @pytest.mark.parametrize("number", ["+18005550117", "+442079460117", "+17095550117"])
    def test_knows_none_for_toll_free_and_foreign_numbers(self, number: str) -> None:
        assert plausible_states(PhoneNumber(number), None, OFFICE, LAW) == ()

    def test_gathers_number_address_and_office(self) -> None:
        office = OFFICE.model_copy(update={"address": "12 Oak St, Boise, ID 83702"})
        who = patient(state="texas")

        assert plausible_states(PhoneNumber(TAMPA), who, office, LAW) == ("FL", "ID", "TX")
        assert plausible_states(EmailAddress("a@example.com"), who, office, LAW) == ("ID", "TX")

    def test_lets_the_policy_name_the_offices_state(self) -> None:
        assert office_state(OFFICE, LAW) is None
        assert office_state(OFFICE, Law(state="ut")) == "UT"
        assert state_code("Neverland") is None


class TestDecideOutreach:
    @pytest.mark.parametrize(
        ("number", "now", "rule_id"),
        [
            (SPRINGFIELD, "2026-11-25T20:30", None),
            (TAMPA, "2026-11-25T20:30", "contact.law-hours"),
            (TULSA, "2026-11-25T20:30", "contact.law-hours"),
            (TULSA, "2026-11-25T19:59", None),
            (DALLAS, "2026-11-25T08:30", "contact.law-hours"),
            (DALLAS, "2026-11-25T09:00", None),
            (DALLAS, "2026-11-29T11:59", "contact.law-hours"),
            (DALLAS, "2026-11-29T12:00", None),
            (PROVO, "2026-11-29T12:00", "contact.law-hours"),
            (PROVO, "2026-11-26T12:00", "contact.law-holiday"),
            (SPRINGFIELD, "2026-11-26T12:00", None),
        ],
    )
    def test_keeps_the_law_of_the_numbers_state(self, number: str, now: str, rule_id: str | None) -> None:
        answer = decide(known(number), local(now), wide())

        assert getattr(answer, "rule", None) == rule_id

    def test_keeps_the_strictest_of_number_address_and_office(self) -> None:
        noon = local("2026-11-29T11:00")

        assert decide(known(), noon, wide()) == Allowed()
        assert getattr(decide(known(state="TX"), noon, wide()), "rule", "") == "contact.law-hours"
        assert getattr(decide(known(), noon, wide(state="TX")), "rule", "") == "contact.law-hours"

    def test_leaves_legal_holidays_free_when_the_office_says_so(self) -> None:
        thanksgiving = local("2026-11-26T12:00")

        assert decide(known(), thanksgiving, wide()) == Allowed()
        assert decide(known(), thanksgiving, wide(federal_holidays=True)) == Deferred(
            local("2026-11-27T08:00"), "contact.law-holiday"
        )

    def test_counts_the_caps_of_the_law(self) -> None:
        sent = tuple(mark(timedelta(hours=n), conversation_id="other") for n in (1, 2, 3))

        florida = replace(known(TAMPA), sent=sent)
        assert decide(florida, NOW, wide()) == Deferred(NOW + timedelta(hours=21 + 1), "contact.law-cap")
        assert decide(replace(florida, sent=sent[:2]), NOW, wide()) == Allowed()
        assert decide(replace(known(), sent=sent), NOW, wide()) == Allowed()

    def test_reads_a_stop_by_its_scope_until_the_law_widens_it(self) -> None:
        refused = contact(
            channel=Channel.EMAIL,
            address=EmailAddress("ana@example.com"),
            consent=ConsentStatus.REVOKED,
            consent_at=NOW - timedelta(days=1),
        )
        about = facts(contacts=(contact(), refused))
        later = datetime(2027, 2, 1, 12, tzinfo=CHICAGO)

        assert getattr(decide(about, NOW, wide()), "rule", "") == "contact.consent-revoked"
        assert decide(about, NOW, wide(revoke_scope="address")) == Allowed()
        assert getattr(decide(about, later, wide(revoke_scope="address")), "rule", "") == "contact.consent-revoked"


_ZONES = st.sampled_from(
    [
        "America/Chicago",
        "America/New_York",
        "America/Los_Angeles",
        "America/Phoenix",
        "America/St_Johns",
        "America/Adak",
        "Pacific/Honolulu",
        "Australia/Lord_Howe",
        "Europe/Lisbon",
    ]
)
_CHANGES = [
    datetime(2026, 3, 8, 7, tzinfo=UTC),
    datetime(2026, 11, 1, 6, tzinfo=UTC),
    datetime(2027, 3, 14, 10, tzinfo=UTC),
    datetime(2026, 4, 4, 15, tzinfo=UTC),
]
_NEAR_CHANGES = st.builds(
    lambda night, minutes: night + timedelta(minutes=minutes), st.sampled_from(_CHANGES), st.integers(-1500, 1500)
)
_MOMENTS = st.one_of(instants(2026, 2027), _NEAR_CHANGES)
_DAYS = st.builds(lambda n: date(2026, 1, 1) + timedelta(days=n), st.integers(-60, 800))


@st.composite
def _windows(draw: st.DrawFn) -> Window:
    opens = draw(st.integers(0, 22 * 4)) * 15
    closes = draw(st.integers(opens // 15 + 1, 95)) * 15
    days = draw(st.sets(st.sampled_from(ALL_WEEK), min_size=4))
    return Window(days=tuple(days), opens=time(opens // 60, opens % 60), closes=time(closes // 60, closes % 60))


@st.composite
def _rules(draw: st.DrawFn) -> LawRule:
    begins = draw(_DAYS)
    lasts = draw(st.one_of(st.none(), st.integers(1, 400)))
    return rule(
        effective_from=begins,
        effective_until=begins + timedelta(days=lasts) if lasts else None,
        hours=tuple(draw(st.lists(_windows(), max_size=2))),
        no_holidays=draw(st.booleans()),
        max_per_day=draw(st.one_of(st.none(), st.integers(1, 3))),
        max_per_week=draw(st.one_of(st.none(), st.integers(1, 5))),
    )


_LAWS = st.builds(
    lambda rules: Law(jurisdictions=(place(*rules, holidays=default_jurisdictions()[-1].holidays),)),
    st.lists(_rules(), max_size=4),
)
_CAPPED_LAWS = st.builds(
    lambda since, day, week: Law(
        jurisdictions=(place(rule(effective_from=since, max_per_day=day, max_per_week=week)),)
    ),
    _DAYS,
    st.integers(1, 2),
    st.one_of(st.none(), st.integers(2, 5)),
)
_OFFICE_RULES = st.builds(
    lambda until, start, days, day, week: ContactRules(
        quiet_until=time(until), quiet_from=time(start), no_weekdays=tuple(days), max_per_day=day, max_per_week=week
    ),
    st.integers(0, 10),
    st.integers(17, 23),
    st.sets(st.sampled_from(ALL_WEEK), max_size=2),
    st.integers(1, 4),
    st.integers(4, 8),
)


def _decent(moment: datetime, zones: tuple[ZoneInfo, ...], policy: PracticePolicy) -> bool:
    """Written again, the slow and plain way: every zone, every rule in force there, every window."""
    rules = policy.contact
    for zone in zones:
        here = moment.astimezone(zone)
        wall = here.hour * 60 + here.minute + here.second / 60 + here.microsecond / 60e6
        quiet_until, quiet_from = (t.hour * 60 + t.minute for t in (rules.quiet_until, rules.quiet_from))
        if not quiet_until <= wall < quiet_from or here.weekday() in rules.no_weekdays:
            return False
        if here.date() in policy.office.holidays:
            return False
        for demand in (r for j in policy.law.jurisdictions for r in j.rules):
            if here.date() < demand.effective_from or here.date() >= (demand.effective_until or date.max):
                continue
            if demand.no_holidays and any(
                h.falls_on(here.date()) for j in policy.law.jurisdictions for h in j.holidays
            ):
                return False
            open_now = [
                here.weekday() in w.days
                and w.opens.hour * 60 + w.opens.minute <= wall < w.closes.hour * 60 + w.closes.minute
                for w in demand.hours
            ]
            if open_now and not any(open_now):
                return False
    return True


class TestProperties:
    @given(now=_MOMENTS, names=st.lists(_ZONES, min_size=1, max_size=3), law=_LAWS, rules=_OFFICE_RULES)
    def test_property_nothing_is_sent_outside_any_window(
        self, now: datetime, names: list[str], law: Law, rules: ContactRules
    ) -> None:
        zones = tuple(ZoneInfo(name) for name in names)
        policy = POLICY.model_copy(update={"contact": rules, "law": law})
        binding = law.binding()

        blocked = blocked_by(now, zones, rules, OFFICE, binding)
        assert (blocked is None) == _decent(now, zones, policy)
        try:
            found = next_allowed(now, zones, rules, OFFICE, binding)
        except NotPermitted:
            return
        assert found >= now
        assert _decent(found, zones, policy)
        assert (found == now) == (blocked is None)

    @given(
        now=_MOMENTS,
        names=st.lists(_ZONES, min_size=1, max_size=2),
        law=_LAWS,
        rules=_OFFICE_RULES,
        part=st.floats(0, 1, exclude_max=True),
    )
    def test_property_no_decent_moment_is_passed_over(
        self, now: datetime, names: list[str], law: Law, rules: ContactRules, part: float
    ) -> None:
        zones = tuple(ZoneInfo(name) for name in names)
        try:
            found = next_allowed(now, zones, rules, OFFICE, law.binding())
        except NotPermitted:
            return
        between = now + (found - now) * part

        if now <= between < found:
            assert not _decent(between, zones, POLICY.model_copy(update={"contact": rules, "law": law}))

    @given(now=_MOMENTS, home=st.sampled_from([PHONE.reveal(), TAMPA, PROVO, DALLAS]), law=_LAWS, rules=_OFFICE_RULES)
    def test_property_outreach_goes_only_when_every_place_allows_it(
        self, now: datetime, home: str, law: Law, rules: ContactRules
    ) -> None:
        policy = POLICY.model_copy(update={"contact": rules, "law": law})
        zones = plausible_zones(PhoneNumber(home), None, OFFICE)

        answer = decide(known(home), now, policy)

        moment = now if answer == Allowed() else getattr(answer, "until", None)
        assert moment is None or _decent(moment, zones, policy)

    @given(
        start=_MOMENTS,
        gaps=st.lists(st.tuples(st.integers(0, 8 * 60), st.sampled_from(["c1", "c2", "c3"])), min_size=10, max_size=50),
        law=_CAPPED_LAWS,
        rules=_OFFICE_RULES,
    )
    def test_property_caps_hold_in_any_order_of_events(
        self, start: datetime, gaps: list[tuple[int, str]], law: Law, rules: ContactRules
    ) -> None:
        """Three members of a household, who take turns at random: together they never get more than one may."""
        policy = POLICY.model_copy(update={"contact": rules, "law": law})
        sent: tuple[SentMark, ...] = ()
        now = start
        for minutes, who in gaps:
            now += timedelta(minutes=minutes)
            about = replace(facts(conversation=conversation(id=who)), sent=sent)
            if decide(about, now, policy) == Allowed():
                sent = (SentMark(now, SendKind.OUTREACH, who), *sent)

        binding = law.binding()
        for latest in sent:
            on = latest.at.astimezone(CHICAGO).date()
            day = [m for m in sent if latest.at - timedelta(hours=24) < m.at <= latest.at]
            week = [m for m in sent if latest.at - timedelta(days=7) < m.at <= latest.at]
            assert len(day) <= min(rules.max_per_day, binding.cap(on, "day", 99))
            assert len(week) <= min(rules.max_per_week, binding.cap(on, "week", 99))
        for who in ("c1", "c2", "c3"):
            assert sum(m.conversation_id == who for m in sent) <= rules.max_per_case

    @given(
        now=_MOMENTS,
        law=_LAWS,
        rules=_OFFICE_RULES,
        more=_rules(),
        state=st.sampled_from(["", "FL", "TX", "UT"]),
        holidays=st.booleans(),
        sent=st.lists(st.integers(0, 9 * 24), max_size=4),
    )
    def test_property_another_restriction_never_sends_more(
        self,
        now: datetime,
        law: Law,
        rules: ContactRules,
        more: LawRule,
        state: str,
        holidays: bool,
        sent: list[int],
    ) -> None:
        marks = tuple(mark(timedelta(hours=n), now=now) for n in sorted(sent))
        about = replace(known(state=state or None), sent=marks)
        policy = POLICY.model_copy(update={"contact": rules, "law": law})
        stricter = law.model_copy(
            update={"jurisdictions": (*law.jurisdictions, place(more)), "federal_holidays": holidays}
        )

        if decide(about, now, policy.model_copy(update={"law": stricter})) == Allowed():
            assert decide(about, now, policy) == Allowed()

    @given(
        on=_DAYS, states=st.sets(st.sampled_from(["FL", "OK", "WA", "TX", "CA", "UT", "CT"])), hour=st.integers(0, 23)
    )
    def test_property_another_state_never_allows_more(self, on: date, states: set[str], hour: int) -> None:
        moment = datetime.combine(on, time(hour, 30), CHICAGO)
        fewer: Binding = LAW.binding(sorted(states)[1:])
        more = LAW.binding(states)

        assert fewer.blocked_by(moment) is None or more.blocked_by(moment) is not None
        assert more.cap(on, "day", 9) <= fewer.cap(on, "day", 9)
