"""A place for artifacts outside of the project: S3, Google, Azure or a directory, by URL, through `obstore`.

A content is at `sha256/ab/abcdef…` below the URL. Credentials are the provider's own variables (`AWS_*`, `GOOGLE_*`,
`AZURE_*`) in the environment of the process that asks; nothing of them is told in an error. All functions block.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from engine.errors import PhaseloomError, UnreachableError, WorkspaceError

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

PART = 8 * 1024 * 1024
"""Bytes that travel in one request; a content of more is sent and read in several."""

AT_ONCE = 4
"""Requests that one upload makes at once: with `PART` the memory that it takes."""

FRESH = timedelta(hours=12)
"""A content that was stored longer ago is written again, so that none that is in use looks old to `prune`."""

CONTENTS = "sha256"
PROJECTS = "projects"

_KEY = re.compile(rf"{CONTENTS}/([0-9a-f]{{2}})/(\1[0-9a-f]{{62}})")
_STATUS = re.compile(r"status code: (\d{3}[ A-Za-z]*)")
_UNUSABLE = re.compile("OpenCredentials|DecodeCredentials|Invalid(?:Access)?Key")
_CREDENTIALS = {
    "s3": "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
    "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
    "file": "the rights on the directory",
}
_REASONS = {
    "connection refused": "connection refused",
    "dns error": "its name is not known",
    "certificate": "its certificate is not trusted",
    "timed out": "it took too long",
    "connection reset": "the connection broke off",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A content that is there: its digest, its bytes and when it was stored."""

    sha256: str
    size: int
    stored_at: datetime


class Remote:
    """The contents below one URL. Nothing is imported and nobody asked before the first content is.

    Every function raises UnreachableError while the place does not answer, after two more tries, and WorkspaceError
    where it refuses or does not exist.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.shown = shown(url)
        self._joined: set[str] = set()

    @cached_property
    def _store(self) -> ObjectStore:
        from obstore.store import from_url  # noqa: PLC0415 - 30 ms that only such a store costs

        client: ClientConfig = {
            "allow_http": True,  # of an endpoint that is named so; providers' own addresses are https
            "connect_timeout": "5s",
            "read_timeout": "60s",
            "timeout": "10m",
        }
        retry: RetryConfig = {
            "max_retries": 2,
            "retry_timeout": timedelta(seconds=10),
            "backoff": {
                "init_backoff": timedelta(milliseconds=100),
                "max_backoff": timedelta(seconds=2),
                "base": 2,
            },
        }
        if self.url.startswith("file:"):
            return from_url(self.url, mkdir=True)
        return from_url(self.url, client_options=client, retry_config=retry)

    def put(self, sha256: str, path: Path) -> None:
        """Store a file whose digest is known, unless it is there; a copy of another size is replaced."""
        import obstore  # noqa: PLC0415 - see `_store`

        size = path.stat().st_size
        with self._told():
            if size <= PART and self._create(sha256, path.read_bytes()):
                return
            there = self._head(sha256)
            if there is not None and there.size == size and datetime.now(UTC) - there.stored_at < FRESH:
                return
            obstore.put(self._store, key(sha256), path, chunk_size=PART, max_concurrency=AT_ONCE)

    def _create(self, sha256: str, data: bytes) -> bool:
        import obstore  # noqa: PLC0415 - see `_store`
        from obstore.exceptions import AlreadyExistsError, NotSupportedError  # noqa: PLC0415

        try:
            obstore.put(self._store, key(sha256), data, mode="create")
        except (AlreadyExistsError, NotSupportedError):
            return False
        return True

    def pieces(self, sha256: str) -> Iterator[bytes]:
        """A content as it comes, unchecked; raises FileNotFoundError where it is not there."""
        import obstore  # noqa: PLC0415 - see `_store`

        with self._told():
            for piece in obstore.get(self._store, key(sha256)).stream(min_chunk_size=1024 * 1024):
                yield bytes(piece)

    def head(self, sha256: str) -> Stored | None:
        """What is known of a content; None where it is not there."""
        with self._told():
            return self._head(sha256)

    def _head(self, sha256: str) -> Stored | None:
        import obstore  # noqa: PLC0415 - see `_store`

        try:
            found = obstore.head(self._store, key(sha256))
        except FileNotFoundError:
            return None
        return Stored(sha256=sha256, size=found["size"], stored_at=found["last_modified"])

    def contents(self) -> Iterator[Stored]:
        """All contents, as the place lists them."""
        import obstore  # noqa: PLC0415 - see `_store`

        with self._told():
            for page in obstore.list(self._store, CONTENTS):
                for found in page:
                    if match := _KEY.fullmatch(found["path"]):
                        yield Stored(sha256=match[2], size=found["size"], stored_at=found["last_modified"])

    def delete(self, sha256: str) -> None:
        """Remove a content; one that is gone already is no error."""
        import obstore  # noqa: PLC0415 - see `_store`

        with self._told():
            try:
                obstore.delete(self._store, key(sha256))
            except FileNotFoundError:
                return

    def join(self, project: str) -> None:
        """Leave word that a project keeps contents here: no other one may then take what it does not know for waste."""
        import obstore  # noqa: PLC0415 - see `_store`

        if not project or project in self._joined:
            return
        with self._told():
            obstore.put(self._store, f"{PROJECTS}/{project}", b"")
        self._joined.add(project)

    def projects(self) -> set[str]:
        """The projects that keep contents here."""
        import obstore  # noqa: PLC0415 - see `_store`

        with self._told():
            return {found["path"].rpartition("/")[2] for page in obstore.list(self._store, PROJECTS) for found in page}

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Errors of the library as ours; its own words are not passed on, they repeat addresses and whole answers."""
        from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError  # noqa: PLC0415

        try:
            yield
        except (PermissionDeniedError, UnauthenticatedError):
            raise WorkspaceError(f"the artifact store {self.shown} refuses access", hint=self._hint()) from None
        except FileNotFoundError as error:
            if "NoSuchBucket" in str(error) or "ContainerNotFound" in str(error):
                raise self._no_bucket() from None
            raise
        except (BaseError, ValueError) as error:
            raise self._trouble(str(error)) from None
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise WorkspaceError(f"the artifact store {self.shown} cannot be used: {reason}") from error

    def _trouble(self, text: str) -> PhaseloomError:
        if "NoSuchBucket" in text or "ContainerNotFound" in text:
            return self._no_bucket()
        if "LocalFileSystem" in text:
            found = re.search(r'message: "([^"]+)"', text)
            reason = found[1].lower() if found else "it is no directory"
            return WorkspaceError(f"the artifact store {self.shown} cannot be used: {reason}")
        if "Missing" in text or "169.254.169.254" in text:  # the address where a cloud machine asks for credentials
            return WorkspaceError(f"there are no credentials for the artifact store {self.shown}", hint=self._hint())
        if _UNUSABLE.search(text):
            message = f"the credentials for the artifact store {self.shown} cannot be used"
            return WorkspaceError(message, hint=self._hint())
        status = _STATUS.search(text)
        if status is not None and status[1][0] == "4" and status[1][:3] not in {"408", "429"}:
            return WorkspaceError(f"the artifact store {self.shown} refuses: {status[1].strip()}", hint=self._hint())
        low = text.casefold()
        reason = next((said for word, said in _REASONS.items() if word in low), "no connection")
        return UnreachableError(
            f"the artifact store {self.shown} does not answer ({status[1].strip() if status else reason})",
            hint="phaseloom.yaml and PHASELOOM_ARTIFACT_STORE say which one is used; what is stored is not lost",
        )

    def _no_bucket(self) -> WorkspaceError:
        return WorkspaceError(
            f"the artifact store {self.shown} does not exist: make its bucket first",
            hint="or name another one: `artifacts: {store: URL}` in phaseloom.yaml",
        )

    def _hint(self) -> str:
        words = _CREDENTIALS.get(kind_of(self.url), _CREDENTIALS["file"])
        return f"the worker and this command need {words} in their environment"


def key(sha256: str) -> str:
    """Where a content is below the URL."""
    return f"{CONTENTS}/{sha256[:2]}/{sha256}"


def kind_of(url: str) -> str:
    """`s3`, `gs`, `az` or `file`, for the many ways to write each."""
    scheme = urlsplit(url).scheme
    if scheme.startswith("s3"):
        return "s3"
    return {"gs": "gs", "file": "file"}.get(scheme, "az")


def shown(url: str) -> str:
    """A URL as it may be told: without a user, a password or parameters."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2] if parts.password else parts.netloc}{parts.path}"


Progress = Callable[[int], Any]
"""Told of each piece's bytes while a content travels."""
