"""Where this command stands: the project around the working directory, and its current run."""

from __future__ import annotations

import contextlib
import getpass
import os
from pathlib import Path

from definitions import find_root
from engine.errors import WorkspaceError
from engine.requests import AGENT

ATTEMPT_VARIABLE = "PHASELOOM_ATTEMPT_ID"
"""Set for everything that an agent runs."""

CURRENT = "current"
STATE = ".phaseloom"


def here() -> Path:
    """The root of the project that the working directory belongs to; WorkspaceError if that has been deleted."""
    try:
        return find_root(Path.cwd())
    except FileNotFoundError:
        raise WorkspaceError(
            "the working directory does not exist any more", hint="go to a folder that does: cd ~"
        ) from None


def current_run(root: Path) -> str | None:
    """The run that commands mean when they name none: the one that was started last."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return (root / STATE / CURRENT).read_text(encoding="utf-8").strip() or None
    return None


def make_current(root: Path, run: str) -> None:
    """Let later commands mean this run."""
    path = root / STATE / CURRENT
    draft = path.with_name(f".{CURRENT}.{os.getpid()}")
    draft.write_text(f"{run}\n", encoding="utf-8")
    draft.replace(path)


def actor(given: str | None) -> str:
    """Who acts: as given, as `PHASELOOM_ACTOR` says, or by the login name.

    What an agent runs acts as `agent:ROLE`, whatever it says: such a name decides about nothing.
    """
    if ATTEMPT_VARIABLE in os.environ:
        return f"{AGENT}{os.environ.get('PHASELOOM_AGENT') or 'unknown'}"
    if named := given or os.environ.get("PHASELOOM_ACTOR"):
        return named
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container with a user that has no name
        return f"uid {os.getuid()}"
