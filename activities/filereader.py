"""Reads what the files of a directory hold: against a commit where there is git, else all that a plain walk finds."""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from activities import workspace
from activities.filelist import NEW, UNREAD, Files, digest_of

MOST_FILES = 10_000
MOST_BYTES = 256 * 1024 * 1024
SECONDS = 5.0

DEEPEST = 3
"""Repositories within repositories that are looked into."""

OURS = ".phaseloom"

# fmt: off
CACHES = frozenset({
    ".git", ".hg", ".svn", ".jj", "__pycache__", "node_modules", ".venv", ".tox", ".nox", ".cache", ".hypothesis",
    ".mypy_cache", ".pytest_cache", ".ruff_cache",
})
# fmt: on
"""Directories that a walk leaves out."""

MARKS = frozenset({"CACHEDIR.TAG", "pyvenv.cfg"})
"""Files by which a directory says that it is a cache, or an environment that Python has made."""

CHUNK = 1024 * 1024
SETTLED = 2.0
"""More seconds than the coarsest clock of a file system goes in one step."""

NAMES = ("diff", "--name-status", "--no-renames", "--no-ext-diff", "--no-textconv", "--ignore-submodules=none", "-z")
CACHED = ("ls-files", "--cached", "--full-name", "-z", ":/")
OTHERS = ("ls-files", "--others", "--exclude-standard", "--full-name", "-z", ":/")

CHANGED, GONE = "M", "D"
"""How a path differs from a commit; the third way is `NEW`."""

_Names = dict[str, str]
_Stamp = tuple[int, int, int, int]


class UnknownFilesError(Exception):
    """Raised when nobody knows what the files hold; says why."""


@dataclass(slots=True)
class Limits:
    """What one look at the files may take: so many files, bytes, and seconds from now."""

    files: int = MOST_FILES
    size: int = MOST_BYTES
    seconds: float = SECONDS
    ends: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        """The time runs."""
        self.ends = time.monotonic() + self.seconds

    def check(self, files: int = 0, size: int = 0) -> None:
        """Raise UnknownFilesError where these are too many or too large, or the time is over."""
        if files > self.files:
            raise UnknownFilesError(f"more than {self.files:,} files")
        if size > self.size:
            raise UnknownFilesError(f"more than {self.size // (1024 * 1024)} MiB of files")
        if time.monotonic() > self.ends:
            raise self.late

    @property
    def late(self) -> UnknownFilesError:
        """What is raised when the time is over."""
        return UnknownFilesError(f"reading the files takes longer than {self.seconds:g} s")


class FileReader:
    """Reads what files hold, and remembers it of those that have not been touched since."""

    def __init__(self, *, settled: float = SETTLED) -> None:
        """`settled`: seconds after which a file that nobody has touched is known by its stamp."""
        self.settled = settled
        self._known: dict[str, tuple[_Stamp, str]] = {}

    async def since(self, directory: Path, commit: str | None, limits: Limits, *, depth: int = 0) -> Files:
        """What is not as in a commit, of the work tree around a directory; without one, all that git would add.

        Paths begin at the top of the work tree. Raises UnknownFilesError.
        """
        top, names = await _names(directory, commit)
        limits.check(len(names))
        found, nested = await asyncio.to_thread(self._contents, top, names, limits)
        for name in nested:
            value = await self._repository(top / name, limits, depth + 1)
            found[name] = f"{NEW}{value}" if names[name] == NEW else value
        return found

    async def walked(self, directory: Path, limits: Limits) -> Files:
        """What all files below a directory hold, but those of caches, of Phaseloom, and of version control.

        Raises UnknownFilesError.
        """
        return await asyncio.to_thread(self._walked, directory, limits)

    def _walked(self, directory: Path, limits: Limits) -> Files:
        names, closed = _walk(directory, limits)
        found, _ = self._contents(directory, names, limits)
        return found | dict.fromkeys(closed, f"{NEW}{UNREAD}")

    async def _repository(self, top: Path, limits: Limits, depth: int) -> str:
        """The state of a repository within another one, as one digest."""
        state = await workspace.git_state(top) if depth <= DEEPEST else None
        if state is None or state["dirty"] == "unknown":
            return UNREAD
        files = await self.since(top, state["commit"], limits, depth=depth) if state["dirty"] else {}
        return f"git:{digest_of({**files, '': state['commit']})}"

    def _contents(self, top: Path, names: _Names, limits: Limits) -> tuple[Files, list[str]]:
        """What these files hold, and which of the paths are repositories."""
        paths = {name: os.path.join(top, name) for name in names}  # noqa: PTH118 - pathlib makes this twice as slow
        seen = {name: None if how == GONE else _seen(paths[name]) for name, how in names.items()}
        nested = {name for name, each in seen.items() if _is_repository(paths[name], each)}
        limits.check(size=sum(each.st_size for each in seen.values() if isinstance(each, os.stat_result)))
        found: Files = {}
        for name, how in names.items():
            value = self._content(paths[name], seen[name], limits)
            if how != NEW:
                found[name] = value
            elif value is not None:
                found[name] = f"{NEW}{value}"
        return found, sorted(nested)

    def _content(self, path: str, seen: os.stat_result | str | None, limits: Limits) -> str | None:
        """What one file holds; None where it is gone, or a directory now: the files in that have names of their own."""
        if not isinstance(seen, os.stat_result) or stat.S_ISDIR(seen.st_mode):
            return seen if isinstance(seen, str) else None
        try:
            if stat.S_ISREG(seen.st_mode):
                return self._digest(path, seen, limits)
            if stat.S_ISLNK(seen.st_mode):
                return f"link:{hashlib.sha256(os.fsencode(os.readlink(path))).hexdigest()}"  # noqa: PTH115
        except FileNotFoundError:
            return None
        except OSError:
            return UNREAD
        return "special"

    def _digest(self, path: str, seen: os.stat_result, limits: Limits) -> str:
        stamp = (seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)
        known = self._known.get(path)
        digest = known[1] if known is not None and known[0] == stamp else self._read(path, stamp, limits)
        return f"{digest}x" if seen.st_mode & stat.S_IXUSR else digest

    def _read(self, path: str, stamp: _Stamp, limits: Limits) -> str:
        began = time.time()
        digest = hashlib.sha256()
        # What has become something else meanwhile must not be followed, nor waited for.
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(fd, "rb", buffering=0) as file:  # noqa: PTH123
            while part := file.read(CHUNK):
                digest.update(part)
                limits.check()
        if began - stamp[3] / 1e9 > self.settled:
            if len(self._known) >= 2 * MOST_FILES:
                self._known.clear()
            self._known[path] = (stamp, digest.hexdigest())
        return digest.hexdigest()


def _seen(path: str) -> os.stat_result | str | None:
    try:
        return os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return UNREAD


def _is_repository(path: str, seen: os.stat_result | str | None) -> bool:
    is_directory = isinstance(seen, os.stat_result) and stat.S_ISDIR(seen.st_mode)
    return is_directory and os.path.lexists(os.path.join(path, ".git"))  # noqa: PTH118


def _walk(directory: Path, limits: Limits) -> tuple[_Names, list[str]]:
    """The files below a directory, and the directories that nobody can look into."""
    names: _Names = {}
    closed: list[str] = []
    waiting = [""]
    while waiting:
        place = waiting.pop()
        try:
            with os.scandir(directory / place) as entries:
                listed = list(entries)
        except OSError:
            closed.append(f"{place}/" if place else ".")
            continue
        if place and any(entry.name in MARKS for entry in listed):
            continue
        for entry in listed:
            name = f"{place}/{entry.name}" if place else entry.name
            if not entry.is_dir(follow_symlinks=False):
                names[name] = NEW
            elif entry.name != OURS and entry.name not in CACHES:
                waiting.append(name)
        limits.check(len(names))
    return names, closed


async def _names(directory: Path, commit: str | None) -> tuple[Path, _Names]:
    """The top of the work tree, and how each path there that is not as in a commit differs from it."""
    top, listed, others = await asyncio.gather(
        workspace.git(directory, "rev-parse", "--show-toplevel"),
        workspace.git(directory, *workspace.QUIET, *(CACHED if commit is None else (*NAMES, commit, "--"))),
        workspace.git(directory, *workspace.QUIET, *OTHERS),
    )
    if top is None or listed is None or others is None:
        raise UnknownFilesError("git did not tell, or not in time")
    names = dict.fromkeys(_split(listed), NEW) if commit is None else dict(_told(listed))
    for name in _split(others):
        # What has left the index alone is still there.
        names[name] = CHANGED if names.get(name) == GONE else NEW
    place = Path(os.fsdecode(top.rstrip(b"\n")))
    return place, {name: how for name, how in names.items() if OURS not in name.split("/")}


def _split(listed: bytes) -> Iterator[str]:
    return (os.fsdecode(name).rstrip("/") for name in listed.split(b"\0") if name)


def _told(listed: bytes) -> Iterator[tuple[str, str]]:
    """The pairs of `git diff --name-status -z`: what became of a path, and the path."""
    words = iter(listed.split(b"\0"))
    for status, name in zip(words, words, strict=False):
        yield os.fsdecode(name), {b"A": NEW, b"D": GONE}.get(status[:1], CHANGED)
