"""Which artifacts are needed: those that open runs, runs that ended lately and kept archives lead to."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from activities.artifacts import project_id
from activities.upkeep import named, needed, reached
from cli.embedded.reader import CONTINUED
from cli.reach.archives import Archive, archives
from engine.errors import WorkspaceError

if TYPE_CHECKING:
    from activities.artifacts import ArtifactStore
    from cli.embedded.connect import Connection
    from cli.embedded.reader import Execution

Json = dict[str, Any]
Tell = Callable[[str], None]


@dataclass(slots=True, kw_only=True)
class Kept:
    """What `prune` keeps, and why: `runs` are kept with all they need, `let_go` only with their ledger."""

    digests: set[str] = field(default_factory=set)
    runs: set[str] = field(default_factory=set)
    let_go: set[str] = field(default_factory=set)


def alone(store: ArtifactStore) -> None:
    """Raise WorkspaceError where other projects keep artifacts in the same store: what they need is not known here."""
    if store.remote is None:
        return
    others = store.remote.projects() - {project_id(store.root)}
    if others:
        who = "another project keeps" if len(others) == 1 else f"{len(others)} other projects keep"
        raise WorkspaceError(
            f"{who} artifacts in {store.remote.shown}, and what their runs need is not known here",
            hint="a folder of its own for each project: s3://bucket/project; --shared removes what only they need too",
        )


def _ours(connection: Connection, execution: Execution) -> bool:
    """Whether a run is this project's: what others need may be in a store of theirs."""
    return execution.task_queue == connection.task_queue


async def all_runs(connection: Connection) -> list[Execution]:
    """The runs that the server knows, of other queues too, the newest first."""
    found = [each async for each in connection.reader.listed("WorkflowType='PhaseRun'") if each.status != CONTINUED]
    return sorted(found, key=lambda each: (each.started_at is not None, each.started_at), reverse=True)


async def history_of(connection: Connection, run: str, run_id: str) -> list[bytes]:
    """The events of a run as they are kept: of what went into the store they hold the reference."""
    return [event.SerializeToString() async for event in connection.reader.events(run, run_id)]


async def kept(
    connection: Connection, store: ArtifactStore, *, older_than: timedelta, newest: int, now: datetime, tell: Tell
) -> Kept:
    """What is needed by open runs, by those that ended within `older_than`, and by the `newest` that ended.

    The ledgers of all ended runs are kept. Raises WorkspaceError where an open run needs what cannot be read.
    """
    result = Kept()
    runs = await all_runs(connection)
    ledgers = archives(store.root)
    ended = _ended(runs, ledgers)
    lately = {run for run, at in ended if now - at <= older_than} | {run for run, _ in ended[:newest]}
    for number, execution in enumerate(runs):
        opened = execution.closed is None
        if not opened and execution.id not in lately:
            continue
        tell(f"looking at what {execution.id} needs ({number + 1} of {len(runs)} runs)")
        events = await history_of(connection, execution.id, execution.run_id)
        try:
            result.digests |= reached(store, events, named, strict=opened and _ours(connection, execution))
        except WorkspaceError as error:
            raise WorkspaceError(
                f"the open run {execution.id} needs what cannot be read, so nothing is removed: {error.message}",
                hint=f"phaseloom artifacts verify --run {execution.id}",
            ) from error
        result.runs.add(execution.id)
    for execution in runs:
        result.digests |= _archive_in(execution.memo)
    for run, ledger in ledgers.items():
        result.digests.add(ledger.sha256)
        if run in lately:
            result.digests |= _files_of(store, run, ledger.sha256)
            result.runs.add(run)
    result.let_go = {run for run, _ in ended} - result.runs
    return result


def _ended(runs: list[Execution], ledgers: dict[str, Archive]) -> list[tuple[str, datetime]]:
    """Ended runs with the moment they ended, the newest first."""
    known = {run: ledger.at for run, ledger in ledgers.items()}
    known |= {each.id: each.closed_at for each in runs if each.closed is not None and each.closed_at is not None}
    opened = {each.id for each in runs if each.closed is None}
    ended = [(run, at) for run, at in known.items() if run not in opened]
    return sorted(ended, key=lambda pair: pair[1], reverse=True)


def _archive_in(memo: Any) -> set[str]:
    archive = memo.get("archive")
    return {str(archive["sha256"])} if isinstance(archive, dict) and "sha256" in archive else set()


def _files_of(store: ArtifactStore, run: str, archive: str) -> set[str]:
    """What the archive of an ended run leads to, and whatever its other files name."""
    from activities.places import run_directory  # noqa: PLC0415 - loaded by then

    texts = [path.read_bytes() for path in run_directory(store.root, run).glob("checkpoints/*.json")]
    with suppress(WorkspaceError):  # one that is lost cannot be asked, and must not keep everything else for ever
        texts.append(store.get_bytes(archive))
    return reached(store, texts, named, strict=False)


async def needed_by_open_runs(
    connection: Connection, store: ArtifactStore, *, only: str | None, tell: Tell
) -> dict[str, list[str]]:
    """The digests that open runs (or one run that the server knows) refer to, each with these runs."""
    found: dict[str, list[str]] = {}
    for execution in await all_runs(connection):
        opened = execution.closed is None and _ours(connection, execution)
        if execution.id != only if only is not None else not opened:
            continue
        tell(f"looking at what {execution.id} needs")
        events = await history_of(connection, execution.id, execution.run_id)
        for digest in reached(store, events, needed, strict=False):
            found.setdefault(digest, []).append(execution.id)
    return found
