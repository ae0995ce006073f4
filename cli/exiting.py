"""The only way out of a command-line process of ours."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import NoReturn


def leave(code: int) -> NoReturn:
    """End this process at once with `code`, everything printed so far written out.

    The interpreter's own way down is skipped on purpose: threads of the Temporal SDK outlive it and make about one
    plain client script in five die of a segmentation fault there.
    """
    for stream in (sys.stdout, sys.stderr):
        # A closed pipe (`phaseloom … | head`) or a closed stream is no reason to lose the exit code.
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code)
