"""Where a project begins. Every command asks this first, so this module imports next to nothing."""

from __future__ import annotations

from pathlib import Path

CONFIG_NAME = "phaseloom.yaml"
STATE_DIRECTORY = ".phaseloom"


def find_root(start: Path) -> Path:
    """The root of the project that `start` lies in.

    The nearest directory upwards with `phaseloom.yaml` or `.phaseloom/`, else the git top, else `start`.
    """
    start = start.absolute()
    here = start if start.is_dir() else start.parent
    upwards = [here, *here.parents]
    for directory in upwards:
        if (directory / CONFIG_NAME).is_file() or (directory / STATE_DIRECTORY).is_dir():
            return directory
    return next((directory for directory in upwards if (directory / ".git").exists()), here)
