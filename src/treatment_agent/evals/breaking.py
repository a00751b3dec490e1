"""Lets ports break as a turn says."""

from __future__ import annotations

from treatment_agent.errors import AdapterRejected, AdapterUnavailable, DeliveryInDoubt, SlotTaken
from treatment_agent.evals.happenings import Fault
from treatment_agent.testing import Faults


def plan_faults(faults: Faults, planned: tuple[Fault, ...]) -> None:
    """Let the calls fail that the turn names, counted from now."""
    for fault in planned:
        for nth in range(fault.nth, fault.nth + fault.times):
            if fault.how == "crash_before":
                faults.crash_before(nth, port=fault.port, method=fault.method)
            elif fault.how == "crash_after":
                faults.crash_after(nth, port=fault.port, method=fault.method)
            else:
                fail = faults.fail_after if fault.after else faults.fail_before
                fail(nth, _error(fault), port=fault.port, method=fault.method)


def _error(fault: Fault) -> Exception:
    place = f"{fault.port}: as the dialogue says"
    match fault.how:
        case "rejected":
            return AdapterRejected(place, code=fault.code)
        case "taken":
            return SlotTaken(place)
        case "doubt":
            return DeliveryInDoubt(place)
        case "timeout":
            return TimeoutError(place)
        case _:
            return AdapterUnavailable(place)
