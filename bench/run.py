"""The budgets of the design, measured: `python bench/run.py [NAME …]` prints a row per budget with its ratio.

Everything on Temporal is measured against a hand-written workflow that does the same activities on the same server
in the same run, alternately, and the medians are compared; so the numbers mean the same on any machine.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from bench import artifacts, cold, pure, server, shapes, weeks
from bench.report import Row, show

SERVED: dict[str, Callable[[server.Served], Awaitable[list[Row]]]] = {
    "sequential": lambda s: server.compare(s, phases=100, parallel=False),
    "parallel": lambda s: server.compare(s, phases=100, parallel=True),
    "manual": server.manual_events,
    "latency": server.latency,
    "throughput": server.throughput,
    "large": server.large,
    "items": server.items,
}
PURE: dict[str, Callable[[], list[Row]]] = {
    "compile": pure.compile_large,
    "shapes": shapes.measured,
    "engine": pure.schedule_large,
}
COLD: dict[str, Callable[[Path], list[Row]]] = {
    "help": cold.help_time,
    "start": cold.first_agent,
    "lost": cold.losses,
    "weeks": weeks.four_weeks,
    "artifacts": artifacts.store_throughput,
}


async def _served(names: list[str]) -> None:
    async with server.serve() as served:
        for name in names:
            show(await SERVED[name](served))


def main() -> int:
    """Measure what is named on the command line, or everything."""
    wanted = sys.argv[1:] or [*PURE, *SERVED, *COLD]
    unknown = [name for name in wanted if name not in {*PURE, *SERVED, *COLD}]
    if unknown:
        print(f"there is no measurement {unknown[0]!r}; there are: {', '.join([*PURE, *SERVED, *COLD])}")
        return 2
    for name in (n for n in wanted if n in PURE):
        show(PURE[name]())
    for name in (n for n in wanted if n in COLD):  # before the disk has the many writes of the next ones to do
        with tempfile.TemporaryDirectory(prefix="phaseloom-bench-") as folder:
            show(COLD[name](Path(folder)))
    if served := [n for n in wanted if n in SERVED]:
        asyncio.run(_served(served))
    return 0


if __name__ == "__main__":
    sys.exit(main())
