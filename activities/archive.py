"""The activity `archive_run`: the ledger of a run that ends, kept in the artifact store."""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path

from temporalio import activity

from activities.places import run_directory
from activities.worker_context import WorkerContext
from engine.plan import Json


class ArchiveActivities:
    """Archiving, for one worker."""

    def __init__(self, context: WorkerContext) -> None:
        self.context = context

    @activity.defn(name="archive_run")
    async def archive_run(self, given: Json) -> Json:
        """Store `{"run", "ledger"}`; `{"sha256", "size"}` of its canonical JSON. Doing it again changes nothing."""
        return await asyncio.to_thread(self._archive, given)

    def _archive(self, given: Json) -> Json:
        text = json.dumps(given, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        data = text.encode(errors="surrogatepass")
        reference: Json = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        try:
            self.context.store.put_bytes(data, "application/json")
        finally:  # a store elsewhere that does not answer is asked again; the archive is here already
            if self.context.store.path(reference["sha256"]).is_file():
                _point(archive_pointer(self.context.root, given["run"]), {"run": given["run"], **reference})
        return reference


def _point(pointer: Path, reference: Json) -> None:
    pointer.parent.mkdir(parents=True, exist_ok=True)
    new = pointer.with_suffix(".new")
    new.write_text(json.dumps(reference), encoding="ascii")
    new.replace(pointer)


def archive_pointer(root: Path, run: str) -> Path:
    """The file that says where the archive of a run is."""
    return run_directory(root, run) / "archive.json"
