"""What an agent tells the others while it works, and what it is told of them: files, so that no agent has an address.

- `$PHASELOOM_PUBLISH`: the JSON value in it is the agent's report. Only the last one counts, half of one never.
- `$PHASELOOM_ASK`: when this file appears, what runs beside the agent is written to `$PHASELOOM_SIBLINGS`, whole and of
  one moment; then the file goes. Until the agent asks again nothing touches `$PHASELOOM_SIBLINGS`.

An agent that does neither costs two looks at the disk a few times a second, and nothing else.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import stat
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

from activities.artifacts import ArtifactStore, resolve
from activities.board import Board
from activities.finishing import to_the_end
from activities.masking import mask_json
from activities.scratch import Scratch
from engine.errors import RefusedError, UnreachableError, WorkspaceError
from engine.plan import Json
from engine.progress import check_value

POLL = 0.25
"""Seconds between two looks at the files."""

SETTLED = 1.0
"""Seconds after which a file that has not changed is as its writer wants it."""

LARGEST_FILE = 64 * 1024
"""Bytes of a report as it is written; what is sent is a quarter of that at most."""

LINES = 20
"""Different complaints that an agent's log gets."""

AGAIN = 1.0
"""Seconds between tries while the run cannot be reached."""

FULL = 30.0
"""Seconds between tries while the run has no room for reports."""

OUTPUTS = 1024 * 1024
"""Bytes of stored outputs that a snapshot is filled up with; larger ones stay references, with a path."""

Signature = tuple[int, int, int]
logger = logging.getLogger("phaseloom.worker")


class Exchange:
    """The exchange of one attempt. `say` writes a line to the agent's log."""

    def __init__(
        self,
        files: Scratch,
        board: Board,
        *,
        store: ArtifactStore,
        secrets: tuple[bytes, ...],
        say: Callable[[str], Awaitable[None]],
    ) -> None:
        self.files = files
        self.board = board
        self.store = store
        self.secrets = secrets
        self.say = say
        self._said: set[str] = set()
        self._seen: Signature | None = None
        self._last: str | None = None
        """The report that was found last, as JSON."""
        self._unsent: str | None = None
        self._report_at = 0.0
        self._answer_at = 0.0

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Carry on the exchange while a process of the agent runs."""
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})
            if not task.cancelled() and (error := task.exception()) is not None:
                logger.error("the exchange of %s has ended", self.files.directory.name, exc_info=error)

    async def _watch(self) -> None:
        while True:
            await self._find_report()
            await self._report()
            await self._answer()
            await asyncio.sleep(POLL)

    # Reports

    async def _find_report(self) -> None:
        """Look whether there is a new report."""
        signature = _signature(self.files.publish)
        if signature is None or signature == self._seen:
            return
        settled = time.time() - signature[1] / 1e9 > SETTLED
        if settled:
            self._seen = signature  # else the next change may come within the grain of the file's time
        try:
            found = await asyncio.to_thread(_read, self.files.publish)
            text = _as_sent(mask_json(_parsed(found), self.secrets))
        except ValueError as error:
            if settled:  # it may be half of a value as yet
                await self._say_once(f"$PHASELOOM_PUBLISH is not published: {error}")
        except RefusedError as error:
            await self._say_once(f"$PHASELOOM_PUBLISH is not published: {error.message}")
        except OSError as error:
            await self._say_once(f"$PHASELOOM_PUBLISH cannot be read: {error.strerror}")
        else:
            if text != self._last:
                self._last = self._unsent = text

    async def _report(self) -> None:
        text = self._unsent
        if text is None or time.monotonic() < self._report_at:
            return
        try:
            pause = await self.board.report(json.loads(text))
        except UnreachableError as error:
            self._report_at = time.monotonic() + AGAIN
            await self._say_once(f"The report waits to be published: {error.message}")
            return
        if pause is None:
            self._report_at = time.monotonic() + FULL
            await self._say_once("Reports are no longer published: the history of the run has no room for more")
            return
        self._unsent = None
        self._report_at = time.monotonic() + pause

    # Snapshots

    async def _answer(self) -> None:
        asked = _signature(self.files.ask)
        if asked is None or time.monotonic() < self._answer_at:
            return
        try:
            found = await self.board.siblings()
            await to_the_end(asyncio.to_thread(self._hand_over, found))
        except (UnreachableError, OSError) as error:
            self._answer_at = time.monotonic() + AGAIN
            await self._say_once(f"$PHASELOOM_ASK waits for an answer: {error}")
            return
        if _signature(self.files.ask) == asked:  # else somebody has asked again meanwhile
            with suppress(OSError):
                self.files.ask.unlink()

    def _hand_over(self, found: Json) -> None:
        with suppress(WorkspaceError):  # stored where another worker is: the references say as much
            found = resolve(found, self.store, OUTPUTS, fetch=False)
        new = self.files.siblings.with_suffix(".new")
        new.write_text(json.dumps(found, indent=1), encoding="ascii")
        new.replace(self.files.siblings)

    async def _say_once(self, text: str) -> None:
        if text not in self._said and len(self._said) < LINES:
            self._said.add(text)
            await self.say(text)


def _signature(path: Path) -> Signature | None:
    """What changes with each writing of a file; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_ino, found.st_mtime_ns, found.st_size) if stat.S_ISREG(found.st_mode) else None


def _read(path: Path) -> bytes:
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # never waits, whatever has taken the file's place
    with open(fd, "rb") as file:  # noqa: PTH123 - of a descriptor
        data = file.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise RefusedError(f"the file is larger than {LARGEST_FILE // 1024} KiB")
    return data


def _parsed(data: bytes) -> Any:
    """The JSON value; raises ValueError where it is none (yet)."""
    try:
        return json.loads(data, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise ValueError("it is not JSON") from None


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON number")


def _as_sent(value: Any) -> str:
    """A report as it is sent, without what is no character; raises RefusedError where no run would take it."""
    check_value(value)
    return json.dumps(value, ensure_ascii=False).encode(errors="replace").decode()
