"""Where the ledgers of this project's ended runs are: what the worker that ended them has written down."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from engine.errors import WorkspaceError


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """The ledger of one ended run in the artifact store, and when it was put there."""

    run: str
    sha256: str
    at: datetime


def archives(root: Path) -> dict[str, Archive]:
    """By run; what cannot be read is left out."""
    found = (_read(path) for path in (root / ".phaseloom" / "workflows").glob("*/archive.json"))
    return {archive.run: archive for archive in found if archive is not None}


def archive_of(root: Path, run: str) -> str | None:
    """The digest of one run's ledger; None where it has none here."""
    from activities.places import run_directory  # noqa: PLC0415 - not needed for --help

    try:
        archive = _read(run_directory(root, run) / "archive.json")
    except WorkspaceError:  # no name that a run of ours can have
        return None
    return None if archive is None else archive.sha256


def _read(path: Path) -> Archive | None:
    try:
        told = json.loads(path.read_bytes())
        at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        return Archive(run=str(told["run"]), sha256=str(told["sha256"]), at=at)
    except (OSError, ValueError, KeyError, TypeError):
        return None
