"""Which reader a file is given to."""

from __future__ import annotations

import pytest

from definitions import foreign

PLAN = "# Plan: tea\n\nPhase 1: Water\nPhase 2: Leaves (depends on Phase 1)\n"


@pytest.mark.parametrize("name", ["plan.md", "Plan.MD", "dir/plan.markdown"])
def test_the_name_of_a_markdown_file_decides(name: str) -> None:
    assert foreign.recognise("phases: []", name) == "markdown"


@pytest.mark.parametrize("name", ["a.yaml", "a.yml", "A.YML"])
@pytest.mark.parametrize("text", [PLAN, "{name: x}", '{"name": "x"}', "Phase 1: Water\nPhase 2: Leaves\n"])
def test_the_name_of_a_yaml_file_decides(name: str, text: str) -> None:
    assert foreign.recognise(text, name) is None


@pytest.mark.parametrize(
    ("name", "format_"),
    [
        ("a.json", "json"), ("a.jsonc", "json"), ("a.json5", "json"),
        ("a.js", "object-literal"), ("a.mjs", "object-literal"), ("a.ts", "object-literal"),
    ],
)  # fmt: skip
def test_json_and_scripts_are_literals(name: str, format_: str) -> None:
    assert foreign.recognise("// a plan\n{ phases: [] }", name) == format_


@pytest.mark.parametrize(
    ("text", "format_"),
    [
        ("{ name: 'Tea' }", "object-literal"),
        ("\ufeff // note\n /* note */ { name: 'Tea' }", "object-literal"),
        ("const tea = { name: 'Tea' };", "object-literal"),
        ("export default { name: 'Tea' }", "object-literal"),
        ("module.exports = { name: 'Tea' }", "object-literal"),
        ("define('tea', { name: 'Tea' })", "object-literal"),
        ("({ name: 'Tea' })", "object-literal"),
        ('{ "name": "Tea" }', "json"),
        ('[{"name": "Tea"}]', "json"),
        (PLAN, "markdown"),
        ("- [ ] **Phase 1:** Water\n", "markdown"),
        ("| Phase | Title |\n|---|---|\n\n## Phase 1\n", "markdown"),
        ("phases:\n  - name: Water\n", None),
        ("name: Tea\n# Phase 1: a comment\nphases: []\n", None),
        ("name: Tea\ndescription: |\n  # Plan\n  Phase 1: Water\nphases: []\n", None),
        ("- name: Water\n", None),
        ("let us: plan (it)\n", "object-literal"),
        ("Let us plan (it)\n", None),
        ("", None),
    ],
)
@pytest.mark.parametrize("name", ["plan.txt", "plan", ""])
def test_without_a_telling_name_the_beginning_decides(text: str, name: str, format_: str | None) -> None:
    assert foreign.recognise(text, name) == format_
