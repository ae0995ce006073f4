"""Questions to git that cannot make it run anything of the audited repository.

A repository's own configuration may name programs (file system monitor, hooks, signature checks, diff drivers) and
remotes; every call switches them off, takes no lock and reaches no network.
"""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from activities.audit.executables import on_path
from activities.audit.finding import Json, printable

HISTORY_DEPTH = 5_000
"""How many of the newest commits are looked at for the most changed files."""

_OFF = (
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.untrackedCache=false"),
    *("-c", "core.quotePath=false"),
    *("-c", "log.showSignature=false"),
    *("-c", "protocol.allow=never"),
)
_KEPT_ENV = ("PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR")


class GitError(Exception):
    """Raised when git has no answer; the text is the reason."""


def git(root: Path, *args: str, timeout: float = 120.0) -> bytes:
    """What `git ARGS` prints, run in `root`."""
    program = on_path("git")
    if program is None:
        raise GitError("git is not installed")
    env = {name: os.environ[name] for name in _KEPT_ENV if name in os.environ}
    env |= {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": "none"}
    env |= {"GIT_NO_LAZY_FETCH": "1", "GIT_NO_REPLACE_OBJECTS": "1"}
    command = [program, "--no-pager", *_OFF, *args]
    try:
        done = subprocess.run(
            command, cwd=root, env=env, capture_output=True, stdin=subprocess.DEVNULL, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        raise GitError(f"git {args[0]} took longer than {timeout:.0f} s") from None
    except OSError as error:
        raise GitError(f"git cannot be started: {error.strerror}") from None
    if done.returncode != 0:
        first = done.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
        raise GitError(printable(first) or f"git {args[0]} ended with {done.returncode}")
    return done.stdout


def listed_files(root: Path) -> list[bytes] | None:
    """The files below `root` that git tracks or would track, relative to it; None where git does not decide."""
    try:
        if git(root, "rev-parse", "--is-inside-work-tree").strip() != b"true":
            return None
        if _ignored(root):
            return None
        listing = git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate")
    except GitError:
        return None
    return [name for name in listing.split(b"\0") if name]


def _ignored(root: Path) -> bool:
    """Whether `root` lies inside somebody else's repository that ignores it."""
    if not git(root, "rev-parse", "--show-prefix").strip():
        return False
    try:
        git(root, "check-ignore", "-q", ".")
    except GitError:
        return False
    return True


def history(root: Path) -> Json:
    """Commits, authors, dates and the most changed files; or why there is no history.

    Authors are counted by e-mail (through a mailmap where there is one) and never named.
    """
    try:
        if _ignored(root):
            return {"available": False, "reason": "not a git repository"}
        prefix = git(root, "rev-parse", "--show-prefix").strip()
        paths = ("--", ".") if prefix else ()
        commits = git(root, "log", "--format=%ct %aE", "HEAD", *paths).decode("utf-8", "replace").split("\n")[:-1]
        shallow = git(root, "rev-parse", "--is-shallow-repository").strip() == b"true"
        changed = _changes(root, paths)
    except GitError as error:
        return {"available": False, "reason": _reason(str(error))}
    if not commits:
        return {"available": False, "reason": "no commit touches this directory"}
    stamps = sorted(int(line.partition(" ")[0]) for line in commits)
    return {
        "available": True,
        "commits": len(commits),
        "authors": len({line.partition(" ")[2].casefold() for line in commits}),
        "first_commit": _date(stamps[0]),
        "last_commit": _date(stamps[-1]),
        "shallow": shallow,
        "most_changed": [{"file": file, "commits": n} for file, n in changed if _exists(root, file)][:500],
    }


def _changes(root: Path, paths: tuple[str, ...]) -> list[tuple[str, int]]:
    options = ("--format=", "--name-only", "--no-renames", "--no-ext-diff", "--no-textconv", "--relative", "-z")
    listing = git(root, "log", f"--max-count={HISTORY_DEPTH}", *options, "HEAD", *paths)
    counts = Counter(name for name in listing.replace(b"\n", b"\0").split(b"\0") if name)
    return [(os.fsdecode(name), n) for name, n in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]


def _exists(root: Path, file: str) -> bool:
    return (root / file).is_file() and not (root / file).is_symlink()


def _reason(message: str) -> str:
    if "not a git repository" in message:
        return "not a git repository"
    if "HEAD" in message:
        return "no commits yet"
    return message.removeprefix("fatal: ")


def _date(stamp: int) -> str:
    try:
        return datetime.fromtimestamp(stamp, UTC).date().isoformat()
    except (OverflowError, ValueError, OSError):  # a commit may claim any date
        return "an impossible date"
