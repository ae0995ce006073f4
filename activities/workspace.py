"""What git says of the workspace after an attempt: the commit, and a digest of what is not committed."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

from activities.finishing import to_the_end
from engine.plan import Json

PATIENCE = 5.0
"""Seconds; a repository so large that git needs longer gets no digest."""

# Nothing that a repository configures may run, take a lock, stay behind, or change what is told.
QUIET = ("--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "diff.relative=false")

STATUS = (
    *QUIET,
    "status",
    "--porcelain=v2",
    "--branch",
    "--no-ahead-behind",
    "--untracked-files=normal",
    "--ignore-submodules=none",
    "-z",
)

DIFF = ("--no-ext-diff", "--no-textconv", "--no-color", "--binary", "--full-index")

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
"""What git calls a tree without files."""


class Digest(Protocol):
    """A running hash."""

    def update(self, data: bytes, /) -> None:
        """Take in more."""


async def git_state(directory: Path) -> Json | None:
    """`{"commit", "dirty"}` of the work tree around a directory, or None where there is none.

    `commit` is None before the first one. `dirty` is None when all is committed, else the sha256 of git's list of what
    is not, or `unknown` when git took too long to tell.
    """
    if not any((place / ".git").exists() for place in (directory, *directory.parents)):
        return None
    lines = await git(directory, *STATUS)
    if lines is None:
        head = await git(directory, "rev-parse", "--verify", "--quiet", "HEAD")
        return None if head is None else {"commit": head.decode().strip(), "dirty": "unknown"}
    entries = lines.split(b"\0")
    commit = next((entry.split()[2].decode() for entry in entries if entry.startswith(b"# branch.oid ")), "")
    changes = [entry for entry in entries if entry and not entry.startswith(b"# ")]
    dirty = hashlib.sha256(b"\0".join(changes)).hexdigest() if changes else None
    return {"commit": None if commit in {"", "(initial)"} else commit, "dirty": dirty}


async def tree_digest(directory: Path) -> str | None:
    """The sha256 of all files that git knows or would add in the work tree around a directory; None without git.

    It is the commit, the difference to it, and names and contents of what is new, so it changes with every byte that
    could be committed and with nothing else. None too when git or the reading takes too long.
    """
    state = await git_state(directory)
    if state is None or state["dirty"] == "unknown":
        return None
    digest = hashlib.sha256(str(state["commit"]).encode())
    if state["dirty"] is not None:
        # Where nothing is committed yet, all that is staged counts as new.
        changed = await git(directory, "diff", "HEAD" if state["commit"] else EMPTY_TREE, *DIFF)
        listed = await git(directory, "ls-files", "--others", "--exclude-standard", "--full-name", "-z", ":/")
        top = await git(directory, "rev-parse", "--show-toplevel")
        if changed is None or listed is None or top is None:
            return None
        digest.update(changed)
        names = sorted(name for name in listed.split(b"\0") if name)
        await asyncio.to_thread(_add_files, digest, top.decode(errors="surrogateescape").rstrip("\n"), names)
    return f"sha256:{digest.hexdigest()}"


def _add_files(digest: Digest, top: str, names: list[bytes]) -> None:
    for name in names:
        path = os.path.join(os.fsencode(top), name)  # noqa: PTH118 - names that git gives are bytes
        digest.update(b"\0" + name + b"\0")
        with contextlib.suppress(OSError):
            if os.path.islink(path):  # noqa: PTH114
                digest.update(os.readlink(path))  # noqa: PTH115
            elif os.path.isfile(path):  # noqa: PTH113
                with open(path, "rb") as file:  # noqa: PTH123
                    while part := file.read(1 << 20):
                        digest.update(part)


async def git(directory: Path, *arguments: str) -> bytes | None:
    """What git prints in a directory; None if it fails, is missing, or takes too long."""
    try:
        async with running_git(directory, *arguments) as process, asyncio.timeout(PATIENCE):
            printed, _ = await process.communicate()
    except OSError:  # TimeoutError is one too
        return None
    return printed if process.returncode == 0 else None


@contextlib.asynccontextmanager
async def running_git(
    directory: Path, *arguments: str, stdin: int = asyncio.subprocess.DEVNULL
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Git at work in a directory; what is left of it then is killed. Raises OSError where there is no git."""
    # A repository may name programs to run (filters, say): they see nothing of the worker's variables.
    env = {name: os.environ[name] for name in ("PATH", "HOME", "XDG_CONFIG_HOME") if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        "git",
        "-C",
        str(directory),
        *arguments,
        stdin=stdin,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=env | {"LC_ALL": "C"},
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            await to_the_end(process.wait())
