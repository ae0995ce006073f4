"""Starts our background processes from where this file is installed, whatever is on the module search path.

Run by its path: `python -P …/cli/embedded/boot.py supervisor|worker ROOT …`. The names of our top-level packages are
common ones; a user's project (the working directory, PYTHONPATH) may well hold its own `cli/` or `activities.py`.
Only our names are pinned to our location: nothing of the user's or of the standard library is shadowed by it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).resolve()
INSTALLED = HERE.parents[2]
OURS = frozenset({"activities", "cli", "definitions", "engine", "worker", "workflows"})


class Pinned:
    """Finds our top-level packages beside this one and nowhere else.

    A finder needs no base class, and `importlib.abc` would be a tenth of what `--help` imports.
    """

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where `fullname` is, if it is one of ours."""
        return PathFinder.find_spec(fullname, [str(INSTALLED)]) if fullname in OURS else None


def command(process: str, root: Path, *options: str) -> list[str]:
    """The command line that starts one of our background processes for the project at `root`."""
    return [sys.executable, "-P", str(HERE), process, str(root), *options]


def main() -> None:
    """Become the process that the first argument names."""
    sys.meta_path.insert(0, Pinned())
    process, root, *options = sys.argv[1:]
    if process == "supervisor":
        from cli.embedded import supervisor  # noqa: PLC0415 - findable only now

        supervisor.main(Path(root), options)
    else:
        from cli.embedded import worker_process  # noqa: PLC0415 - findable only now

        worker_process.main(Path(root))


if __name__ == "__main__":
    main()
