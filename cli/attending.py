"""Staying with a run until it ends: what Ctrl-C, a hang-up and waiting for people do to `run` and `watch`.

`run` owns its run: Ctrl-C cancels it and waits until its agents are gone, a second Ctrl-C leaves at once; SIGHUP and
SIGTERM leave it alone. `watch` only looks: everything leaves the run alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from cli.console import Console
from cli.exits import Exit
from cli.live import Screen
from cli.reach.following import Follower, waits_for_people
from cli.words.narration import Narration
from engine.errors import PhaseloomError, RefusedError

Json = dict[str, Any]
T = TypeVar("T")

RECENT = 30
"""Lines of the past that `watch` shows when it joins a run."""

FORESIGHT_SECONDS = 1.0

ENDINGS = {"completed": Exit.OK, "failed": Exit.FAILED, "cancelled": Exit.FAILED}


async def begun(starting: Coroutine[Any, Any, T]) -> tuple[T, bool]:
    """What a start returns, and whether Ctrl-C was typed meanwhile: the run may have begun by then."""
    task = asyncio.ensure_future(starting)
    try:
        return await asyncio.shield(task), False
    except asyncio.CancelledError:
        if (asked := asyncio.current_task()) is not None:
            asked.uncancel()
        return await task, True


@dataclass(kw_only=True)
class Attendance:
    """One command's stay with one run. `people`: the run may need them; `stays`: a person is in front of it.

    `lengths` are the seconds (at the least, at the most) that phases took in earlier runs, by index.
    """

    follower: Follower
    narration: Narration
    screen: Screen
    console: Console
    owner: bool
    stays: bool
    people: bool = True
    actor: str = ""
    recent_only: bool = False
    interrupted: bool = False
    """Whether Ctrl-C was typed while the run was being started."""
    lengths: Mapping[int, tuple[float, float]] = field(default_factory=dict, init=False)
    _foreseen: int = field(default=0, init=False)
    _foreseen_at: float = field(default=0.0, init=False)
    _left: asyncio.Future[Exit] = field(init=False, repr=False)
    _asked: bool = field(default=False, init=False)
    _cancelling: bool = field(default=False, init=False)
    _told_waiting: bool = field(default=False, init=False)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set, init=False)

    @property
    def id(self) -> str:
        """The run's id."""
        return self.follower.run.id

    async def stay(self) -> Exit:
        """Follow the run on its screen and print its summary where that is JSON; returns the command's exit code."""
        with self.screen:
            code = await self.follow()
        if self.console.json:
            self.console.data(await self.summary())
        return code

    async def follow(self) -> Exit:
        """Tell the run until it ends or is left; returns the command's exit code."""
        loop = asyncio.get_running_loop()
        self._left = loop.create_future()
        loop.add_signal_handler(signal.SIGINT, self._interrupted)
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._leave, Exit.DETACHED)
        told = asyncio.create_task(self._tell())
        if self.interrupted:
            self._interrupted()
        try:
            await self._wait(told)
            if told.done() and not self._left.done():
                return told.result()
            return self._left.result()
        finally:
            told.cancel()
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                loop.remove_signal_handler(number)
            self._stop_listening()

    async def _wait(self, told: asyncio.Task[Exit]) -> None:
        """Return when the run is told to its end, or left."""
        while not (told.done() or self._left.done()):
            try:
                await asyncio.wait({told, self._left}, return_when=asyncio.FIRST_COMPLETED)
            except asyncio.CancelledError:  # Ctrl-C right before this listened to it
                if (task := asyncio.current_task()) is not None:
                    task.uncancel()
                self._interrupted()

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
        await self._remember()
        async for facts in self.follower.news():
            lines = [line for fact in facts for line in self.narration.feed(fact)]
            if first and self.recent_only and len(lines) > RECENT:
                lines = [f"… {len(lines) - RECENT} earlier lines: phaseloom workflow logs", *lines[-RECENT:]]
            first = False
            self._show()
            self.screen.lines(lines)
            if facts:
                look, self._told_waiting = True, False
            elif look and self.people_may_be_needed:
                look = False
                if await self._waits() and not self.stays:
                    self._say_detached("waits for a person; it goes on without this command")
                    return Exit.DETACHED
        await self._tell_measures()
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
        behind = int(view.get("facts", 0)) > len(self.narration.facts)  # what has happened since is told first
        if behind or not waits_for_people(view):
            return False
        if not self._told_waiting and self.stays:
            self._told_waiting = True
            self.screen.lines([*_why(view), "‖ Waiting for somebody; from another terminal: phaseloom workflow status"])
        return True

    async def _remember(self) -> None:
        """What the phases took in earlier runs, where it is needed and known."""
        from cli.reach.history import measured  # noqa: PLC0415 - only in front of a terminal
        from cli.reach.runs import ServerRun  # noqa: PLC0415 - loaded by then
        from engine.forecast import rounds  # noqa: PLC0415 - only in front of a terminal

        run, plan = self.follower.run, self.narration.plan
        if self.screen.canvas is None or not isinstance(run, ServerRun):
            return
        before = await asyncio.to_thread(measured, run.connection.project.root, plan.id)
        known = {phase.index: before[phase.id] for phase in plan.phases if phase.id in before}
        workers = plan.execution.max_workers or os.cpu_count() or 1
        shares = {index: max(1, rounds(plan.phases[index], workers)) for index in known}  # a length is one item's
        self.lengths = {index: (each.low / shares[index], each.high / shares[index]) for index, each in known.items()}

    def _show(self) -> None:
        """Draw the run as it is, where there is anything to draw on; what is to come is foreseen once a second."""
        from cli.words.swimlanes import scene  # noqa: PLC0415 - loaded by then

        narration = self.narration
        if self.screen.canvas is None or not narration.facts:
            return
        if narration.status is not None:
            self.screen.show(None)
            return
        now = time.time()
        known = len(narration.facts)
        if self._foreseen == known and now - self._foreseen_at < FORESIGHT_SECONDS:
            return
        self._foreseen, self._foreseen_at = known, now
        began = narration.facts[0].at
        self.screen.show(
            scene(
                narration.plan, narration.stand, began=began, now=now, lengths=self.lengths, workers=narration.workers
            )
        )

    async def _tell_measures(self) -> None:
        """Wait for the archive; on a terminal, the table and the bars of the run follow its last lines."""
        from cli.words.measures import summary  # noqa: PLC0415 - only at a run's end

        with contextlib.suppress(PhaseloomError):
            view = await self.follower.last_view()
            if (canvas := self.screen.canvas) is not None and (lines := summary(view, canvas)):
                self.screen.lines(["", *lines])

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
        with contextlib.suppress(OSError, ValueError, NotImplementedError):  # nothing was listened to: no stdin
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
