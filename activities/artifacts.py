"""The artifact store: contents named by their sha256, under `.phaseloom/artifacts/ab/abcdef…`.

A content is written beside its place and moved there whole, so nobody ever reads half of one; it is checked on every
read, and storing it again mends a damaged copy. All functions block: call them in a thread.
"""

from __future__ import annotations

import hashlib
import json
import mimetypes
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

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


class ArtifactStore:
    """The store of the project at `root`. `durable` waits for the disk, as the server does for its history."""

    def __init__(self, root: Path, *, durable: bool = True) -> None:
        self.directory = root / ".phaseloom" / "artifacts"
        self.durable = durable

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
        return Ref(sha256=digest, size=len(data), media_type=media_type)

    def put_file(self, source: Path, media_type: str | None = None) -> Ref:
        """Store a copy of a file, a piece at a time; its media type is guessed from its name unless given."""
        digest, size = hashlib.sha256(), 0
        with source.open("rb") as reader, self._writing() as file:
            while piece := reader.read(CHUNK):
                digest.update(piece)
                size += len(piece)
                file.write(piece)
            self._place(file, digest.hexdigest())
        guessed = mimetypes.guess_type(source.name)[0] or "application/octet-stream"
        return Ref(sha256=digest.hexdigest(), size=size, media_type=media_type or guessed)

    def put_json(self, value: Any) -> Ref:
        """Store a JSON value."""
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return self.put_bytes(text.encode(errors="surrogatepass"), JSON_TYPE)

    def get_bytes(self, sha256: str) -> bytes:
        """A content, checked.

        Raises:
            WorkspaceError: it is not here, or no longer what was stored.
        """
        try:
            data = self.path(sha256).read_bytes()
        except OSError as error:
            raise WorkspaceError(f"artifact sha256:{sha256} is not in {self.directory}: {error.strerror}") from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise WorkspaceError(f"artifact sha256:{sha256} is damaged: {self.path(sha256)}")
        return data

    def get_json(self, sha256: str) -> Any:
        """A JSON value, checked like `get_bytes`."""
        return json.loads(self.get_bytes(sha256).decode(errors="surrogatepass"))

    def has(self, sha256: str) -> bool:
        """Whether a content is here."""
        return self.path(sha256).is_file()

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


def _sync_directory(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def resolve(value: Any, store: ArtifactStore, room: int = RESOLVED) -> Any:
    """`value` with every reference to a JSON content replaced by the content, as long as they fit in `room` bytes.

    References to other contents, and those that no longer fit, gain a `path` where the content can be read.
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
            return value | {"path": str(store.path(ref.sha256))}
        budget[0] -= ref.size
        return store.get_json(ref.sha256)

    return walk(value)
