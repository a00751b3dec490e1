"""The house rules that no linter holds, as functions `root -> list of complaints`.

Each complaint starts with `path:line` and ends with the fix. Each function is run on the package by `test_*.py` beside
this file, and on planted breaches, so that a rule that can no longer fail is found out.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

MODULE_LINES = 300
FUNCTION_LINES = 40
CONSTRUCTOR_PARAMETERS = 8

# Names that say nothing about the subject, so everything ends up there.
EMPTY_NAMES = re.compile(r"^_*(\w+_)?(utils?|helpers?|base|managers?|common|misc|shared|stuff)$")

# What gives away a personal value, and who would publish it.
_REVEALING = frozenset({"get_secret_value", "reveal"})
_LOG_METHODS = frozenset({"debug", "info", "warning", "warn", "error", "exception", "critical", "log"})

# Registries and machines. A bare host is enough: no file needs one. Written so that they do not match themselves.
_ADDRESSES = re.compile(
    r"\bpyp[i]\.org|\bpython[h]osted\.org|\bnpm[j]s\.(com|org)|\bartifactory\b|\bjfrog\b|--(extra-)?index-url|--find[-]links"
    r"|(?<![\w.~}*)-])/(home|Users|root|tmp|work|opt|private|mnt)/[\w.]",
    re.IGNORECASE,
)


def modules(root: Path) -> Iterator[tuple[Path, ast.Module]]:
    """Every Python file below `root`, parsed, in a fixed order."""
    for path in sorted(root.rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def find_long_modules(root: Path, limit: int = MODULE_LINES) -> list[str]:
    """Modules over the budget."""
    lengths = ((path, len(path.read_text(encoding="utf-8").splitlines())) for path, _ in modules(root))
    return [
        f"{path.relative_to(root)}:1: {length} lines, {limit} allowed; split it by subject"
        for path, length in lengths
        if length > limit
    ]


def find_long_functions(root: Path, limit: int = FUNCTION_LINES) -> list[str]:
    """Functions over the budget. Docstrings are not counted: explaining must cost nothing."""
    return [
        f"{place(root, path, node)}: {node.name} has {length} lines, {limit} allowed; name its parts"
        for path, tree in modules(root)
        for node in _functions(tree)
        if (length := _code_lines(node)) > limit
    ]


def find_wide_constructors(root: Path, limit: int = CONSTRUCTOR_PARAMETERS) -> list[str]:
    """Constructors with more parameters than anybody can hold in the head. Plain values are not meant."""
    complaints = []
    for path, tree in modules(root):
        for node in _functions(tree):
            arguments = node.args
            count = len(arguments.posonlyargs) + len(arguments.args) + len(arguments.kwonlyargs) - 1
            if node.name == "__init__" and count > limit:
                complaints.append(f"{place(root, path, node)}: {count} parameters, {limit} allowed; group them")
    return complaints


def find_empty_names(root: Path) -> list[str]:
    """Files and folders named after nothing."""
    return [
        f"{path.relative_to(root)}:1: the name says nothing; name it after its subject"
        for path in sorted(root.rglob("*"))
        if (path.suffix == ".py" or path.is_dir()) and EMPTY_NAMES.match(path.stem)
    ]


def find_any_in_signatures(root: Path, free: str = "tools") -> list[str]:
    """`Any` in a parameter or a result that others see, outside the room where other people's data comes in."""
    complaints = []
    for path, tree in modules(root):
        if path.relative_to(root).parts[0] == free:
            continue
        for node in _public_functions(tree):
            every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
            annotations = [node.returns, *(a.annotation for a in every if a)]
            if any(_mentions(annotation, {"Any"}) for annotation in annotations if annotation):
                complaints.append(f"{place(root, path, node)}: {node.name} takes or returns Any; say what it is")
    return complaints


def find_permits(root: Path, permits: Mapping[str, str]) -> list[str]:
    """Constructions of a permit outside the one module that may (`permits`: class name -> module path).

    Also finds what would hide one: an alias at import, and `__new__`.
    """
    complaints = []
    for path, tree in modules(root):
        where = path.relative_to(root).as_posix()
        for node in ast.walk(tree):
            for name, home in permits.items():
                if where != home and _constructs(node, name):
                    complaints.append(f"{where}:{node.lineno}: constructs {name}; only {home} may")  # type: ignore[attr-defined]
    return complaints


def find_published_secrets(root: Path) -> list[str]:
    """Personal values that reach an exception or a log: revealed in place, or through a name of the same function."""
    complaints = []
    for path, tree in modules(root):
        for scope in [tree, *_functions(tree)]:
            tainted = _tainted(scope)
            for node in _own(scope):
                if _publishes(node) and _leaks(node, tainted):
                    complaints.append(f"{place(root, path, node)}: a personal value goes public; give an id instead")
    return sorted(set(complaints))


def find_addresses(root: Path, files: Sequence[Path]) -> list[str]:
    """Package registries and paths of one machine in files that everybody gets."""
    complaints = []
    for path in files:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        complaints += [
            f"{path.relative_to(root)}:{number}: names {found.group().strip()!r}; leave it out"
            for number, line in enumerate(lines, start=1)
            if (found := _ADDRESSES.search(line))
        ]
    return complaints


def place(root: Path, path: Path, node: ast.AST) -> str:
    """`path:line` of a node."""
    return f"{path.relative_to(root).as_posix()}:{getattr(node, 'lineno', 1)}"


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _public_functions(scope: ast.Module | ast.ClassDef) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Functions and methods that others may call; `__init__` is one of them, other dunders are Python's own."""
    for node in scope.body:
        if isinstance(node, ast.ClassDef):
            yield from _public_functions(node)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and re.match(r"[^_]|__init__$", node.name):
            yield node


def _code_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    length = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node, clean=False) is not None:
        length -= (first.end_lineno or first.lineno) - first.lineno + 1
    return length


def _own(scope: ast.AST) -> Iterator[ast.AST]:
    """Nodes of a scope, without those of functions defined inside it."""
    stack = list(ast.iter_child_nodes(scope))
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            stack.extend(ast.iter_child_nodes(node))


def _mentions(node: ast.AST, names: set[str]) -> bool:
    return any(
        (isinstance(part, ast.Name) and part.id in names) or (isinstance(part, ast.Attribute) and part.attr in names)
        for part in ast.walk(node)
    )


def _called(node: ast.AST) -> str:
    """The last part of what is called, or an empty string."""
    if not isinstance(node, ast.Call):
        return ""
    return getattr(node.func, "attr", "") or getattr(node.func, "id", "")


def _constructs(node: ast.AST, name: str) -> bool:
    if isinstance(node, ast.ImportFrom):
        return any(alias.name == name and alias.asname not in (None, name) for alias in node.names)
    if isinstance(node, ast.Attribute):
        return node.attr == "__new__" and _mentions(node.value, {name})
    return _called(node) == name


def _reveals(node: ast.AST) -> bool:
    return any(_called(part) in _REVEALING for part in ast.walk(node))


def _tainted(scope: ast.AST) -> set[str]:
    """Names that hold a revealed value somewhere in this scope."""
    names: set[str] = set()
    for node in _own(scope):
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) and node.value and _reveals(node.value):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)}
    return names


def _publishes(node: ast.AST) -> bool:
    if isinstance(node, ast.Raise):
        return True
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    receiver = ast.unparse(node.func.value).lower()
    return node.func.attr in _LOG_METHODS and ("log" in receiver or receiver == "warnings")


def _leaks(node: ast.AST, tainted: set[str]) -> bool:
    """True when what is published contains a revealed value itself; its length or its type would be fine."""
    if isinstance(node, ast.Call) and _called(node) in {"len", "type", "bool", "isinstance"}:
        return False
    if _called(node) in _REVEALING or (isinstance(node, ast.Name) and node.id in tainted):
        return True
    return any(_leaks(child, tainted) for child in ast.iter_child_nodes(node))
