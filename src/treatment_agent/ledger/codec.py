"""Values to compact JSON and back, exactly: defaults are left out, and every type comes back as it was.

Times keep their instant and their UTC offset; the name of a zone is not kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any, TypeVar, get_args

from pydantic import TypeAdapter, ValidationError

from treatment_agent.domain.events import Event
from treatment_agent.domain.handoff import HandoffPacket
from treatment_agent.domain.patients import Patient
from treatment_agent.domain.treatment import Case
from treatment_agent.domain.value import Value
from treatment_agent.errors import StateTooNew
from treatment_agent.ledger.tables import storable

T = TypeVar("T")


_adapter = cache(TypeAdapter)


def adapter(kind: type[T]) -> TypeAdapter[T]:
    """The reader and writer of one type, built on first use."""
    return _adapter(kind)  # type: ignore[arg-type]  # mypy does not count `type[T]` as hashable


def dump(value: object) -> str:
    """The value as compact JSON without its defaults."""
    return adapter(type(value)).dump_json(value, exclude_defaults=True).decode()


def load(kind: type[T], text: str | bytes) -> T:
    """Read what `dump` wrote.

    Raises:
        StateTooNew: it does not have the shape this release knows.
    """
    try:
        return adapter(kind).validate_json(text)
    except ValidationError:
        problem = StateTooNew(
            f"a stored {kind.__name__} has a shape this release does not know: "
            "run the release that wrote it, or a newer one"
        )
    # Raised here, outside the handler: the original error may quote what was stored.
    raise problem


def restore(kind: type[T], fields: Mapping[str, object]) -> T:
    """Rebuild a value from the columns of a row.

    Raises:
        StateTooNew: as `load`.
    """
    try:
        return adapter(kind).validate_python(dict(fields))
    except ValidationError:
        problem = StateTooNew(f"a stored {kind.__name__} has a shape this release does not know")
    raise problem


@cache
def _event_types() -> dict[str, type[Value]]:
    union = get_args(Event)[0]
    return {kind.model_fields["kind"].default: kind for kind in get_args(union)}


def dump_event(event: Event) -> str:
    """What an event says beside its kind, id and time, which have columns of their own."""
    return event.model_dump_json(exclude={"kind", "id", "at"}, exclude_defaults=True)


def load_event(kind: str, event_id: str, at: datetime, payload: str) -> Event:
    """Put an event together again.

    Raises:
        StateTooNew: a newer release wrote an event of a kind this one does not know.
    """
    event_type = _event_types().get(kind)
    if event_type is None:
        raise StateTooNew(f"event {event_id}: this release does not know events of kind {kind!r}")
    fields: dict[str, Any] = json.loads(payload)
    event: Event = restore(event_type, fields | {"id": event_id, "at": at})  # type: ignore[assignment]
    return event


def dump_patient(patient: Patient) -> str:
    """A patient, names and numbers in full: this is the one place that keeps them."""
    return patient.model_dump_json(exclude_defaults=True)


def dump_case(case: Case) -> str:
    """A case without its id and patient, which stand in their own columns and table."""
    return case.model_dump_json(exclude={"id", "patient"}, exclude_defaults=True)


def load_case(case_id: str, patient: str, payload: str) -> Case:
    """Join a case with its patient. The payload is never empty: a case has at least one procedure."""
    return load(Case, f'{{"id":{json.dumps(case_id)},"patient":{patient},{payload[1:]}')


def dump_packet(packet: HandoffPacket) -> str:
    """A packet without the patient's words, and without what a model made of them."""
    return adapter(HandoffPacket).dump_json(packet, exclude={"words", "draft"}, exclude_defaults=True).decode()


def dump_words(words: tuple[str, ...]) -> str:
    """The patient's words, in order."""
    return json.dumps([storable(w) for w in words], ensure_ascii=False)


def load_words(text: str) -> tuple[str, ...]:
    """Read what `dump_words` wrote."""
    return tuple(json.loads(text))
