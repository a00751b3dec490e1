"""The last word before anything leaves: the permit to send (P1, P2, P3, P7).

Only this module constructs `ApprovedMessage`. Whatever a graph, a model or a product team decided, a text that breaks
a rule here does not go out.
"""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta
from typing import Final

from pydantic import SecretStr

from treatment_agent.domain.books import ContactFacts, ConversationFacts
from treatment_agent.domain.consent import ConsentStatus
from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.interpretation import Topic
from treatment_agent.domain.messages import ApprovedMessage, Channel, PlannedSend, ScriptFacts, SendKind
from treatment_agent.domain.scheduling import BookingStatus
from treatment_agent.domain.value import require_aware
from treatment_agent.errors import NotPermitted, ScriptError
from treatment_agent.policies.contact import Allowed, contact_point, decide_outreach, revoked
from treatment_agent.policies.disclosure import discloses
from treatment_agent.policies.law import Disclosure, RevokeScope, confirmation_minutes, revoke_scope
from treatment_agent.policies.places import binding_law
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.policies.scripts import NOT_TEXT, Script, render, render_subject
from treatment_agent.policies.texting import PhiLevel, level_of

LONGEST_TEXT: Final = 1600
# Under every email: the office's postal address and the way out (CAN-SPAM, 15 U.S.C. 7704).
EMAIL_FOOTER: Final = "email-footer"

_OPT_OUT_SCRIPTS: Final = frozenset({"opt-out-confirmation", "wrong-number"})
_EMERGENCY_SCRIPTS: Final = frozenset({"emergency", "crisis"})
_OVER: Final = (Phase.OPTED_OUT, Phase.DECLINED, Phase.CLOSED, Phase.WITH_STAFF, Phase.NEEDS_REVIEW)
# Texts that say a visit stands (P6).
_SAYS_BOOKED: Final = frozenset({"booked", "moved"})


def approve(
    send: PlannedSend,
    *,
    policy: PracticePolicy,
    facts: ConversationFacts,
    now: datetime,
    revoked_in_this_turn: bool = False,
) -> ApprovedMessage:
    """Check one planned text, fill it, and give the permit to send it.

    Args:
        send: Which script, why, and with which facts.
        policy: The office's scripts and rules.
        facts: What the ledger knows; `facts.conversation` is the state the text belongs to, with its offers. When the
            revocation came in this very turn, `facts.revoked_at` may already name its moment.
        now: Current instant, aware.
        revoked_in_this_turn: The message being answered revoked consent.

    Returns:
        The permit, with the text and the hash of the script as it was approved.

    Raises:
        NotPermitted: with the rule: `outbound.*`, or for outreach the `contact.*` rule that forbids it now.
        NaiveDatetimeError: `now` has no UTC offset.
    """
    require_aware(now, "now")
    script = _approved_script(send, policy)
    contact = _contact(send, policy, facts, now)
    rule = (
        _kind_rule(send, policy)
        or _private_rule(script, send, policy, facts)
        or _consent_rule(send, facts, contact, _scope(policy, now), in_this_turn=revoked_in_this_turn)
        or _confirmation_rule(send, policy, facts, now)
        or _hold_rule(send, facts)
        or _fact_rule(send.facts, policy, facts)
        or _booking_rule(send, facts)
        or _outreach_rule(script, send, policy, facts, contact, now)
    )
    if rule is not None:
        raise NotPermitted(rule, f"script {send.script_id!r}, key {send.key}")
    if not contact.capable:
        raise NotPermitted("outbound.not-capable", f"key {send.key}: this address cannot receive {send.channel}")
    body, subject = _filled(script, send, policy, facts, now)
    return ApprovedMessage(
        key=send.key,
        conversation_id=facts.conversation.id,
        to=contact.address,
        channel=send.channel,
        body=SecretStr(body),
        subject=subject,
        script_id=script.id,
        script_version=script.version,
        language=script.language,
        approved_by=script.approved_by,
        content_hash=script.content_hash,
        kind=send.kind,
    )


def _approved_script(send: PlannedSend, policy: PracticePolicy) -> Script:
    try:
        return policy.scripts.get(send.script_id, send.language)
    except ScriptError as error:
        raise NotPermitted("outbound.script-not-approved", str(error)) from None


def _contact(send: PlannedSend, policy: PracticePolicy, facts: ConversationFacts, now: datetime) -> ContactFacts:
    """Whom it goes to: the contact of today. An answer may also go to the address that wrote."""
    contact = contact_point(facts, send.channel, policy, now)
    if contact is None and send.kind is not SendKind.OUTREACH:
        contact = next((c for c in facts.contacts if c.channel is send.channel), None)
    if contact is None:
        raise NotPermitted("outbound.no-contact", f"key {send.key}: the ledger knows no address on {send.channel}")
    return contact


def _kind_rule(send: PlannedSend, policy: PracticePolicy) -> str | None:
    """The two kinds that pass a revocation or a hold are tied to the texts made for them."""
    by_rule = policy.rule_scripts
    if send.kind is SendKind.OPT_OUT:
        allowed = _OPT_OUT_SCRIPTS | {by_rule.get("identity.wrong-number", "wrong-number")}
    elif send.kind is SendKind.EMERGENCY:
        topics = {policy.topics[t].script_id for t in (Topic.EMERGENCY,) if t in policy.topics}
        rules = {script for rule, script in by_rule.items() if rule.startswith(("emergency.", "sensitive."))}
        allowed = _EMERGENCY_SCRIPTS | topics | rules
    else:
        return None
    return None if send.script_id in allowed else "outbound.kind-script"


def _consent_rule(
    send: PlannedSend, facts: ConversationFacts, contact: ContactFacts, scope: RevokeScope, *, in_this_turn: bool
) -> str | None:
    """P1: after a revocation only its confirmation, and in its own turn an emergency text."""
    if not in_this_turn and not revoked(facts, contact, scope):
        return "outbound.no-revocation" if send.kind is SendKind.OPT_OUT else None
    if send.kind is SendKind.EMERGENCY and in_this_turn:
        return None
    return None if send.kind is SendKind.OPT_OUT else "outbound.consent-revoked"


def _scope(policy: PracticePolicy, now: datetime) -> RevokeScope:
    return revoke_scope(policy.law, now.astimezone(policy.office.tz).date())


def _confirmation_rule(
    send: PlannedSend, policy: PracticePolicy, facts: ConversationFacts, now: datetime
) -> str | None:
    """P1: one confirmation per revocation, within the allowed minutes; the bound itself is still in time.

    A revocation of this turn that `facts.revoked_at` does not name yet happens now.
    """
    if send.kind is not SendKind.OPT_OUT:
        return None
    times = [c.consent_at for c in facts.contacts if c.consent is ConsentStatus.REVOKED and c.consent_at is not None]
    revoked_at = facts.revoked_at or max(times, default=now)
    on = now.astimezone(policy.office.tz).date()
    minutes = confirmation_minutes(policy.law, on, policy.contact.opt_out_confirmation_minutes)
    if now - revoked_at > timedelta(minutes=minutes):
        return "outbound.confirmation-late"
    again = any(m.kind is SendKind.OPT_OUT and m.at >= revoked_at for m in facts.sent)
    return "outbound.confirmation-once" if again else None


def _hold_rule(send: PlannedSend, facts: ConversationFacts) -> str | None:
    """P2: while staff hold the conversation, the handoff text once, and emergency texts."""
    conversation = facts.conversation
    if not conversation.held or send.kind is SendKind.EMERGENCY:
        return None
    first = send.kind is SendKind.HANDOFF and not conversation.handoff_text_sent
    return None if first else "outbound.held"


def _fact_rule(filling: ScriptFacts, policy: PracticePolicy, facts: ConversationFacts) -> str | None:
    """P3: slots were put to this patient or are booked; the visit day and provider are the case's or the office's."""
    conversation, case = facts.conversation, facts.case
    booked = (conversation.booking.slot,) if conversation.booking else ()
    if any(slot not in (*conversation.offers, *booked) for slot in filling.slots):
        return "outbound.slot-not-offered"
    days = {case.visit_on, case.diagnosed_on} if case else set()
    providers = {p.id for p in policy.office.providers} | ({case.provider_id} if case else set())
    verified = (filling.visit_on is None or filling.visit_on in days) and (
        not filling.provider_id or filling.provider_id in providers
    )
    return None if verified else "outbound.fact-not-verified"


def _booking_rule(send: PlannedSend, facts: ConversationFacts) -> str | None:
    """P6: "you are all set" is said only of the booking that the system of record confirmed."""
    if send.script_id not in _SAYS_BOOKED:
        return None
    booking = facts.conversation.booking
    confirmed = booking is not None and booking.status is BookingStatus.CONFIRMED
    true = confirmed and booking is not None and send.facts.slots[:1] == (booking.slot,)
    return None if true else "outbound.not-confirmed"


def _outreach_rule(
    script: Script,
    send: PlannedSend,
    policy: PracticePolicy,
    facts: ConversationFacts,
    contact: ContactFacts,
    now: datetime,
) -> str | None:
    """P7: writing first keeps phase, cadence caps, quiet hours and all of `policies.contact`, and says who writes."""
    if send.kind is not SendKind.OUTREACH:
        return None
    if facts.conversation.phase in _OVER:
        return "outbound.phase"
    verdict = decide_outreach(now=now, facts=facts, policy=policy, channel=send.channel)
    if not isinstance(verdict, Allowed):
        return verdict.rule
    return _disclosure_rule(script, policy, facts, contact, now)


def _private_rule(script: Script, send: PlannedSend, policy: PracticePolicy, facts: ConversationFacts) -> str | None:
    """P11: a text says no more than its channel may carry, and names treatment only to whom wished for that.

    Emergency and opt-out texts go out whatever they say: silence would be worse.
    """
    if send.kind in (SendKind.EMERGENCY, SendKind.OPT_OUT):
        return None
    level = level_of(f"{script.text}\n{script.subject}")
    wished = facts.case is not None and facts.case.patient.detail_allowed and not facts.shared_with
    above = level.above(policy.texting.allowed(send.channel)) or (level is PhiLevel.DETAIL and not wished)
    return "outbound.phi" if above else None


def _disclosure_rule(
    script: Script, policy: PracticePolicy, facts: ConversationFacts, contact: ContactFacts, now: datetime
) -> str | None:
    """The first text that we write first says that an automated assistant writes, where office or law want it."""
    if discloses(script.text, script.language):
        return None
    patient = facts.case.patient if facts.case else None
    law = binding_law(contact.address, patient, policy.office, policy.law)
    wanted = law.disclosure(now.astimezone(policy.office.tz).date())
    first = facts.conversation.first_sent_at is None
    due = wanted is Disclosure.ALWAYS or (wanted is Disclosure.FIRST and first)
    return "outbound.no-disclosure" if due else None


def _filled(
    script: Script, send: PlannedSend, policy: PracticePolicy, facts: ConversationFacts, now: datetime
) -> tuple[str, str]:
    """The finished text and, for email, its subject."""
    name = _first_name(policy, facts, now)
    try:
        body = render(script, facts=send.facts, office=policy.office, first_name=name)
        subject = ""
        if send.channel is Channel.EMAIL:
            subject = render_subject(script, facts=send.facts, office=policy.office, first_name=name)
            footer = policy.scripts.get(EMAIL_FOOTER, script.language)
            body += f"\n\n{render(footer, facts=send.facts, office=policy.office, first_name=name)}"
    except ScriptError as error:
        raise NotPermitted("outbound.unfillable", str(error)) from None
    place = f"script {script.id!r} ({script.language})"
    if any(unicodedata.category(c) in NOT_TEXT for c in f"{body.replace(chr(10), ' ')}{subject}"):
        raise NotPermitted("outbound.control-character", f"{place}: holds a control character; remove it")
    if len(body) > LONGEST_TEXT:
        raise NotPermitted("outbound.too-long", f"{place}: {len(body)} characters, {LONGEST_TEXT} are allowed")
    return body, subject


def _first_name(policy: PracticePolicy, facts: ConversationFacts, now: datetime) -> str:
    """The name of whoever owns the address: the patient, or a minor's guardian. Nobody knows a stranger's."""
    if facts.case is None:
        return ""
    today = now.astimezone(policy.office.tz).date()
    return facts.case.patient.contact_on(today).first_name.get_secret_value()
