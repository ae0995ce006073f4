"""The console script's way in, under a name that no project has: our packages are pinned before any is imported.

`cli`, `engine` or `activities` may well be modules of the user's own on PYTHONPATH; see docs/adr/0002.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path


def main() -> None:
    """Run the program `phaseloom`."""
    boot = Path(__file__).resolve().parent / "cli" / "embedded" / "boot.py"
    spec = importlib.util.spec_from_file_location("phaseloom_boot", boot)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.meta_path.insert(0, module.Pinned())
    from cli.main import main as program  # noqa: PLC0415 - findable for sure only now

    program()


if __name__ == "__main__":
    main()
