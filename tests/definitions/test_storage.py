"""Where artifacts are kept: said in the project's file or by a variable, checked before anything is stored."""

from __future__ import annotations

from pathlib import Path

import pytest

from definitions import load_config
from definitions.storage import VARIABLE, store_url
from engine.errors import DefinitionError


def said(tmp_path: Path, text: str) -> str:
    (tmp_path / "phaseloom.yaml").write_text(text)
    return store_url(tmp_path, {})


def test_the_file_says_it_and_the_variable_wins(tmp_path: Path) -> None:
    assert store_url(tmp_path, {}) == ""
    assert said(tmp_path, "name: x\n") == ""
    assert said(tmp_path, "artifacts:\n  store: s3://bucket/folder\n") == "s3://bucket/folder"
    assert store_url(tmp_path, {VARIABLE: "gs://other"}) == "gs://other"
    assert load_config(tmp_path)[1] == ()


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("bucket/folder", "this is no URL of a store"),
        ("ftp://bucket", "'ftp://' is no artifact store"),
        ("s3://", "the URL names no bucket"),
        ("s3://key:word@bucket", "the URL of a store holds no credentials"),
        ("s3://bucket?versionId=1", "the URL of a store holds no credentials and no parameters"),
        ("file://srv/artifacts", "a directory is written with three slashes"),
    ],
)
def test_a_url_that_cannot_be_is_refused_by_validation_and_before_anything_is_stored(
    tmp_path: Path, url: str, problem: str
) -> None:
    with pytest.raises(DefinitionError, match=rf"phaseloom\.yaml: {problem}"):
        said(tmp_path, f"artifacts: {{store: '{url}'}}\n")
    (diagnostic,) = load_config(tmp_path)[1]
    assert (diagnostic.code, diagnostic.path) == ("PL106", "artifacts.store")
    assert problem in diagnostic.message
    with pytest.raises(DefinitionError, match=rf"\${VARIABLE}: {problem}"):
        store_url(tmp_path, {VARIABLE: url})


@pytest.mark.parametrize("text", ["artifacts: {store: [", "artifacts:\n- x\nartifacts: 1\n"])
def test_a_file_that_cannot_be_read_is_no_permission_to_store_elsewhere(tmp_path: Path, text: str) -> None:
    with pytest.raises(DefinitionError, match=r"it says where artifacts are kept"):
        said(tmp_path, text)


def test_a_store_of_the_wrong_type_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match=r"artifacts\.store must be a URL"):
        said(tmp_path, "artifacts: {store: 3}\n")
    assert [found.code for found in load_config(tmp_path)[1]] == ["PL102"]


def test_credentials_that_are_written_into_a_url_are_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError) as caught:
        said(tmp_path, "artifacts: {store: 's3://key:hidden-word@bucket'}\n")
    assert "hidden-word" not in caught.value.message + caught.value.hint
    assert "hidden-word" not in " ".join(found.text for found in load_config(tmp_path)[1])
