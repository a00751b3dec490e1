"""The command line: `treatment-agent`. Everything heavy is imported inside the commands, so that `--help` is quick."""

from __future__ import annotations

from treatment_agent.cli.application import main

__all__ = ["main"]
