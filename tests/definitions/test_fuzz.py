"""No input makes a traceback, a crash or a hang: whatever a file holds, there are diagnostics or a plan."""

from __future__ import annotations

import json
from textwrap import dedent
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from definitions import Checked, InvalidDefinitionError, compile_plan, env_names, load_text, not_in_effect
from definitions.diagnostics import MEANINGS
from definitions.schema.document import Definition
from definitions.schema.phases import Phase
from engine.plan import Plan

VALID = dedent(
    """\
    id: flow
    inputs:
      feature: {type: string}
      n: {type: number, default: 0.8}
    agents:
      a: {uses: manual}
      b:
        uses: command
        run: [x, "${prompt_file}", "${inputs.feature}"]
        pass_env: [K]
        outputs: {y: {type: integer, value: "${stdout_json.y}"}}
    execution: {parallel: "${env.CI != 'x'}", max_workers: "${env.W:-3}", timeout_per_step: 5m, on_failure: pause}
    phases:
      - &one {name: Design & Contract, agents: [a], outputs: {c: string}}
      - name: Build
        agents: [b]
        parallel: true
        depends_on: [design-contract]
        prompt: |
          Build ${inputs.feature}
          as ${phases.design-contract.outputs.c}
        files_scope: ["src/**/*.py", "{a,b}/*"]
      - {id: docs, parallel: true, tool: sh, tasks: [echo $HOME], acceptance_tests: ['true'], files_scope: [docs/]}
      - {name: Test, agents: [b], if: "${phases.build.outputs.y > 0}", next: [{if: "${outputs.y > 0}", go_to: docs}]}
    step_groups: [{id: g, steps: [build, docs], execute: sequential}]
    gates: {g: {checks: [{name: c, expr: "${inputs.n > 0.5}"}], approval: {by: [x], deadline: 3d}}}
    completion_signals: [done]
    """
)

FUZZED = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


def holds(checked: Checked) -> None:
    lines = checked.diagnostics
    assert all(d.code in MEANINGS and d.line >= 1 and d.column >= 1 and d.message for d in lines)
    json.dumps([d.to_json() for d in lines])
    for d in lines:
        d.text.encode()
    assert checked.ok or lines
    if checked.definition is None or not checked.ok:
        return
    assert isinstance(env_names(checked), list)
    try:
        plan = compile_plan(checked, {})
    except InvalidDefinitionError:
        return
    not_in_effect(plan)
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


@FUZZED
@given(st.text(max_size=300), st.sampled_from(["x.yaml", "x.json", "x.md", "x.txt"]))
def test_any_text(text: str, file: str) -> None:
    holds(load_text(text, file=file))


@FUZZED
@given(st.text("{}[]:,&*!|>'\"%@`#-? \n\tabn0$.<", max_size=200))
def test_any_text_of_yaml_signs(text: str) -> None:
    holds(load_text(text))


@FUZZED
@given(st.data())
def test_a_valid_definition_with_pieces_changed(data: st.DataObject) -> None:
    text = VALID
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        length = data.draw(st.integers(0, 30))
        piece = data.draw(
            st.one_of(
                st.text("{}[]:,&*'\"#- \n\tabn0$.|", max_size=8),
                st.sampled_from(
                    ["*one", "depends_on: [docs]", "${", "}", "${phases.test.status}", "\n  - ", "null", "[[[["]
                ),
            )
        )
        text = text[:start] + piece + text[start + length :]
    holds(load_text(text))


def test_the_valid_definition_is_valid() -> None:
    assert load_text(VALID).ok, load_text(VALID).diagnostics


WORDS = st.sampled_from(
    [
        *(info.alias or name for name, info in Definition.model_fields.items()),
        *(info.alias or name for name, info in Phase.model_fields.items()),
        *(
            "uses",
            "run",
            "type",
            "command",
            "a",
            "b",
            "checks",
            "approval",
            "read",
            "go_to",
            "kind",
            "phase",
            "enabled",
        ),
    ]
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.floats(allow_nan=True),
    st.sampled_from(
        ["a", "b", "5m", "${inputs.a}", "${phases.a.outputs.b}", "command", "pause", "never", "sh", "", "data"]
    ),
    st.text(max_size=8),
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=6),
    max_leaves=25,
)


@FUZZED
@given(st.dictionaries(WORDS, VALUES, max_size=6), st.lists(st.dictionaries(WORDS, VALUES, max_size=6), max_size=5))
def test_any_document(document: dict[str, Any], phases: list[dict[str, Any]]) -> None:
    document["phases"] = [{"id": f"p{i}", **phase} for i, phase in enumerate(phases)]
    holds(load_text(yaml.safe_dump(document, sort_keys=False)))
    holds(load_text(json.dumps(document), file="x.json"))
