"""What is needed is followed wherever it is written; what is young, or stored again, is never removed."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from temporalio.api.common.v1 import Payload

from activities.artifacts import ArtifactStore
from activities.results import MANIFEST_TYPE
from activities.upkeep import MARGIN, check, contents, needed, reached, remove, remove_drafts, waste
from engine.errors import WorkspaceError

NOW = datetime.now(UTC)


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "a", url=(tmp_path / "elsewhere").as_uri(), durable=False)


def age(tmp_path: Path, *digests: str, hours: float = 48) -> None:
    """Let contents have been stored so long ago, here and elsewhere."""
    then = (NOW - timedelta(hours=hours)).timestamp()
    for path in list(tmp_path.rglob("*")):
        if path.name in digests:
            path.chmod(0o644)
            os.utime(path, (then, then))


def claim(sha256: str) -> bytes:
    """An event whose payload is in the store, as the SDK writes it."""
    return json.dumps({"driverName": "phaseloom.artifacts", "claimData": {"sha256": sha256, "size": "1"}}).encode()


def test_a_payload_leads_to_a_value_that_leads_to_a_list_of_files(store: ArtifactStore) -> None:
    files = [store.put_bytes(name.encode()).sha256 for name in ("a", "b")]
    listed = [{"name": "f", "sha256": digest, "size": 1, "media_type": "text/plain"} for digest in files]
    manifest = store.put_json(listed).sha256
    inner = store.put_json({"files": {"sha256": manifest, "size": 1, "media_type": MANIFEST_TYPE}})
    payload = Payload(metadata={"encoding": b"json/plain"}, data=json.dumps({"x": inner.to_json()}).encode())
    outer = store.put_bytes(payload.SerializeToString()).sha256
    found = reached(store, [b"\x0a\x07" + claim(outer) + b"\x12"], needed, strict=True)
    assert found == {outer, inner.sha256, manifest, *files}


def test_what_an_open_run_needs_and_cannot_be_read_is_an_error(store: ArtifactStore) -> None:
    with pytest.raises(WorkspaceError, match="is not in"):
        reached(store, [claim("0" * 64)], needed, strict=True)
    assert reached(store, [claim("0" * 64)], needed, strict=False) == {"0" * 64}


def test_only_what_is_old_and_not_kept_is_waste(store: ArtifactStore, tmp_path: Path) -> None:
    young, old, kept = (store.put_bytes(text).sha256 for text in (b"young", b"old", b"kept"))
    age(tmp_path, old, kept)
    assert [each.sha256 for each in waste(store, {kept}, NOW)] == [old]
    assert remove(store, contents(store)[old], NOW)
    assert set(contents(store)) == {young, kept}
    assert not list(tmp_path.rglob(old))


def test_what_was_stored_again_since_it_was_looked_at_stays(store: ArtifactStore, tmp_path: Path) -> None:
    digest = store.put_bytes(b"again").sha256
    age(tmp_path, digest)
    [found] = waste(store, set(), NOW)
    store.put_bytes(b"again")
    assert not remove(store, found, NOW)
    assert store.get_bytes(digest) == b"again"
    assert NOW - contents(store)[digest].stored_at < MARGIN


def test_another_host_that_stores_it_again_makes_it_young_there(store: ArtifactStore, tmp_path: Path) -> None:
    digest = store.put_bytes(b"again").sha256
    age(tmp_path, digest)
    [found] = waste(store, set(), NOW)
    ArtifactStore(tmp_path / "b", url=(tmp_path / "elsewhere").as_uri(), durable=False).put_bytes(b"again")
    assert not remove(store, found, NOW)


def test_what_a_killed_writer_left_goes_after_a_day(store: ArtifactStore) -> None:
    store.put_bytes(b"x")
    young, old = (store.directory / name for name in ("new-young", "new-old"))
    for path in (young, old):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    remove_drafts(store, NOW)
    assert (young.exists(), old.exists()) == (True, False)


def test_each_place_is_looked_at(store: ArtifactStore, tmp_path: Path) -> None:
    digest = store.put_bytes(b"true").sha256
    assert check(store, digest, lambda _: None) == []
    [there] = [path for path in (tmp_path / "elsewhere").rglob(digest) if path.is_file()]
    there.write_bytes(b"fake")
    assert [each.what for each in check(store, digest, lambda _: None)] == ["altered"]
    there.unlink()
    [problem] = check(store, digest, lambda _: None)
    assert (problem.what, problem.where) == ("missing", (tmp_path / "elsewhere").as_uri())
    store.path(digest).unlink()
    assert "or file://" in check(store, digest, lambda _: None)[0].where
