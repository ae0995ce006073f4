"""Looking after what is stored: what there is, whether it is what it was, and removing what nobody needs any more."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from activities.artifacts import CHUNK, JSON_TYPE, ArtifactStore, digest_of
from activities.remote import Progress, Stored
from activities.results import MANIFEST_TYPE
from engine.errors import WorkspaceError

MARGIN = timedelta(hours=24)
"""A content that was stored later is never taken for waste: what needs it may not have been told of yet."""

_ANY = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_CLAIM = re.compile(rb'"claimData":\s*\{[^{}]*?"sha256":\s*"([0-9a-f]{64})"')
_VALUE = re.compile(rb'"\$artifact":\s*"sha256:([0-9a-f]{64})"([^{}]*)')
_FILE = re.compile(rb'"sha256":\s*"([0-9a-f]{64})"([^{}]*)')


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A content that is not as it has to be, and where."""

    sha256: str
    what: Literal["missing", "altered"]
    where: str


def here(store: ArtifactStore) -> Iterator[Stored]:
    """The contents in the project's own directory."""
    for path in store.directory.glob("[0-9a-f][0-9a-f]/*"):
        if _ANY.fullmatch(path.name.encode()):
            try:
                found = path.stat()
            except FileNotFoundError:  # removed meanwhile
                continue
            at = datetime.fromtimestamp(found.st_mtime, UTC)
            yield Stored(sha256=path.name, size=found.st_size, stored_at=at)


def contents(store: ArtifactStore) -> dict[str, Stored]:
    """All contents by digest, here and where the project keeps its artifacts, with the moment each was stored last."""
    found = {each.sha256: each for each in here(store)}
    for each in store.remote.contents() if store.remote is not None else ():
        known = found.get(each.sha256)
        if known is None or known.stored_at < each.stored_at:
            found[each.sha256] = each
    return found


def check(store: ArtifactStore, sha256: str, progress: Progress) -> list[Problem]:
    """What is wrong with a content, in every place that has it; also where none has."""
    problems: list[Problem] = []
    places = 0
    path = store.path(sha256)
    if path.is_file():
        places += 1
        with path.open("rb") as reader:
            if digest_of(iter(lambda: reader.read(CHUNK), b""), progress) != sha256:
                problems.append(Problem(sha256=sha256, what="altered", where=str(path)))
    if store.remote is not None:
        try:
            digest = digest_of(store.remote.pieces(sha256), progress)
        except FileNotFoundError:
            problems.append(Problem(sha256=sha256, what="missing", where=store.remote.shown))
        else:
            places += 1
            if digest != sha256:
                problems.append(Problem(sha256=sha256, what="altered", where=store.remote.shown))
    if not places:
        return [Problem(sha256=sha256, what="missing", where=store.places)]
    return problems


# ---- what is needed


def named(data: bytes) -> set[str]:
    """Every digest that a text names, of artifacts or not: what may be one is never removed."""
    return {found.decode() for found in _ANY.findall(data)}


def needed(data: bytes) -> set[str]:
    """The digests of the artifacts that an event, a payload or an archive refers to."""
    return {match[1].decode() for pattern in (_CLAIM, _VALUE, _FILE) for match in pattern.finditer(data)}


def leading_on(data: bytes) -> set[str]:
    """Those of them that may refer to further ones: payloads, JSON values and lists of files."""
    found = {match[1].decode() for match in _CLAIM.finditer(data)}
    found |= {match[1].decode() for match in _VALUE.finditer(data) if JSON_TYPE.encode() in match[2]}
    return found | {match[1].decode() for match in _FILE.finditer(data) if MANIFEST_TYPE.encode() in match[2]}


def reached(
    store: ArtifactStore, data: Iterable[bytes], look: Callable[[bytes], set[str]], *, strict: bool
) -> set[str]:
    """All digests that texts lead to, those behind stored payloads, values and lists too.

    With `strict` one of these that cannot be read is an error: what it needs is not known then.
    """
    found: set[str] = set()
    followed: set[str] = set()
    waiting: list[str] = []
    for text in data:
        found |= look(text)
        waiting += leading_on(text)
    while waiting:
        digest = waiting.pop()
        if digest in followed:
            continue
        followed.add(digest)
        try:
            text = store.get_bytes(digest)
        except WorkspaceError:
            if strict:
                raise
            continue
        found |= look(text)
        waiting += leading_on(text)
    return found


# ---- removing


def waste(store: ArtifactStore, keep: Collection[str], now: datetime) -> list[Stored]:
    """The contents that are not among `keep` and were stored long enough ago, the largest first."""
    found = (each for each in contents(store).values() if each.sha256 not in keep and now - each.stored_at > MARGIN)
    return sorted(found, key=lambda each: (-each.size, each.sha256))


def remove(store: ArtifactStore, content: Stored, now: datetime) -> bool:
    """Remove a content everywhere, unless it has been stored again since it was looked at."""
    path = store.path(content.sha256)
    if path.is_file() and now - datetime.fromtimestamp(path.stat().st_mtime, UTC) <= MARGIN:
        return False
    if store.remote is not None:
        there = store.remote.head(content.sha256)
        if there is not None and now - there.stored_at <= MARGIN:
            return False
        store.remote.delete(content.sha256)
    path.unlink(missing_ok=True)
    return True


def remove_drafts(store: ArtifactStore, now: datetime) -> None:
    """Remove what writers that were killed left half written."""
    drafts: list[Path] = list(store.directory.glob("new-*"))
    for draft in drafts:
        if draft.is_file() and now - datetime.fromtimestamp(draft.stat().st_mtime, UTC) > MARGIN:
            draft.unlink(missing_ok=True)
