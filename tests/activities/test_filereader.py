"""What files hold is told of every file that counts, and said to be unknown before it takes too long."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from activities import filereader
from activities.filelist import Changes, Files, changes
from activities.filereader import FileReader, Limits, UnknownFilesError

NOBODY = 65534


class Tree:
    """Files in a directory, with a repository where that is wanted."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.reader = FileReader()

    def git(self, *arguments: str) -> str:
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "protocol.file.allow=always")
        command = ["git", "-C", str(self.root), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def begin(self) -> str:
        self.root.mkdir(exist_ok=True)
        self.git("init", "-q")
        return self.commit()

    def commit(self) -> str:
        self.git("add", ".")
        self.git("commit", "-q", "--allow-empty", "-m", "it")
        return self.git("rev-parse", "HEAD")

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    async def since(self, commit: str | None) -> Files:
        return await self.reader.since(self.root, commit, Limits())

    async def walked(self) -> Files:
        return await self.reader.walked(self.root, Limits())


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


@pytest.fixture
def committed(tree: Tree) -> str:
    """A commit with `a`, `b` and `sub/c`; `*.log` is ignored."""
    for name in ("a", "b", "sub/c"):
        tree.write(name, name)
    tree.write(".gitignore", "*.log\n")
    return tree.begin()


def told(found: Changes) -> dict[str, list[str]]:
    kinds = {"changed": found.changed, "new": found.new, "gone": found.gone, "unread": found.unread}
    return {kind: names for kind, names in kinds.items() if names}


async def test_a_clean_tree_has_an_empty_list(tree: Tree, committed: str) -> None:
    assert await tree.since(committed) == {}


async def test_a_file_that_was_dirty_already_and_changes_again_is_noticed(tree: Tree, committed: str) -> None:
    tree.write("a", "one")
    tree.write("fresh", "one")
    before = await tree.since(committed)
    tree.write("a", "two")
    tree.write("fresh", "two")
    assert told(changes(before, await tree.since(committed))) == {"changed": ["a", "fresh"]}


async def test_new_deleted_and_reverted_files_are_told_apart(tree: Tree, committed: str) -> None:
    tree.write("a", "one")
    tree.write("fresh", "1")
    before = await tree.since(committed)
    tree.write("a", "a")
    tree.write("dir/é", "2")
    (tree.root / "fresh").unlink()
    (tree.root / "b").unlink()
    after = await tree.since(committed)
    assert told(changes(before, after)) == {"changed": ["a"], "new": ["dir/é"], "gone": ["b", "fresh"]}
    assert told(changes(after, before)) == {"changed": ["a"], "new": ["b", "fresh"], "gone": ["dir/é"]}


async def test_what_git_ignores_and_our_own_files_do_not_count(tree: Tree, committed: str) -> None:
    tree.write("x.log", "1")
    tree.write(".phaseloom/current", "wf")
    tree.write("sub/.phaseloom/current", "wf")
    assert await tree.since(committed) == {}


async def test_an_older_commit_is_compared_with_the_files_of_now_whatever_is_committed(
    tree: Tree, committed: str
) -> None:
    tree.write("a", "one")
    tree.write("fresh", "1")
    dirty = await tree.since(committed)
    tree.commit()
    assert told(changes(dirty, await tree.since(committed))) == {}
    tree.write("b", "later")
    tree.git("mv", "sub/c", "moved")
    tree.commit()
    tree.write("a", "a")
    now = await tree.since(committed)
    assert told(changes({}, now)) == {"changed": ["b"], "new": ["fresh", "moved"], "gone": ["sub/c"]}
    assert told(changes(dirty, now)) == {"changed": ["a", "b"], "new": ["moved"], "gone": ["sub/c"]}


async def test_staging_and_forgetting_a_file_are_no_change_of_it(tree: Tree, committed: str) -> None:
    tree.write("a", "one")
    tree.write("fresh", "1")
    before = await tree.since(committed)
    tree.git("add", ".")
    assert told(changes(before, await tree.since(committed))) == {}
    tree.git("rm", "-q", "--cached", "a")
    assert told(changes(before, await tree.since(committed))) == {}


async def test_without_a_commit_all_that_git_would_add_is_listed(tree: Tree) -> None:
    tree.git("init", "-q")
    for name in (".gitignore", "staged", "loose"):
        tree.write(name, "*.log\n")
    tree.write("x.log", "1")
    tree.git("add", "staged")
    assert sorted(await tree.since(None)) == [".gitignore", "loose", "staged"]


async def test_links_modes_and_what_is_no_file_have_their_own_words(tree: Tree, committed: str) -> None:
    (tree.root / "link").symlink_to("a")
    (tree.root / "loop").symlink_to(".")
    os.mkfifo(tree.root / "sub" / "pipe")
    (tree.root / "b").chmod(0o755)
    before = await tree.walked()
    assert before["link"] != before["loop"]
    assert before["sub/pipe"] == "+special"
    assert (before["b"] or "").endswith("x")
    assert (await tree.since(committed)).keys() == {"b", "link", "loop"}  # a pipe is nothing to git
    (tree.root / "link").unlink()
    (tree.root / "link").symlink_to("b")
    (tree.root / "b").chmod(0o644)
    assert told(changes(before, await tree.walked())) == {"changed": ["b", "link"]}


async def test_a_file_that_becomes_a_directory_is_gone_and_what_is_in_it_new(tree: Tree, committed: str) -> None:
    (tree.root / "a").unlink()
    tree.write("a/inner", "1")
    (tree.root / "sub" / "c").unlink()
    (tree.root / "sub").rmdir()
    (tree.root / "sub").symlink_to("a")
    assert told(changes({}, await tree.since(committed))) == {"new": ["a/inner", "sub"], "gone": ["a", "sub/c"]}


async def test_names_may_be_any_bytes(tree: Tree) -> None:
    odd = [b"caf\xe9", b"new\nline", b"tab\t", b'"quoted"', b" ", b"-rf"]
    tree.git("init", "-q")
    for name in odd:
        (tree.root / os.fsdecode(name)).touch()
    names = {os.fsdecode(name) for name in odd}
    assert (await tree.since(None)).keys() == names
    assert (await tree.walked()).keys() == names


@pytest.mark.parametrize("kind", ["nested", "submodule"])
async def test_a_repository_of_its_own_changes_with_its_files(
    tree: Tree, committed: str, kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = Tree(tmp_path_factory.mktemp("other"))
    other.write("inner", "0")
    other.begin()
    if kind == "submodule":
        tree.git("submodule", "--quiet", "add", str(other.root), "lib")
        committed = tree.commit()
        tree.git("config", "submodule.lib.ignore", "all")
    else:
        tree.git("clone", "-q", str(other.root), "lib")
    inside = Tree(tree.root / "lib")
    seen = [await tree.since(committed)]
    assert ("lib" in seen[0]) == (kind == "nested")
    for change in (
        lambda: inside.write("inner", "1"),
        lambda: inside.write("inner", "2"),
        lambda: inside.write("fresh", "1"),
        inside.commit,
    ):
        change()
        seen.append(await tree.since(committed))
        assert told(changes(seen[-2], seen[-1])) == {"changed": ["lib"]}
    tree.git("clone", "-q", str(other.root), "lib/deep")
    seen.append(await tree.since(committed))
    Tree(tree.root / "lib" / "deep").write("inner", "deep")
    assert told(changes(seen[-1], await tree.since(committed))) == {"changed": ["lib"]}


async def test_no_setting_of_a_repository_hides_a_file_or_runs_a_program(tree: Tree, committed: str) -> None:
    for name, value in {
        "core.fsmonitor": str(tree.root / "hook"),
        "core.pager": str(tree.root / "hook"),
        "diff.external": str(tree.root / "hook"),
        "status.showUntrackedFiles": "no",
        "diff.relative": "true",
        "diff.renames": "true",
        "core.quotePath": "true",
    }.items():
        tree.git("config", name, value)
    tree.write("hook", "#!/bin/sh\ntouch ran\n")
    (tree.root / "hook").chmod(0o755)
    tree.write("a", "one")
    (tree.root / "b").rename(tree.root / "sub" / "b")
    found = await FileReader().since(tree.root / "sub", committed, Limits())
    assert told(changes({}, found)) == {"changed": ["a"], "new": ["hook", "sub/b"], "gone": ["b"]}
    assert not (tree.root / "ran").exists()


async def test_a_walk_leaves_out_caches_and_environments(tree: Tree) -> None:
    for name in (
        *("kept/file", ".hidden", ".phaseloom/current", "kept/.git/config", "node_modules/x", "sub/__pycache__/x"),
        *("target/CACHEDIR.TAG", "target/x", "env/pyvenv.cfg", "env/bin/python"),
    ):
        tree.write(name, "1")
    assert sorted(await tree.walked()) == [".hidden", "kept/file"]


@pytest.mark.parametrize("settled", [filereader.SETTLED, -1.0], ids=["at once", "settled"])
async def test_a_file_is_read_again_though_its_size_and_time_are_as_before(tree: Tree, settled: float) -> None:
    tree.reader = FileReader(settled=settled)
    old = 1_000_000_000

    def write(text: str) -> int:
        tree.write("a", text)
        os.utime(tree.root / "a", (old, old))
        return (tree.root / "a").stat().st_ctime_ns

    stamp = write("one")
    before = await tree.walked()
    while write("two") == stamp and settled < 0:  # clocks of file systems are coarse
        pass
    assert told(changes(before, await tree.walked())) == {"changed": ["a"]}


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        ({"files": 2}, "more than 2 files"),
        ({"size": 1024 * 1024}, "more than 1 MiB of files"),
        ({"seconds": 0}, "reading the files takes longer than 0 s"),
    ],
    ids=["files", "size", "seconds"],
)
@pytest.mark.parametrize("in_git", [True, False], ids=["git", "plain"])
async def test_what_would_take_too_long_is_unknown(
    tree: Tree, limits: dict[str, int], why: str, *, in_git: bool
) -> None:
    for name in ("a", "b", "c"):
        tree.write(name, "x" * 500_000)
    if in_git:
        tree.git("init", "-q")
    allowed = Limits(**limits)
    looking = tree.reader.since(tree.root, None, allowed) if in_git else tree.reader.walked(tree.root, allowed)
    with pytest.raises(UnknownFilesError, match=why):
        await looking


async def test_a_commit_that_the_repository_lacks_is_unknown(tree: Tree, committed: str) -> None:
    with pytest.raises(UnknownFilesError, match="git did not tell"):
        await tree.since("0" * len(committed))


@contextmanager
def somebody() -> Iterator[None]:
    """Who is not root, and so can be kept from reading."""
    was = os.geteuid()
    if not was:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(was)


async def test_what_cannot_be_read_is_neither_the_same_nor_another() -> None:
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        tree = Tree(Path(place))
        for name in ("closed/file", "open", "secret"):
            tree.write(name, "1")
        for name in ("closed", "secret"):
            (tree.root / name).chmod(0)
        with somebody():
            before, after = await tree.walked(), await tree.walked()
        (tree.root / "closed").chmod(0o755)
    assert told(changes(before, after)) == {"unread": ["closed/", "secret"]}
    assert told(changes({**before, "secret": "+1"}, after)) == {"unread": ["closed/", "secret"]}
    assert told(changes({}, after)) == {"new": ["closed/", "open", "secret"]}


async def test_a_socket_is_not_opened() -> None:
    with socket.socket(socket.AF_UNIX) as listening, tempfile.TemporaryDirectory() as place:
        listening.bind(f"{place}/s")
        assert await FileReader().walked(Path(place), Limits()) == {"s": "+special"}
