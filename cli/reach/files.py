"""What is no longer as it was in the project's files, file by file, as far as results have told it."""

from __future__ import annotations

import asyncio
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli.console import CONTROL
from engine.errors import PhaseloomError

if TYPE_CHECKING:
    from pathlib import Path

    from activities.artifacts import ArtifactStore
    from activities.filelist import Changes, Files

Json = dict[str, Any]
Compared = tuple[list[Json], list[Json]]
"""Differences as `{kind, what, then, now, text, files?}`, and `{kind, text}` of what could not be compared."""

LISTED = 100
"""Names of each kind that a difference lists."""

NAMED = 5
"""Names of each kind in a text."""

# Whoever may send a message may tell a commit, and git takes words for options.
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class NotKnownError(Exception):
    """Raised when it is not known which files differ; says why. `differ`: some do."""

    def __init__(self, why: str, *, differ: bool = False) -> None:
        super().__init__(why)
        self.differ = differ


@dataclass(frozen=True, slots=True)
class Then:
    """What a result told of the files: git's state (None: there was none), and how the list of them is named."""

    git: Json | None
    files: Json

    @classmethod
    def of(cls, told: Json) -> Then:
        """From `{git?, files?}`, which any client may have told; raises NotKnownError for what cannot be."""
        git, files = told.get("git"), told.get("files") or {}
        if git is None and not files:
            raise NotKnownError("nothing until then tells what they were")
        commit = git.get("commit") if isinstance(git, dict) else None
        if not isinstance(git or {}, dict) or not isinstance(files, dict):
            raise NotKnownError("what is told of them makes no sense")
        if commit is not None and not _COMMIT.fullmatch(str(commit)):
            raise NotKnownError("what is told of their commit makes no sense")
        return cls(git, files)

    @property
    def commit(self) -> str | None:
        """The commit that they are compared with."""
        return (self.git or {}).get("commit")

    @property
    def clean(self) -> bool:
        """Whether all was committed."""
        return self.git is not None and self.git.get("dirty") is None

    def read(self, store: ArtifactStore) -> Files:
        """The list of them; raises NotKnownError."""
        from activities.workfiles import read  # noqa: PLC0415 - only for a comparison

        if self.clean:
            return {}
        if "digest" not in self.files:
            why = self.files.get("unknown")
            raise NotKnownError(f"{why} then" if why else "what they held was not told then")
        try:
            return read(self.files, store)
        except (PhaseloomError, ValueError) as error:
            raise NotKnownError("the list of them is no longer kept") from error


async def files_since(root: Path, store: ArtifactStore, told: Json) -> Compared:
    """How the project's files differ from what a result told of them: `{git?, files?}`."""
    try:
        then = Then.of(told)
        return await (_by_walking if then.git is None else _by_git)(root, store, then)
    except NotKnownError as why:
        return [], [_unknown(f"whether the files are as they were is not known: {why}")]


async def files_known(root: Path, told: Json) -> Json:
    """What a result told of the files: `{git, clean?}`, and unless all was committed what was not.

    That is `{changed, new, gone, count}`, without git of all files, or `unknown`, the reason why it is not known.
    """
    from activities.filelist import changes  # noqa: PLC0415 - only here
    from cli.reach.store import project_store  # noqa: PLC0415

    known: Json = {"git": told.get("git") is not None}
    try:
        then = Then.of(told)
        known["clean"] = then.clean
        held = await asyncio.to_thread(then.read, project_store(root))
        return known | ({} if then.clean else listing(await seen_from(root, changes({}, held))))
    except NotKnownError as why:
        return known | {"unknown": str(why)}


async def _by_walking(root: Path, store: ArtifactStore, then: Then) -> Compared:
    digest, text = then.files.get("digest"), "the files differ"
    try:
        changes, now = await _changes(root, store, then)
    except NotKnownError as why:
        if why.differ:
            return [_difference("contents", digest, None, f"{text}; which is not known: {why}")], []
        raise
    return ([_difference("contents", digest, now, text, changes)] if changes.count else []), _unread(changes)


async def _by_git(root: Path, store: ArtifactStore, then: Then) -> Compared:
    from activities.workspace import git_state  # noqa: PLC0415 - only for a comparison

    now = await git_state(root)
    if now is None:
        raise NotKnownError(f"they were at commit {short(then.commit)}, and there is no git here")
    moved = then.commit != now["commit"]
    if not moved and then.clean and now["dirty"] is None:
        return [], []
    what, before, after = "uncommitted", then.files.get("digest"), None
    text = "uncommitted changes of the files are others than then"
    if moved:
        what, before, after = "commit", then.commit, now["commit"]
        text = f"the files are at commit {short(after)}, and were at {short(before)}"
    try:
        changes, digest = await _changes(root, store, then)
    except NotKnownError as why:
        if moved or why.differ or await _states_differ(root, then, now):
            return [_difference(what, before, after, f"{text}; which files is not known: {why}")], []
        raise
    changes = await seen_from(root, changes)
    differ = moved or changes.count
    return ([_difference(what, before, after or digest, text, changes)] if differ else []), _unread(changes)


async def _changes(root: Path, store: ArtifactStore, then: Then) -> tuple[Changes, str]:
    """What differs, and the digest of the list that there is now; raises NotKnownError."""
    from activities.filelist import changes, digest_of  # noqa: PLC0415 - only for a comparison
    from activities.filereader import UnknownFilesError  # noqa: PLC0415
    from activities.workfiles import Workfiles  # noqa: PLC0415

    await has_commit(root, then.commit)
    try:
        now = await Workfiles(root, store).now(then.git)
    except UnknownFilesError as why:
        raise NotKnownError(f"{why} now") from why
    digest = digest_of(now)
    try:
        return changes(await asyncio.to_thread(then.read, store), now), digest
    except NotKnownError as why:
        if "digest" not in then.files:
            raise
        if then.files["digest"] != digest:
            raise NotKnownError(str(why), differ=True) from why
        return changes(now, now), digest


async def has_commit(root: Path, commit: str | None) -> None:
    """Raise NotKnownError where the repository does not have a commit."""
    from activities.workspace import git  # noqa: PLC0415 - loaded by then

    if commit and await git(root, "cat-file", "-e", f"{commit}^{{commit}}") is None:
        raise NotKnownError(f"this repository does not have commit {short(commit)}")


async def _states_differ(root: Path, then: Then, now: Json) -> bool:
    """Whether git's list of what is not committed is another, or a digest of all that was told once."""
    from activities.workspace import tree_digest  # noqa: PLC0415 - only for a comparison

    git = then.git or {}
    if "unknown" not in {git.get("dirty"), now["dirty"]} and git.get("dirty") != now["dirty"]:
        return True
    tree = git.get("tree")
    return tree is not None and await tree_digest(root) not in {None, tree}


async def seen_from(root: Path, changes: Changes) -> Changes:
    """The same with paths that begin at the project, not at the top of the work tree around it."""
    from activities.filelist import Changes  # noqa: PLC0415 - loaded by then
    from activities.workspace import git  # noqa: PLC0415

    prefix = os.fsdecode((await git(root, "rev-parse", "--show-prefix") or b"").rstrip(b"\n"))
    if not prefix:
        return changes

    def seen(names: list[str]) -> list[str]:
        return [os.path.relpath(name, prefix) for name in names]

    return Changes(
        changed=seen(changes.changed), new=seen(changes.new), gone=seen(changes.gone), unread=seen(changes.unread)
    )


def short(commit: object) -> str:
    """A commit in words."""
    return str(commit)[:12] if commit else "none"


def shown(name: str) -> str:
    """A path as text that a terminal and JSON can take, whatever bytes it is made of."""
    text = os.fsencode(name).decode(errors="backslashreplace")
    return CONTROL.sub("?", text)


def _in_words(changes: Changes) -> str:
    kinds = (("changed", changes.changed), ("new", changes.new), ("gone", changes.gone))
    return "; ".join(f"{word}: {_listed(names)}" for word, names in kinds if names) or "no file differs"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(map(shown, names[:NAMED])) + more


def _difference(what: str, then: object, now: object, text: str, changes: Changes | None = None) -> Json:
    found: Json = {"kind": "files", "what": what, "then": then, "now": now, "text": text}
    if changes is not None:
        found |= {"text": f"{text}: {_in_words(changes)}", "files": listing(changes)}
    return found


def listing(changes: Changes) -> Json:
    """`{changed, new, gone, count}`, of each the first names."""
    kinds = {"changed": changes.changed, "new": changes.new, "gone": changes.gone}
    files: Json = {kind: [shown(name) for name in names[:LISTED]] for kind, names in kinds.items()}
    return {**files, "count": changes.count}


def _unknown(text: str) -> Json:
    return {"kind": "files", "text": text}


def _unread(changes: Changes) -> list[Json]:
    unread = changes.unread
    return [_unknown(f"files that cannot be read could not be compared: {_listed(unread)}")] if unread else []
