"""Staying with a run until it ends: what Ctrl-C, a hang-up and waiting for people do to `run` and `watch`.

`run` owns its run: Ctrl-C cancels it and waits until its agents are gone, a second Ctrl-C leaves at once; SIGHUP and
SIGTERM leave it alone. `watch` only looks: everything leaves the run alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from dataclasses import dataclass, field
from typing import Any

from cli.console import Console
from cli.exits import Exit
from cli.live import Screen
from cli.reach.following import Follower, waits_for_people
from cli.words.narration import Narration
from engine.errors import PhaseloomError, RefusedError

Json = dict[str, Any]

RECENT = 30
"""Lines of the past that `watch` shows when it joins a run."""

ENDINGS = {"completed": Exit.OK, "failed": Exit.FAILED, "cancelled": Exit.FAILED}


@dataclass(kw_only=True)
class Attendance:
    """One command's stay with one run. `people`: the run may need them; `stays`: a person is in front of it."""

    follower: Follower
    narration: Narration
    screen: Screen
    console: Console
    owner: bool
    stays: bool
    people: bool = True
    actor: str = ""
    recent_only: bool = False
    _left: asyncio.Future[Exit] = field(init=False, repr=False)
    _asked: bool = field(default=False, init=False)
    _cancelling: bool = field(default=False, init=False)
    _told_waiting: bool = field(default=False, init=False)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set, init=False)

    @property
    def id(self) -> str:
        """The run's id."""
        return self.follower.run.id

    async def follow(self) -> Exit:
        """Tell the run until it ends or is left; returns the command's exit code."""
        loop = asyncio.get_running_loop()
        self._left = loop.create_future()
        loop.add_signal_handler(signal.SIGINT, self._interrupted)
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._leave, Exit.DETACHED)
        told = asyncio.create_task(self._tell())
        try:
            await asyncio.wait({told, self._left}, return_when=asyncio.FIRST_COMPLETED)
            if told.done() and not self._left.done():
                return told.result()
            return self._left.result()
        finally:
            told.cancel()
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                loop.remove_signal_handler(number)
            self._stop_listening()

    async def summary(self) -> Json:
        """The run as it is now, for `--json`."""
        view: Json | None = None
        with contextlib.suppress(PhaseloomError):
            view = await self.follower.last_view() if self.narration.status else await self.follower.run.view()
        status = self.narration.status or (view or {}).get("status", "running")
        return {"run": self.id, "status": status, "detached": self.narration.status is None, "view": view}

    # What happens

    async def _tell(self) -> Exit:
        first = True
        look = False
        async for facts in self.follower.news():
            lines = [line for fact in facts for line in self.narration.feed(fact)]
            if first and self.recent_only and len(lines) > RECENT:
                lines = [f"… {len(lines) - RECENT} earlier lines: phaseloom workflow logs", *lines[-RECENT:]]
            first = False
            phases = self.narration.plan.phases
            self.screen.working({phases[index].id: began for index, began in self.narration.running.items()})
            self.screen.lines(lines)
            if facts:
                look, self._told_waiting = True, False
            elif look and self.people_may_be_needed:
                look = False
                if await self._waits() and not self.stays:
                    self._say_detached("waits for a person; it goes on without this command")
                    return Exit.DETACHED
        await self._until_archived()
        if self.narration.status == "cancelled" and self._cancelling:
            return Exit.INTERRUPTED
        return ENDINGS.get(self.narration.status or "", Exit.FAILED)

    @property
    def people_may_be_needed(self) -> bool:
        """Whether it makes sense to ask: somebody pauses a run, a phase has failed, or people take part."""
        return self.people or bool(self.narration.facts and not self.narration.running)

    async def _waits(self) -> bool:
        """Whether nothing moves until somebody comes; says so once each time."""
        try:
            view = await self.follower.run.view(limit=0)
        except PhaseloomError:
            return False
        if not waits_for_people(view):
            return False
        if not self._told_waiting and self.stays:
            self._told_waiting = True
            self.screen.lines([*_why(view), "‖ Waiting for somebody; from another terminal: phaseloom workflow status"])
        return True

    async def _until_archived(self) -> None:
        with contextlib.suppress(PhaseloomError):
            await self.follower.last_view()

    # What comes from outside

    def _interrupted(self) -> None:
        if not self.owner:
            self._leave(Exit.INTERRUPTED)
        elif self._cancelling:
            self._say("left at once; the run is still being cancelled")
            self._finish(Exit.INTERRUPTED)
        elif self.people and self.stays and not self._asked:
            self._ask()
        else:
            self._cancelling = True
            self._stop_listening()
            self._say("cancelling the run and waiting until its agents are gone (Ctrl-C again leaves at once)")
            self._begin(self._cancel())

    def _ask(self) -> None:
        self._asked = True
        self._say("people take part in this run. Ctrl-C again: cancel it. d, Enter: leave it running. Enter: go on")
        with contextlib.suppress(OSError, ValueError, NotImplementedError):  # no stdin to read from
            asyncio.get_running_loop().add_reader(sys.stdin, self._answered)

    def _answered(self) -> None:
        answer = sys.stdin.readline().strip().lower()
        self._stop_listening()
        self._asked = False
        if answer == "d":
            self._leave(Exit.DETACHED)

    def _stop_listening(self) -> None:
        with contextlib.suppress(OSError, ValueError, NotImplementedError):
            asyncio.get_running_loop().remove_reader(sys.stdin)

    async def _cancel(self) -> None:
        payload = {"actor": self.actor, "note": "interrupted with Ctrl-C"}
        try:
            if await self.follower.run.send("cancel", payload) is None:
                self._say("no worker answers now; the run is cancelled as soon as one does")
        except RefusedError:
            return  # it ends already
        except PhaseloomError as error:
            self._cancelling = False
            self._say(f"the run could not be cancelled: {error.message}")

    def _begin(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _leave(self, code: Exit) -> None:
        self._say_detached("goes on without this command")
        self._finish(code)

    def _finish(self, code: Exit) -> None:
        if not self._left.done():
            self._left.set_result(code)

    def _say_detached(self, state: str) -> None:
        self._say(f"{self.id} {state}")
        self._say(f"see: phaseloom workflow status --run {self.id}; follow: phaseloom workflow watch --run {self.id}")

    def _say(self, text: str) -> None:
        self.console.note(text)


def _why(view: Json) -> list[str]:
    return [f"‖ {view['pause']['text']}"] if view["pause"] is not None else []
