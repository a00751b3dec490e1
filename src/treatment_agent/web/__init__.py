"""The page an office looks at: one self-contained HTML file made from plain view values."""

from __future__ import annotations

from treatment_agent.web.page import render, write
from treatment_agent.web.view import PageView

__all__ = ["PageView", "render", "write"]
