"""From a ledger to a history: every handled turn with what it was decided on and the texts it led to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from platform import python_version
from typing import Final

from treatment_agent.domain.messages import ApprovedMessage
from treatment_agent.errors import NotFound
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.policies.scripts import ScriptBook
from treatment_agent.ports import Ledger
from treatment_agent.replay.history import Header, History, SentText, Turn

PACKAGES: Final = (
    "treatment-agent", "langgraph", "langgraph-checkpoint-sqlite", "langchain-core", "pydantic", "SQLAlchemy", "numpy",
    "phonenumbers", "holidays", "tzdata",
)  # fmt: skip
"""What can change a decision or a text."""


def export(ledger: Ledger, policy: PracticePolicy, interpreter: str, *, cases: Iterable[str] | None = None) -> History:
    """The conversations `cases` (default: all that are on the work list), in full.

    Raises:
        NotFound: no such conversation.
    """
    if cases is None:
        cases = [row.conversation.id for row in ledger.work_list()]
    turns = tuple(turn for case in cases for turn in turns_of(ledger, case))
    return History(headed(policy, interpreter, turns), turns)


def turns_of(ledger: Ledger, conversation_id: str) -> Iterator[Turn]:
    """The handled turns of a conversation, oldest first."""
    inputs = ledger.inputs(conversation_id)
    history = ledger.history(conversation_id)
    rows = ledger.outbox(conversation_id) if history else ()
    for stored in history:
        if stored.outcome is None:
            continue
        yield Turn(
            conversation_id=conversation_id,
            seq=stored.seq,
            event=stored.event,
            text=stored.text,
            sender=stored.sender,
            outcome=stored.outcome,
            inputs=inputs.get(stored.event.id),
            texts=tuple(sent_text(row.message) for row in rows if row.event_id == stored.event.id),
        )


def conversation_of(ledger: Ledger, case: str) -> str:
    """The conversation that `case` names: its own id, or the newest one of a patient.

    Raises:
        NotFound: neither is on the books.
    """
    found = ledger.conversation_ids_of_patient(case)
    if found:
        return found[0]
    if ledger.history(case) or any(row.conversation.id == case for row in ledger.work_list()):
        return case
    raise NotFound(f"no patient or case {case!r} in this ledger; `treatment-agent queue` lists them")


def sent_text(message: ApprovedMessage) -> SentText:
    """What the patient reads of a message."""
    return SentText(
        script_id=message.script_id,
        script_version=message.script_version,
        language=message.language,
        channel=message.channel,
        subject=message.subject,
        body=message.body,
    )


def headed(policy: PracticePolicy, interpreter: str, turns: tuple[Turn, ...]) -> Header:
    """The header over these turns."""
    own = [(type(part).__qualname__, part.id) for part in policy.guardrails]
    own += [(type(part).__qualname__, part.id) for part in policy.priority_factors]
    whole = policy.model_copy(update={"guardrails": (), "priority_factors": ()})
    return Header(
        release=installed("treatment-agent"),
        policy_key=f"{policy.id}/{policy.version}",
        policy_digest=policy.digest,
        policy=whole.model_dump(mode="json"),
        own_parts=tuple(f"{kind} {name}" for kind, name in own),
        scripts=scripts_digest(policy.scripts),
        interpreter=interpreter,
        packages={"python": python_version()} | {name: installed(name) for name in PACKAGES},
        turns=len(turns),
        unrecorded=dict(Counter(turn.missing for turn in turns if turn.missing)),
    )


def scripts_digest(book: ScriptBook) -> str:
    """One digest of every approved text, whatever their order."""
    hashes = sorted(f"{s.content_hash} {s.approved_by}" for s in book.scripts)
    return sha256("\n".join(hashes).encode()).hexdigest()


def installed(package: str) -> str:
    """The version of a package, or of `python`; empty if there is none."""
    if package == "python":
        return python_version()
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
