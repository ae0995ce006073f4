"""Files that travel from phase to phase, and attempts whose store cannot be had."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError

from activities.artifacts import ArtifactStore
from activities.results import MANIFEST_TYPE
from activities.storing import bring_files
from engine.errors import WorkspaceError
from tests.activities.conftest import Json, Project


def entry(store: ArtifactStore, content: bytes) -> Json:
    ref = store.put_bytes(content, "text/plain")
    return {"sha256": ref.sha256, "size": ref.size, "media_type": ref.media_type}


def values_with(files: Json) -> Json:
    return {"inputs": {}, "phases": {"make": {"artifacts": files}}, "env": {}, "run": {"id": "wf_test01"}}


async def test_a_file_that_is_named_lies_checked_beside_the_agent_and_may_be_altered(project: Project) -> None:
    store = ArtifactStore(project.root)
    files = {"app.tar": entry(store, b"tar"), "other": entry(store, b"x")}
    changed = await project.command(
        {
            "run": [
                "sh", "-c", 'cat "$APP"; echo more >> "$APP"; ls "$(dirname "$APP")"', "sh",
            ],
            "env": {"APP": "${phases.make.artifacts['app.tar'].path}"},
        },
        values=values_with(files),
        files={"make": ["app.tar.path"]},
        outputs={"seen": {"value": "stdout"}},
    )  # fmt: skip
    assert changed["outputs"]["seen"] == "tarapp.tar", "only what was named has come"
    assert store.get_bytes(files["app.tar"]["sha256"]) == b"tar"
    assert not list(project.scratch.iterdir()), "it goes with the attempt"


async def test_an_altered_file_fails_the_attempt_before_it_begins(project: Project) -> None:
    store = ArtifactStore(project.root)
    files = {"app": entry(store, b"tar")}
    path = store.path(files["app"]["sha256"])
    path.chmod(0o644)
    path.write_bytes(b"fake")
    with pytest.raises(ApplicationError, match=f"artifact sha256:{path.name} is damaged") as caught:
        await project.command({"run": ["touch", "ran"]}, values=values_with(files), files={"make": [""]})
    assert caught.value.type == "workspace"
    assert not (project.root / "ran").exists()


async def test_a_store_that_stays_away_fails_the_attempt_in_words_and_it_is_tried_again(project: Project) -> None:
    project.settings = replace(project.settings, store="s3://bucket", patience=0.2)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
            patch.setenv(name, "x")
        patch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        with pytest.raises(ApplicationError) as caught:
            await project.command({"run": ["sh", "-c", 'echo x > "$PHASELOOM_ARTIFACTS/x"']})
    assert caught.value.type == "store"
    assert caught.value.message == "the artifact store s3://bucket does not answer (connection refused)"
    assert not caught.value.non_retryable, "though no rule says so"
    assert "s3://bucket does not answer" in project.log


def test_a_long_list_of_files_is_read_before_one_of_them_is_brought(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    listed = [{"name": f"f{number}", **entry(store, str(number).encode())} for number in range(70)]
    manifest = {"sha256": store.put_json(listed).sha256, "size": 1, "media_type": MANIFEST_TYPE}
    values = values_with({"manifest.json": manifest})
    bring_files(values, {"make": ["f7.path"], "absent": [""]}, store, tmp_path / "files")
    files = values["phases"]["make"]["artifacts"]
    assert len(files) == 70
    assert Path(files["f7"]["path"]).read_text() == "7"
    assert "path" not in files["f8"]


def test_files_of_items_lie_in_a_directory_per_item_also_where_one_left_many(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    listed = [{"name": f"sub/f{number}", **entry(store, str(number).encode())} for number in range(70)]
    manifest = {"sha256": store.put_json(listed).sha256, "size": 1, "media_type": MANIFEST_TYPE}
    values = values_with({"items/0/log": entry(store, b"zero"), "items/1/manifest.json": manifest})
    bring_files(values, {"make": ["items/0/log.path", "items/1/sub/f7.path"]}, store, tmp_path / "files")
    place = tmp_path / "files/make/items"
    assert [path.read_bytes() for path in (place / "0/log", place / "1/sub/f7")] == [b"zero", b"7"]
    assert len(list(place.rglob("*"))) == 5, "only what was named has come"
    assert values["phases"]["make"]["artifacts"]["items/1/sub/f7"]["path"] == str(place / "1/sub/f7")


def test_all_come_where_the_definition_names_no_single_one(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    values = values_with({"a": entry(store, b"1"), "sub/a.b": entry(store, b"2")})
    bring_files(values, {"make": [""]}, store, tmp_path / "files")
    assert (tmp_path / "files/make/sub/a.b").read_bytes() == b"2"
    assert (tmp_path / "files/make/a").read_bytes() == b"1"


@pytest.mark.parametrize("name", ["../../x", "/etc/x", "."])
def test_a_name_leads_nowhere_else(tmp_path: Path, name: str) -> None:
    store = ArtifactStore(tmp_path)
    values = values_with({name: entry(store, b"1")})
    with pytest.raises(WorkspaceError, match="leads out of its directory"):
        bring_files(values, {"make": [""]}, store, tmp_path / "files")
