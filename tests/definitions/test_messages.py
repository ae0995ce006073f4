"""Every class of message has its code and its exact place, and says what was probably meant."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from definitions import Diagnostic, load, load_text
from definitions.diagnostics import MEANINGS
from definitions.source import MAX_BYTES
from definitions.yaml_reader import MAX_DEPTH


def found(text: str, code: str) -> list[Diagnostic]:
    return [d for d in load_text(dedent(text), file="x.yaml").diagnostics if d.code == code]


def only(text: str, code: str) -> Diagnostic:
    diagnostics = load_text(dedent(text), file="x.yaml").diagnostics
    assert [d.code for d in diagnostics] == [code], [d.text for d in diagnostics]
    return diagnostics[0]


def place(diagnostic: Diagnostic) -> tuple[int, int]:
    return diagnostic.line, diagnostic.column


def test_the_text_form_is_that_of_a_compiler() -> None:
    diagnostic = only(
        """\
        phases:
          - name: Build
            agents: [a]
          - name: Review
            depends_on:
              - biuld
        """,
        "PL103",
    )
    assert diagnostic.text == "x.yaml:6:9 PL103 phases.review.depends_on: no phase 'biuld' (did you mean 'build'?)"
    assert diagnostic.to_json() == {
        "code": "PL103",
        "severity": "error",
        "message": "no phase 'biuld'",
        "file": "x.yaml",
        "line": 6,
        "column": 9,
        "path": "phases.review.depends_on",
        "hint": "did you mean 'build'?",
        "meaning": "no such phase",
    }


def test_a_warning_says_so() -> None:
    text = "agents: {a: {uses: manual}}\nphases: [{name: X, agents: [b]}]\n"
    assert (
        load_text(text, file="x.yaml").diagnostics[0].text.startswith("x.yaml:2:29 warning PL402 phases.x.agents[0]: ")
    )


def test_yaml_syntax() -> None:
    diagnostic = only("phases:\n  - name: 'x\n", "PL005")
    assert place(diagnostic) == (3, 1)
    diagnostic = only("phases:\n  - name: a\n   name: b\n", "PL005")
    assert place(diagnostic) == (3, 4)


def test_a_tab_is_named() -> None:
    diagnostic = only("phases:\n  - name: a\n\t  agents: [b]\n", "PL005")
    assert diagnostic.line == 3
    assert diagnostic.hint == "indent with spaces, not tabs"


def test_duplicate_key() -> None:
    diagnostic = only("phases:\n  - name: a\n    agents: [x]\n    name: b\n", "PL006")
    assert place(diagnostic) == (4, 5)
    assert "line 2" in diagnostic.message


def test_unknown_key() -> None:
    diagnostic = only("phases:\n  - name: a\n    agnets: [x]\n", "PL101")
    assert place(diagnostic) == (3, 5)
    assert diagnostic.path == "phases.a.agnets"
    assert diagnostic.hint == "did you mean 'agents'?"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("phases: [{name: a}]\nexecution: {max_worker: 3}\n", "max_workers"),
        ("phases: [{name: a}]\nagents: {b: {uses: command, run: [x], pas_env: [A]}}\n", "pass_env"),
        ("phases: [{name: a, next: [{go_to: a, max_round: 3}]}]\n", "max_rounds"),
        ("phases: [{name: a, retry: {max_atempts: 3}}]\n", "max_attempts"),
        ("phases: [{name: a}]\ngates: {g: {checks: [{name: c, exp: '${true}', expr: '${true}'}]}}\n", "expr"),
        ("phases: [{name: a}]\ncompletion_signal: [x]\n", "completion_signals"),
    ],
)
def test_an_unknown_key_is_corrected_at_any_depth(text: str, hint: str) -> None:
    assert found(text, "PL101")[0].hint == f"did you mean '{hint}'?"


@pytest.mark.parametrize(
    ("text", "line", "column", "hint"),
    [
        ("phases:\n  - name: a\n    parallel: yes\n", 3, 15, "write true"),
        ("phases:\n  - name: a\n    agents: builder\n    tasks: x\n", 4, 12, "write [x]"),
        ("phases:\n  - name: 2024\n", 2, 11, "quote it: '2024'"),
        ("phases:\n  - name: a\n    depends_on:\n", 3, 16, "write [] for a phase that waits for nothing"),
        ("phases: 3\n", 1, 9, ""),
        ("phases:\n  - just a text\n", 2, 5, ""),
    ],
)
def test_wrong_type(text: str, line: int, column: int, hint: str) -> None:
    diagnostic = only(text, "PL102")
    assert place(diagnostic) == (line, column)
    assert hint in diagnostic.hint


@pytest.mark.parametrize("written", ["5x", "soon", "5m2h", "999999d", "P"])
def test_bad_duration(written: str) -> None:
    diagnostic = only(f"phases:\n  - name: a\n    timeout: {written}\n", "PL104")
    assert place(diagnostic) == (3, 14)


def test_missing_key() -> None:
    assert place(only("name: x\n", "PL105")) == (1, 1)
    assert place(only("phases:\n  - agents: [a]\n", "PL105")) == (2, 5)
    assert place(only("phases:\n  - {id: a, tool: sh}\n", "PL105")) == (2, 5)


def test_a_word_that_is_not_possible() -> None:
    diagnostic = only("phases:\n  - name: a\n    on_failure: isolat\n", "PL106")
    assert place(diagnostic) == (3, 17)
    assert diagnostic.hint == "did you mean 'isolate'?"


def test_unknown_executor() -> None:
    diagnostic = only("agents:\n  a: {uses: comand, run: [x]}\nphases: [{name: x, agents: [a]}]\n", "PL106")
    assert place(diagnostic) == (2, 13)
    assert diagnostic.hint == "did you mean 'command'?"


@pytest.mark.parametrize(
    ("text", "line", "column", "meant"),
    [
        ("phases:\n  - {name: Build}\n  - {name: X, depends_on: [biuld]}\n", 3, 28, "build"),
        ("phases:\n  - {name: Build}\n  - {name: X, depends_on: biuld}\n", 3, 27, "build"),
        ("phases:\n  - {name: Build}\n  - {name: X, depends_on: [{phase: biuld, kind: context}]}\n", 3, 28, "build"),
        ("phases:\n  - {name: Build, next: [{go_to: buidl}]}\n", 2, 34, "build"),
        ("phases:\n  - {name: Build}\nstep_groups: [{id: g, steps: [built]}]\n", 3, 31, "build"),
    ],
)
def test_unknown_phase(text: str, line: int, column: int, meant: str) -> None:
    diagnostic = only(text, "PL103")
    assert place(diagnostic) == (line, column)
    assert diagnostic.hint == f"did you mean '{meant}'?"


def test_a_cycle_is_named_whole() -> None:
    diagnostic = only(
        """\
        phases:
          - {id: a, depends_on: [c]}
          - {id: b, depends_on: [a]}
          - {id: c, depends_on: [b]}
        """,
        "PL201",
    )
    assert place(diagnostic) == (2, 26)
    assert "a → c → b → a" in diagnostic.message


def test_a_cycle_through_the_rule_of_order_is_explained() -> None:
    diagnostic = only("phases:\n  - {id: a, depends_on: [c]}\n  - {id: b}\n  - {id: c}\n", "PL201")
    assert "a → c → b → a" in diagnostic.message
    assert "depends_on: []" in diagnostic.hint


def test_a_cycle_through_a_group_names_phases_only() -> None:
    text = """\
        phases:
          - {id: a, depends_on: [c]}
          - {id: b1, parallel: true}
          - {id: b2, parallel: true}
          - {id: c}
        """
    assert "a → c → b1 → a" in only(text, "PL201").message or "a → c → b2 → a" in only(text, "PL201").message


def test_every_cycle_is_reported() -> None:
    text = """\
        phases:
          - {id: a, depends_on: [b]}
          - {id: b, depends_on: [a]}
          - {id: c, depends_on: [d]}
          - {id: d, depends_on: [c]}
        """
    assert [d.line for d in found(text, "PL201")] == [2, 4]


def test_self_dependency() -> None:
    diagnostic = only("phases:\n  - {id: a, depends_on: [a]}\n", "PL202")
    assert place(diagnostic) == (2, 26)


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("phases:\n  - {id: a}\n  - {id: a}\n", 10),
        ("phases:\n  - {id: a}\n  - {id: A}\n", 10),
        ("phases:\n  - {name: Design!}\n  - {name: Design?}\n", 12),
        ("phases:\n  - {name: Design & Contract}\n  - {id: design-contract, name: X}\n", 10),
    ],
)
def test_duplicate_id(text: str, column: int) -> None:
    diagnostic = only(text, "PL107")
    assert place(diagnostic) == (3, column)
    assert "line 2" in diagnostic.message


def test_duplicate_signals_and_groups() -> None:
    text = """\
        phases: [{id: a}]
        completion_signals: [done, done]
        step_groups: [{id: g, steps: [a]}, {id: g, steps: [a]}]
        """
    assert [place(d) for d in found(text, "PL107")] == [(2, 28), (3, 41)]


def test_ambiguous_name() -> None:
    diagnostic = only("phases:\n  - {id: a, name: X}\n  - {id: b, name: X}\n  - {id: c, depends_on: [X]}\n", "PL108")
    assert place(diagnostic) == (4, 26)
    assert diagnostic.hint == "write the id: 'a' or 'b'"


def test_an_id_that_is_the_index_of_another_phase() -> None:
    diagnostic = only("phases:\n  - {id: '1'}\n  - {id: '2'}\n", "PL108")
    assert place(diagnostic) == (2, 10)
    assert diagnostic.severity == "warning"


@pytest.mark.parametrize("written", ["a b", "a.b", "-a", "ä", "a/b", "''", "x" * 81])
def test_bad_identifier(written: str) -> None:
    assert place(only(f"phases:\n  - id: {written}\n", "PL109")) == (2, 9)


def test_bad_name_of_an_input() -> None:
    diagnostic = found("inputs:\n  my-input: {type: string}\nphases: [{id: a}]\n", "PL109")[0]
    assert diagnostic.line == 2
    assert diagnostic.hint == "write 'my_input'"


def test_unknown_role_near_a_declared_one() -> None:
    text = "agents: {backend-expert: {uses: manual}}\nphases:\n  - {id: a, agents: [backend-exprt]}\n"
    diagnostic = only(text, "PL401")
    assert (diagnostic.severity, place(diagnostic)) == ("error", (3, 22))
    assert diagnostic.hint == "did you mean 'backend-expert'?"


def test_unbound_role_is_a_person() -> None:
    text = "agents: {backend-expert: {uses: manual}}\nphases:\n  - {id: a, agents: [frontend-expert]}\n"
    diagnostic = only(text, "PL402")
    assert (diagnostic.severity, place(diagnostic)) == ("warning", (3, 22))


def test_where_nobody_declares_roles_nobody_is_warned() -> None:
    assert load_text("phases:\n  - {id: a, agents: [api-expert, anyone]}\n").diagnostics == ()


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


def test_scope_overlap_of_concurrent_steps() -> None:
    text = """\
        steps:
          - {id: a, tool: sh, tasks: [x], depends_on: [], files_scope: ["src/*.py"]}
          - {id: b, tool: sh, tasks: [x], depends_on: [], files_create: [doc.md, src/api.py]}
        """
    diagnostic = only(text, "PL403")
    assert place(diagnostic) == (3, 74)
    assert "'a' and 'b'" in diagnostic.message


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("phases: [{id: a}]\nexecution: {max_workers: 0}\n", 2, 26),
        ("phases: [{id: a}]\nexecution: {max_workers: 1001}\n", 2, 26),
        ("phases: [{id: a}]\nexecution: {rate_limit_delay: -1}\n", 2, 31),
        ("phases: [{id: a}]\nexecution: {timeout_per_step: 0}\n", 2, 31),
        ("phases: [{id: a, timeout: -5}]\n", 1, 27),
        ("phases: [{id: a, timeout: -5m}]\n", 1, 27),
        ("phases: [{id: a, retry: {max_attempts: 0}}]\n", 1, 40),
        ("phases: [{id: a, retry: {jitter: 2}}]\n", 1, 34),
        ("phases: [{id: a}]\nstep_groups: [{id: g, steps: [a], max_workers: 0}]\n", 2, 48),
        ("phases: [{id: a}]\ngates: {g: {approval: {by: [ana], need: 2}}}\n", 2, 23),
    ],
)
def test_impossible_limit(text: str, line: int, column: int) -> None:
    assert place(only(text, "PL110")) == (line, column)


def test_contradicting_keys() -> None:
    assert place(only("phases: [{id: a}]\nsteps: [{id: b}]\n", "PL111")) == (1, 1)
    assert place(only("phases:\n  - {id: a, agents: [x], tool: sh, tasks: [x]}\n", "PL111")) == (2, 5)
    text = "phases: [{id: a}]\nstep_groups: [{id: g, steps: [a], execute: sequential, max_workers: 2}]\n"
    assert place(only(text, "PL111")) == (2, 15)


def test_unknown_gate() -> None:
    diagnostic = only("gates: {pre-push: {approval: {}}}\nphases: [{id: a, gates: [pre-psh]}]\n", "PL112")
    assert place(diagnostic) == (2, 26)
    assert diagnostic.hint == "did you mean 'pre-push'?"


def test_environment_that_no_agent_is_given() -> None:
    text = "agents: {a: {run: [x], pass_env: [TEMPORAL_ADDRESS]}}\nphases: [{id: b, agents: [a]}]\n"
    assert place(only(text, "PL405")) == (1, 35)


def test_executor_that_is_not_in_effect() -> None:
    text = "agents: {a: {uses: llm, model: x}}\nphases: [{id: b, agents: [a]}]\n"
    diagnostic = only(text, "PL404")
    assert (diagnostic.severity, place(diagnostic)) == ("warning", (2, 27))


def test_a_timeout_on_people() -> None:
    text = "agents: {a: {uses: manual}}\nphases: [{id: b, agents: [a], timeout: 5m}]\n"
    assert place(only(text, "PL407")) == (2, 40)


def test_missing_file(tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"
    (diagnostic,) = load(path).diagnostics
    assert (diagnostic.code, diagnostic.file, place(diagnostic)) == ("PL001", str(path), (1, 1))
    (diagnostic,) = load(tmp_path).diagnostics
    assert diagnostic.code == "PL001"


def test_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes("phases:\n  - name: ü".encode() + b"\xff\xfe\n")
    (diagnostic,) = load(path).diagnostics
    assert (diagnostic.code, place(diagnostic)) == ("PL002", (2, 12))
    path.write_bytes("phases: [{id: a}]\n".encode("utf-16"))
    assert [d.code for d in load(path).diagnostics] == ["PL002"]


def test_control_character() -> None:
    assert place(only("phases:\n  - name: a\0b\n", "PL003")) == (2, 12)


def test_too_large(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    with path.open("wb") as stream:
        stream.truncate(MAX_BYTES + 1)
    assert [d.code for d in load(path).diagnostics] == ["PL004"]


def test_more_than_one_document() -> None:
    assert place(only("phases: [{id: a}]\n---\nphases: [{id: b}]\n", "PL007")) == (2, 1)


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "~\n", "\ufeff"])
def test_empty_file(text: str) -> None:
    assert place(only(text, "PL008")) == (1, 1)


def test_top_level_is_no_mapping() -> None:
    assert place(only("- a\n- b\n", "PL009")) == (1, 1)


def test_alias_bomb() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    diagnostic = only("\n".join(lines), "PL010")
    assert diagnostic.line <= 10
    assert diagnostic.column > 1


def test_an_alias_that_contains_itself() -> None:
    assert place(only("phases: &p [*p]\n", "PL010")) == (1, 13)


@pytest.mark.parametrize("brackets", ["[", "{a: "])
def test_deep_nesting(brackets: str) -> None:
    diagnostic = only("x: " + brackets * 100_000, "PL011")
    assert diagnostic.line == 1
    assert diagnostic.column > MAX_DEPTH


def test_deep_nesting_by_indentation_and_by_aliases() -> None:
    text = "".join(f"{' ' * depth}a:\n" for depth in range(1000))
    assert place(only(text, "PL011")) == (MAX_DEPTH + 1, MAX_DEPTH + 1)
    text = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 1000))
    assert found(text, "PL011")


def test_a_key_that_is_no_text() -> None:
    assert place(only("phases: [{id: a}]\n? [x]\n: y\n", "PL012")) == (2, 3)
    assert '"${…}"' in only("name: {{ inputs.x }}\n", "PL012").hint


def test_a_tag() -> None:
    assert place(only("phases: [{id: a}]\nname: !!python/name:os.system x\n", "PL013")) == (2, 7)


def test_every_code_is_used_and_explained() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in Path("definitions").rglob("*.py"))
    declared, used = source.count('"PL'), [code for code in MEANINGS if source.count(f'"{code}"') > 1]
    assert declared > len(MEANINGS)
    assert sorted(MEANINGS) == sorted(used)
