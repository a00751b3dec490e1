"""The public names as text, one per line, so that a change of the API is a change of a file that people review.

python tests/meta/public_api.py --write
"""

from __future__ import annotations

import enum
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from pydantic import BaseModel

PINNED = Path(__file__).with_name("public_api.txt")


def render(module: ModuleType) -> str:
    """Names of `module.__all__` with their signatures, members or fields. The same on every supported Python."""
    return "\n".join(line for name in sorted(module.__all__) for line in _lines(name, getattr(module, name))) + "\n"


def _lines(name: str, value: object) -> Iterator[str]:
    if isinstance(value, type) and issubclass(value, enum.Enum):
        yield f"{name}: {' | '.join(str(member.value) for member in value)}"
    elif isinstance(value, type) and issubclass(value, BaseModel):
        fields = (f"{field}{'' if info.is_required() else '=...'}" for field, info in value.model_fields.items())
        yield f"{name}(*, {', '.join(fields)})"
        yield from _methods(name, value)
    elif isinstance(value, type):
        yield f"{name}{_signature(value)}"
        yield from _methods(name, value)
    elif callable(value):
        yield f"{name}{_signature(value)}"
    else:
        yield f"{name}: {type(value).__name__}"


def _methods(name: str, cls: type) -> Iterator[str]:
    """Public methods and properties that the class defines, or inherits from one of ours."""
    ours = [base for base in cls.__mro__[::-1] if base is cls or base.__name__ == "OfficeControl"]
    members = {key: member for base in ours for key, member in vars(base).items()}
    for key, member in sorted(members.items()):
        if key.startswith(("_", "model_")):
            continue
        if isinstance(member, property):
            yield f"{name}.{key}"
        elif isinstance(member, classmethod | staticmethod):
            yield f"{name}.{key}{_signature(member.__func__)}"
        elif inspect.isfunction(member):
            yield f"{name}.{key}{_signature(member)}"


def _signature(value: object) -> str:
    """Parameters by name, kind and whether they may be left out; annotations as they are written."""
    try:
        signature = inspect.signature(value)  # type: ignore[arg-type]
    except ValueError:  # built-in constructors, such as those of exceptions
        return "(...)"
    shown, starred = [], False
    for parameter in signature.parameters.values():
        if parameter.name == "self":
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            shown.append("*")
        starred = starred or parameter.kind in (parameter.KEYWORD_ONLY, parameter.VAR_POSITIONAL)
        stars = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
        written = f": {parameter.annotation}" if isinstance(parameter.annotation, str) else ""
        shown.append(f"{stars}{parameter.name}{written}{'' if parameter.default is parameter.empty else ' = ...'}")
    result = ""
    if isinstance(signature.return_annotation, str) and not isinstance(value, type):
        result = f" -> {signature.return_annotation}"
    return f"({', '.join(shown)}){result}"


if __name__ == "__main__":
    import treatment_agent

    text = render(treatment_agent)
    if "--write" in sys.argv:
        PINNED.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
