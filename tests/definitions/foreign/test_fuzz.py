"""Whatever a file holds: no exception, no hang, and an error wherever there is no tree."""

from __future__ import annotations

import time
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from definitions import foreign
from definitions.nodes import Mark, Node

ANY_TEXT = st.text(max_size=400)
PIECES: Final = [
    "{", "}", "[", "]", ":", ",", "'", '"', "`", "\\", "//", "/*", "*/", "+", "-", ".", "=>", ";", "(", ")", "...", "=",
    "const x =", "export default", "module.exports", "'use strict'", "as const", "true", "null", "undefined", "0x1F",
    "phases", "steps", "id", "type", "parallel_group", "agents", "depends_on", "execution_groups", "dependencies",
    "\n", "\r\n", " ", "\t", "\ufeff", "\0", "é", "😀",
]  # fmt: skip
MARKDOWN_PIECES: Final = [
    "Phase 1", "Phase 2", "phase_3", "P4", "Step 1", ":", " - ", " depends on ", "(depends on ", "(after ", ")", "[",
    "Depends on:", "Requires:", "Agents:", "all previous phases", "1-99999", "Phases 1 and 2 depend on Phase 3", "none",
    "# ", "## ", "- ", "1. ", "> ", "**", "`", "```json\n", "```\n", '{"phases": [', '{"id": "a"}', "]}", "| ", "|---|",
    "<!--", "-->", "---", "====", "\n", "\n\n", "\r\n", "  ", "\t", "## Phases\n", "é", "\ufeff", "&", ", ", " and ",
]  # fmt: skip
LITERALS = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)
PLANS = st.lists(st.sampled_from(MARKDOWN_PIECES), max_size=60).map("".join)
FORMATS = st.sampled_from(["object-literal", "json", "markdown"])
NAMES = st.sampled_from(["x", "x.txt", "x.md", "x.json", "x.js", "x.yaml", ""])

KEYS: Final = [
    "phases", "steps", "execution_groups", "workflow", "enhanced_workflow_step", "id", "name", "title", "type",
    "agents", "agent", "depends_on", "dependencies", "dependsOn", "parallel", "parallel_capable", "step_groups",
    "agent_specifications", "synchronization", "barriers", "inputs", "outputs", "timeout", "x", "agentSpecs",
]  # fmt: skip
SCALARS = st.sampled_from(
    [
        None,
        True,
        False,
        0,
        7,
        1.5,
        "",
        "x",
        "y",
        "parallel_group",
        "x.completion",
        "none",
        "sequential_group",
        "Ünï cøde",
        "a b",
    ]
)


def node_of(value: object) -> Node:
    if isinstance(value, dict):
        return Node({key: node_of(item) for key, item in value.items()}, Mark(1, 1), dict.fromkeys(value, Mark(1, 1)))
    if isinstance(value, list):
        return Node([node_of(item) for item in value], Mark(1, 1))
    assert value is None or isinstance(value, str | int | float)
    return Node(value, Mark(1, 1))


TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=30,
)


def check(text: str, format_: str) -> None:
    node, found = foreign.read(text, format_)
    lines = text.count("\n") + text.count("\r") + 1
    assert all(1 <= d.line <= lines and d.column >= 1 for d in found)
    if node is None:
        assert any(d.severity == "error" for d in found)
        return
    assert isinstance(foreign.normalise(node)[1], str)
    node.plain()


@settings(max_examples=200, deadline=None)
@given(ANY_TEXT, FORMATS, NAMES)
def test_no_text_is_too_strange(text: str, format_: str, name: str) -> None:
    assert foreign.recognise(text, name) in (None, "object-literal", "json", "markdown")
    check(text, format_)


@settings(max_examples=300, deadline=None)
@given(LITERALS)
def test_no_literal_is_too_strange(text: str) -> None:
    foreign.recognise(text, "x.txt")
    check(text, "object-literal")


@settings(max_examples=300, deadline=None)
@given(PLANS)
def test_no_plan_is_too_strange(text: str) -> None:
    foreign.recognise(text, "x.txt")
    check(text, "markdown")


@settings(max_examples=300, deadline=None)
@given(TREES)
def test_no_tree_is_too_strange_and_none_is_changed(value: object) -> None:
    node = node_of(value)
    native, word = foreign.normalise(node)
    native.plain()
    assert node.plain() == value
    assert word in ("native", "workstream", "execution-groups", "parallel-group")


@pytest.mark.parametrize(
    "piece",
    [
        "[", "{a:", "(", "'", '"', "`", "\\", "/*", "a(", "-", "1", "_", "\ufeff ", "'\\", "//\n", "'a'+",
        "<!--", "Phase 1 ", "depends on ", "(after ", "[x](", "```\n", "| - |\n", "**", "> ", "1-9, ", "phases: ",
    ],
)  # fmt: skip
def test_no_repetition_takes_long(piece: str) -> None:
    text = piece * (60_000 // len(piece))
    begin = time.process_time()
    foreign.recognise(text, "x.txt")
    foreign.read(text, "json")
    foreign.read(text, "markdown")
    foreign.read(("Phase 1: " + text)[:900] + "\nPhase 2: x\n", "markdown")
    assert time.process_time() - begin < 5
