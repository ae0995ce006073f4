"""Every error Phaseloom raises on purpose, told apart by whose fault it is.

The root carries a stable `code` (tests, exit statuses and Temporal failure types rest on it) and a `hint`: what to do.
"""

from __future__ import annotations


class PhaseloomError(Exception):
    """Raised when Phaseloom itself can say what went wrong; `str()` is the sentence for the user."""

    code = "error"

    def __init__(self, message: str, *, hint: str = "", code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if code is not None:
            self.code = code


class DefinitionError(PhaseloomError):
    """Raised when a definition or a configuration file cannot be used as it is written (the author's)."""

    code = "definition"


class PhaseError(PhaseloomError):
    """Raised when the work of a phase failed: a command's exit code, a timeout, a failing test (the work's)."""

    code = "phase"


class RefusedError(PhaseloomError):
    """Raised when a message to a run makes no sense now; nothing has changed (the operator's)."""

    code = "refused"


class WorkspaceError(PhaseloomError):
    """Raised when files, git or the artifact store are not as they have to be."""

    code = "workspace"


class UnreachableError(PhaseloomError):
    """Raised when a server or a worker does not answer (infrastructure's)."""

    code = "unreachable"
