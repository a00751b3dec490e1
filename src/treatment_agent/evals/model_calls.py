"""Finds the way to a model that `module:name` means."""

from __future__ import annotations

import importlib

from treatment_agent.errors import ConfigurationError
from treatment_agent.understanding.language_model import ModelCalls


def named_calls(use: str) -> ModelCalls:
    """The `ModelCalls` that `module:name` means; a class or function is called without arguments.

    Raises:
        ConfigurationError: there is no such thing, or it is no `ModelCalls`.
    """
    module, _, name = use.partition(":")
    try:
        made = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigurationError(f"calls {use}: {type(error).__name__}; write module:name") from None
    if isinstance(made, type) or not hasattr(made, "ask"):
        made = made() if callable(made) else made
    if not hasattr(made, "ask") or not hasattr(made, "remote"):
        raise ConfigurationError(f"calls {use}: it has no `ask` and `remote`; see ModelCalls, such as OpenAICalls")
    found: ModelCalls = made
    return found
