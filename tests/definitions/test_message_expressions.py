"""Messages about expressions, references, environments and what a shell would read: code, place, what was meant."""

from __future__ import annotations

from textwrap import dedent

import pytest

from definitions import load_text
from tests.definitions.finding import found, only, place


@pytest.mark.parametrize(
    ("expression", "column"),
    [("${ 1 + }", 18), ("${ inputs..x }", 20), ("${ open", 11), ("${ 'a }", 11), ("${}", 13), ("${ a b }", 14)],
)
def test_expression_syntax(expression: str, column: int) -> None:
    text = f'phases:\n  - id: a\n    if: "{expression}"\n'
    diagnostics = [d for d in load_text(text).errors if d.code in ("PL301", "PL302")]
    assert diagnostics, load_text(text).diagnostics
    assert diagnostics[0].line == 3
    assert abs(diagnostics[0].column - column) <= 6


def test_expression_syntax_is_found_inside_a_block_of_text() -> None:
    text = "phases:\n  - id: a\n    prompt: |\n      one\n      two ${ 1 + } three\n"
    assert place(only(text, "PL301")) == (5, 17)


def test_an_expression_that_a_comment_cuts_off() -> None:
    diagnostic = only("phases:\n  - id: a\n    prompt: ${inputs.x #1}\n", "PL301")
    assert place(diagnostic) == (3, 13)
    assert "quote it" in diagnostic.hint


@pytest.mark.parametrize(
    "text",
    [
        "phases:\n  - id: a\n    if: ${x ? {'k': 1} : 2}\n",
        "phases:\n  - {id: a, if: ${inputs.x}}\n",
        "phases:\n  - id: a\n    files_scope: [${inputs.x}]\n",
        "phases:\n  - id: a\n    acceptance_tests:\n      - ${a: b}\n",
    ],
)
def test_an_unquoted_expression_gets_the_hint_to_quote_it(text: str) -> None:
    diagnostic = only(text, "PL014")
    line = next(i for i, written in enumerate(text.split("\n"), start=1) if "${" in written)
    assert place(diagnostic) == (line, text.split("\n")[line - 1].index("${") + 1)
    assert diagnostic.hint.startswith("quote it")


@pytest.mark.parametrize(
    ("expression", "message", "hint"),
    [
        ("${inputs.featur}", "no input 'featur'", "did you mean 'feature'?"),
        ("${input.feature}", "there is no name 'input'", "did you mean 'inputs'?"),
        ("${phases.desing.status}", "no phase 'desing'", "did you mean 'design'?"),
        ("${phases.design.outputs.contrat}", "'design' has no output 'contrat'", "did you mean 'contract'?"),
        ("${phases.design.contract}", "a phase has no 'contract'", "write phases.design.outputs.contract"),
        ("${run.name}", "a run has no 'name'", ""),
        ("${stdout}", "'stdout' has no value here", ""),
    ],
)
def test_unknown_reference(expression: str, message: str, hint: str) -> None:
    text = f"""\
        inputs: {{feature: string}}
        phases:
          - id: design
            outputs: {{contract: string}}
          - id: build
            prompt: "x {expression}"
        """
    diagnostic = only(text, "PL302")
    assert place(diagnostic) == (6, 18)
    assert diagnostic.message == message
    assert hint in diagnostic.hint


def test_unknown_output_of_a_phase_that_declares_none_is_a_warning() -> None:
    diagnostic = only("phases:\n  - {id: a}\n  - {id: b, prompt: '${phases.a.outputs.x}'}\n", "PL302")
    assert (diagnostic.severity, place(diagnostic)) == ("warning", (3, 24))


def test_outputs_of_roles_count_as_outputs_of_the_phase() -> None:
    text = """\
        agents: {tests: {uses: command, run: [pytest], outputs: {failed: integer}}}
        phases:
          - {id: a, agents: [tests]}
          - {id: b, agents: [tests], if: "${phases.a.outputs.failed > 0}", prompt: "${phases.a.outputs.faild}"}
        """
    diagnostic = only(text, "PL302")
    assert diagnostic.hint == "did you mean 'failed'?"


def test_unknown_producer_becomes_an_input() -> None:
    diagnostic = only("phases:\n  - {id: a, inputs: [pm.user_stories]}\n", "PL308")
    assert (diagnostic.severity, place(diagnostic)) == ("warning", (2, 22))
    assert "pm_user_stories" in diagnostic.message


def test_unknown_output_of_a_producer() -> None:
    text = """\
        phases:
          - {id: research, agents: [analyst], outputs: [users]}
          - {id: b, inputs: [analyst.userz, research.users]}
        """
    diagnostic = only(text, "PL302")
    assert (diagnostic.severity, place(diagnostic)) == ("error", (3, 22))


def test_later_reference() -> None:
    text = """\
        phases:
          - {id: a, prompt: "${phases.b.status}"}
          - {id: b, depends_on: []}
          - {id: c, prompt: "${phases.c.status}"}
          - {id: d, prompt: "${phases.a.status}"}
        """
    assert [place(d) for d in found(text, "PL303")] == [(2, 24), (4, 24), (5, 24)]
    assert found(text, "PL303")[2].hint == "write depends_on: [a]"


def test_a_sibling_of_a_group_is_later() -> None:
    text = """\
        phases:
          - {id: a, parallel: true}
          - {id: b, parallel: true, prompt: "${phases.a.status}"}
          - {id: c, prompt: "${phases.a.status} ${phases.b.status}"}
        """
    assert [place(d) for d in found(text, "PL303")] == [(3, 40)]


def test_a_context_need_may_be_read() -> None:
    text = """\
        phases:
          - {id: a}
          - {id: b, depends_on: [{phase: a, kind: context}], prompt: "${phases.a.status}"}
        """
    assert load_text(dedent(text)).diagnostics == ()


@pytest.mark.parametrize(
    "condition",
    [
        "3",
        "inputs.flag",
        "'${inputs.feature}'",
        "'${env.CI}'",
        "'${env.CI:-true}'",
        "'${1 + 2}'",
        "\"${'a'}\"",
        "'is ${inputs.flag}'",
        "'${phases.first.status}'",
        "'${phases.first.outputs.count}'",
    ],
)
def test_non_boolean_condition(condition: str) -> None:
    text = f"""\
        inputs: {{feature: string, flag: boolean}}
        phases:
          - {{id: first, outputs: {{count: integer}}}}
          - id: a
            if: {condition}
        """
    diagnostic = only(text, "PL304")
    assert diagnostic.line == 5
    assert 9 <= diagnostic.column <= 12


@pytest.mark.parametrize("condition", ["true", "'${inputs.flag}'", "'${phases.first.outputs.x}'", "'${1 < 2}'"])
def test_conditions_that_may_be_boolean_pass(condition: str) -> None:
    text = f"inputs: {{flag: boolean}}\nphases:\n  - {{id: first, outputs: [x]}}\n  - {{id: a, if: {condition}}}\n"
    assert load_text(text).diagnostics == ()


@pytest.mark.parametrize("name", ["API_KEY", "GITHUB_TOKEN", "MY_SECRET", "PASSWORD_FILE", "openai_api_key"])
def test_secret_in_env(name: str) -> None:
    text = f'phases:\n  - id: a\n    prompt: "use ${{env.{name}}} now"\n'
    diagnostic = only(text, "PL305")
    assert place(diagnostic) == (3, 20)
    assert f"pass_env: [{name}]" in diagnostic.hint


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("phases:\n  - {id: a, tool: sh, tasks: ['echo ${inputs.x}']}\n", 2, 37),
        ("phases:\n  - {id: a, tasks: ['echo ${env.X}']}\n", 2, 27),
        ("phases:\n  - {id: a, tool: sh, tasks: ['x'], acceptance_tests: ['test ${phases.a.outputs.b}']}\n", 2, 62),
        ("agents:\n  a: {shell: 'echo ${inputs.x}'}\nphases: [{id: b, agents: [a]}]\n", 2, 20),
        ("agents:\n  a: {run: [sh, -c, 'echo ${inputs.x}']}\nphases: [{id: b, agents: [a]}]\n", 2, 27),
        ("agents:\n  a: {run: [/bin/bash, -lc, 'echo ${HOME}']}\nphases: [{id: b, agents: [a]}]\n", 2, 35),
        ("agents:\n  a: {run: [env, X=1, zsh, -e, -c, 'x ${inputs.x}']}\nphases: [{id: b, agents: [a]}]\n", 2, 39),
        ("agents:\n  a: {tasks: ['echo ${run.id}']}\nphases: [{id: b, agents: [a]}]\n", 2, 21),
        ("phases: [{id: a, hooks: {on_failure: 'echo ${run.id}'}}]\n", 1, 44),
    ],
)
def test_shell_interpolation(text: str, line: int, column: int) -> None:
    diagnostic = only(text, "PL306")
    assert place(diagnostic) == (line, column)


@pytest.mark.parametrize(
    "script", ["echo $HOME", "echo ${HOME}", "echo ${1:-x} ${f%.py} ${#a}", "for i in 1; do echo ${i}; done"]
)
def test_what_is_the_shells_own_stays(script: str) -> None:
    assert load_text(f"phases:\n  - {{id: a, tool: sh, tasks: ['{script}']}}\n").diagnostics == ()


def test_arguments_of_a_list_are_interpolated() -> None:
    text = 'inputs: {x: string}\nagents: {a: {run: [echo, "${inputs.x}"]}}\nphases: [{id: b, agents: [a]}]\n'
    assert load_text(text).diagnostics == ()
