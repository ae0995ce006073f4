"""Child runs are checked before anything starts: there, sound, given their inputs, and free of circles."""

from __future__ import annotations

import pytest

from definitions import Checked, Diagnostic, check_children, load_text
from engine.errors import DefinitionError

PARENT = """\
id: outer
agents:
  part: {uses: workflow, definition: inner, inputs: {word: hello}}
phases:
  - {name: Sub, agents: [part]}
"""
INNER = "id: inner\ninputs: {word: {type: string}, colour: {default: red}}\nphases: [{name: Say}]\n"


def found(parent: str, **others: str) -> list[tuple[str, int, int, str, str]]:
    def load(name: str) -> Checked:
        if name not in others:
            raise DefinitionError(f"there is no definition '{name}'", code="not_found")
        return load_text(others[name], file=f"{name}.yaml")

    return [
        (d.code, d.line, d.column, d.path, d.message)
        for d in check_children(load_text(parent, file="outer.yaml"), load)
    ]


def test_a_sound_child_with_its_inputs_is_fine() -> None:
    assert found(PARENT, inner=INNER) == []


@pytest.mark.parametrize(
    ("parent", "others", "expected"),
    [
        (PARENT, {}, ("PL408", 3, 38, "agents.part.definition", "there is no definition 'inner'")),
        (
            PARENT,
            {"inner": INNER + "surplus: 1\n"},
            ("PL409", 3, 38, "agents.part.definition", "'inner' has 1 error"),
        ),
        (
            PARENT.replace("word: hello", "colour: blue"),
            {"inner": INNER},
            ("PL411", 3, 53, "agents.part.inputs", "'inner' requires the input 'word'"),
        ),
        (
            PARENT.replace(", inputs: {word: hello}", ""),
            {"inner": INNER},
            ("PL411", 3, 38, "agents.part.definition", "'inner' requires the input 'word'"),
        ),
        (
            PARENT,
            {"inner": PARENT.replace("outer", "inner").replace("definition: inner", "definition: outer")},
            ("PL410", 3, 38, "agents.part.definition", "a run cannot contain itself: outer -> inner -> outer"),
        ),
        (
            PARENT,
            {"inner": PARENT.replace("outer", "inner").replace("definition: inner", "definition: lost")},
            ("PL408", 3, 38, "agents.part.definition", "in 'inner': there is no definition 'lost'"),
        ),
    ],
)
def test_what_keeps_a_child_from_running_is_said_at_its_place(
    parent: str, others: dict[str, str], expected: tuple[str, int, int, str, str]
) -> None:
    if "outer" in others.get("inner", ""):
        others = {**others, "outer": parent}
    assert found(parent, **others) == [expected]


def test_a_circle_below_the_definition_is_named_too() -> None:
    inner = PARENT.replace("outer", "inner").replace("definition: inner", "definition: inner")
    assert [message for *_, message in found(PARENT, inner=inner)] == [
        "a run cannot contain itself: outer -> inner -> inner"
    ]


def test_a_definition_that_many_use_is_looked_through_once() -> None:
    """Each level uses the next one twice: without memory that would be 2**30 definitions."""
    levels = {
        f"d{level}": f"id: d{level}\nagents:\n  a: {{uses: workflow, definition: d{level + 1}}}\n"
        f"  b: {{uses: workflow, definition: d{level + 1}}}\nphases: [{{name: A, agents: [a, b]}}]\n"
        for level in range(30)
    }
    levels["d30"] = "id: d30\nphases: [{name: Last}]\n"
    assert found(levels["d0"], **levels) == []


def test_a_role_that_nobody_has_is_not_checked() -> None:
    assert found(PARENT.replace("agents: [part]", "agents: [other]")) == []


def test_findings_are_diagnostics_of_the_definition() -> None:
    def load(name: str) -> Checked:
        raise DefinitionError(f"there is no definition '{name}'", hint="did you mean 'inner'?")

    (finding,) = check_children(load_text(PARENT, file="outer.yaml"), load)
    assert isinstance(finding, Diagnostic)
    assert finding.text == (
        "outer.yaml:3:38 PL408 agents.part.definition: there is no definition 'inner' (did you mean 'inner'?)"
    )
