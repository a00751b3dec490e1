"""The composition root: turns, outbox, inbox, and the `Coordinator` facade."""

from __future__ import annotations

from treatment_agent.coordinator.adapters import Tools
from treatment_agent.coordinator.facade import Coordinator

__all__ = ["Coordinator", "Tools"]
