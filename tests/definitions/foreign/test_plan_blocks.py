"""The block for machines in a Markdown plan: its forms, and where it and the text differ."""

from __future__ import annotations

import pytest

from definitions import foreign, load_text
from tests.definitions.foreign.garden import phases, read


def test_the_block_counts_and_differences_are_warned_about() -> None:
    text = """\
Phase 1: Soil
Phase 2: Beds
Phase 3: Fence (depends on Phase 2)
Phase 5: Pond

```json
{"phases": [{"id": "phase_1", "title": "Soil"}, {"id": "phase_2", "title": "Beds", "depends_on": ["phase_1"]},
  {"id": "phase_3", "title": "Wall", "depends_on": ["phase_2"]}, {"id": "phase_4", "title": "Lawn"}]}
```
"""
    node, found = read(text)
    assert [(p["name"], p["depends_on"]) for p in node.plain()["phases"]] == [
        ("Soil", []), ("Beds", ["phase_1"]), ("Wall", ["phase_2"]), ("Lawn", []),
    ]  # fmt: skip
    assert sorted((d.severity, d.code, d.line, d.message) for d in found) == [
        ("warning", "PL111", 2, "Phase 2 depends on nothing here, on phase_1 in the JSON block, which counts"),
        ("warning", "PL111", 3, "Phase 3 is 'Fence' here, 'Wall' in the JSON block, which counts"),
        ("warning", "PL111", 4, "Phase 5 is not in the JSON block, which counts"),
        ("warning", "PL111", 8, "'Lawn' is only in the JSON block"),
    ]
    assert load_text(text, file="plan.md").ok


@pytest.mark.parametrize(
    "block",
    [
        '```json\n{"phases": [{"id": "a", "title": "A"}, {"id": "b", "title": "B", "depends_on": ["a"]}]}\n```',
        "```js\nconst plan = {phases: [{id: 'a', title: 'A'}, {id: 'b', title: 'B', dependsOn: 'A',},],}; // so\n```",
        '~~~ JSON\n{"workflow": {"phases": {"a": {"title": "A"}, "b": {"title": "B", "dependencies": ["a"]}}}}\n~~~',
        '- x\n\n  ```\n  {"phases": [{"id": "a", "name": "A"}, {"id": "b", "name": "B", "depends_on": ["a"]}]}\n  ```',
        '```json\n{"phases": [{"id": "a", "name": "A"}, {"id": "b", "name": "B", "depends_on": ["a"]}]}',
    ],
)
def test_blocks_may_be_written_in_many_ways(block: str) -> None:
    found = phases(f"# T\n\n```json\n{{}}\n```\n\n{block}\n")
    assert found == [{"id": "a", "name": "A", "depends_on": []}, {"id": "b", "name": "B", "depends_on": ["a"]}]


def test_numbers_as_ids_of_a_block_are_those_of_the_text() -> None:
    block = '{"phases": [{"id": 1, "title": "Phase 1: A"}, {"id": "2", "title": "B", "depends_on": [1]}]}'
    text = f"Phase 1: A\nPhase 2: B (depends on Phase 1)\n```json\n{block}\n```\n"
    assert [(phase["id"], phase["depends_on"]) for phase in phases(text)] == [("phase_1", []), ("phase_2", ["phase_1"])]


def test_descriptions_and_agents_of_the_text_join_the_block() -> None:
    text = '## Phase 1: A\nDo it.\nAgent: maker\n```json\n{"phases": [{"id": "phase_1", "title": "A"}]}\n```\n'
    assert phases(text) == [
        {"id": "phase_1", "name": "A", "depends_on": [], "description": "Do it.", "agents": ["maker"]},
    ]


def test_errors_in_the_block_stand_where_they_were_made() -> None:
    block = '{"phases": [\n  {"id": "a" "title": "A"},\n  {"id": "b", "depends_on": ["zz"], "id": "c"}\n]}'
    text = f"# T\n\nPhase 1: A\n\n```json\n{block}\n```\n"
    found = [(d.code, d.line, d.column) for d in load_text(text, file="plan.md").errors]
    assert found == [("PL005", 7, 14), ("PL103", 8, 30), ("PL006", 8, 37)]


def test_a_block_that_cannot_be_read_is_an_error_and_not_forgotten() -> None:
    node, found = foreign.read('Phase 1: A\n```json\n{"phases": [}\n```\n', "markdown")
    assert node is None
    assert [(d.code, d.line, d.column) for d in found] == [("PL005", 3, 13)]


def test_a_second_block_is_warned_about() -> None:
    block = '```json\n{"phases": [{"id": "a"}]}\n```\n'
    _, found = read(block + block)
    assert [(d.severity, d.line) for d in found] == [("warning", 4)]
