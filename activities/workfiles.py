"""What a result tells of the project's files, and the list behind it, which is kept in the artifact store.

A result has `git`, the commit and whether all is committed, and, unless it is, `files`: `{"digest"}`, the digest of the
list of what is not (without git: of all files), or `{"unknown"}`, the reason why nobody knows. A long list is kept as
what differs from an earlier one: then `kept` names that difference and `base` the other list.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from contextlib import suppress
from pathlib import Path

from activities.artifacts import ArtifactStore
from activities.filelist import Files, digest_of, encoded
from activities.filereader import FileReader, Limits, UnknownFilesError
from activities.workspace import git_state
from engine.errors import PhaseloomError, WorkspaceError
from engine.plan import Json

LIST_TYPE = "application/vnd.phaseloom.files+json"

SHORT = 16 * 1024
"""Bytes up to which a list is kept whole."""

ABSENT = False
"""Stands in a difference for a path that the list no longer has."""

FRESH = 3600.0
"""Seconds for which a list that is kept need not be written again: it is far from looking old to `prune`."""


class Workfiles:
    """What the files of the project at `root` hold, told again and again by one process."""

    def __init__(self, root: Path, store: ArtifactStore) -> None:
        self.root = root
        self.store = store
        self.reader = FileReader()
        self._base: tuple[str, Files] | None = None

    async def told(self) -> Json:
        """`git` (None without git) and, unless all is committed, `files`."""
        git = await git_state(self.root)
        if git is not None and git["dirty"] is None:
            return {"git": git}
        if git is not None and git["dirty"] == "unknown":
            return {"git": git, "files": {"unknown": "git did not tell in time"}}
        try:
            files = await self.now(git)
        except UnknownFilesError as error:
            return {"git": git, "files": {"unknown": str(error)}}
        return {"git": git, "files": await asyncio.to_thread(self._keep, files)}

    async def now(self, git: Json | None) -> Files:
        """The files as they are: against a commit as `git` names it, all of them where it is None.

        Raises UnknownFilesError.
        """
        if git is None:
            return await self.reader.walked(self.root, Limits())
        return await self.reader.since(self.root, git["commit"], Limits())

    def _keep(self, files: Files) -> Json:
        """Put a list into the store; how it is named. One that cannot be kept is named all the same."""
        whole = encoded(files)
        digest = digest_of(files)
        if len(whole) > SHORT:
            base = self._base
            if base is not None and base[0] != digest and self._is_fresh(base[0]):
                change = encoded(_difference(base[1], files))
                if 2 * len(change) < len(whole):
                    kept = hashlib.sha256(change).hexdigest()
                    self._put(kept, change)
                    return {"digest": digest, "kept": kept, "base": base[0]}
            self._base = (digest, files)
        self._put(digest, whole)
        return {"digest": digest}

    def _put(self, digest: str, data: bytes) -> None:
        with suppress(OSError, PhaseloomError):  # a full disk, or a store that is away, must not fail work that is done
            if not self._is_fresh(digest):
                self.store.put_bytes(data, LIST_TYPE)

    def _is_fresh(self, digest: str) -> bool:
        with suppress(OSError):
            return time.time() - self.store.path(digest).stat().st_mtime < FRESH
        return False


def read(named: Json, store: ArtifactStore) -> Files:
    """The list that `files` of a result names; raises WorkspaceError where it is kept no longer."""
    digest = str(named["digest"])
    if "kept" not in named:
        return _loaded(store, digest)
    files = _loaded(store, str(named.get("base")))
    for name, value in _loaded(store, str(named["kept"])).items():
        if value is ABSENT:
            files.pop(name, None)
        else:
            files[name] = value
    if digest_of(files) != digest:
        raise WorkspaceError(f"the list of files sha256:{digest} is damaged")
    return files


def _loaded(store: ArtifactStore, sha256: str) -> Json:
    found = json.loads(store.get_bytes(sha256).decode(errors="surrogatepass"))
    if not isinstance(found, dict) or not all(isinstance(value, str) or not value for value in found.values()):
        raise WorkspaceError(f"sha256:{sha256} is no list of files")
    return found


def _difference(base: Files, files: Files) -> Json:
    changed: Json = {name: value for name, value in files.items() if name not in base or base[name] != value}
    return changed | {name: ABSENT for name in base if name not in files}
