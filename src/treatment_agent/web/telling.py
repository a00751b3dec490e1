"""Measures as people say them: `54%`, `42 to 66%`, `3 hours`, `half within 21 days`."""

from __future__ import annotations

from treatment_agent.domain.books import ModelTally
from treatment_agent.domain.shares import Share
from treatment_agent.domain.survival import Survival


def percent(share: Share) -> str:
    """`54%`; a dash for a share of nothing."""
    return f"{100 * share.value:.0f}%" if share.total else "–"


def span(share: Share) -> str:
    """Where the true share may lie: `42 to 66%`; empty for a share of nothing."""
    low, high = share.interval
    return f"{100 * low:.0f} to {100 * high:.0f}%" if share.total else ""


def hours(amount: float) -> str:
    """`25 min`, `3.5 hours`, `2 days`."""
    if amount < 1:
        return f"{60 * amount:.0f} min"
    if amount < 48:
        return f"{amount:.1f}".removesuffix(".0") + (" hour" if amount == 1 else " hours")
    return f"{amount / 24:.0f} days"


def median_days(times: Survival) -> str:
    """`half within 21 days (15 to 30); 28 of 61 still wait`."""
    if times.median is None:
        return f"fewer than half are scheduled yet; {times.waiting} of {times.total} still wait"
    low, high = times.interval
    likely = f"{low or times.median:g} to {high:g}" if high is not None else f"{low or times.median:g} or more"
    return f"half within {times.median:g} days ({likely}); {times.waiting} of {times.total} still wait"


def money(cents: int) -> str:
    """`$29,175`."""
    return f"${cents / 100:,.0f}"


def model_lines(model: ModelTally) -> tuple[tuple[str, str], ...]:
    """What a language model added and took, as label and figure; nothing where none was asked."""
    return (*(_read_lines(model) if model.messages else ()), *(_draft_lines(model) if model.drafts else ()))


def _draft_lines(model: ModelTally) -> tuple[tuple[str, str], ...]:
    took = f"{model.draft_input_tokens} in, {model.draft_output_tokens} out"
    return (
        ("handoffs summed up for staff", f"{model.drafts}, in {model.draft_calls} calls"),
        ("tokens of these summaries", took),
    )


def _read_lines(model: ModelTally) -> tuple[tuple[str, str], ...]:
    each = model.conversations
    return (
        ("messages it was asked about", f"{model.messages} in {each} conversations"),
        ("read otherwise than here", f"{model.disagreed}"),
        ("made routine of what was unclear", f"{model.resolved}"),
        ("found a topic not found here", f"{model.added}"),
        ("gave no answer", f"{model.unanswered}"),
        ("failed attempts", ", ".join(f"{kind} {count}" for kind, count in model.failures.items()) or "none"),
        ("calls per conversation", f"{model.calls / each:.1f}"),
        ("tokens per conversation", f"{model.input_tokens / each:.0f} in, {model.output_tokens / each:.0f} out"),
        ("of these in the provider's cache", f"{100 * model.cached_tokens / max(model.input_tokens, 1):.0f}%"),
        ("waiting per message", f"{model.milliseconds / model.messages:.0f} ms, at most {model.slowest} ms"),
    )
