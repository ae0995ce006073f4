"""Markdown plans: how people declare phases and what they depend on, and where everything stands."""

from __future__ import annotations

import pytest

from definitions import foreign, load_text
from definitions.nodes import Mark
from tests.definitions.foreign.garden import BLOCK_ALONE, GARDEN, TEXT_ALONE, needs, phases, place, read


@pytest.mark.parametrize("text", [GARDEN, TEXT_ALONE, "# garden\n" + BLOCK_ALONE])
def test_text_and_block_say_the_same_alone_and_together(text: str) -> None:
    assert phases(text) == [
        {"id": "phase_1", "name": "Soil", "depends_on": []},
        {"id": "phase_2", "name": "Beds", "depends_on": ["phase_1"]},
        {"id": "phase_3", "name": "Fence", "depends_on": ["phase_1"]},
        {"id": "phase_4", "name": "Planting", "depends_on": ["phase_2", "phase_3"]},
    ]
    assert read(text)[0].plain()["name"] == "garden"
    assert load_text(text, file="garden.md").ok


def test_the_introduction_is_the_description() -> None:
    assert read(GARDEN)[0].plain()["description"] == "We grow things."


def test_places_are_those_of_the_text() -> None:
    node, _ = read(TEXT_ALONE)
    assert node.mark_of(("phases", 1)) == place(TEXT_ALONE, "Phase 2")
    assert node.value_mark_of(("phases", 1, "name")) == place(TEXT_ALONE, "Beds")
    assert node.value_mark_of(("phases", 3, "depends_on", 0)) == place(TEXT_ALONE, "Phase 2", "Planting")
    assert node.value_mark_of(("phases", 3, "depends_on", 1)) == place(TEXT_ALONE, "Phase 3", "Planting")
    assert place(TEXT_ALONE, "Phase 3", "Planting") == Mark(10, 40)


def test_places_in_the_block_are_those_of_the_file() -> None:
    node, _ = read(GARDEN)
    assert node.mark_of(("phases",)) == Mark(15, 2)
    assert node.value_mark_of(("phases", 1, "name")) == place(GARDEN, '"Beds"')
    assert node.value_mark_of(("phases", 3, "depends_on", 1)) == place(GARDEN, '"phase_3"', '"Planting"')


@pytest.mark.parametrize(
    "line",
    [
        "Phase 2: Beds (depends on Phase 1)",
        "Phase 2: Beds (Depends on: Phase 1)",
        "Phase 2: Beds [depends on phase 1]",
        "Phase 2: Beds (depends on 1)",
        "Phase 2: Beds (depends on P1)",
        "Phase 2: Beds (depends on phase_1)",
        "Phase 2: Beds (depends on Soil)",
        "Phase 2: Beds (after Phase 1)",
        "Phase 2: Beds (requires Phase 1)",
        "Phase 2: Beds (starts after Phase 1 is done)",
        "Phase 2: Beds (blocked by Phase 1; in parallel with Phase 3)",
        "Phase 2: Beds (depends on [Phase 1](#phase-1))",
        "Phase 2: Beds (depends on Phase 1 (Soil))",
        "Phase 2: Beds, depends on Phase 1",
        "Phase 2: Beds - after Phase 1",
        "Phase 2 - Beds (depends on Phase 1)",
        "Phase 2 \u2013 Beds (depends on Phase 1)",
        "Phase 2. Beds (depends on Phase 1)",
        "Phase 2) Beds (depends on Phase 1)",
        "phase 2: Beds (DEPENDS ON PHASE 1)",
        "PHASE 02:\tBeds (depends on Phase 01)",
        "phase_2: Beds (depends on phase_1)",
        "P2: Beds (depends on P1)",
        "- Phase 2: Beds (depends on Phase 1)",
        "* [ ] **Phase 2:** Beds (depends on Phase 1)",
        "2. Phase 2: Beds (depends on Phase 1)",
        "## Phase 2: Beds (depends on Phase 1)",
        "### **Phase 2**: Beds (depends on Phase 1) ###",
        "**Phase 2: Beds** (depends on Phase 1)",
        "**Phase 2: Beds** *(depends on Phase 1)*",
        "> Phase 2: Beds (depends on Phase 1)",
        "Phase 2: Beds (depends on the previous phase)",
        "Phase 2: Beds (depends on all previous phases)",
        "Phase 2: Beds\nDepends on: Phase 1",
        "Phase 2: Beds\nDependencies: Phase 1",
        "Phase 2: Beds\nRequires Phase 1",
        "Phase 2: Beds\n\nPrerequisites: 1",
        "- Phase 2: Beds\n  - **Depends on**: Phase 1",
        "- Phase 2: Beds\n  - Depends on:\n    - Phase 1",
        "## Phase 2: Beds\n\n**Depends on:** `Phase 1`",
        "## Phase 2: Beds\n\n**Dependencies**\n\n- Phase 1: Soil",
        "## Phase 2: Beds\n\n### Dependencies\n\n* [Phase 1](#phase-1)",
        "Phase 2: Beds\n\nPhase 2 depends on Phase 1.",
        "Phase 2: Beds\n\n## Dependencies\n\n- Phase 2 depends on Phase 1",
        "Phase 2: Beds <- Phase 1",
        "## Phase 2: Beds\n\nHard work. It depends on Phase 1.",
        "Phase 2: Beds\n\n- Phase 1 -> Phase 2",
        "<!-- Phase 2: Lawn -->\nPhase 2: Beds (depends on Phase 1)",
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_usual_way_to_declare_a_dependency_is_understood(line: str, end: str) -> None:
    text = f"# Garden\n\nPhase 1: Soil\n{line}\n".replace("\n", end)
    assert needs(text) == {"Soil": [], "Beds": ["phase_1"]}
    assert needs("\ufeff" + text) == {"Soil": [], "Beds": ["phase_1"]}


def test_remarks_beside_dependencies_stay_in_the_title() -> None:
    text = (
        "Phase 1: Soil\nPhase 2: Beds (3 days, depends on Phase 1)\nPhase 3: Fence (parallel with Phase 2, after 1)\n"
    )
    assert needs(text) == {"Soil": [], "Beds (3 days)": ["phase_1"], "Fence (parallel with Phase 2)": ["phase_1"]}


@pytest.mark.parametrize(
    "note",
    [
        "", "(depends on none)", "(no dependencies)", "(independent)", "(depends on: nothing)", "(can run in parallel)",
        "\nDepends on: none", "\nDependencies: -", "\nDependencies: N/A", "\nDepends on: no other phase",
        "\nRequires: a dry day", "\nDependencies: spade, rake",
    ],
)  # fmt: skip
def test_a_phase_without_dependencies_waits_for_nothing(note: str) -> None:
    found = phases(f"Phase 1: Soil\nPhase 2: Beds {note}\n")
    assert [phase["depends_on"] for phase in found] == [[], []]


@pytest.mark.parametrize(
    ("note", "waits_for"),
    [
        ("depends on Phase 1 and Phase 2", [1, 2]),
        ("depends on Phases 1, 2 & 3", [1, 2, 3]),
        ("depends on phases 1-3", [1, 2, 3]),
        ("depends on Phase 2 to Phase 3", [2, 3]),
        ("after 1, 3", [1, 3]),
        ("depends on A, C", [1, 3]),
        ("depends on everything above", [1, 2, 3]),
        ("depends on Phase 1, Phase 1", [1]),
    ],
)
def test_several_dependencies_are_understood(note: str, waits_for: list[int]) -> None:
    text = f"Phase 1: A\nPhase 2: B\nPhase 3: C\nPhase 4: D ({note})\n"
    assert needs(text)["D"] == [f"phase_{number}" for number in waits_for]


def test_statements_about_several_phases_hold_for_each() -> None:
    text = "Phase 1: A\nPhase 2: B\nPhase 3: C\n\nPhases 2 and 3 depend on Phase 1.\n"
    assert needs(text) == {"A": [], "B": ["phase_1"], "C": ["phase_1"]}
    chain = "Phase 1: A\nPhase 2: B\nPhase 3: C\n\nPhase 1 \u2192 Phase 2 \u2192 Phase 3\n"
    assert needs(chain) == {"A": [], "B": ["phase_1"], "C": ["phase_2"]}


def test_prose_declares_nothing() -> None:
    text = (
        "Phase 1 will take long and Phase 2 depends on luck.\n\nPhase 1: A\nPhase 2: B\n\n"
        "In phase 2 we depend on Phase 1 people.\nPhase 3 is a dream.\n"
    )
    assert needs(text) == {"A": [], "B": []}


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("Phase A: X\nPhase B: Y (depends on Phase A)", ["phase_a", "phase_b"]),
        ("Phase I: X\nPhase II: Y (depends on Phase I)", ["phase_i", "phase_ii"]),
        ("## Phase One: X\n## Phase Two: Y (depends on Phase One)", ["phase_1", "phase_2"]),
        ("- **Phase 1 (X)**\n- **Phase 2 (Y)**: after Phase 1", ["phase_1", "phase_2"]),
        ("Phase 1.1: X\nPhase 1.2: Y (depends on Phase 1.1)", ["phase_1_1", "phase_1_2"]),
        ("Phase 2a: X\nPhase 2b: Y (depends on Phase 2a)", ["phase_2a", "phase_2b"]),
        ("Step 1: X\nStep 2: Y (depends on Step 1)", ["step_1", "step_2"]),
        ("## Stage 1\n### X\n## Stage 2\nDepends on: Stage 1", ["stage_1", "stage_2"]),
        ("Milestone 1: X\nMilestone 2: Y (after Milestone 1)", ["milestone_1", "milestone_2"]),
        ("## Phases\n1. X\n2. Y (depends on 1)", ["phase_1", "phase_2"]),
        ("## Phases\n- X\n- Y (depends on X)\n## Other\n- Z", ["phase_1", "phase_2"]),
        ("# Roadmap\n## X\n## Y\nDepends on: X", ["phase_1", "phase_2"]),
        ("# T\n## 1. X\n## 2. Y (depends on 1)", ["phase_1", "phase_2"]),
        ("| # | Phase | Depends on |\n|---|:-:|---|\n| 1 | X | - |\n| 2 | Y | 1 |", ["phase_1", "phase_2"]),
        (
            "| Phase | Title | Needs |\n|---|---|---|\n| Phase 1 | X | |\n| Phase 2 | Y | Phase 1 |",
            ["phase_1", "phase_2"],
        ),
        ("Plan\n====\n\nPhase 1: X\n----\n\nPhase 2: Y\n----\nDepends on: Phase 1", ["phase_1", "phase_2"]),
    ],
)
def test_phases_may_be_called_otherwise(text: str, ids: list[str]) -> None:
    found = phases(text)
    assert [phase["id"] for phase in found] == ids
    assert [phase["depends_on"] for phase in found] == [[], [ids[0]]]


def test_steps_inside_of_phases_are_their_text() -> None:
    text = "## Phase 1: A\nStep 1: dig\nStep 2: rest\n## Phase 2: B\n"
    assert [(phase["name"], phase.get("description")) for phase in phases(text)] == [
        ("A", "Step 1: dig\nStep 2: rest"),
        ("B", None),
    ]


def test_the_text_below_a_phase_is_its_description() -> None:
    text = """\
## Phase 1: Soil

Dig **deep**.

Depends on: nothing

- turn it
- rake it

### Notes

```sh
Phase 9: not a phase
```

## Phase 2: Beds
- Phase 3: Fence
  made of wood

Unrelated.

# Risks

Rain.
"""
    assert [phase.get("description") for phase in phases(text)] == [
        "Dig **deep**.\n\n- turn it\n- rake it\n\n### Notes\n\n```sh\nPhase 9: not a phase\n```",
        None,
        "made of wood",
    ]


def test_agents_may_be_named() -> None:
    text = "## Phase 1: Soil\nAgents: digger, @raker\n## Phase 2: Beds\n**Owner:** carpenter\n## Phase 3: Fence\n"
    assert [phase.get("agents") for phase in phases(text)] == [["digger", "raker"], ["carpenter"], None]


def test_a_phase_in_a_summary_and_below_is_one_phase() -> None:
    summary = "- Phase 1: Soil\n- Phase 2: Beds (depends on Phase 1)\n\n"
    text = f"{summary}## Phase 1: Soil\nDig.\n## Phase 2: Beds and more\nBuild.\n"
    assert phases(text) == [
        {"id": "phase_1", "name": "Soil", "description": "Dig.", "depends_on": []},
        {"id": "phase_2", "name": "Beds", "description": "Build.", "depends_on": ["phase_1"]},
    ]


def test_two_phases_with_one_number_are_an_error() -> None:
    checked = load_text("Phase 1: Soil\nPhase 2: Beds\nPhase 2: Fence\n", file="plan.md")
    assert [(d.code, d.line, d.column) for d in checked.errors] == [("PL107", 3, 1)]


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("Phase 2: B (depends on Phase 9)", 24),
        ("Phase 2: B (depends on Phase 1, Phase 9)", 33),
        ("Phase 2: B (depends on Z)", 24),
    ],
)
def test_an_unknown_phase_is_an_error_where_it_stands(line: str, column: int) -> None:
    checked = load_text(f"# T\n\nPhase 1: A\n{line}\n", file="plan.md")
    assert [(d.code, d.line, d.column) for d in checked.errors] == [("PL103", 4, column)]


def test_circles_and_phases_that_wait_for_themselves_are_errors() -> None:
    text = "Phase 1: A (depends on Phase 2)\nPhase 2: B (depends on Phase 1)\nPhase 3: C (depends on Phase 3)\n"
    assert {d.code for d in load_text(text, file="plan.md").errors} == {"PL201", "PL202"}


def test_words_beside_phases_are_warned_about() -> None:
    _, found = read("Phase 1: Soil\nPhase 2: Beds (depends on Phase 1, good weather)\nPhase 3: C\nNeeds: Soill\n")
    assert [(d.severity, d.code, d.line, d.column) for d in found] == [
        ("warning", "PL103", 2, 36),
        ("warning", "PL103", 4, 8),
    ]
    assert found[1].hint == "did you mean 'Soil'?"


@pytest.mark.parametrize("text", ["", "# Nothing\n\nJust words.\n", '```json\n{"a": 1}\n```\n', "Phases: three\n"])
def test_a_plan_without_phases_is_an_error(text: str) -> None:
    node, found = foreign.read(text, "markdown")
    assert node is None
    assert [(d.code, d.line) for d in found] == [("PL015", 1)]


def test_front_matter_is_skipped() -> None:
    assert needs("---\ntitle: x\nPhase 9: no\n---\nPhase 1: Soil\n") == {"Soil": []}
