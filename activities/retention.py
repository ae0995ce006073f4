"""How long the logs of runs stay: those of runs that have ended, as their archives say, may go; of open ones never."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from activities.places import workflows_directory

ARCHIVE, LOGS = "archive.json", "logs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prunable:
    """The logs of an ended run: `ended` is seconds since 1970, `size` bytes."""

    run: str
    ended: float
    size: int


def prunable(root: Path, before: float) -> list[Prunable]:
    """The logs in the project at `root` of runs that ended before a moment, the oldest first.

    A run that was terminated at the server has no archive and counts as open.
    """
    found = []
    for pointer in workflows_directory(root).glob(f"*/{ARCHIVE}"):
        try:
            ended = pointer.stat().st_mtime
            if ended < before:
                files = [path.lstat() for path in (pointer.parent / LOGS).iterdir()]
                found.append(Prunable(run=pointer.parent.name, ended=ended, size=sum(each.st_size for each in files)))
        except OSError:  # removed meanwhile, or there are no logs any more
            continue
    return sorted(found, key=lambda each: (each.ended, each.run))


def prune(root: Path, before: float) -> list[Prunable]:
    """Remove the logs that `prunable` lists; what could not be removed is not among those returned."""
    removed = []
    for each in prunable(root, before):
        folder = workflows_directory(root) / each.run / LOGS
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            removed.append(each)
    return removed
