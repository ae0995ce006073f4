"""A run on a screen: lines as they come and, on a terminal, what is at work below them, with its time running."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol, Self

from cli.console import is_terminal, write
from cli.words.durations import duration

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live

ROWS = 8
REFRESHES = 8

STYLES = {"✓": "green", "✗": "red", "⊘": "yellow", "↷": "yellow", "⟳": "cyan", "‖": "yellow"}


class Screen(Protocol):
    """Where a run is told."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(self, *_: object) -> None:
        """Leave the screen as it is."""

    def lines(self, lines: Iterable[str]) -> None:
        """Add lines; they stay."""

    def working(self, phases: dict[str, float]) -> None:
        """Show which phases are at work, and since when (seconds since 1970)."""


def screen(*, quiet: bool = False) -> Screen:
    """The screen for stdout as it is: live on a terminal, plain lines elsewhere, nothing when `quiet`."""
    if quiet:
        return Silence()
    return LiveScreen() if is_terminal(sys.stdout) else PlainScreen()


class Silence:
    """For `--json`: nothing is shown."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def lines(self, lines: Iterable[str]) -> None:
        """Nothing."""

    def working(self, phases: dict[str, float]) -> None:
        """Nothing."""


class PlainScreen(Silence):
    """Lines without any control character, each written at once."""

    def lines(self, lines: Iterable[str]) -> None:
        """Print them."""
        write(sys.stdout, "".join(f"{line}\n" for line in lines))


class LiveScreen:
    """A terminal: lines scroll up, below them a spinner and the elapsed time of each phase at work."""

    def __init__(self) -> None:
        from rich.console import Console  # noqa: PLC0415 - 50 ms that only a terminal pays
        from rich.live import Live  # noqa: PLC0415
        from rich.spinner import Spinner  # noqa: PLC0415

        self._console: Console = Console(no_color=bool(os.environ.get("NO_COLOR")), highlight=False, soft_wrap=True)
        self._spinner = Spinner("dots")
        self._phases: dict[str, float] = {}
        self._live: Live = Live(
            console=self._console,
            refresh_per_second=REFRESHES,
            transient=True,
            get_renderable=self._rows,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._phases = {}
        self._live.stop()

    def lines(self, lines: Iterable[str]) -> None:
        """Print them above what is at work."""
        from rich.text import Text  # noqa: PLC0415 - loaded by then

        for line in lines:
            text = Text(line)
            mark = line.lstrip()[:1]
            if mark in STYLES:
                at = line.index(mark)
                text.stylize(STYLES[mark], at, at + 1)
            self._console.print(text)

    def working(self, phases: dict[str, float]) -> None:
        """Show these below the lines."""
        changed = self._phases.keys() != phases.keys()
        self._phases = dict(phases)
        if changed:
            self._live.refresh()  # lines are printed above what was drawn last

    def _rows(self) -> RenderableType:
        from rich.console import Group  # noqa: PLC0415 - loaded by then
        from rich.text import Text  # noqa: PLC0415

        now = time.time()
        spin = self._spinner.render(time.monotonic())
        rows: list[RenderableType] = []
        for name, began in list(self._phases.items())[:ROWS]:
            rows.append(Text.assemble("  ", spin if isinstance(spin, Text) else "", f" {name} {duration(now - began)}"))
        if len(self._phases) > ROWS:
            rows.append(Text(f"  … and {len(self._phases) - ROWS} more"))
        return Group(*rows)
