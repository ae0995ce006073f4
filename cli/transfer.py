"""How far a long look at, or transfer of, artifacts has come: a line on a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cli.console import is_terminal

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Transfer:
    """What is told while it lasts; without a terminal nothing is."""

    def __init__(self, shown: Progress | None = None, task: TaskID | None = None) -> None:
        self._shown = shown
        self._task = task

    def tell(self, text: str) -> None:
        """Say what is done now."""
        if self._shown is not None and self._task is not None:
            self._shown.update(self._task, description=text)

    def more(self, size: int) -> None:
        """So many bytes more have come."""
        if self._shown is not None and self._task is not None:
            self._shown.advance(self._task, size)


@contextmanager
def transfer(text: str, *, total: int | None = None, quiet: bool = False) -> Iterator[Transfer]:
    """Tell on stderr, as long as the block lasts, how much of `total` bytes has come."""
    if quiet or not is_terminal(sys.stderr):
        yield Transfer()
        return
    from rich.console import Console  # noqa: PLC0415 - only a terminal pays for it
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn  # noqa: PLC0415

    columns = [TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn()]
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        yield Transfer(shown, shown.add_task(text, total=total))
