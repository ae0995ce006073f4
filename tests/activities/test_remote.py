"""Artifacts kept elsewhere: on a real S3 server, in a directory, and while neither can be had."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.artifacts import ArtifactStore
from activities.remote import PART, Remote, key, shown
from activities.storing import patiently
from engine.errors import UnreachableError, WorkspaceError
from tests.s3 import S3, for_one_test, serving


@pytest.fixture(scope="module")
def server() -> Iterator[S3]:
    with serving() as served:
        yield served


@pytest.fixture
def s3(server: S3, monkeypatch: pytest.MonkeyPatch) -> S3:
    return for_one_test(server, monkeypatch)


@pytest.fixture
def store(tmp_path: Path, s3: S3) -> ArtifactStore:
    (tmp_path / ".phaseloom").mkdir()
    (tmp_path / ".phaseloom/project.json").write_text(json.dumps({"uuid": "abc123"}))
    return ArtifactStore(tmp_path, url=s3.url, durable=False)


def elsewhere(tmp_path: Path, url: str) -> ArtifactStore:
    """The same store as another host sees it, which has no copy of anything."""
    return ArtifactStore(tmp_path / "elsewhere", url=url, durable=False)


def test_what_is_stored_on_one_host_is_read_on_another(tmp_path: Path, s3: S3, store: ArtifactStore) -> None:
    ref = store.put_bytes(b"hello", "text/plain")
    assert s3.names() == ["team/projects/abc123", f"team/sha256/{ref.sha256[:2]}/{ref.sha256}"]
    other = elsewhere(tmp_path, s3.url)
    assert other.has(ref.sha256)
    assert other.get_bytes(ref.sha256) == b"hello"
    s3.stop()
    assert other.get_bytes(ref.sha256) == b"hello", "a copy stays"
    s3.start()


def test_a_large_file_travels_in_parts_and_is_checked_before_it_appears(
    tmp_path: Path, s3: S3, store: ArtifactStore
) -> None:
    source, target = tmp_path / "big.bin", tmp_path / "copy.bin"
    source.write_bytes(bytes(range(256)) * (PART // 128))
    ref = store.put_file(source)
    told: list[int] = []
    elsewhere(tmp_path, s3.url).copy(ref.sha256, target, told.append)
    assert target.read_bytes() == source.read_bytes()
    assert sum(told) == ref.size
    assert len(told) > 4


def test_storing_again_neither_fails_nor_writes_again(s3: S3, store: ArtifactStore) -> None:
    ref = store.put_bytes(b"once")
    [before] = [each for each in store.remote.contents() if each.sha256 == ref.sha256] if store.remote else []
    store.put_bytes(b"once")
    assert store.remote is not None
    assert list(store.remote.contents()) == [before]
    assert len(s3.names()) == 2


def test_a_content_that_was_altered_there_is_named_and_not_handed_over(
    tmp_path: Path, s3: S3, store: ArtifactStore
) -> None:
    ref = store.put_bytes(b"true")
    s3.put(f"team/{key(ref.sha256)}", b"fake")
    other = elsewhere(tmp_path, s3.url)
    with pytest.raises(WorkspaceError, match=f"{ref.sha256} is damaged in {s3.url}"):
        other.get_bytes(ref.sha256)
    assert not other.path(ref.sha256).exists()
    store.path(ref.sha256).unlink()
    store.path(ref.sha256).write_bytes(b"also fake")
    s3.put(f"team/{key(ref.sha256)}", b"true")
    assert store.get_bytes(ref.sha256) == b"true", "a damaged copy here is replaced by the good one"


def test_a_content_that_is_nowhere_is_named_with_both_places(s3: S3, store: ArtifactStore) -> None:
    with pytest.raises(WorkspaceError, match=rf"sha256:{'0' * 64} is not in .*\.phaseloom/artifacts or {s3.url}"):
        store.get_bytes("0" * 64)


def test_a_server_that_is_away_is_told_in_a_sentence_without_secrets_and_back_it_is_used_again(
    s3: S3, store: ArtifactStore
) -> None:
    s3.stop()
    with pytest.raises(UnreachableError) as caught:
        store.put_bytes(b"later")
    assert caught.value.message == f"the artifact store {s3.url} does not answer (connection refused)"
    assert "hidden-word" not in caught.value.message + caught.value.hint
    s3.start()
    ref = store.put_bytes(b"later")
    assert any(ref.sha256 in each for each in s3.names())


async def test_work_that_is_done_waits_for_a_store_that_is_away(s3: S3, store: ArtifactStore) -> None:
    said: list[str] = []
    told = asyncio.Event()

    async def say(text: str) -> None:
        said.append(text)
        told.set()

    s3.stop()
    storing = asyncio.create_task(patiently(lambda: store.put_bytes(b"work"), 30.0, say))
    await asyncio.wait_for(told.wait(), 30)
    s3.start()
    ref = await storing
    assert ref.sha256 == hashlib.sha256(b"work").hexdigest()
    assert said == [f"the artifact store {s3.url} does not answer (connection refused); trying again for 30s"]


def test_a_bucket_that_does_not_exist_is_told(tmp_path: Path, s3: S3) -> None:
    store = ArtifactStore(tmp_path, url="s3://nowhere/x", durable=False)
    with pytest.raises(WorkspaceError, match="s3://nowhere/x does not exist: make its bucket first"):
        store.put_bytes(b"x")
    assert store.remote is not None
    with pytest.raises(WorkspaceError, match="make its bucket first"):
        list(store.remote.contents())
    assert s3.names() == []


def test_missing_credentials_are_told_with_the_names_of_the_variables(
    s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(WorkspaceError, match=f"no credentials for the artifact store {s3.url}") as caught:
        ArtifactStore(tmp_path, url=s3.url, durable=False).put_bytes(b"x")
    assert "AWS_ACCESS_KEY_ID" in caught.value.hint


@pytest.mark.parametrize(
    ("url", "variables", "problem"),
    [
        (
            "gs://bucket",
            {"GOOGLE_APPLICATION_CREDENTIALS": "/nowhere.json"},
            "the credentials for the artifact store gs:",
        ),
        (
            "az://box/x",
            {"AZURE_STORAGE_ACCOUNT_NAME": "a", "AZURE_STORAGE_ACCOUNT_KEY": "!!"},
            "the credentials for the artifact store az://box/x cannot be used",
        ),
        ("az://box/x", {}, "there are no credentials for the artifact store az://box/x"),
    ],
)
def test_credentials_that_cannot_be_used_are_told_and_not_waited_for(
    url: str, variables: dict[str, str], problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(WorkspaceError, match=problem):
        Remote(url).head("0" * 64)


def test_a_directory_is_a_store_too(tmp_path: Path) -> None:
    url = (tmp_path / "shared").as_uri()
    ref = ArtifactStore(tmp_path / "a", url=url, durable=False).put_bytes(b"x" * (PART + 1))
    other = elsewhere(tmp_path, url)
    assert other.get_bytes(ref.sha256) == b"x" * (PART + 1)
    assert other.remote is not None
    assert [each.sha256 for each in other.remote.contents()] == [ref.sha256]
    other.remote.delete(ref.sha256)
    other.remote.delete(ref.sha256)
    assert not list(other.remote.contents())


def test_a_directory_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkspaceError, match="cannot be used: "):
        ArtifactStore(tmp_path, url=(tmp_path / "file/below").as_uri(), durable=False).put_bytes(b"x")


def test_projects_that_share_a_store_know_of_each_other(s3: S3, store: ArtifactStore) -> None:
    store.put_bytes(b"mine")
    Remote(s3.url).join("other")
    assert Remote(s3.url).projects() == {"abc123", "other"}


def test_a_url_is_told_without_what_it_must_not_hold() -> None:
    assert shown("s3://key:word@bucket/x?token=1") == "s3://bucket/x"
    assert shown("abfs://container@account.dfs.core.windows.net/x") == "abfs://container@account.dfs.core.windows.net/x"
