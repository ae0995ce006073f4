"""What a command prints: masked and capped to the log; its stdout, for outputs; its last lines, for failures."""

from __future__ import annotations

import asyncio
from typing import Literal

from activities.logs import LogFile
from activities.masking import Masker, mask_bytes

Stream = Literal["stdout", "stderr"]

LONGEST_LINE = 64 * 1024
"""Bytes after which a line without an end is broken, so that nothing piles up in memory."""

TAIL = 2000
"""Bytes of the last output that a failure carries."""


COMPLAINT = 160
"""Characters of the last line of stderr that a failure is told with."""


KEPT_END = 1024 * 1024
"""Bytes of the end of an attempt's output that its log keeps, however much there was before (a quarter of less)."""


class AttemptLog:
    """The part of a phase's log that one attempt may fill: what comes first, and the end; lines say what is missing.

    What does not fit at first is held back, and the last of it is written by `finish`, when nothing more can come.
    """

    def __init__(self, log: LogFile, *, limit: int, label: str) -> None:
        self.log = log
        self.label = label
        self._end = min(KEPT_END, limit // 4)
        self._head = self.left = limit - self._end
        self._held = bytearray()
        self._dropped = 0

    async def write(self, lines: bytes) -> None:
        """Append whole lines, as many as still fit, and hold the others back."""
        fitting = lines
        if self._held or len(lines) > self.left:
            fitting = b"" if self._held else lines[: lines.rfind(b"\n", 0, max(self.left, 0)) + 1]
            await self.log.write(fitting)
            await self._hold(lines[len(fitting) :])
            return
        self.left -= len(fitting)
        await self.log.write(fitting)

    async def _hold(self, lines: bytes) -> None:
        self._held += lines
        if len(self._held) <= 2 * self._end:
            return
        if not self._dropped:
            text = f"Output cut here, after {_size(self._head)}; its last {_size(self._end)} follow when it has ended"
            await self.log.say("WARNING", f"{self.label} - {text}")
        self._dropped += self._shorten()

    def _shorten(self) -> int:
        """Forget all but the end of what is held back, from the beginning of a line; how much that was."""
        first = len(self._held) - self._end
        start = self._held.find(b"\n", first - 1) + 1
        forgotten = start if 0 < start < len(self._held) else first
        del self._held[:forgotten]
        return forgotten

    @property
    def holds_back(self) -> bool:
        """Whether there is something for `finish` to write."""
        return bool(self._held)

    async def finish(self) -> None:
        """Write the end of what did not fit."""
        if len(self._held) > self._end:
            self._dropped += self._shorten()
        if self._dropped:
            await self.log.say("WARNING", f"{self.label} - {_size(self._dropped)} left out; the end of the output:")
        held, self._held = bytes(self._held), bytearray()
        await self.log.write(held)


class Output:
    """Takes what one command prints on its two streams, in the order of arrival."""

    def __init__(self, log: AttemptLog, secrets: tuple[bytes, ...], *, capture: int = 0) -> None:
        self.log = log
        self.secrets = secrets
        self.capture = capture
        self.stdout = bytearray()
        self.truncated = False
        self._order = asyncio.Lock()
        self._maskers: dict[Stream, Masker] = {"stdout": Masker(secrets), "stderr": Masker(secrets)}
        self._partial: dict[Stream, bytes] = {"stdout": b"", "stderr": b""}
        self._last = bytearray()
        self._complaint = bytearray()
        self._keep = TAIL * 2 + max(map(len, secrets), default=0)
        self._forgot = False

    async def write(self, stream: Stream, data: bytes) -> None:
        """Take one chunk."""
        async with self._order:
            if stream == "stdout":
                self._capture(data)
            else:
                self._complaint = (self._complaint + data)[-self._keep :]
            self._remember(data)
            text = self._partial[stream] + self._maskers[stream].feed(data)
            end = text.rfind(b"\n") + 1
            lines, rest = text[:end], text[end:]
            if len(rest) > LONGEST_LINE:
                lines, rest = lines + rest + b"\n", b""
            self._partial[stream] = rest
            await self.log.write(lines)

    async def finish(self) -> None:
        """Write what has no line end, once nothing more can come."""
        async with self._order:
            for stream, masker in self._maskers.items():
                rest = self._partial[stream] + masker.end()
                if rest:
                    await self.log.write(rest + b"\n")
                self._partial[stream] = b""

    def tail(self) -> str:
        """The last lines of both streams, masked."""
        masked = mask_bytes(bytes(self._last), self.secrets)
        if self._forgot:  # the start may be the rest of a secret
            masked = masked[max(map(len, self.secrets), default=0) :]
        if len(masked) > TAIL:
            masked = masked[-TAIL:]
            masked = masked[masked.find(b"\n", 0, TAIL // 2) + 1 :]
        return masked.decode(errors="replace").rstrip()

    def complaint(self) -> str:
        """The last line of stderr that says anything, masked: what most programs end with when they fail."""
        text = bytes(self._complaint)
        if len(text) >= self._keep:  # the start may be the rest of a secret
            text = text[max(map(len, self.secrets), default=0) :]
        lines = mask_bytes(text, self.secrets).decode(errors="replace").split("\n")
        last = next((line for line in map(str.strip, reversed(lines)) if line), "")
        return last if len(last) <= COMPLAINT else f"{last[: COMPLAINT - 1]}…"

    def _capture(self, data: bytes) -> None:
        room = self.capture - len(self.stdout)
        self.stdout += data[:room]
        self.truncated = self.truncated or len(data) > room

    def _remember(self, data: bytes) -> None:
        self._last += data[-self._keep :]
        excess = len(self._last) - self._keep
        if excess > 0 or len(data) > self._keep:
            self._forgot = True
            del self._last[: max(excess, 0)]


def _size(count: int) -> str:
    for unit, name in ((1024 * 1024, "MiB"), (1024, "KiB")):
        if count >= unit:
            return f"{round(count / unit, 1):g} {name}"
    return f"{count} bytes"
