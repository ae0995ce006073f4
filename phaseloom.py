"""The way in, under a name that no project has: our packages are pinned before any is imported.

`cli`, `engine` or `activities` may well be modules of the user's own on PYTHONPATH; see docs/adr/0002. The console
script starts here, and scripts import the Python interface from here: `from phaseloom import Client`.
"""

from __future__ import annotations

import gc
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cli.api import *  # noqa: F403 - the names of the Python interface, for type checkers

FEW_COLLECTIONS = (50_000, 20, 20)
"""Importing makes many objects and no garbage: a command is a tenth faster when collections are rare."""

_PINNED: list[object] = []
"""The finder of our packages, once it is in place."""


def _pin() -> None:
    """Have our packages found where this file is, and nowhere else.

    Raises ImportError when a module of the user's has taken one of their names already.
    """
    if _PINNED:
        return
    here = Path(__file__).resolve().parent
    boot = here / "cli" / "embedded" / "boot.py"
    spec = importlib.util.spec_from_file_location("phaseloom_boot", boot)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in sorted(module.OURS & sys.modules.keys()):
        place = getattr(sys.modules[name], "__file__", None)
        if place is None or not Path(place).resolve().is_relative_to(here):
            raise ImportError(f"another module {name!r} is imported already; import from phaseloom before it")
    pinned = module.Pinned()
    sys.meta_path.insert(0, pinned)
    _PINNED.append(pinned)


def main() -> None:
    """Run the program `phaseloom`."""
    gc.set_threshold(*FEW_COLLECTIONS)
    try:
        _pin()
        from cli.main import main as program  # noqa: PLC0415 - findable for sure only now
    except KeyboardInterrupt:  # while everything is loaded: nothing has begun
        sys.exit(130)
    program()


def __getattr__(name: str) -> Any:
    """A name of the Python interface, `cli.api`, imported when it is first used."""
    if name.startswith("__"):
        raise AttributeError(f"module 'phaseloom' has no attribute {name!r}")
    _pin()
    from cli import api  # noqa: PLC0415 - findable for sure only now

    return getattr(api, name)


if __name__ == "__main__":
    main()
