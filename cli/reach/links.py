"""Which runs have gone on from another one: a file in the other's folder, for both may outlive the server's memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cli.reach.place import STATE
from cli.reach.writing import write_whole

Json = dict[str, Any]

FILE = "followed-by.json"


def link(root: Path, old: str, new: str, *, how: str, checkpoint: str) -> None:
    """Note in the folder of the run `old` that `new` goes on from its checkpoint; `how`: `restored` or `forked`."""
    entry = {"run": new, "how": how, "checkpoint": checkpoint}
    write_whole(_path(root, old), json.dumps({"runs": [*followers(root, old), entry]}, indent=2) + "\n")


def followers(root: Path, run: str) -> list[Json]:
    """The runs that have gone on from a run, the oldest first: `{run, how, checkpoint}`."""
    try:
        found = json.loads(_path(root, run).read_bytes())["runs"]
        return [dict(each) for each in found]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _path(root: Path, run: str) -> Path:
    # As `activities.places.run_directory` has it, which is too much to import for each `status`.
    return root / STATE / "workflows" / run.replace("/", "-") / FILE
