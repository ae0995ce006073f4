"""What an attempt's commands have used, as the system accounts it: processor, memory, disk; and how many there were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

UNKNOWN = -1
"""What a keeper says of a number that its system does not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandUsage:
    """One command with all that it started. Bytes are those that reached a disk; None is not measured.

    `memory_peak` is the most that its largest process held at once. A process smaller than the keeper that started
    it (about 10 MB) counts as large as the keeper.
    """

    cpu_seconds: float
    memory_peak: int | None = None
    read_bytes: int | None = None
    write_bytes: int | None = None

    @classmethod
    def told(cls, numbers: Sequence[int]) -> CommandUsage:
        """From a keeper's numbers: milliseconds and three times bytes."""
        milliseconds, memory, read, written = (None if number == UNKNOWN else number for number in numbers)
        return cls(cpu_seconds=(milliseconds or 0) / 1000, memory_peak=memory, read_bytes=read, write_bytes=written)


class Usage:
    """The sum over the commands of one attempt; `calls` counts them, its acceptance tests too."""

    def __init__(self) -> None:
        self.calls = 0
        self._measured: list[CommandUsage] = []

    def add(self, usage: CommandUsage | None) -> None:
        """One more command; None is one that could not be measured."""
        self.calls += 1
        if usage is not None:
            self._measured.append(usage)

    def to_json(self) -> Json | None:
        """`{calls, cpu_seconds, memory_peak, read_bytes, write_bytes}`, without what was not measured."""
        if not self.calls:
            return None
        told: Json = {"calls": self.calls}
        if len(self._measured) < self.calls:
            return told  # a sum over some of them would say too little
        told["cpu_seconds"] = round(sum(each.cpu_seconds for each in self._measured), 3)
        for name, whole in (("memory_peak", max), ("read_bytes", sum), ("write_bytes", sum)):
            numbers = [getattr(each, name) for each in self._measured]
            if None not in numbers:
                told[name] = whole(numbers)
        return told
