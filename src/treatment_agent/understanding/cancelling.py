"""Tells cancelling a visit from moving it: both are a change, but only one of them is looked for a new time."""

from __future__ import annotations

from treatment_agent.policies.canonical import Words

_CANCEL = ("cancel", "anul")
_CALL_OFF = ("call", "calling", "called")
# "Any cancellations?", "put me on the cancellation list", "your cancellation policy".
_LISTED = frozenset("list lists policy fee fees spot spots opening openings lista politica cargo".split())
_ANY = frozenset("any your alguna".split())
# What else people cancel: "my meeting was cancelled, so Thursday works".
_OTHER_PLANS = frozenset(
    "meeting meetings flight flights trip class classes work shift practice game school sitter babysitter party event"
    " reunion vuelo vuelvo viaje clase clases trabajo turno partido escuela ninera fiesta evento".split()
)
_MOVE = frozenset(
    "move moving moved reschedule rescheduling rescheduled change changing switch swap push postpone instead another"
    " different other mover moverla cambiar cambiarla reagendar reagendarla reprogramar reprogramarla posponer aplazar"
    " otro otra".split()
)
_NEAR = 4


def speaks_of_cancelling(words: Words) -> bool:
    """True if the visit shall be, or was, cancelled. Who also asks for another time moves it.

    A "don't cancel" counts too: what is meant by it is for a person to read.
    """
    said = [words.word(index) for index in range(len(words))]
    return any(_cancels(said, index) for index in range(len(said))) and not _MOVE & set(said)


def _cancels(said: list[str], index: int) -> bool:
    word = said[index]
    after = said[index + 1] if index + 1 < len(said) else ""
    if word in _CALL_OFF and "off" in said[index + 1 : index + 1 + _NEAR]:
        return True
    before = said[index - 1] if index else ""
    if not word.startswith(_CANCEL) or after in _LISTED or before in _ANY:
        return False
    return not _OTHER_PLANS & set(said[max(index - _NEAR, 0) : index + 1 + _NEAR])
