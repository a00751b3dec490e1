"""Which way a text travels: the channels in the office's order, and the next one when a channel cannot reach somebody.

Text, then email, then a person. A "no" is never gone around: only an address that is missing, cannot receive, or was
never agreed to leads to the next channel (`contact.no-number`, `contact.not-capable`, `contact.no-consent`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from treatment_agent.domain.books import ConversationFacts
from treatment_agent.domain.conversation import Phase
from treatment_agent.domain.events import DeliveryReported
from treatment_agent.domain.messages import Channel, DeliveryStatus
from treatment_agent.policies.cadence import standing_cadence
from treatment_agent.policies.contact import Contactability, Denied, decide_outreach
from treatment_agent.policies.practice import PracticePolicy

_OPENS_THE_NEXT: Final = frozenset({"contact.no-number", "contact.not-capable", "contact.no-consent"})
# A touch is known by its step and the second it fell due: the repeated one must not fall due in the same second.
FALLBACK_AFTER: Final = timedelta(minutes=1)
NEVER_CAPABLE: Final = frozenset({"21211", "21614", "21635", "30005", "30006"})
"""Provider codes by which a number can never receive texts: invalid, unknown, no mobile, a landline (DOMAIN 4)."""
# Nobody knows whether it left: a person decides, and nothing is sent a second way.
_IN_DOUBT: Final = "dispatch.in-doubt"


def order(facts: ConversationFacts, policy: PracticePolicy, first: Channel) -> tuple[Channel, ...]:
    """The channels to try: the one the conversation settled on, else the step's own; then those that follow."""
    settled = facts.conversation.channel
    if settled is None:
        return tuple(dict.fromkeys((first, *policy.contact.channels)))
    # What did not arrive on an earlier channel is not tried there again.
    return (settled, *_after(policy, settled))


def pick(
    now: datetime, facts: ConversationFacts, policy: PracticePolicy, first: Channel
) -> tuple[Channel, Contactability]:
    """The channel to use, with the answer of the contact rules for it.

    When no channel can reach the patient: the first one, with the reason why not.
    """
    denied: tuple[Channel, Contactability] | None = None
    for channel in order(facts, policy, first):
        answer = decide_outreach(now=now, facts=facts, policy=policy, channel=channel)
        if not isinstance(answer, Denied) or answer.rule not in _OPENS_THE_NEXT:
            return channel, answer
        denied = denied or (channel, answer)
    return denied or (first, Denied("contact.no-number"))


def after_failure(
    event: DeliveryReported, facts: ConversationFacts, policy: PracticePolicy, now: datetime
) -> Channel | None:
    """The channel on which to repeat a touch that did not arrive, or None: then a person reaches the patient.

    Only for what we wrote first and nobody has answered, and only when the provider says that it did not arrive.
    """
    conversation = facts.conversation
    lost = event.status in (DeliveryStatus.UNDELIVERED, DeliveryStatus.FAILED) and event.error_code != _IN_DOUBT
    latest = event.send_key.startswith(f"{conversation.id}:touch:{conversation.id}:{conversation.step - 1}:")
    if not lost or not latest or conversation.held or conversation.phase is not Phase.CONTACTED:
        return None
    steps = standing_cadence(conversation, facts.case, policy, now).steps[: conversation.step]
    used = conversation.channel or (steps[-1].channel if steps else Channel.SMS)
    for channel in _after(policy, used):
        if not isinstance(decide_outreach(now=now, facts=facts, policy=policy, channel=channel), Denied):
            return channel
    return None


def _after(policy: PracticePolicy, channel: Channel) -> tuple[Channel, ...]:
    channels = policy.contact.channels
    return channels[channels.index(channel) + 1 :] if channel in channels else channels
