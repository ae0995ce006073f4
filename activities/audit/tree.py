"""The files that an audit looks at: listed by git where it decides, else walked.

Symbolic links, build output, caches, environments and vendored code are left out, and counted.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from activities.audit.finding import printable
from activities.audit.languages import PYTHON_SUFFIXES, language_of, starts_python
from activities.audit.repository import listed_files

MAX_FILES = 50_000
MAX_BYTES = 1 << 20
"""Larger files are counted, not read: generated code and data, which no finding would help."""

LARGE = "files: larger than 1 MiB (not read)"

_NEVER = {
    ".git": "version control", ".hg": "version control", ".svn": "version control", ".jj": "version control",
    ".venv": "virtual environment", "site-packages": "virtual environment",
    ".phaseloom": "Phaseloom's own files",
    "__pycache__": "cache", ".mypy_cache": "cache", ".ruff_cache": "cache", ".pytest_cache": "cache",
    ".hypothesis": "cache", ".cache": "cache", ".tox": "cache", ".nox": "cache", ".ipynb_checkpoints": "cache",
    "htmlcov": "build output", ".eggs": "build output",
    "node_modules": "vendored", "bower_components": "vendored", "vendor": "vendored", "_vendor": "vendored",
    "vendored": "vendored", "_vendored": "vendored", "third_party": "vendored", "thirdparty": "vendored",
}  # fmt: skip
_UNLESS_PACKAGE = {
    "build": "build output", "dist": "build output",
    "venv": "virtual environment", "env": "virtual environment", "ENV": "virtual environment",
}  # fmt: skip
_BUILT_SUFFIXES = (".egg-info", ".egg", ".dist-info")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One regular file: `path` opens it, `name` is its printable path relative to the root."""

    path: Path
    name: str
    size: int
    language: str
    python: bool

    @property
    def stub(self) -> bool:
        """Whether it holds types only."""
        return self.name.endswith(".pyi")

    @property
    def readable(self) -> bool:
        """Whether it is small enough to be read."""
        return self.size <= MAX_BYTES

    def read(self) -> bytes:
        """The content; never through a symbolic link, which could have been put there since the listing."""
        return _read(self.path, MAX_BYTES)


@dataclass(slots=True)
class Tree:
    """What is looked at, and how much of what kind is not."""

    root: Path
    files: list[SourceFile] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    from_git: bool = False

    @property
    def python(self) -> list[SourceFile]:
        """The Python files, stubs included."""
        return [f for f in self.files if f.python]

    @property
    def code(self) -> list[SourceFile]:
        """The Python files that hold code and can be read: what the checks work on."""
        return [f for f in self.files if f.python and f.readable and not f.stub]


def list_tree(root: Path) -> Tree:
    """The tree at `root`, sorted by name. Unreadable places are counted, never an error."""
    names = listed_files(root)
    tree = Tree(root=root, from_git=names is not None)
    directories = _Directories(root)
    if names is None:
        paths = _walk(root, directories)
    else:
        listed = (Path(os.fsdecode(name)) for name in names)
        paths = (path for path in listed if directories.admit(path.parent))
    for number, relative in enumerate(sorted(paths)):
        if number < MAX_FILES:
            _add(tree, relative)
        else:
            tree.left_out[f"files: after the first {MAX_FILES}"] += 1
    tree.left_out.update(directories.refused.values())
    return tree


class _Directories:
    """Decides once per directory (relative to the root) whether what is in it belongs to the audit."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.refused: dict[Path, str] = {}
        self.known: dict[Path, bool] = {Path(): True}

    def admit(self, directory: Path) -> bool:
        if directory in self.known:
            return self.known[directory]
        admitted = True
        for ancestor in (*reversed(directory.parents), directory):
            if ancestor not in self.known:
                self.known[ancestor] = admitted and self._decide(ancestor)
            admitted = self.known[ancestor]
        return admitted

    def _decide(self, directory: Path) -> bool:
        try:
            reason = _refusal(self.root / directory)
        except OSError:
            reason = "unreadable"
        if reason is not None:
            self.refused[directory] = f"directories: {reason}"
        return reason is None


def _refusal(directory: Path) -> str | None:
    name = directory.name
    if directory.is_symlink():
        return "symbolic link"
    if name in _NEVER:
        return _NEVER[name]
    if (directory / "pyvenv.cfg").exists():
        return "virtual environment"
    if name in _UNLESS_PACKAGE and not (directory / "__init__.py").exists():
        return _UNLESS_PACKAGE[name]
    if name.endswith(_BUILT_SUFFIXES):
        return "build output"
    return "templates" if "{{" in name or "{%" in name else None


def _walk(root: Path, directories: _Directories) -> Iterator[Path]:
    pending = [Path()]
    while pending:
        directory = pending.pop()
        try:
            with os.scandir(root / directory) as entries:
                found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        except OSError:
            directories.refused[directory] = "directories: unreadable"
            continue
        for name, is_directory in found:
            if not is_directory:
                yield directory / name
            elif directories.admit(directory / name):
                pending.append(directory / name)


def _add(tree: Tree, relative: Path) -> None:
    path = tree.root / relative
    try:
        status = path.lstat()
    except OSError:
        tree.left_out["files: deleted or unreadable"] += 1
        return
    if stat.S_ISLNK(status.st_mode):
        tree.left_out["files: symbolic link"] += 1
    elif stat.S_ISDIR(status.st_mode):
        tree.left_out["directories: nested repository"] += 1
    elif not stat.S_ISREG(status.st_mode):
        tree.left_out["files: not a regular file"] += 1
    else:
        name = printable(relative.as_posix())
        python = relative.suffix in PYTHON_SUFFIXES or (not relative.suffix and _is_script(path))
        language = "Python" if python else language_of(name)
        tree.files.append(SourceFile(path, name, status.st_size, language, python))
        tree.left_out.update([LARGE] if status.st_size > MAX_BYTES else [])


def _is_script(path: Path) -> bool:
    try:
        return starts_python(_read(path, 128))
    except OSError:
        return False


def _read(path: Path, limit: int) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(limit)
