"""The artifacts of a project, of whatever run: what is stored, whether it is what it was, and removing it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from cli.reach.contact import NoWorkerError
from cli.reach.store import project_store
from engine.errors import WorkspaceError

if TYPE_CHECKING:
    from activities.remote import Stored
    from activities.upkeep import Problem
    from cli.api.handle import RunHandle
    from cli.embedded.connect import Connection

KEPT = timedelta(days=30)
"""How long after its end a run keeps its artifacts, unless somebody says otherwise."""


def _nobody(told: object) -> None:
    """Nobody looks on."""
    del told


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What was read and what is wrong: each problem with the runs, or artifacts of runs, that need the content."""

    checked: int
    bytes: int
    problems: tuple[tuple[Problem, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waste:
    """Contents that no run needs: open runs and late ones keep theirs, of `runs_let_go` only the ledger stays."""

    contents: tuple[Stored, ...]
    runs_kept: int
    runs_let_go: int

    @property
    def bytes(self) -> int:
        """All of them together."""
        return sum(each.size for each in self.contents)


class Artifacts:
    """The store of a project. What asks runs needs a connection; `tell` gets sentences, `progress` numbers of bytes."""

    def __init__(self, root: Path, connection: Connection | None = None) -> None:
        self.root = root
        self._store = project_store(root)
        self._connection = connection

    @property
    def place(self) -> str:
        """Where the project keeps its artifacts."""
        remote = self._store.remote
        return str(self._store.directory) if remote is None else remote.shown

    def stored(self) -> tuple[Stored, ...]:
        """Everything that is stored, the newest first."""
        from activities.upkeep import contents  # noqa: PLC0415 - only here

        return tuple(sorted(contents(self._store).values(), key=lambda each: each.stored_at, reverse=True))

    def find(self, digest: str) -> str:
        """The whole sha256 of the one content that begins so; raises NotFoundError where there is none."""
        from cli.reach.artifacts import content_named  # noqa: PLC0415 - only here

        return content_named(self._store, digest)

    def read(self, sha256: str, *, progress: Callable[[int], None] = _nobody) -> Path:
        """Where a content can be read, compared with its digest; raises WorkspaceError where it is not what it was."""
        return self._store.checked(sha256, progress)

    def get(self, sha256: str, target: Path, *, progress: Callable[[int], None] = _nobody) -> None:
        """Write a content to a file, whole and compared with its digest, or raise WorkspaceError."""
        self._store.copy(sha256, target, progress)

    async def verify(
        self,
        run: RunHandle | None = None,
        *,
        tell: Callable[[str], None] = _nobody,
        progress: Callable[[int], None] = _nobody,
    ) -> Verification:
        """Read what a run needs, or all that is stored and what open runs and ledgers need, and compare it."""
        from activities.upkeep import check  # noqa: PLC0415 - only here

        needed = await (self._needed(tell) if run is None else self._needed_by(run))
        read = 0

        def more(size: int) -> None:
            nonlocal read
            read += size
            progress(size)

        problems = []
        for digest in sorted(needed):
            tell(digest[:16])
            found = await asyncio.to_thread(check, self._store, digest, more)
            # What only this host has, and nobody needs, is no loss.
            wrong = [each for each in found if each.what == "altered" or needed[digest]]
            problems += [(each, tuple(needed[digest])) for each in wrong]
        return Verification(checked=len(needed), bytes=read, problems=tuple(problems))

    async def _needed_by(self, run: RunHandle) -> dict[str, list[str]]:
        """The digests that a run needs, with what needs them: its artifacts by name, its ledger or its payloads."""
        from cli.reach.archives import archive_of  # noqa: PLC0415 - only here
        from cli.reach.keeping import needed_by_open_runs  # noqa: PLC0415

        found: dict[str, list[str]] = {}
        with suppress(NoWorkerError, WorkspaceError):  # what the history refers to is known without their names
            for each in await run.artifacts():
                found.setdefault(each.sha256, []).append(each.word)
        if (archive := archive_of(self.root, run.id)) is not None:
            found.setdefault(archive, []).append(f"the ledger of {run.id}")
            return found
        payloads = await needed_by_open_runs(self._connected(), self._store, only=run.id, tell=_nobody)
        return {digest: [f"the history of {run.id}"] for digest in payloads} | found

    async def _needed(self, tell: Callable[[str], None]) -> dict[str, list[str]]:
        """Everything that is stored, ledgers that should be, and what open runs need, each with who needs it."""
        from activities.upkeep import contents  # noqa: PLC0415 - only here
        from cli.reach.archives import archives  # noqa: PLC0415
        from cli.reach.keeping import needed_by_open_runs  # noqa: PLC0415

        found: dict[str, list[str]] = {digest: [] for digest in contents(self._store)}
        for run, archive in archives(self.root).items():
            found.setdefault(archive.sha256, []).append(f"the ledger of {run}")
        opened = await needed_by_open_runs(self._connected(), self._store, only=None, tell=tell)
        for digest, runs in opened.items():
            found.setdefault(digest, []).extend(runs)
        return found

    async def waste(
        self,
        *,
        older_than: timedelta = KEPT,
        keep_runs: int = 0,
        shared: bool = False,
        tell: Callable[[str], None] = _nobody,
    ) -> Waste:
        """What no run needs any more, stored more than a day ago.

        Open runs keep all they need, and ended ones for `older_than`, or as long as they are among the newest
        `keep_runs`; their ledgers stay. Raises WorkspaceError where an open run needs what cannot be read, and, unless
        `shared`, where other projects use the same store.
        """
        from activities.upkeep import waste  # noqa: PLC0415 - only here
        from cli.reach.keeping import alone, kept  # noqa: PLC0415

        if not shared:
            alone(self._store)
        now = datetime.now(UTC)
        needed = await kept(self._connected(), self._store, older_than=older_than, newest=keep_runs, now=now, tell=tell)
        return Waste(
            contents=tuple(waste(self._store, needed.digests, now)),
            runs_kept=len(needed.runs),
            runs_let_go=len(needed.let_go),
        )

    def remove(self, waste: Waste, *, progress: Callable[[int], None] = _nobody) -> tuple[Stored, ...]:
        """Remove it; what was removed. A content that has been stored again meanwhile stays."""
        from activities.upkeep import remove, remove_drafts  # noqa: PLC0415 - only here

        gone = []
        for each in waste.contents:
            if remove(self._store, each, datetime.now(UTC)):
                gone.append(each)
            progress(each.size)
        remove_drafts(self._store, datetime.now(UTC))
        return tuple(gone)

    def _connected(self) -> Connection:
        assert self._connection is not None, "what asks runs is made by a client"
        return self._connection
