"""How long a run of four weeks takes where time is skipped, as the tests have it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from bench.report import Row

STORY = "tests/workflows/test_story.py"


def four_weeks(folder: Path) -> list[Row]:
    """The story of four weeks in the time-skipping server, from the start of the interpreter to its end."""
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", f"--basetemp={folder / 'pytest'}", STORY]
    began = time.perf_counter()
    done = subprocess.run(
        command, cwd=Path(__file__).parent.parent, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    took = time.perf_counter() - began
    assert done.returncode == 0, done.stdout
    return [Row(what="28 days of a run, time skipped", value=took, unit="s", note="with the start of the server")]
