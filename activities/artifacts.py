"""The artifact store: contents named by their sha256, under `.phaseloom/artifacts/ab/abcdef…`.

A content is written beside its place and moved there whole, so nobody ever reads half of one; it is checked on every
read, and storing it again mends a damaged copy. Where the project names a store elsewhere (`activities.remote`), what
is stored goes there too before it counts as stored, and this directory holds copies that are fetched when they are
missing here. All functions block: call them in a thread.
"""

from __future__ import annotations

import hashlib
import json
import mimetypes
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from activities.remote import Progress, Remote
from engine.errors import WorkspaceError

JSON_TYPE = "application/json"
CHUNK = 1024 * 1024

RESOLVED = 64 * 1024 * 1024
"""Bytes of stored values that one agent is given in memory."""

_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ref:
    """The name of a content. As a value among outputs it is `{"$artifact": "sha256:…", "size": n, "media_type": …}`."""

    sha256: str
    size: int
    media_type: str = "application/octet-stream"

    def to_json(self) -> dict[str, Any]:
        """The form in which it stands for a value."""
        return {"$artifact": f"sha256:{self.sha256}", "size": self.size, "media_type": self.media_type}

    @classmethod
    def from_json(cls, value: Any) -> Ref | None:
        """The reference that `value` is, or None for every other value."""
        if not isinstance(value, dict) or value.keys() != {"$artifact", "size", "media_type"}:
            return None
        kind, _, digest = str(value["$artifact"]).partition(":")
        if kind != "sha256" or not _DIGEST.fullmatch(digest) or not isinstance(value["size"], int):
            return None
        return cls(sha256=digest, size=value["size"], media_type=str(value["media_type"]))


def _nobody(size: int) -> None:
    """Nobody looks on."""
    del size


class ArtifactStore:
    """The store of the project at `root`, at `url` too unless that is empty.

    `durable` waits for the disk, as the server does for its history. What has to do with `url` raises UnreachableError
    while that does not answer.
    """

    def __init__(self, root: Path, *, url: str = "", durable: bool = True) -> None:
        self.root = root
        self.directory = root / ".phaseloom" / "artifacts"
        self.remote = Remote(url) if url else None
        self.durable = durable

    @property
    def places(self) -> str:
        """Where contents are looked for, in words."""
        return str(self.directory) if self.remote is None else f"{self.directory} or {self.remote.shown}"

    def path(self, sha256: str) -> Path:
        """Where a content is, if it is there."""
        if not _DIGEST.fullmatch(sha256):
            raise WorkspaceError(f"not the name of an artifact: {sha256!r}")
        return self.directory / sha256[:2] / sha256

    def put_bytes(self, data: bytes, media_type: str = "application/octet-stream") -> Ref:
        """Store a content held in memory."""
        digest = hashlib.sha256(data).hexdigest()
        with self._writing() as file:
            file.write(data)
            self._place(file, digest)
        self._send(digest)
        return Ref(sha256=digest, size=len(data), media_type=media_type)

    def put_file(self, source: Path, media_type: str | None = None) -> Ref:
        """Store a copy of a file, a piece at a time; its media type is guessed from its name unless given."""
        with source.open("rb") as reader:
            digest, size = self._write(iter(lambda: reader.read(CHUNK), b""))
        self._send(digest)
        guessed = mimetypes.guess_type(source.name)[0] or "application/octet-stream"
        return Ref(sha256=digest, size=size, media_type=media_type or guessed)

    def put_json(self, value: Any) -> Ref:
        """Store a JSON value."""
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return self.put_bytes(text.encode(errors="surrogatepass"), JSON_TYPE)

    def get_bytes(self, sha256: str) -> bytes:
        """A content, checked.

        Raises:
            WorkspaceError: it is not here, or no longer what was stored.
        """
        path = self.path(sha256)
        with suppress(OSError):
            data = path.read_bytes()
            if hashlib.sha256(data).hexdigest() == sha256:
                return data
        self._fetch(sha256)
        return path.read_bytes()

    def get_json(self, sha256: str) -> Any:
        """A JSON value, checked like `get_bytes`."""
        return json.loads(self.get_bytes(sha256).decode(errors="surrogatepass"))

    def checked(self, sha256: str, progress: Progress = _nobody) -> Path:
        """Where a content can be read here, checked like `get_bytes`; fetched if it has to be."""
        path = self.path(sha256)
        try:
            with path.open("rb") as reader:
                if digest_of(iter(lambda: reader.read(CHUNK), b""), progress) == sha256:
                    return path
        except OSError:
            pass
        self._fetch(sha256, progress)
        return path

    def copy(self, sha256: str, target: Path, progress: Progress = _nobody) -> None:
        """Write a content to `target`, whole and checked like `get_bytes`, or not at all."""
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name[:40]}-", delete=False) as file:
            try:
                with self.checked(sha256, progress).open("rb") as reader:
                    digest = digest_of(_through(reader, file))
                if digest != sha256:
                    raise WorkspaceError(f"artifact sha256:{sha256} was altered while it was read")
                file.flush()
                Path(file.name).replace(target)
            finally:
                Path(file.name).unlink(missing_ok=True)

    def has(self, sha256: str) -> bool:
        """Whether a content is here, or where the project keeps its artifacts; not whether it is whole."""
        return self.path(sha256).is_file() or (self.remote is not None and self.remote.head(sha256) is not None)

    def _fetch(self, sha256: str, progress: Progress = _nobody) -> None:
        """Bring a content here that is missing or damaged; raises WorkspaceError where that cannot be."""
        path = self.path(sha256)
        if self.remote is not None:
            try:
                digest, _ = self._write(_counted(self.remote.pieces(sha256), progress), only=sha256)
            except FileNotFoundError:
                pass
            else:
                if digest == sha256:
                    return
                raise WorkspaceError(
                    f"artifact sha256:{sha256} is damaged in {self.remote.shown}: what is there has another digest",
                    hint="phaseloom artifacts verify names all that are; making it again mends it",
                )
        if path.is_file():
            raise WorkspaceError(
                f"artifact sha256:{sha256} is damaged: {path}",
                hint="phaseloom artifacts verify names all that are; making it again mends it",
            )
        raise WorkspaceError(f"artifact sha256:{sha256} is not in {self.places}")

    def _send(self, sha256: str) -> None:
        if self.remote is not None:
            self.remote.join(project_id(self.root))
            self.remote.put(sha256, self.path(sha256))

    def _write(self, pieces: Iterator[bytes], *, only: str | None = None) -> tuple[str, int]:
        """Take in a content; its digest and size. One that is not `only` is dropped again."""
        digest, size = hashlib.sha256(), 0
        with self._writing() as file:
            for piece in pieces:
                digest.update(piece)
                size += len(piece)
                file.write(piece)
            if only is None or digest.hexdigest() == only:
                self._place(file, digest.hexdigest())
        return digest.hexdigest(), size

    @contextmanager
    def _writing(self) -> Iterator[IO[bytes]]:
        """A new file beside the contents; it vanishes unless `_place` moves it."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self.directory, prefix="new-", delete=False) as file:
            try:
                yield file
            finally:
                Path(file.name).unlink(missing_ok=True)

    def _place(self, file: IO[bytes], digest: str) -> None:
        target = self.path(digest)
        target.parent.mkdir(exist_ok=True)
        os.fchmod(file.fileno(), 0o444)
        file.flush()
        if self.durable:
            os.fsync(file.fileno())
        Path(file.name).replace(target)
        if self.durable:
            _sync_directory(target.parent)


def project_id(root: Path) -> str:
    """The uuid of the project at `root`; empty where it has none yet."""
    with suppress(OSError, ValueError, AttributeError):
        return str(json.loads((root / ".phaseloom" / "project.json").read_bytes()).get("uuid", ""))
    return ""


def digest_of(pieces: Iterator[bytes], progress: Progress = _nobody) -> str:
    """The sha256 of a content that comes in pieces."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
        progress(len(piece))
    return digest.hexdigest()


def _through(reader: IO[bytes], writer: IO[bytes]) -> Iterator[bytes]:
    while piece := reader.read(CHUNK):
        writer.write(piece)
        yield piece


def _counted(pieces: Iterator[bytes], progress: Progress) -> Iterator[bytes]:
    for piece in pieces:
        progress(len(piece))
        yield piece


def _sync_directory(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def resolve(value: Any, store: ArtifactStore, room: int = RESOLVED, *, fetch: bool = True) -> Any:
    """`value` with every reference to a JSON content replaced by the content, as long as they fit in `room` bytes.

    References to other contents, and those that no longer fit, gain a `path` where the content can be read: checked,
    and brought here first if it has to be. Without `fetch` only those that are here gain one, and unchecked.
    """
    budget = [room]

    def walk(value: Any) -> Any:
        if isinstance(value, list):
            return [walk(item) for item in value]
        if not isinstance(value, dict):
            return value
        ref = Ref.from_json(value)
        if ref is None:
            return {key: walk(item) for key, item in value.items()}
        if ref.media_type != JSON_TYPE or ref.size > budget[0]:
            path = store.checked(ref.sha256) if fetch else store.path(ref.sha256)
            return value | {"path": str(path)} if fetch or path.is_file() else value
        budget[0] -= ref.size
        return store.get_json(ref.sha256)

    return walk(value)
