"""The artifact store: whole contents, checked, or a clear error."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from typing import Any

import pytest

from activities.artifacts import ArtifactStore, Ref, resolve
from engine.errors import WorkspaceError


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path, durable=False)


def test_a_content_is_found_by_its_digest(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    ref = store.put_bytes(b"hello", "text/plain")
    assert ref == Ref(sha256=hashlib.sha256(b"hello").hexdigest(), size=5, media_type="text/plain")
    assert store.path(ref.sha256) == tmp_path / ".phaseloom" / "artifacts" / ref.sha256[:2] / ref.sha256
    assert store.get_bytes(ref.sha256) == b"hello"
    assert store.has(ref.sha256)


def test_a_file_is_stored_a_piece_at_a_time(tmp_path: Path, store: ArtifactStore) -> None:
    source = tmp_path / "report.html"
    source.write_bytes(b"0123456789" * 300_000)
    ref = store.put_file(source)
    assert (ref.size, ref.media_type) == (3_000_000, "text/html")
    assert store.get_bytes(ref.sha256) == source.read_bytes()


def test_a_damaged_content_is_noticed_and_mended_by_storing_it_again(store: ArtifactStore) -> None:
    ref = store.put_bytes(b"hello")
    path = store.path(ref.sha256)
    path.chmod(0o644)
    path.write_bytes(b"hellO")
    with pytest.raises(WorkspaceError, match="is damaged"):
        store.get_bytes(ref.sha256)
    store.put_bytes(b"hello")
    assert store.get_bytes(ref.sha256) == b"hello"


def test_what_is_not_there_is_an_error_that_names_it(store: ArtifactStore) -> None:
    missing = "0" * 64
    assert not store.has(missing)
    with pytest.raises(WorkspaceError, match=f"sha256:{missing} is not in"):
        store.get_bytes(missing)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "0" * 63])
def test_only_digests_lead_to_files(store: ArtifactStore, name: str) -> None:
    with pytest.raises(WorkspaceError, match="not the name of an artifact"):
        store.path(name)


def test_nothing_half_written_stays_after_an_error(tmp_path: Path, store: ArtifactStore) -> None:
    with pytest.raises(IsADirectoryError):
        store.put_file(tmp_path)
    with pytest.raises(ValueError, match="JSON"):
        store.put_json(float("nan"))
    store.put_bytes(b"x")
    assert [path for path in store.directory.iterdir() if path.name.startswith("new-")] == []


def test_many_may_store_the_same_at_once(store: ArtifactStore) -> None:
    data = b"z" * 500_000
    threads = [threading.Thread(target=store.put_bytes, args=(data,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.get_bytes(hashlib.sha256(data).hexdigest()) == data


@pytest.mark.parametrize(
    "value", [None, {}, {"$artifact": "sha256:" + "a" * 64}, {"$artifact": "md5:1", "size": 1, "media_type": "x"}]
)
def test_other_values_are_no_references(value: Any) -> None:
    assert Ref.from_json(value) is None


def test_references_become_values_as_long_as_there_is_room(store: ArtifactStore) -> None:
    large = store.put_json({"a": [1, "ü"]}).to_json()
    text = store.put_bytes(b"text", "text/plain").to_json()
    values = {"x": large, "y": [large, text, 7]}
    assert resolve(values, store) == {
        "x": {"a": [1, "ü"]},
        "y": [{"a": [1, "ü"]}, text | {"path": str(store.path(text["$artifact"][7:]))}, 7],
    }
    squeezed = resolve(values, store, room=large["size"])
    assert squeezed["x"] == {"a": [1, "ü"]}
    assert squeezed["y"][0]["path"].endswith(large["$artifact"][7:])
