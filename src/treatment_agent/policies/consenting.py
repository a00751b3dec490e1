"""Consent that did not come in a patient's text: what staff write down, what carriers tell or answer themselves."""

from __future__ import annotations

import re
from typing import Final

from treatment_agent.domain.consent import BY_STAFF, ConsentStatus, concerns_us
from treatment_agent.domain.conversation import TRANSITIONS, Conversation, Disposition, Move
from treatment_agent.domain.events import StaffAction, StaffVerb
from treatment_agent.domain.turn import ConsentChange, Decision, DueChange
from treatment_agent.domain.value import Value

_CODES: Final = ("21610", "opted_out")
CARRIER_OPT_OUT: Final = frozenset((*_CODES, *(f"dispatch.rejected-{code}" for code in _CODES)))
"""Error codes by which a provider says that the person opted out (DOMAIN 4: Twilio 21610)."""

TWILIO_KEYWORDS: Final = ("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout")
"""What Twilio answers by itself unless the account is set otherwise (DOMAIN 4)."""

_MARKS: Final = re.compile(r"[^\w]+")


class ConsentRules(Value):
    """How consent is handled with this office's provider.

    `carrier_keywords`: messages that consist of one of these words only are answered by the carrier or provider, so no
    confirmation of ours follows; `TWILIO_KEYWORDS` for a Twilio account with default opt-out handling.
    """

    carrier_keywords: tuple[str, ...] = ()

    def answered_by_carrier(self, text: str) -> bool:
        """True when the carrier answers this message itself."""
        return _MARKS.sub("", text).casefold() in self.carrier_keywords


def recorded(event: StaffAction, conversation: Conversation, rule: str) -> Decision:
    """A grant or revocation that staff wrote down. One for another purpose is kept and changes nothing here."""
    granted = event.verb is StaffVerb.RECORD_CONSENT
    note = event.note
    change = ConsentChange(
        status=ConsentStatus.GRANTED if granted else ConsentStatus.REVOKED,
        # `event.how` is set where the event passes on what somebody else on the number said.
        how=event.how if event.how not in BY_STAFF else note.how,
        by=event.by,
        purpose=note.purpose,
        evidence=note.evidence,
        channel=note.channel if granted else None,
    )
    if not concerns_us(note.purpose):
        return Decision(move=Move.STAY, rules=("staff.record-other-purpose",), consent=change)
    if granted:
        starts, _ = TRANSITIONS[Move.OPT_IN]
        return Decision(move=Move.OPT_IN if conversation.phase in starts else Move.STAY, rules=(rule,), consent=change)
    return Decision(
        move=Move.REVOKE, rules=(rule,), consent=change, disposition=Disposition.OPTED_OUT, due=DueChange.CLEAR
    )
