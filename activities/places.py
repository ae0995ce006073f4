"""Where the files of runs are, and what may become part of a path."""

from __future__ import annotations

from pathlib import Path

from engine.errors import WorkspaceError


def file_name(text: str) -> str:
    """`text`, if it can be the name of a file and leads nowhere else; any client may have chosen a run's id.

    Raises:
        WorkspaceError: it cannot.
    """
    if not text or text.startswith(".") or "/" in text or "\0" in text or len(text) > 200:
        raise WorkspaceError(f"not usable as the name of a file: {text[:80]!r}")
    return text


def workflows_directory(root: Path) -> Path:
    """Where each run of a project has a directory."""
    return root / ".phaseloom" / "workflows"


def run_directory(root: Path, run: str) -> Path:
    """The directory of a run's files."""
    return workflows_directory(root) / file_name(run)


def breaker_id(task_queue: str, tool: str) -> str:
    """The workflow of a tool's circuit breaker; projects have different task queues."""
    return f"breaker:{task_queue}:{tool}"
