"""Past conversations decided again: exported to a file, replayed bit for bit, run under another policy, redacted."""

from __future__ import annotations
