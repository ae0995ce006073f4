"""What the project's files are when a run starts, told by whoever starts it: going back there can be checked then."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from activities.filereader import SECONDS
from activities.workfiles import Workfiles
from cli.reach.store import project_store
from engine.facts import of_files

Json = dict[str, Any]


async def files_at_start(root: Path, *, seconds: float = SECONDS) -> Json:
    """`{git?, files?}` as a result has them; a start waits `seconds` for it, and is told as `unknown` then."""
    try:
        async with asyncio.timeout(seconds):
            return of_files(await Workfiles(root, project_store(root)).told())
    except TimeoutError:  # also of a store that is away: a run can start without it
        return {"files": {"unknown": f"looking at the files took longer than {seconds:g} s"}}
