"""A project's own folder `.phaseloom/`: its identity and the small files that its processes know each other by."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import uuid
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from engine.errors import WorkspaceError

Json = dict[str, Any]

FOLDER = ".phaseloom"


@dataclass(frozen=True)
class Project:
    """The identity of one project and where its files are. `uuid` never changes; a copied folder shares it."""

    root: Path
    uuid: str

    @cached_property
    def folder(self) -> Path:
        """Where everything of ours is kept."""
        return self.root / FOLDER

    @property
    def namespace(self) -> str:
        """The Temporal namespace of this project on its embedded server; no other server answers to it."""
        return f"phaseloom-{self.uuid}"

    @property
    def queue(self) -> str:
        """The task queue of this project's workers, where no other is named."""
        return f"phaseloom.{self.uuid}"

    def file(self, name: str) -> Path:
        """The path of one of our files."""
        return self.folder / name

    def read(self, name: str, *, anywhere: bool = False) -> Json:
        """What a JSON file of ours says; empty when it is missing or broken.

        Also empty when it was written somewhere else and came here with a moved or copied folder, except `anywhere`.
        """
        data = _read(self.file(name))
        return data if anywhere or data.get("root") == str(self.root) else {}

    def remains(self) -> bool:
        """Whether the folder still says that it is this project's; yes when it cannot be read just now."""
        try:
            data = json.loads(self.file("project.json").read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return False
        except (OSError, ValueError):
            return True
        return isinstance(data, dict) and data.get("uuid") == self.uuid

    def write(self, name: str, data: Json) -> None:
        """Replace a JSON file of ours; a reader sees the old or the new one, never half of either."""
        path = self.file(name)
        draft = path.with_name(f".{name}.{os.getpid()}")
        draft.write_text(json.dumps({"root": str(self.root), **data}, indent=1) + "\n", encoding="utf-8")
        draft.replace(path)


def open_project(root: Path) -> Project:
    """The project at `root`, made one if it is none yet (safe when several processes do so at once).

    Raises WorkspaceError when the folder cannot be written.
    """
    root = root.resolve()
    folder = root / FOLDER
    try:
        known = _read(folder / "project.json").get("uuid")
        if not isinstance(known, str):
            known = _found(folder)
    except OSError as error:
        raise WorkspaceError(
            f"{folder}: cannot be used: {error.strerror or error}",
            hint="Phaseloom keeps its state in a folder of the project and must be able to write there",
        ) from error
    return Project(root, known)


def is_project(root: Path) -> bool:
    """Whether anything was ever started at `root`. Looks only, so that it may be asked where nothing can be written."""
    return isinstance(_read(root.resolve() / FOLDER / "project.json").get("uuid"), str)


def _found(folder: Path) -> str:
    """Make the folder; of several processes that do so, the first one's identity holds."""
    folder.mkdir(exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")
    draft = folder / f".project.{os.getpid()}"
    with draft.open("w", encoding="utf-8") as file:
        json.dump({"uuid": str(uuid.uuid4())}, file)
        file.flush()
        os.fsync(file.fileno())  # the one file here that cannot be made again
    target = folder / "project.json"
    try:
        with contextlib.suppress(FileExistsError):
            os.link(draft, target)
    finally:
        draft.unlink()
    known = _read(target).get("uuid")
    if not isinstance(known, str):
        raise WorkspaceError(
            f"{target}: is damaged", hint="write the project's uuid into it again (the name of its namespace has it)"
        )
    return known


def _read(path: Path) -> Json:
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def take_lock(path: Path) -> int | None:
    """Lock the file at `path` for as long as the returned descriptor, or an inherited copy, is open; None: held."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if same_file(descriptor, path):
            return descriptor
    except BlockingIOError:
        pass
    os.close(descriptor)
    return None


def same_file(descriptor: int, path: Path) -> bool:
    """Whether `path` is still the open file; not so once the project's folder was moved or deleted."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except (FileNotFoundError, NotADirectoryError):
        return False
