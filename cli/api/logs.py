"""Following one run: fact by fact, and its logs, wherever they are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from cli import api  # its names are imported when used

if TYPE_CHECKING:
    from cli.api.details import Log
    from cli.api.messages import Phase
    from cli.command import Where
    from cli.reach.following import Follower
    from cli.reach.runs import Run


class Logs:
    """Follows a run, and reads its log and those of its phases."""

    _run: Run
    _root: Path
    _where: Where | None

    def watch(self, *, since: int = 0, tell: Callable[[str], None] = lambda _: None) -> Follower:
        """Follow the run closely: `news()` yields facts in batches as they come, through restarts of worker and server.

        A batch is empty now and then while nothing happens; `last_view()` is the run once it has ended. `tell` is
        called with a sentence when nothing answers for a while, and when it does again.
        """
        from copy import copy  # noqa: PLC0415 - only here

        from cli.command import Where as Nowhere  # noqa: PLC0415
        from cli.reach.following import Follower  # noqa: PLC0415

        # Following asks with less patience and may reconnect: it does so on a copy.
        return Follower(run=copy(self._run), where=self._where or Nowhere(), tell=tell, since=max(0, since))

    async def log(self, phase: Phase | None = None, *, lines: int | None = None) -> Log:
        """The last lines (default: all) that a phase, or the run itself, has logged, and the file they are from.

        The run's own are known wherever the server is reached; those of a phase where its worker is, or where the
        artifact store has a copy. Raises NotFoundError, which says who has it, when a phase's log is nowhere here.
        """
        from cli.reach import logfiles  # noqa: PLC0415 - only here

        path = await logfiles.log_of(self._run, self._root, phase)
        if phase is None:
            found = await logfiles.run_lines(self._run, path)
            found = found[len(found) - lines :] if lines is not None and lines < len(found) else found
        else:
            found = await logfiles.phase_lines(self._run, self._root, phase, path, lines)
        return api.Log.of({"log": str(path), "lines": found})

    async def logs(self, phase: Phase | None = None, *, lines: int | None = None) -> tuple[str, ...]:
        """The lines of `log`."""
        return (await self.log(phase, lines=lines)).lines

    async def follow_log(
        self, phase: Phase | None = None, *, lines: int | None = None, tell: Callable[[str], None] = lambda _: None
    ) -> AsyncIterator[tuple[str, ...]]:
        """The last lines (default: all) that are there, then what is added, until the run has ended.

        The run's own lines come from wherever the server is reached. `tell` is called with a sentence when nothing
        answers for a while, or when a phase's log is on another host.
        """
        from cli.reach import logfiles  # noqa: PLC0415 - only here

        path = await logfiles.log_of(self._run, self._root, phase)
        if logfiles.is_here(self._run) or (phase is not None and path.exists()):
            found, position = logfiles.last_lines(path, lines)
            yield tuple(found)
            source = logfiles.added_lines(self._run, self._root, path, position)
        elif phase is None:
            follower = self.watch(tell=tell)
            source = logfiles.only_last(logfiles.journal_added(follower), lines)
        else:
            source = logfiles.elsewhere_added(self._run, self._root, phase, path, tell)
        async for added in source:
            yield tuple(added)
