"""Every class of message has its code and its exact place, and says what was probably meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from definitions import load_text
from definitions.diagnostics import MEANINGS
from tests.definitions.finding import found, only, place


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


def test_a_very_long_word_is_cut_in_the_message_and_in_the_path() -> None:
    long = "k" * 100_000
    diagnostic = only(f"phases: [{{name: A}}]\n? {long}\n: 1\n", "PL101")
    assert len(diagnostic.text) < 400
    [twice] = found(f"phases: [{{name: A}}]\n? {long}\n: 1\n? {long}\n: 2\n", "PL006")
    assert twice.message.startswith("'kkk")
    assert len(twice.text) < 400


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
        ("phases: [{id: a}]\ngates: {g: {approval: {by: [ana], need: 2}}}\n", 2, 41),
    ],
)
def test_impossible_limit(text: str, line: int, column: int) -> None:
    assert place(only(text, "PL110")) == (line, column)


def test_gates_that_include_each_other() -> None:
    gates = "gates: {a: {includes: [b]}, b: {includes: [c]}, c: {includes: [a]}}\n"
    finding = only("phases: [{id: p, gates: [a]}]\n" + gates, "PL113")
    assert "a → b → c → a" in finding.message


def test_an_unknown_group_of_people() -> None:
    text = "groups: {leads: [ana]}\nphases: [{id: p, approval: {by: [group:lead]}}]\n"
    finding = only(text, "PL114")
    assert finding.hint == "did you mean 'leads'?"


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


def test_every_code_is_used_and_explained() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in Path("definitions").rglob("*.py"))
    declared, used = source.count('"PL'), [code for code in MEANINGS if source.count(f'"{code}"') > 1]
    assert declared > len(MEANINGS)
    assert sorted(MEANINGS) == sorted(used)


def test_literal_secret_in_the_environment_of_an_agent() -> None:
    text = "agents: {a: {run: [x], env: {API_KEY: sesame, MAX_TOKENS: 4000}}}\nphases: [{id: b, agents: [a]}]\n"
    diagnostic = only(text, "PL305")
    assert place(diagnostic) == (1, 39)
    assert diagnostic.severity == "warning"
    assert diagnostic.hint == "write pass_env: [API_KEY] instead"
