"""Following a run: its facts as they come, through restarts of worker and server, until it has ended.

Asking is cheap (some milliseconds) and goes on every fraction of a second; the pause grows while nothing happens.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from cli.command import Where
from cli.reach.contact import target
from cli.reach.ended import LOST, again, archived
from cli.reach.runs import Run, ServerRun, described_run
from engine.errors import RefusedError, UnreachableError
from engine.facts import Fact

Json = dict[str, Any]

SHORTEST, LONGEST = 0.1, 0.5
"""Seconds between two questions: while things happen, and while nothing does."""

GROWTH = 1.3
FACTS = 200
"""Facts in one answer: with outputs of 4 KiB each it stays far below what the server lets through."""

TROUBLE_SECONDS = 3.0
"""How long nothing may answer before the user is told (once)."""

CALL_SECONDS = 2.0
LOOK_SECONDS = 2.0
"""Seconds without news after which the server is asked whether the run is still open."""

ARCHIVE_SECONDS = 10.0

OTHERS = ("person", "items")
"""What a running phase waits for that does nothing by itself; items stand for themselves."""


@dataclass(kw_only=True)
class Follower:
    """Follows one run. `tell` is called with a sentence when nothing answers for a while, and when it does again."""

    run: Run
    where: Where
    tell: Callable[[str], None]
    since: int = 0
    _silent_from: float | None = field(default=None, init=False)
    _told: bool = field(default=False, init=False)

    async def news(self) -> AsyncIterator[list[Fact]]:
        """Facts in order as they come; an empty list now and then while nothing happens. Ends with the run."""
        pause, quiet_from = SHORTEST, time.monotonic()
        if isinstance(self.run, ServerRun):
            self.run.patience = CALL_SECONDS
        while True:
            answer = await self._ask()
            if answer is None:
                await asyncio.sleep(LONGEST)
                continue
            facts = [Fact.from_json(encoded) for encoded in answer["facts"]]
            self.since = answer["next"]
            yield facts
            if any(fact.kind == "run_settled" for fact in facts):
                return
            if facts:
                pause, quiet_from = SHORTEST, time.monotonic()
                continue
            if time.monotonic() - quiet_from > LOOK_SECONDS:
                await self._check_open()
                quiet_from = time.monotonic()
            await asyncio.sleep(pause)
            pause = min(pause * GROWTH, LONGEST)

    async def _ask(self) -> Json | None:
        """The next facts; None when nothing answers now."""
        try:
            answer = await self.run.journal(self.since, FACTS)
        except UnreachableError as error:
            await self._in_trouble(error)
            return None
        except RefusedError:
            if (ended := self._archive()) is None:
                raise
            self.run = ended
            return await ended.journal(self.since, FACTS)
        if self._told:
            self.tell("it answers again")
        self._silent_from, self._told = None, False
        return answer

    async def _in_trouble(self, error: UnreachableError) -> None:
        now = time.monotonic()
        self._silent_from = self._silent_from or now
        # The first answer that failed had been waited for already.
        if not self._told and now - self._silent_from >= TROUBLE_SECONDS - CALL_SECONDS:
            self._told = True
            self.tell(f"{error.message.splitlines()[0]}; waiting for it to come back")
        if isinstance(self.run, ServerRun):
            await self._reconnect(self.run)

    async def _reconnect(self, run: ServerRun) -> None:
        """A new connection: it starts a server again that nobody keeps alive any more."""
        from cli.embedded.connect import connect  # noqa: PLC0415 - loaded by then

        try:
            run.connection = await connect(run.connection.project.root, target(self.where))
        except UnreachableError:
            return

    async def _check_open(self) -> None:
        """Raise RefusedError when the run is over without having said so (terminated at the server)."""
        if not isinstance(self.run, ServerRun):
            if self.run.ended == LOST:
                raise RefusedError(f"the server has no record of the run {self.run.id}", hint=again(self.run.id))
            return
        try:
            described = await described_run(self.run.connection, self.run.id)
        except UnreachableError:
            return
        if described is None:
            raise RefusedError(f"the run {self.run.id} is not on the server any more")
        closed = described.closed
        if closed is not None and self._archive() is None:
            raise RefusedError(f"the run {self.run.id} was ended by the server ({closed})")

    def _archive(self) -> Run | None:
        return archived(self.run.connection.project.root, self.run.id) if isinstance(self.run, ServerRun) else None

    async def last_view(self) -> Json:
        """The run's state once its last fact has come, from its archive as soon as that is there."""
        ends = time.monotonic() + ARCHIVE_SECONDS
        while isinstance(self.run, ServerRun):
            if (ended := self._archive()) is not None:
                return await ended.view()
            if time.monotonic() > ends:
                break
            if not self.run.connection.embedded and await self._is_closed(self.run):
                break  # another host has the archive
            await asyncio.sleep(SHORTEST / 4)
        return await self.run.view()

    async def _is_closed(self, run: ServerRun) -> bool:
        described = await described_run(run.connection, run.id)
        return described is None or described.closed is not None


def waits_for_people(view: Json) -> bool:
    """Whether nothing moves any more until somebody comes."""
    if view["ended_at"] is not None or view["stopping"]:
        return False
    if view["status"] == "paused":
        return all(row.get("waits_for") in OTHERS for row in view["active"])
    reasons = {entry["for"] for entry in view["waiting"]}
    at_work = view["slots_used"] > 0 or any(row.get("waits_for") not in OTHERS for row in view["active"])
    return bool(reasons) and not at_work and reasons <= {"person", "decision", "signal"}
