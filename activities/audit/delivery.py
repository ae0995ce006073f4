"""Where results go: the output and artifacts of the agent that runs the stage, and the run's report directory."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from activities.audit.finding import Json

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")


class DeliveryError(Exception):
    """Raised when a result cannot be written where it belongs; the text says why."""


def report_directory(root: Path, run: str) -> Path:
    """`.phaseloom/workflows/<run>/report` in the project, created without following a link out of it."""
    if not _RUN_ID.fullmatch(run):
        raise DeliveryError(f"no report directory: {run!r} is no run id")
    directory = root
    for part in (".phaseloom", "workflows", run, "report"):
        directory /= part
        if directory.is_symlink():
            raise DeliveryError(f"no report directory: {directory} is a symbolic link")
        directory.mkdir(exist_ok=True)
        if part == ".phaseloom" and not (directory / ".gitignore").exists():
            write(directory / ".gitignore", "*\n")
    return directory


def write(path: Path, text: str) -> None:
    """Replaces a file at once, so that no reader sees half of it; a link in its place is replaced, not followed."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
    temporary.replace(path)


def as_json(value: Json) -> str:
    """JSON as it is delivered: readable, in a fixed order, ASCII only."""
    return json.dumps(value, indent=1, sort_keys=True) + "\n"
