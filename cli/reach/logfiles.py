"""The logs of a run: its own from the journal, those of its phases from the files here or a copy in the artifact store.

A file here is what its worker wrote. Where the workers may be elsewhere (no server of the project's own) the run's own
log comes from the run itself, and of a phase the copy that its last agent left counts, unless that ran on this host.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from activities.places import run_directory
from cli.exits import NotFoundError
from cli.reach.ended import archived
from cli.reach.runs import Run, ServerRun, described_run
from engine.errors import PhaseloomError, UnreachableError

if TYPE_CHECKING:
    from cli.reach.following import Follower

Json = dict[str, Any]

POLL = 0.2
LOOK_SECONDS = 2.0
"""Seconds between two questions to a server about a run, or a phase, that may have ended."""

ORCHESTRATOR = "orchestrator.log"
HOSTS = 5


async def log_of(run: Run, root: Path, phase: int | str | None) -> Path:
    """Where the log of the run, or of one of its phases, is or would be."""
    folder = run_directory(root, run.id) / "logs"
    if phase is None:
        return folder / ORCHESTRATOR
    if isinstance(phase, int):
        return folder / f"phase-{(await run.phase(phase))['id']}.log"
    direct = folder / f"phase-{phase}.log"
    if "/" not in phase and direct.exists():  # it is there by that name: nobody needs to be asked
        return direct
    return folder / f"phase-{(await run.phase(phase))['id']}.log"


def last_lines(path: Path, count: int | None) -> tuple[list[str], int]:
    """The last `count` lines (None: all) and where the file ended then; nothing where there is none."""
    try:
        with path.open("rb") as file:
            kept = deque(file, maxlen=count)
            return [line.decode(errors="replace").rstrip("\n") for line in kept], file.tell()
    except FileNotFoundError:
        return [], 0


async def run_lines(run: Run, path: Path) -> list[str]:
    """The lines of the run's own log: of its file where the worker is here, else as the run tells them."""
    if is_here(run):
        found, position = last_lines(path, None)
        if position:
            return found
    return await from_journal(run)


async def phase_lines(run: Run, root: Path, phase: int | str, path: Path, count: int | None) -> list[str]:
    """The last lines of a phase's log, wherever they are to be had; raises NotFoundError, with why, where nowhere."""
    copied = None if is_here(run) else await _copy(run, root, phase, path)
    if copied is not None:
        return copied[-count:] if count else [] if count == 0 else copied
    found, position = last_lines(path, count)
    if position:
        return found
    raise await no_log(run, phase, path)


def is_here(run: Run) -> bool:
    """Whether everything about the run happens on this machine: its server is the project's own."""
    return isinstance(run, ServerRun) and run.connection.embedded


async def _copy(run: Run, root: Path, phase: int | str, path: Path) -> list[str] | None:
    """The log of a phase as it was copied to the store; None where it was not, or its worker has written `path`."""
    from activities.leftovers import this_host  # noqa: PLC0415 - only for runs whose workers may be elsewhere
    from cli.reach.store import project_store  # noqa: PLC0415

    told = copy_told(await run.phase(phase))
    if told is None or (told.get("host") == this_host() and await asyncio.to_thread(path.exists)):
        return None
    try:
        content = await asyncio.to_thread(project_store(root).get_bytes, told["sha256"])
    except PhaseloomError:
        return None
    return content.decode(errors="replace").splitlines()


def copy_told(details: Json) -> Json | None:
    """Where the newest copy of a phase's log is, as its agents have told: `{sha256, size, host}`."""
    told = [details.get("error") or {}, *reversed(details.get("results") or [])]
    return next((each["log"] for each in told if isinstance(each.get("log"), dict)), None)


async def added_lines(run: Run, root: Path, path: Path, position: int) -> AsyncIterator[list[str]]:
    """What is written to the file from `position` on, until the run has ended and nothing more comes."""
    rest = b""
    ends = Ends(run, root)
    while True:
        ended = await ends.seen()
        added = _from(path, position)
        position += len(added)
        *whole, rest = (rest + added).split(b"\n")
        if ended and not added:
            yield [line.decode(errors="replace") for line in (*whole, rest) if line or whole]
            return
        yield [line.decode(errors="replace") for line in whole]
        await asyncio.sleep(POLL)


class Ends:
    """Whether a run has ended: at once by its archive, where that is elsewhere by the server, now and then."""

    def __init__(self, run: Run, root: Path) -> None:
        self.run = run
        self.root = root
        self._asked = time.monotonic()

    async def seen(self) -> bool:
        """Whether it is known to have ended."""
        if self.run.ended is not None or archived(self.root, self.run.id) is not None:
            return True
        if not isinstance(self.run, ServerRun) or time.monotonic() - self._asked < LOOK_SECONDS:
            return False
        self._asked = time.monotonic()
        try:
            described = await described_run(self.run.connection, self.run.id)
        except UnreachableError:
            return False
        return described is None or described.closed is not None


def _from(path: Path, position: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(position)
            return file.read()
    except FileNotFoundError:
        return b""


async def from_journal(run: Run) -> list[str]:
    """The lines of the run's own log, where its file is on another host."""
    lines: list[str] = []
    since = 0
    while True:
        answer = await run.journal(since)
        lines += answer["lines"]
        if answer["next"] == since:
            return lines
        since = answer["next"]


async def journal_added(follower: Follower) -> AsyncIterator[list[str]]:
    """The lines of the run's own log, all and then what comes, from the run itself, until it has ended."""
    from engine.expansion import PhasePlans  # noqa: PLC0415 - only here
    from engine.journal import lines  # noqa: PLC0415

    plans = PhasePlans(await follower.run.plan())
    async for facts in follower.news():
        for fact in facts:
            plans.follow(fact)
        yield list(lines(plans, follower.run.id, facts))


async def only_last(source: AsyncIterator[list[str]], count: int | None) -> AsyncIterator[list[str]]:
    """What comes, but of what there was before the first pause only the last `count` lines (None: all)."""
    before: list[str] | None = [] if count is not None else None
    async for lines in source:
        if before is None or count is None:
            yield lines
        elif lines:
            before = [*before, *lines][-count:] if count else []
        else:
            yield before
            before = None
    if before:
        yield before


async def elsewhere_added(
    run: Run, root: Path, phase: int | str, path: Path, tell: Callable[[str], None]
) -> AsyncIterator[list[str]]:
    """The log of a phase that runs on another host: its copy as soon as an agent has left one, and again a newer one.

    `tell` is told once where it can be followed meanwhile. As soon as there is a file here that is followed.
    """
    shown: list[str] = []
    told = False
    ends = Ends(run, root)
    while True:
        ended = await ends.seen()
        if await asyncio.to_thread(path.exists):
            async for added in added_lines(run, root, path, 0):
                yield added
            return
        copied = await _copy(run, root, phase, path)
        if copied is not None and copied != shown:
            yield copied[len(shown) :] if copied[: len(shown)] == shown else copied
            shown = copied
        if ended:
            if not shown:
                raise await no_log(run, phase, path)
            return
        if not told and copied is None and (hosts := await hosts_of(run)):
            told = True
            tell(f"agents of this run work on {hosts}: follow there; here the log comes when one has ended")
        await asyncio.sleep(LOOK_SECONDS)


async def no_log(run: Run, phase: int | str, path: Path) -> NotFoundError:
    """Why a phase has no log here."""
    details = await run.phase(phase)
    if "items" in details:
        return NotFoundError(
            f"{details['name']} runs once per item, and each has a log of its own",
            hint=f"phaseloom workflow logs {details['id']}.0",
        )
    if (told := copy_told(details)) is not None:
        return NotFoundError(
            f"the log of {details['name']} is on {told['host']}, and its copy is not in the artifact store here",
            hint=f"there it is {path.name}; workers and clients of a project share .phaseloom/artifacts",
        )
    if details["started_at"] is not None and not path.parent.exists() and run.ended is not None:
        return NotFoundError(
            f"the logs of {run.id} have been removed", hint="logs.keep in phaseloom.yaml says how long they stay"
        )
    state = "has not started" if details["started_at"] is None else "has no log here"
    hint = f"people leave none; an agent's is on its worker's host: {path.name}"
    if details["started_at"] is not None and (hosts := await hosts_of(run)):
        hint = f"agents of this run work on {hosts}; the log is there: {path.name}"
    return NotFoundError(f"{details['name']} {state}", hint=hint)


async def hosts_of(run: Run) -> str:
    """The hosts whose workers have agents of an open run now; empty where nobody is known."""
    if not isinstance(run, ServerRun) or run.connection.embedded:
        return ""
    try:
        described = await run.connection.reader.described(run.id, seconds=LOOK_SECONDS)
    except Exception:  # noqa: BLE001 - beside what was asked for: an answer without it is better than none
        return ""
    hosts = sorted({identity.partition("@")[2] for identity in described.workers if "@" in identity})
    more = f" and {len(hosts) - HOSTS} more" if len(hosts) > HOSTS else ""
    return f"{', '.join(hosts[:HOSTS])}{more}"
