"""What was said on a phone that several patients have: it counts in their other conversations too (P1)."""

from __future__ import annotations

from datetime import datetime

from treatment_agent.domain.books import ConversationFacts, StoredEvent
from treatment_agent.domain.consent import BY_STAFF, PASSED_ON, ConsentHow, ConsentNote, ConsentStatus, concerns_us
from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.events import DeliveryReported, Event, PatientMessage, StaffAction, StaffVerb
from treatment_agent.domain.messages import Channel
from treatment_agent.domain.turn import ConsentChange, TurnRecord
from treatment_agent.ports import Ledger


def tell_others(ledger: Ledger, stored: StoredEvent, record: TurnRecord, facts: ConversationFacts) -> tuple[str, ...]:
    """A STOP or START counts for everyone on the number: the other conversations get an event, before the commit.

    After it, a crash could lose them; a repeated claim changes nothing. A consent that staff recorded counts for
    the patient who gave it only, and no START lifts what another patient told staff.
    """
    change, event = record.consent, stored.event
    if change is None or not concerns_us(change.purpose) or not _speaks_for_others(event):
        return ()
    revoked = change.status is ConsentStatus.REVOKED
    numbers = [stored.sender] if stored.sender else [c.address for c in facts.contacts if c.channel is Channel.SMS]
    sharing = {c.id: c for number in numbers for c in ledger.conversations_of(number)}
    sharing.pop(stored.conversation_id, None)
    if isinstance(event, StaffAction) and not revoked:
        sharing = {id: c for id, c in sharing.items() if c.patient_id == facts.conversation.patient_id}
    if not revoked:
        writer = facts.conversation.patient_id
        sharing = {
            id: c for id, c in sharing.items() if c.patient_id == writer or not _told_staff(ledger, id, record.at)
        }
    others = tuple(c.id for c in sharing.values() if (c.phase is Phase.OPTED_OUT) is not revoked)
    for other in others:
        action = StaffAction(
            id=f"{event.id}:{other}",
            at=event.at,
            verb=StaffVerb.RECORD_REVOCATION if revoked else StaffVerb.RECORD_CONSENT,
            by=PASSED_ON,
            how=change.how,
            note=ConsentNote(how=_heard(change)),
        )
        ledger.claim(other, action, at=record.at, sender=stored.sender)
    return others


def _told_staff(ledger: Ledger, conversation_id: str, at: datetime) -> bool:
    return any(c.told_staff for c in ledger.facts(conversation_id, at=at).contacts)


def _speaks_for_others(event: Event) -> bool:
    """True for what was said on the number itself. An event that passes such a word on does not pass it on again."""
    return isinstance(event, PatientMessage | DeliveryReported) or (
        isinstance(event, StaffAction) and event.by != PASSED_ON
    )


def _heard(change: ConsentChange) -> ConsentHow:
    return change.how if change.how in BY_STAFF else ConsentHow.STAFF
