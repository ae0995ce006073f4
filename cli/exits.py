"""Exit codes: what a script may rely on. `docs/reference/cli.md` has the same table, and a test compares them."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from engine.errors import PhaseloomError, RefusedError


class Exit(IntEnum):
    """How a command ended."""

    OK = 0
    FAILED = 1
    USAGE = 2
    INVALID = 3
    REFUSED = 4
    UNREACHABLE = 5
    WORKSPACE = 6
    BUG = 70
    DETACHED = 75
    INTERRUPTED = 130
    NO_READER = 141


MEANINGS: dict[Exit, str] = {
    Exit.OK: "done",
    Exit.FAILED: "the run failed or was cancelled",
    Exit.USAGE: "the command was not written right: an option, an argument, an input",
    Exit.INVALID: "a definition or `phaseloom.yaml` has errors",
    Exit.REFUSED: "refused or not found; nothing has changed",
    Exit.UNREACHABLE: "no server, no worker or no artifact store answers",
    Exit.WORKSPACE: "files of the project cannot be used",
    Exit.BUG: "a bug in Phaseloom; `--debug` shows where",
    Exit.DETACHED: "left a run that goes on: it waits for a person, or the command was told to end",
    Exit.INTERRUPTED: "interrupted with Ctrl-C",
    Exit.NO_READER: "nobody reads the output any more",
}
"""Every exit code in words."""

BY_CODE: dict[str, Exit] = {
    "phase": Exit.FAILED,
    "usage": Exit.USAGE,
    "definition": Exit.INVALID,
    "refused": Exit.REFUSED,
    "not_found": Exit.REFUSED,
    "unreachable": Exit.UNREACHABLE,
    "workspace": Exit.WORKSPACE,
    "interrupted": Exit.INTERRUPTED,
}
"""The exit code for each `code` of an error."""


class UsageError(PhaseloomError):
    """Raised when a command cannot be carried out as it was written."""

    code = "usage"


class DiffersError(RefusedError):
    """Raised when something is no longer as it was, and nobody can be asked; `told` is what is known of it."""

    def __init__(self, message: str, told: dict[str, Any]) -> None:
        super().__init__(message, hint="go back all the same with: --yes")
        self.told = told


class NotFoundError(PhaseloomError):
    """Raised when there is no such run, phase, log or definition."""

    code = "not_found"


def exit_for(error: PhaseloomError) -> Exit:
    """The exit code that tells of this error."""
    return BY_CODE.get(error.code, Exit.BUG)
