"""Which Phaseloom this is: what the background processes record, so that another installation can tell."""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

from cli.embedded.boot import INSTALLED
from cli.embedded.project import Json


@cache
def version() -> str:
    """The version of the distribution this code belongs to; `0` when nothing beside it says.

    Read from the names beside us, not from `importlib.metadata`: that costs every command 40 ms.
    """
    for folder in INSTALLED.glob("phaseloom-*.dist-info"):
        return folder.name.removesuffix(".dist-info").partition("-")[2]
    try:
        project = (INSTALLED / "pyproject.toml").read_text(encoding="utf-8")
    except OSError:
        return "0"
    found = re.search(r'^name = "phaseloom"$\s^version = "([^"]+)"$', project, re.MULTILINE)
    return found[1] if found else "0"


def installation() -> Json:
    """Version, interpreter and place of this installation, as JSON."""
    return {"version": version(), "interpreter": sys.executable, "installed": str(INSTALLED)}


def differs(recorded: Json) -> bool:
    """Whether a process that recorded `recorded` came from another installation than this one."""
    ours = installation() | {"interpreter": _named_alike(recorded.get("interpreter"))}
    return any(recorded.get(name) != value for name, value in ours.items())


def _named_alike(recorded: object) -> object:
    """The recorded interpreter if it is ours, maybe by another of its names (`python`, `python3`), else ours."""
    theirs, ours = Path(str(recorded)), Path(sys.executable)
    with suppress(OSError):
        if theirs.parent == ours.parent and theirs.samefile(ours):
            return recorded
    return sys.executable


def is_older(recorded: Json) -> bool:
    """Whether this installation is older than the one that recorded `recorded`, and so must not replace it."""
    return _order(version()) < _order(str(recorded.get("version", "0")))


def described(recorded: Json) -> str:
    """A recorded installation in words."""
    return f"phaseloom {recorded.get('version', '?')} ({recorded.get('interpreter', 'unknown interpreter')})"


def _order(text: str) -> tuple[int, ...]:
    """Numbers of a version, enough to tell newer from older."""
    return tuple(int(number) for number in re.findall(r"\d+", text.partition("+")[0]))
