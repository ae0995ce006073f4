"""How a Python or Node project is checked, found out from its own files: the tools that it is configured for.

Nothing is guessed: where the files do not tell how a kind of check is done, that is an error of the check, and the
message says what to write instead.
"""

from __future__ import annotations

import json
import os
import shutil
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from activities.failures import AttemptError

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Detected:
    """A command, and the one that mends what it finds.

    `broken` begin lines by which the command says that it could not look, where its exit code does not tell.
    """

    run: tuple[str, ...]
    fix: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()

    def trouble(self, printed: str) -> str:
        """What the command says that has kept it from looking; empty where it has looked."""
        said = [
            line[len(sign) :].strip() for line in printed.splitlines() for sign in self.broken if line.startswith(sign)
        ]
        return "; ".join(said[:2])


def table(value: object) -> Mapping[str, Any]:
    """The value, if it is one with names in it, as it should be; else nothing."""
    return value if isinstance(value, dict) else {}


@dataclass(frozen=True, slots=True)
class Python:
    """A Python project: its directory, what `pyproject.toml` holds, where programs are looked for."""

    root: Path
    settings: Mapping[str, Any]
    path: str

    def tool(self, name: str) -> bool:
        """Whether `pyproject.toml` configures the tool."""
        return name in table(self.settings.get("tool"))

    def table(self, name: str) -> Mapping[str, Any]:
        """What `pyproject.toml` says about the tool; empty where it says nothing that can be read."""
        return table(table(self.settings.get("tool")).get(name))

    def has(self, *names: str) -> bool:
        """Whether one of these files exists."""
        return any((self.root / name).exists() for name in names)

    def program(self, name: str) -> str:
        """The program of the project's own environment if it has it, else the name alone."""
        own = self.root / ".venv" / "bin" / name
        return str(own) if os.access(own, os.X_OK) else name

    def installed(self, name: str) -> bool:
        """Whether the program can be found."""
        return shutil.which(self.program(name), path=self.path) is not None


def _lint(project: Python) -> Detected | None:
    if project.tool("ruff") or project.has("ruff.toml", ".ruff.toml"):
        ruff = project.program("ruff")
        return Detected(run=(ruff, "check", "."), fix=(ruff, "check", "--fix", "."))
    if project.has(".flake8"):
        return Detected(run=(project.program("flake8"),))
    return Detected(run=(project.program("ruff"), "check", ".")) if project.installed("ruff") else None


def _format(project: Python) -> Detected | None:
    if project.tool("black"):
        return Detected(run=(project.program("black"), "--check", "."), fix=(project.program("black"), "."))
    if project.tool("ruff") or project.has("ruff.toml", ".ruff.toml") or project.installed("ruff"):
        ruff = project.program("ruff")
        return Detected(run=(ruff, "format", "--check", "."), fix=(ruff, "format", "."))
    return None


def _types(project: Python) -> Detected | None:
    if project.tool("pyright") or project.has("pyrightconfig.json"):
        return Detected(run=(project.program("pyright"),))
    if project.tool("mypy") or project.has("mypy.ini", ".mypy.ini"):
        # Without files or packages in its configuration mypy wants to be told what to look at.
        given = project.table("mypy")
        where = () if any(key in given for key in ("files", "packages", "modules")) else (".",)
        return Detected(run=(project.program("mypy"), *where))
    return Detected(run=(project.program("mypy"), ".")) if project.installed("mypy") else None


def _tests(project: Python) -> Detected | None:
    if project.tool("pytest") or project.has("pytest.ini", "conftest.py", "tests", "test"):
        return Detected(run=(project.program("pytest"), "-q"))
    return None


def _coverage(project: Python) -> Detected | None:
    if not (project.tool("coverage") or project.has(".coveragerc", ".coverage")):
        return None
    report = table(project.table("coverage").get("report"))
    threshold = () if "fail_under" in report or project.has(".coveragerc") else ("--fail-under=80",)
    return Detected(run=(project.program("coverage"), "report", *threshold))


def _security(project: Python) -> Detected | None:
    if project.tool("bandit") or project.has(".bandit") or project.installed("bandit"):
        settings = ("-c", "pyproject.toml") if project.tool("bandit") else ()
        return Detected(run=(project.program("bandit"), *settings, "-q", "-r", ".", "-x", "./.venv,./tests"))
    return None


def _build(project: Python) -> Detected | None:
    if "build-system" in project.settings or project.has("setup.py"):
        return Detected(run=(project.program("python3"), "-m", "build"))
    return None


_PYTHON: dict[str, Callable[[Python], Detected | None]] = {
    "lint": _lint,
    "format": _format,
    "types": _types,
    "tests": _tests,
    "coverage": _coverage,
    "security": _security,
    "build": _build,
}


@dataclass(frozen=True, slots=True)
class Script:
    """Scripts of a `package.json` that do a kind of check, the first one that exists; and those that mend."""

    names: tuple[str, ...]
    fixes: tuple[str, ...] = field(default=())


NPM_AUDIT = Detected(run=("npm", "audit", "--audit-level=high"), broken=("npm error ", "npm ERR! "))
"""Ends with 1 for what it has found, for a missing lockfile and for a registry that does not answer."""

_NODE = {
    "lint": Script(("lint",), ("lint:fix",)),
    "format": Script(("format:check", "check:format", "prettier:check"), ("format", "format:fix")),
    "types": Script(("typecheck", "type-check", "types", "tsc")),
    "tests": Script(("test",)),
    "coverage": Script(("coverage", "test:coverage")),
    "security": Script(("audit", "security")),
    "build": Script(("build",)),
}


def detect(kind: str, root: Path, path: str) -> tuple[Detected, ...]:
    """The commands that check a kind of thing in the project at `root`: one for each language it is written in.

    Raises:
        AttemptError: the files do not tell, or cannot be read.
    """
    found = [_python(kind, root, path), _node(kind, root)]
    commands = tuple(command for command in found if command is not None)
    if not commands:
        raise AttemptError(
            "not_found", f"nothing in this project tells how to check its {kind}; write the check's command under 'run'"
        )
    return commands


def _python(kind: str, root: Path, path: str) -> Detected | None:
    file = root / "pyproject.toml"
    if not file.is_file() and not any((root / name).exists() for name in ("setup.py", "setup.cfg", "requirements.txt")):
        return None
    try:
        settings = tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    except (ValueError, OSError) as error:
        raise AttemptError("bad_output", f"pyproject.toml cannot be read: {error}") from None
    return _PYTHON[kind](Python(root, settings, path))


def _node(kind: str, root: Path) -> Detected | None:
    file = root / "package.json"
    if not file.is_file():
        return None
    try:
        scripts = table(table(json.loads(file.read_text(encoding="utf-8"))).get("scripts"))
    except (ValueError, OSError) as error:
        raise AttemptError("bad_output", f"package.json cannot be read: {error}") from None
    name = next((name for name in _NODE[kind].names if name in scripts), None)
    if name is None:
        return NPM_AUDIT if kind == "security" else None
    fix = next((name for name in _NODE[kind].fixes if name in scripts), None)
    return Detected(run=("npm", "run", "--silent", name), fix=("npm", "run", "--silent", fix) if fix else ())
