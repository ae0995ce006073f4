"""Where installed programs are found. Never in the audited repository by way of a relative entry of PATH."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path


def on_path(name: str) -> str | None:
    """The program on the absolute entries of PATH."""
    entries = [entry for entry in os.environ.get("PATH", os.defpath).split(os.pathsep) if Path(entry).is_absolute()]
    return shutil.which(name, path=os.pathsep.join(entries)) if entries else None


def installed(name: str) -> str | None:
    """The program beside this interpreter, else on PATH."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.is_file() and os.access(beside, os.X_OK) else on_path(name)
