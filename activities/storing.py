"""What agents need of the artifact store, with patience: a store that does not answer fails nobody at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from activities.artifacts import ArtifactStore
from activities.failures import AttemptError
from activities.results import MANIFEST_TYPE
from engine.errors import UnreachableError, WorkspaceError
from engine.plan import Json

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 8.0

T = TypeVar("T")


async def patiently(call: Callable[[], T], seconds: float, say: Callable[[str], Awaitable[None]]) -> T:
    """What `call` returns, run in a thread, and again while the store does not answer, for `seconds`.

    What an agent has done is so not done again for a store that is away for a moment. `say` is told once.

    Raises:
        AttemptError: `store`, which is tried again without a rule too.
    """
    ends, pause = time.monotonic() + seconds, FIRST_PAUSE
    while True:
        try:
            return await asyncio.to_thread(call)
        except UnreachableError as error:
            if time.monotonic() + pause > ends:
                raise AttemptError("store", error.message) from None
            if pause == FIRST_PAUSE:
                await say(f"{error.message}; trying again for {seconds:.0f}s")
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)


def bring_files(values: Json, named: Json, store: ArtifactStore, directory: Path) -> None:
    """Copy the files that a phase names into `directory`, checked; each entry in `values` gains its `path`.

    `values` has `phases` with their `artifacts` by name; `named` has by phase what the definition writes after
    `artifacts`. A list of files that was too long for the result is read first.
    """
    for phase, paths in named.items():
        shown = values.get("phases", {}).get(phase, {})
        files: Json = shown.get("artifacts", {})
        for name, of in list(files.items()):
            if of["media_type"] == MANIFEST_TYPE:
                listed: list[Json] = store.get_json(of["sha256"])
                place = name.removesuffix("manifest.json")
                del files[name]
                files |= {f"{place}{each['name']}": _entry(each) for each in listed}
        for name in _wanted(files, paths):
            target = _place(directory / phase, name)
            store.copy(files[name]["sha256"], target)
            files[name] = files[name] | {"path": str(target)}


def _entry(listed: Json) -> Json:
    return {key: listed[key] for key in ("sha256", "size", "media_type")}


def _wanted(files: Json, paths: list[str]) -> list[str]:
    """The names that the paths lead to: `app.tar.path` to `app.tar`; all where one leads to no single name."""
    wanted: dict[str, Any] = {}
    for path in paths:
        found = [name for name in files if path == name or path.startswith(f"{name}.")]
        if not found:
            return list(files)
        wanted[max(found, key=len)] = None
    return list(wanted)


def _place(directory: Path, name: str) -> Path:
    target = directory / name
    if not target.resolve().is_relative_to(directory.resolve()) or target == directory:
        raise WorkspaceError(f"the name of an artifact leads out of its directory: {name!r}")
    target.parent.mkdir(parents=True, exist_ok=True)
    return target
