"""The JSON schema for editors accepts what validates and refuses what does not, as far as one value shows it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from definitions import json_schema, load
from definitions.registry import CATALOG

CATALOG_FILES = sorted(CATALOG.glob("*.yaml"))


@pytest.mark.parametrize("kind", ["definition", "project"])
def test_the_schema_is_json_and_exact(kind: str) -> None:
    schema = json_schema("project" if kind == "project" else "definition")
    assert json.loads(json.dumps(schema)) == schema
    assert schema["additionalProperties"] is False
    assert "^x-" in schema["patternProperties"]


def test_keys_of_yaml_not_of_python_are_in_the_schema() -> None:
    schema = json_schema()
    assert {"if", "depends_on", "tool", "acceptance_tests", "next"} <= schema["$defs"]["Phase"]["properties"].keys()
    assert "if" in schema["$defs"]["Jump"]["properties"]
    assert "$schema" in schema["properties"]


@pytest.mark.parametrize("path", CATALOG_FILES, ids=[path.stem for path in CATALOG_FILES])
def test_the_catalog_has_no_findings(path: Path) -> None:
    checked = load(path)
    assert [d.text for d in checked.errors] == []
    assert checked.id == path.stem
