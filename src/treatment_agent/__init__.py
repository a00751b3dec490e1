"""Follow up with dental patients whose diagnosed treatment was never scheduled.

Five minutes:

    from treatment_agent import Coordinator, CsvCaseSource, InboundMessage, OfficeProfile, PracticePolicy, Tools

    policy = PracticePolicy(id="maple", office=OfficeProfile(...))            # what the office decides
    tools = Tools(scheduler=..., messenger=..., chart=..., desk=...)          # your calendar, texts, chart, staff list
    coordinator = Coordinator(policy=policy, tools=tools, ledger="sqlite:///practice.db")

    coordinator.enroll(CsvCaseSource("unscheduled.csv"))   # whom to follow up with, and why the others not
    coordinator.run_due()                                  # touches that are due now
    coordinator.receive(InboundMessage(...))               # a patient's text: answered, booked, or handed to staff
    coordinator.why("patient-17")                          # every action and non-action, with its rule

Every text a patient reads is an approved script filled with verified facts. Anything that is not clearly routine goes
to a person. `treatment_agent.policies` holds the rules, `treatment_agent.graph.build` the state machine,
`treatment_agent.ports` the seams for your own adapters, `treatment_agent.testing` doubles for your tests.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from treatment_agent.coordinator import Coordinator, Tools
    from treatment_agent.coordinator.answers import EnrolmentReport, TurnOutcome, Why
    from treatment_agent.domain.conversation import Phase
    from treatment_agent.domain.handoff import HandoffPacket, NextStep
    from treatment_agent.domain.interpretation import Intent, Reason, Topic
    from treatment_agent.domain.messages import InboundMessage
    from treatment_agent.domain.patients import Patient
    from treatment_agent.domain.treatment import Case, Family, Procedure
    from treatment_agent.errors import TreatmentAgentError
    from treatment_agent.policies.office import OfficeProfile, Provider
    from treatment_agent.policies.practice import PracticePolicy
    from treatment_agent.policies.scripts import Script
    from treatment_agent.tools.csv_source import CsvCaseSource

_HOMES = {
    "Case": "domain.treatment",
    "Coordinator": "coordinator",
    "CsvCaseSource": "tools.csv_source",
    "EnrolmentReport": "coordinator.answers",
    "Family": "domain.treatment",
    "HandoffPacket": "domain.handoff",
    "InboundMessage": "domain.messages",
    "Intent": "domain.interpretation",
    "NextStep": "domain.handoff",
    "OfficeProfile": "policies.office",
    "Patient": "domain.patients",
    "Phase": "domain.conversation",
    "PracticePolicy": "policies.practice",
    "Procedure": "domain.treatment",
    "Provider": "policies.office",
    "Reason": "domain.interpretation",
    "Script": "policies.scripts",
    "Tools": "coordinator",
    "Topic": "domain.interpretation",
    "TreatmentAgentError": "errors",
    "TurnOutcome": "coordinator.answers",
    "Why": "coordinator.answers",
}

__all__ = [
    "Case",
    "Coordinator",
    "CsvCaseSource",
    "EnrolmentReport",
    "Family",
    "HandoffPacket",
    "InboundMessage",
    "Intent",
    "NextStep",
    "OfficeProfile",
    "Patient",
    "Phase",
    "PracticePolicy",
    "Procedure",
    "Provider",
    "Reason",
    "Script",
    "Tools",
    "Topic",
    "TreatmentAgentError",
    "TurnOutcome",
    "Why",
]


def __getattr__(name: str) -> object:
    """Load a public name on first use, so that importing the package (and `--help`) does not load LangGraph."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'treatment_agent' has no attribute {name!r}")
    return getattr(import_module(f"treatment_agent.{home}"), name)
