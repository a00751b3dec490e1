"""Every expectation of a dialogue file is met when it is, and told with its rule when it is not."""

from __future__ import annotations

import pytest

from treatment_agent.evals.findings import Finding
from treatment_agent.evals.flipping import flips, unnoticed
from treatment_agent.evals.judging import judge

PICKS = """
[[turn]]
patient = "2 please"
expect = {{ {expect} }}

[end]
{end}
"""
END = """phase = "booked"
sent = ["first-message", "booked"]
bookings = [{ at = "2026-12-01T14:00", procedures = ["ana-1"] }]
"""
HELD = """
[[turn]]
patient = "Can it wait? My jaw hurts when I chew"
expect = {{ {expect} }}

[end]
{end}
"""
HELD_END = """phase = "with_staff"
sent = ["first-message", "handoff-clinical"]
handoffs = [{ topic = "clinical", urgency = "today", owner = "clinician", status = "opened" }]
reasons = ["no_symptoms_not_urgent"]
"""


def keys(findings: tuple[Finding, ...]) -> set[str]:
    return {finding.key for finding in findings}


class TestTurn:
    @pytest.mark.parametrize(
        ("true", "false", "key"),
        [
            ('phase = "booked"', 'phase = "deferred"', "expect.phase"),
            ('decision = "reply.accept"', 'decision = "reply.affirm"', "expect.decision"),
            ('rules = ["reply.accept"]', 'rules = ["reply.affirm"]', "expect.rules"),
            ('not_rules = ["reply.affirm"]', 'not_rules = ["reply.accept"]', "expect.not_rules"),
            ('sent = ["booked"]', "sent = []", "expect.sent"),
            ('not_sent = ["offer"]', 'not_sent = ["booked"]', "expect.not_sent"),
            ('says = ["all set", "tue dec 1"]', 'says = ["all set", "wed"]', "expect.says"),
            ('tools = ["scheduler.book"]', 'tools = ["scheduler.find_slots"]', "expect.tools"),
            ('not_tools = ["scheduler.find_slots"]', 'not_tools = ["scheduler.book"]', "expect.not_tools"),
            ("reasons = []", 'reasons = ["cost"]', "expect.reasons"),
            ('handoff = "none"', 'handoff = "clinical"', "expect.handoff"),
            ('consent = "granted"', 'consent = "revoked"', "expect.consent"),
            ('facts = { intents = ["accept"] }', 'facts = { intents = ["ack"] }', "expect.facts.intents"),
            ("facts = { option = 2 }", "facts = { option = 1 }", "expect.facts.option"),
            ("facts = { topics = [] }", 'facts = { topics = ["human"] }', "expect.facts.topics"),
            ('facts = { language = "en" }', 'facts = { language = "es" }', "expect.facts.language"),
            ("facts = { abstained = false }", "facts = { abstained = true }", "expect.facts.abstained"),
        ],
    )
    def test_fails_where_it_is_not_as_told(self, run, true, false, key):
        assert run(PICKS.format(expect=true, end=END)).findings == ()

        (found,) = run(PICKS.format(expect=false, end=END)).findings

        assert (found.turn, found.key, found.rule) == (1, key, "reply.accept")

    def test_fails_when_a_handoff_has_another_topic(self, run):
        right = run(HELD.format(expect='handoff = "clinical"', end=HELD_END))
        wrong = run(HELD.format(expect='handoff = "human"', end=HELD_END))

        assert "expect.handoff" not in keys(right.findings)
        assert "expect.handoff" in keys(wrong.findings)

    def test_fails_when_it_cannot_be_played(self, run):
        result = run('[[turn]]\nstaff = "complete_task"\n[end]\nphase = "contacted"\nsent = ["first-message"]\n')

        assert [f.key for f in result.findings] == ["turn"]
        assert "there is no open task" in result.findings[0].got

    def test_fails_when_a_planned_fault_does_not_happen(self, run):
        fault = 'fault = { port = "scheduler", how = "unavailable", method = "release" }\n'
        result = run(f'[[turn]]\npatient = "2"\n{fault}[end]\n{END}')

        assert [f.key for f in result.findings] == ["fault"]


class TestEnd:
    @pytest.mark.parametrize(
        ("old", "new", "key"),
        [
            ('"booked"\n', '"contacted"\n', "end.phase"),
            ('["first-message", "booked"]', '["first-message"]', "end.sent"),
            ("T14:00", "T09:00", "end.bookings"),
            ("ana-1", "ana-2", "end.bookings"),
            ("bookings = [{", 'bookings = [{ status = "failed",', "end.bookings"),
            ("bookings", "others = {}  #", "end.bookings"),
            ("phase =", 'reasons = ["cost"]\nphase =', "end.reasons"),
            ("phase =", 'consent = "none"\nphase =', "end.consent"),
            ("phase =", 'disposition = "declined"\nphase =', "end.disposition"),
            ("phase =", 'language = "es"\nphase =', "end.language"),
            ("phase =", 'handoffs = [{ kind = "review", urgency = "soon" }]\nphase =', "end.handoffs"),
        ],
    )
    def test_fails_where_the_books_are_otherwise(self, run, old, new, key):
        assert keys(run(PICKS.format(expect="", end=END.replace(old, new, 1))).findings) == {key}

    @pytest.mark.parametrize(
        ("old", "new"),
        [("today", "soon"), ('owner = "clinician"', 'owner = "front_desk"'), ('"opened"', '"resolved"')],
    )
    def test_fails_when_a_handoff_is_otherwise(self, run, old, new):
        end = HELD_END.replace(old, new)

        assert keys(run(HELD.format(expect="", end=end)).findings) == {"end.handoffs"}

    def test_fails_for_another_patient_too(self, run):
        other = '[[other]]\nid = "ben"\nmobile = "(312) 555-0118"\n' + PICKS.format(expect="", end=END)
        right = run(other + 'others = { ben = { phase = "contacted", sent = ["first-message"] } }\n')
        wrong = run(other + 'others = { ben = { phase = "queued", sent = [] } }\n')

        assert right.findings == ()
        assert keys(wrong.findings) == {"end.others.ben.phase", "end.others.ben.sent"}


class TestNeverSays:
    def test_fails_for_every_text_that_does(self, run):
        body = PICKS.format(expect="", end=END)

        assert run("never_says = ['\\$', 'crown']\n" + body).findings == ()
        assert keys(run("never_says = ['ALL SET']\n" + body).findings) == {"never_says"}


class TestAnotherInterpreter:
    def test_is_held_to_never_says_and_gates_alone(self, run):
        body = "never_says = ['all set']\n" + PICKS.format(expect="sent = []", end=END.replace("booked", "closed", 1))
        played = run(body).played

        assert {f.key for f in judge(played)} == {"never_says", "expect.sent", "end.phase"}
        assert {f.key for f in judge(played, hostile=True)} == {"never_says"}


class TestFlips:
    def test_turn_round_every_expectation_and_each_is_noticed(self, run):
        expect = (
            'phase = "with_staff", sent = ["handoff-clinical"], not_sent = ["offer"], handoff = "clinical", '
            'rules = ["clinical.can-wait"], not_rules = ["reply.accept"], tools = ["desk.deliver"], '
            'says = ["care team"], not_tools = ["scheduler.book"], '
            'reasons = ["no_symptoms_not_urgent"], consent = "granted"'
        )
        result = run(
            HELD.format(expect=expect, end=HELD_END).replace("[[turn]]", '[[turn]]\nmust_hand_off = "clinical"')
        )
        assert result.findings == ()

        turned = [name for name, _ in flips(result.played)]

        assert unnoticed(result.played) == ()
        assert {name.rpartition(".")[2] for name in turned if name.startswith("turn")} >= {
            "phase", "sent", "not_sent", "handoff", "rules", "not_rules", "tools", "not_tools", "says", "reasons",
            "consent",
        }  # fmt: skip
        assert "turn 1, must_hand_off" in turned
        assert {name for name in turned if name.startswith("end")} == {
            "end.phase", "end.sent", "end.reasons", "end.bookings", "end.handoffs", "end.consent",
        }  # fmt: skip

    def test_tell_an_expectation_that_nobody_checks(self, run, monkeypatch):
        result = run(PICKS.format(expect='sent = ["booked"]', end=END))
        monkeypatch.setattr("treatment_agent.evals.flipping.judge", lambda played: ())

        assert "turn 1, expect.sent" in unnoticed(result.played)
