"""Vulture's findings: names that nothing in the tree uses."""

from __future__ import annotations

import ast
import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from activities.audit.finding import NOT_RUN, NOTHING, Finding, Outcome, printable
from activities.audit.program import NotRunError, locate, nameable
from activities.audit.tree import SourceFile

TOOL = "vulture"

_LINE = re.compile(r"^(?P<path>.+?):(?P<line>\d+): (?P<message>.+) \((?P<confidence>\d+)% confidence(?:, .*)?\)$")
_KIND = re.compile(r"^(unused \w+|unreachable code|unsatisfiable|redundant)")

_CERTAIN = ("unreachable-code", "unsatisfiable", "redundant")
"""What no caller elsewhere can make alive; an unused name may still be an interface's, or somebody else's."""

# Functions that a framework calls through a decorator have no caller in the tree.
_DECORATORS = [
    *("@*route*", "@*fixture*", "@*command*", "@*callback*", "@*task*", "@*handler*", "@*validator*", "@*serializer*"),
    *(
        "@*register*",
        "@*hook*",
        "@*event*",
        "@*listener*",
        "@*receiver*",
        "@*signal*",
        "@*query*",
        "@*update*",
        "@*defn*",
    ),
    *("@*.get", "@*.post", "@*.put", "@*.delete", "@*.patch", "@*.websocket", "@*.setter", "@*overload", "@*.run"),
]
_NAMES = ["visit_*", "do_*", "setUp*", "tearDown*", "pytest_*", "__*__", "model_config", "Meta"]


def dead_code(files: list[SourceFile]) -> Outcome:
    """Unused code in files that parse, all at once, since any file may use what another defines."""
    outcome = Outcome(TOOL)
    names = {str(file.path): file.name for file in nameable(files)}
    if not names:
        outcome.status = f"{NOTHING}no Python files that parse"
        return outcome
    try:
        program = locate(TOOL)
        with tempfile.TemporaryDirectory(prefix="phaseloom-audit-") as directory:
            # Paths go through a file of ours: all of them would not fit a command line.
            config = Path(directory) / "vulture.toml"
            config.write_text(_config([*names]), encoding="utf-8")
            printed = program.run("--config", str(config), ok=(0, 3))
    except NotRunError as error:
        outcome.status = f"{NOT_RUN}{error}"
        return outcome
    outcome.findings = [finding for line in printed.splitlines() if (finding := _finding(line, names)) is not None]
    return outcome


def fields_of_classes(tree: ast.Module) -> Iterator[int]:
    """The lines of fields that a base class or decorator reaches by name: models, dataclasses, enumerations."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and (node.bases or node.decorator_list):
            yield from (part.lineno for part in node.body if isinstance(part, ast.Assign | ast.AnnAssign))


def _config(paths: list[str]) -> str:
    values = {"paths": paths, "min_confidence": 60, "ignore_decorators": _DECORATORS, "ignore_names": _NAMES}
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    return "\n".join(["[tool.vulture]", *lines, ""])


def _finding(line: str, names: dict[str, str]) -> Finding | None:
    match = _LINE.match(line)
    if match is None or match["path"] not in names:
        return None
    kind = _KIND.match(match["message"])
    rule = (kind[1] if kind else "unused").replace(" ", "-")
    return Finding(
        file=names[match["path"]],
        line=int(match["line"]),
        rule=rule,
        severity="medium" if rule in _CERTAIN else "low",
        message=f"{printable(match['message'])} ({match['confidence']} % sure)",
        tool=TOOL,
        symbol=match["message"],
    )
