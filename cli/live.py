"""A run on a screen: lines as they come and, on a terminal, a lane per phase below them, with the time running."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol, Self

from cli.console import is_terminal, write

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live
    from rich.text import Text

    from cli.words.bars import Canvas
    from cli.words.swimlanes import Scene

LANES = 20
"""The most lanes that are shown, on however high a terminal."""

BESIDE = 8
"""Rows of a terminal that are left to the lines above the lanes, and to what stands below them."""

REFRESHES = 4

STYLES = {"✓": "green", "✗": "red", "⊘": "yellow", "↷": "yellow", "⟳": "cyan", "‖": "yellow"}


class Screen(Protocol):
    """Where a run is told."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(self, *_: object) -> None:
        """Leave the screen as it is."""

    def lines(self, lines: Iterable[str]) -> None:
        """Add lines; they stay."""

    @property
    def canvas(self) -> Canvas | None:
        """What there is to draw on; None where only the promised lines are wanted."""

    def show(self, scene: Scene | None) -> None:
        """Show how the run stands, in place of what was shown before; None: nothing more."""


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

    @property
    def canvas(self) -> Canvas | None:
        """None."""
        return None

    def show(self, scene: Scene | None) -> None:
        """Nothing."""


class PlainScreen(Silence):
    """Lines without any control character, each written at once."""

    def lines(self, lines: Iterable[str]) -> None:
        """Print them."""
        write(sys.stdout, "".join(f"{line}\n" for line in lines))


class LiveScreen:
    """A terminal: lines scroll up, below them a lane per phase, those at work first where not all fit."""

    def __init__(self) -> None:
        from rich.console import Console  # noqa: PLC0415 - 50 ms that only a terminal pays
        from rich.live import Live  # noqa: PLC0415

        from cli.words.bars import canvas  # noqa: PLC0415

        # As wide as the terminal is, whatever COLUMNS says: the lanes are, too.
        environ = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}}
        self._console: Console = Console(
            no_color=bool(os.environ.get("NO_COLOR")), highlight=False, soft_wrap=True, _environ=environ
        )
        self._scene: Scene | None = None
        self._canvas = canvas
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
        self._scene = None
        self._live.stop()

    def lines(self, lines: Iterable[str]) -> None:
        """Print them above the lanes."""
        for line in lines:
            self._console.print(styled(line))

    @property
    def canvas(self) -> Canvas | None:
        """The terminal as it is now: it may have been resized."""
        return self._canvas(sys.stdout)

    def show(self, scene: Scene | None) -> None:
        """Draw these lanes below the lines from now on."""
        changed = self._scene is None or scene is None or self._scene.stand != scene.stand
        self._scene = scene
        if changed:
            self._live.refresh()  # lines are printed above what was drawn last

    def _rows(self) -> RenderableType:
        from rich.console import Group  # noqa: PLC0415 - loaded by then

        from cli.words.swimlanes import swimlanes  # noqa: PLC0415

        shown = self._scene
        if shown is None:
            return Group()
        room = min(LANES, self._console.size.height - BESIDE)
        return Group("", *map(styled, swimlanes(shown, time.time(), self._canvas(sys.stdout), rows=room)))


def styled(line: str) -> Text:
    """A line with its mark in colour; the mark says the same without it."""
    from rich.text import Text  # noqa: PLC0415 - loaded by then

    text = Text(line)
    mark = line.lstrip()[:1]
    if mark in STYLES:
        at = line.index(mark)
        text.stylize(STYLES[mark], at, at + 1)
    return text
