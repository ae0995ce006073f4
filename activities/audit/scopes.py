"""What a function's names are known to hold, and what imported names stand for: just enough to judge slow patterns."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Literal

Kind = Literal["list", "short list", "text", "other"]
Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.Module | ast.ClassDef

SHORT = 8
"""A literal list up to this length is as quick to search as anything else."""

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_KINDS_OF_CALLS: dict[str, Kind] = {"list": "list", "sorted": "list", "str": "text", "repr": "text"}

_TEXT_METHODS = frozenset(
    {"join", "format", "strip", "lower", "upper", "replace", "decode", "ljust", "rjust", "rstrip"}
)


def imported_names(tree: ast.Module) -> dict[str, str]:
    """Local name → dotted origin for every import in the module, `{"np": "numpy", "sleep": "time.sleep"}`."""
    origins: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                origins[name.asname or name.name.partition(".")[0]] = (
                    name.name if name.asname else name.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for name in node.names:
                origins[name.asname or name.name] = f"{node.module}.{name.name}"
    return origins


def dotted(node: ast.expr, origins: dict[str, str]) -> str:
    """The dotted name that an expression spells, with its import resolved; empty where it is no plain name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    parts.append(origins.get(node.id, node.id))
    return ".".join(reversed(parts))


def kinds_of_names(scope: ast.AST) -> dict[str, Kind]:
    """The names that a scope itself assigns, with what every assignment agrees on."""
    kinds: dict[str, Kind] = {}
    for target, value in _assignments(scope):
        kind = kind_of(value)
        kinds[target] = kind if kinds.get(target, kind) == kind else "other"
    return kinds


def assigned_in(node: ast.AST) -> set[str]:
    """The names that get a new value somewhere in a statement's own code."""
    return {name for name, _ in _assignments(node)}


def names_in(node: ast.AST) -> set[str]:
    """Every name that an expression mentions."""
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def kind_of(value: ast.expr | None) -> Kind:
    """What an expression yields, by its form."""
    if isinstance(value, ast.List):
        return "short list" if 0 < len(value.elts) <= SHORT else "list"
    if isinstance(value, ast.ListComp):
        return "list"
    if isinstance(value, ast.JoinedStr) or (isinstance(value, ast.Constant) and isinstance(value.value, str)):
        return "text"
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add | ast.Mod):
        return "text" if "text" in (kind_of(value.left), kind_of(value.right)) else "other"
    if isinstance(value, ast.Call):
        return _kind_of_call(value.func)
    return "other"


def _kind_of_call(function: ast.expr) -> Kind:
    if isinstance(function, ast.Name):
        return _KINDS_OF_CALLS.get(function.id, "other")
    if isinstance(function, ast.Attribute) and function.attr in _TEXT_METHODS:
        return "text" if kind_of(function.value) == "text" else "other"
    return "other"


def _assignments(scope: ast.AST) -> Iterator[tuple[str, ast.expr | None]]:
    for node in own_nodes(scope):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                for name in names_in(target):
                    yield name, node.value if isinstance(target, ast.Name) else None
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and isinstance(node.target, ast.Name):
            yield node.target.id, node.value
        elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
            yield from ((name, None) for name in names_in(node.target))
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            yield from ((name, None) for name in names_in(node.optional_vars))
        elif isinstance(node, ast.arg):
            yield node.arg, None


def own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    """Every node of a scope, but none of the functions and classes inside it."""
    pending = list(ast.iter_child_nodes(scope))
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, _SCOPES):
            pending.extend(ast.iter_child_nodes(node))
