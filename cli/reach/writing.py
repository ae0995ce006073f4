"""Writing files of the project for its author: whole or not at all, and nothing of theirs without being told to."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from engine.errors import RefusedError, WorkspaceError


def write_whole(path: Path, text: str) -> None:
    """Write a file and the directories above it; a reader sees the old text or the new one.

    Raises WorkspaceError when that is not possible.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            partial.write_text(text, encoding="utf-8")
            partial.replace(path)
        finally:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise WorkspaceError(f"'{path}' cannot be written: {reason}", hint="name another file") from error


def reads_as(path: Path, text: str) -> bool:
    """Whether a file holds exactly this text."""
    try:
        return path.read_text(encoding="utf-8") == text
    except (OSError, UnicodeDecodeError):
        return False


def refuse_to_replace(path: Path, text: str, *, force: bool) -> None:
    """Raise RefusedError when another file is there already, unless `force`."""
    if not force and os.path.lexists(path) and not reads_as(path, text):
        raise RefusedError(f"'{path}' exists already", hint="replace it with --force, or write elsewhere with --output")
