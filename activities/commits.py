"""What differs between two lists of files that are each against a commit of its own."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Collection
from pathlib import Path

from activities.filelist import NEW, UNREAD, Changes, Files, changes
from activities.filereader import CHUNK, Limits, UnknownFilesError
from activities.workspace import running_git

Tree = dict[str, tuple[str, str]]
"""Mode and object of each path of a commit."""

LINK, EXECUTABLE, REPOSITORY = "120000", "100755", "160000"


async def changes_between(
    directory: Path, then: tuple[str | None, Files], now: tuple[str | None, Files], limits: Limits
) -> Changes:
    """What differs between two lists, each with its commit, of the work tree around a directory.

    What is in neither list is compared by the commits. What is in one alone is compared with what the other's commit
    holds, as git keeps it. Raises UnknownFilesError.
    """
    try:
        async with asyncio.timeout(limits.seconds):
            trees = await asyncio.gather(_tree(directory, then[0]), _tree(directory, now[0]))
            wanted = _wanted(trees[0], then[1], now[1]) | _wanted(trees[1], now[1], then[1])
            limits.check(len(wanted))
            digests = await _digests(directory, wanted, limits)
    except TimeoutError:
        raise limits.late from None
    except (OSError, EOFError) as error:  # no git, or one that somebody ended
        raise UnknownFilesError("git did not tell what the commits hold") from error
    names = {name for name in trees[0].keys() | trees[1].keys() if trees[0].get(name) != trees[1].get(name)}
    names |= then[1].keys() | now[1].keys()
    return changes(
        {name: _held(name, trees[0], then[1], now[1], digests) for name in names},
        {name: _held(name, trees[1], now[1], then[1], digests) for name in names},
    )


def _wanted(tree: Tree, own: Files, other: Files) -> set[str]:
    """The objects of a commit whose digests are needed: of what the other list alone tells."""
    names = (name for name, value in other.items() if value is not None and name not in own and name in tree)
    return {tree[name][1] for name in names if tree[name][0] != REPOSITORY}


def _held(name: str, tree: Tree, own: Files, other: Files, digests: dict[str, str]) -> str | None:
    """What a path held on one side; where both sides are as in their commits, git's own words for it will do."""
    if name in own:
        value = own[name]
        return None if value is None else value.removeprefix(NEW)
    if name not in tree:
        return None
    mode, git_object = tree[name]
    if name not in other:
        return f"{mode} {git_object}"
    digest = digests.get(git_object)
    if mode == REPOSITORY or digest is None:
        return UNREAD
    return f"link:{digest}" if mode == LINK else f"{digest}x" if mode == EXECUTABLE else digest


async def _tree(directory: Path, commit: str | None) -> Tree:
    if commit is None:
        return {}
    async with running_git(directory, "ls-tree", "-r", "-z", "--full-tree", commit) as process:
        printed, _ = await process.communicate()
    if process.returncode != 0:
        raise UnknownFilesError("git did not tell what the commits hold")
    tree: Tree = {}
    for line in printed.split(b"\0"):
        if line:
            about, _, name = line.partition(b"\t")
            mode, _, git_object = about.decode().split(" ")
            tree[os.fsdecode(name)] = (mode, git_object)
    return tree


async def _digests(directory: Path, objects: Collection[str], limits: Limits) -> dict[str, str]:
    """The sha256 of what these objects hold; those that are missing are left out."""
    found: dict[str, str] = {}
    if not objects:
        return found
    size = 0
    async with running_git(directory, "cat-file", "--batch", stdin=asyncio.subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("".join(f"{each}\n" for each in objects).encode())
        process.stdin.write_eof()
        while words := (await process.stdout.readline()).decode().split():
            if len(words) < 3:
                continue
            left = int(words[2])
            size += left
            limits.check(size=size)
            found[words[0]] = await _digest(process.stdout, left)
            await process.stdout.readexactly(1)
    return found


async def _digest(stream: asyncio.StreamReader, left: int) -> str:
    digest = hashlib.sha256()
    while left:
        part = await stream.readexactly(min(left, CHUNK))
        digest.update(part)
        left -= len(part)
    return digest.hexdigest()
