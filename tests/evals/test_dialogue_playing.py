"""Everything a turn can make happen does happen, and shows on the books."""

from __future__ import annotations

import pytest

FIRST = '[end]\nphase = "contacted"\nsent = ["first-message"]\n'
BOOKED = '[end]\nphase = "booked"\nsent = ["first-message", "booked"]\nbookings = [{ at = "2026-11-30T09:00" }]\n'

HAPPENINGS = {
    "several texts in a row, each delivered twice": """
[[turn]]
patient = ["hi", "1"]
twice = true
""" + BOOKED,
    "offered times in the patient's words": """
[[turn]]
patient = "{day2} at {time2} please"
[end]
phase = "booked"
sent = ["first-message", "booked"]
bookings = [{ at = "2026-12-01T14:00" }]
""",
    "a picture": """
[[turn]]
patient = ""
media = 1
must_hand_off = "clinical"
[end]
phase = "with_staff"
sent = ["first-message", "handoff-media"]
handoffs = [{ topic = "clinical", urgency = "today" }]
""",
    "a case of another kind, and another patient's": """
kind = "missed_visit"
start = "enrolled"
[[other]]
id = "ben"
first_name = "Ben"
mobile = "+13125550118"
kind = "preauthorized"
[[turn]]
wait = "1 day"
expect = { sent = ["first-message-approved", "first-message-missed"] }
[end]
phase = "contacted"
sent = ["first-message-missed"]
others = { ben = { phase = "contacted", sent = ["first-message-approved"] } }
""",
    "a consent for something else": """
[[turn]]
staff = { does = "record_consent", purpose = "marketing", how = "phone", evidence = "call:17" }
expect = { decision = "staff.record-other-purpose" }
""" + FIRST,
    "a list that could not be read": """
[[turn]]
export = { failed = true }
[[turn]]
wait = "4 days"
expect = { rules = ["limit.sync-failed"], sent = [] }
""" + FIRST,
    "reminders on the way": """
[[turn]]
wait = "30 days"
expect = { sent = ["reminder-1", "reminder-2"] }
[end]
phase = "needs_review"
sent = ["first-message", "reminder-1", "reminder-2"]
handoffs = [{ kind = "review", urgency = "soon" }]
disposition = "no_response"
""",
    "a start before the first text": """
start = "enrolled"
[[turn]]
wait = "2 minutes"
expect = { sent = ["first-message"] }
""" + FIRST,
    "somebody who is faster, and a new opening": """
[[turn]]
calendar = { take = "2026-11-30T09:00", open = "2026-12-15T10:00" }
[[turn]]
patient = "1"
expect = { decision = "booking.slot-taken", sent = ["slot-taken"] }
[end]
phase = "offer_open"
sent = ["first-message", "slot-taken"]
""",
    "a booking that the calendar confirms later": """
[practice]
authority = "propose"
[[turn]]
patient = "1"
expect = { phase = "booking_requested", sent = ["booking-requested"] }
[[turn]]
calendar = { settle = "confirmed" }
expect = { decision = "settled.confirmed", sent = ["booked"] }
[end]
phase = "booked"
sent = ["first-message", "booking-requested", "booked"]
bookings = [{ at = "2026-11-30T09:00" }]
handoffs = [{ kind = "booking", urgency = "today" }]
""",
    "a carrier's report": """
[[turn]]
delivery = { status = "undelivered", code = "21610", opted_out = true }
expect = { consent = "revoked" }
[end]
phase = "opted_out"
sent = ["first-message"]
consent = "revoked"
""",
    "a chart that somebody tells of": """
[[turn]]
chart = { change = "booked", visit_at = "2026-12-08T09:00" }
expect = { decision = "chart.booked", phase = "closed" }
[end]
phase = "closed"
sent = ["first-message"]
""",
    "a newer list without the patient": """
[[other]]
id = "ben"
mobile = "(312) 555-0118"
[[turn]]
export = { without = ["ana"] }
[[turn]]
wait = "10 days"
expect = { sent = ["reminder-1", "reminder-2"] }
[end]
phase = "contacted"
sent = ["first-message"]
others = { ben = { phase = "contacted", sent = ["first-message", "reminder-1", "reminder-2"] } }
""",
    "a newer list with another name": """
[[turn]]
export = { patient = { first_name = "Maria" } }
[[turn]]
wait = "3 days"
expect = { sent = ["reminder-1"], says = ["Hi Maria"] }
[end]
phase = "contacted"
sent = ["first-message", "reminder-1"]
""",
    "staff who record what the patient said": """
[[turn]]
staff = { does = "record_revocation", how = "phone", evidence = "call-17" }
[[turn]]
staff = { does = "record_consent", how = "paper" }
[end]
phase = "in_conversation"
sent = ["first-message"]
""",
    "an office that pauses": """
[[turn]]
office = "pause"
[[turn]]
wait = "5 days"
expect = { sent = [], rules = ["limit.paused"] }
[[turn]]
office = "resume"
[[turn]]
wait = "1 hour"
expect = { sent = ["reminder-1"] }
[end]
phase = "contacted"
sent = ["first-message", "reminder-1"]
""",
    "a policy of the file's own": """
[practice.policy.cadence]
review_after_days = 1
[[turn]]
wait = "9 days"
expect = { phase = "needs_review", rules = ["outreach.no-response"] }
[end]
phase = "needs_review"
sent = ["first-message", "reminder-1", "reminder-2"]
handoffs = [{ kind = "review", urgency = "soon" }]
""",
    "a crash after the text left": """
[[turn]]
patient = "1"
fault = { port = "messenger", how = "crash_after", method = "send" }
""" + BOOKED,
    "a crash before anything was stored": """
[[turn]]
patient = "1"
fault = { port = "ledger", how = "crash_before", method = "claim" }
""" + BOOKED,
    "an interpreter that breaks": """
[[turn]]
patient = "1"
fault = { port = "interpreter", how = "timeout" }
expect = { rules = ["turn.understand-failed"], handoff = "other" }
[end]
phase = "with_staff"
sent = ["first-message", "handoff-other"]
handoffs = [{ topic = "other", urgency = "soon" }]
""",
    "an email": """
[patient]
email = "ana@example.com"
emailing = "yes"
[[turn]]
channel = "email"
patient = "1"
""" + BOOKED,
}  # fmt: skip


class TestTurn:
    @pytest.mark.parametrize("body", HAPPENINGS.values(), ids=HAPPENINGS)
    def test_plays(self, run, body):
        result = run(body)

        assert result.passed, result.transcript()

    def test_refuses_to_go_back_in_time(self, run):
        result = run('[[turn]]\nuntil = "2026-11-24T10:00"\n' + FIRST)

        assert "2026-11-24 10:00 has passed" in result.findings[0].got

    @pytest.mark.parametrize(
        ("turn", "told"),
        [
            ('calendar = { take = "2026-11-30T08:00" }', "no opening starts at 2026-11-30 08:00"),
            ('calendar = { settle = "confirmed" }', "no booking is waiting"),
            ('delivery = { status = "failed", script = "offer" }', "no such text has left"),
            ('office = "approve"', "no text waits for approval"),
        ],
    )
    def test_says_what_it_cannot_do(self, run, turn, told):
        assert told in run(f"[[turn]]\n{turn}\n{FIRST}").findings[0].got
