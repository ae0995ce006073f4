"""What git says of the workspace after an attempt: the commit, and a digest of what is not committed."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import signal
from pathlib import Path

from activities.finishing import to_the_end
from engine.plan import Json

PATIENCE = 5.0
"""Seconds; a repository so large that git needs longer gets no digest."""

# Nothing that a repository configures may run, take a lock, or stay behind.
STATUS = (
    "--no-optional-locks",
    "-c",
    "core.fsmonitor=false",
    "status",
    "--porcelain=v2",
    "--branch",
    "--no-ahead-behind",
    "-z",
)


async def git_state(directory: Path) -> Json | None:
    """`{"commit", "dirty"}` of the work tree around a directory, or None where there is none.

    `commit` is None before the first one. `dirty` is None when all is committed, else the sha256 of git's list of what
    is not, or `unknown` when git took too long to tell.
    """
    if not any((place / ".git").exists() for place in (directory, *directory.parents)):
        return None
    lines = await _git(directory, *STATUS)
    if lines is None:
        head = await _git(directory, "rev-parse", "--verify", "--quiet", "HEAD")
        return None if head is None else {"commit": head.decode().strip(), "dirty": "unknown"}
    entries = lines.split(b"\0")
    commit = next((entry.split()[2].decode() for entry in entries if entry.startswith(b"# branch.oid ")), "")
    changes = [entry for entry in entries if entry and not entry.startswith(b"# ")]
    dirty = hashlib.sha256(b"\0".join(changes)).hexdigest() if changes else None
    return {"commit": None if commit in {"", "(initial)"} else commit, "dirty": dirty}


async def _git(directory: Path, *arguments: str) -> bytes | None:
    """What git prints; None if it fails, is missing, or takes too long."""
    # A repository may name programs to run (filters, say): they see nothing of the worker's variables.
    env = {name: os.environ[name] for name in ("PATH", "HOME", "XDG_CONFIG_HOME") if name in os.environ}
    try:
        process = await asyncio.create_subprocess_exec(
            "git",
            "-C",
            str(directory),
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=env | {"LC_ALL": "C"},
            start_new_session=True,
        )
    except OSError:
        return None
    try:
        async with asyncio.timeout(PATIENCE):
            printed, _ = await process.communicate()
    except TimeoutError:
        return None
    finally:
        if process.returncode is None:
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            await to_the_end(process.wait())
    return printed if process.returncode == 0 else None
