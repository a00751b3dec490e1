"""Shares with the interval they may really lie in; they live in `domain/shares.py`, where every layer sees them."""

from __future__ import annotations

from treatment_agent.domain.shares import Z_95, Share

__all__ = ["Z_95", "Share"]
