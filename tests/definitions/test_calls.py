"""Agents that are a function or a request: in effect, compiled as they are written, their expressions checked."""

from __future__ import annotations

import pytest

from definitions import compile_plan, load_text
from engine.agents import AgentPlan

PYTHON = """
agents:
  counter:
    uses: python
    function: tools.count:lines
    args: {path: "${inputs.path}", limit: 3}
    env: {MODE: fast}
    pass_env: [API_TOKEN]
    outputs: {lines: integer, said: {value: "${stdout}"}}
inputs: {path: string}
phases: [{id: count, agents: [counter], acceptance_tests: ["true"]}]
"""

HTTP = """
agents:
  asker:
    uses: http
    url: https://example.org/items
    method: POST
    headers: {Authorization: Bearer $API_TOKEN, X-Retry: 3}
    body: {}
    ok_status: [200, 201]
    timeout: 20s
    pass_env: [API_TOKEN]
    outputs: {id: {type: integer, value: "${json.id}"}, left: {value: "${headers['x-left']}"}}
phases: [{id: ask, agents: [asker], acceptance_tests: ["true"]}]
"""


def agents(text: str) -> tuple[AgentPlan, ...]:
    checked = load_text(text, file="x.yaml")
    assert checked.diagnostics == ()
    return compile_plan(checked, {}).phases[0].agents


def test_a_function_is_in_effect_and_keeps_what_is_written() -> None:
    (agent,) = agents(PYTHON)
    assert agent.uses == "python"
    assert agent.config == {
        "function": "tools.count:lines",
        "args": {"path": "${inputs.path}", "limit": 3},
        "env": {"MODE": "fast"},
        "pass_env": ["API_TOKEN"],
    }
    assert agent.outputs["said"].value == "stdout"


def test_a_request_is_in_effect_and_keeps_what_is_written() -> None:
    (agent,) = agents(HTTP)
    assert agent.uses == "http"
    assert agent.config == {
        "url": "https://example.org/items",
        "method": "POST",
        "headers": {"Authorization": "Bearer $API_TOKEN", "X-Retry": "3"},
        "body": {},
        "ok_status": [200, 201],
        "timeout": 20.0,
        "pass_env": ["API_TOKEN"],
    }
    assert agent.outputs["id"].value == "json.id"


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("{uses: http, url: x, outputs: {a: {value: '${stdout}'}}}", "stdout"),
        ("{uses: python, function: 'a:b', outputs: {a: {value: '${json.x}'}}}", "json"),
        ("{run: [x], outputs: {a: {value: '${headers.x}'}}}", "headers"),
        ("{uses: http, url: '${body}'}", "body"),
    ],
)
def test_the_parts_of_an_answer_are_read_where_there_is_one(agent: str, name: str) -> None:
    checked = load_text(f"agents: {{b: {agent}}}\nphases: [{{id: a, agents: [b]}}]", file="x.yaml")
    (diagnostic,) = checked.diagnostics
    assert diagnostic.code == "PL302"
    assert f"'{name}'" in diagnostic.message


def test_a_secret_in_a_header_is_refused_as_an_expression() -> None:
    checked = load_text(
        "agents: {b: {uses: http, url: x, headers: {A: '${env.API_TOKEN}'}}}\nphases: [{id: a, agents: [b]}]"
    )
    assert [diagnostic.code for diagnostic in checked.diagnostics] == ["PL305"]
