"""The shared context in a definition: keys, owners, who reads and writes what, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from definitions import compile_plan, load, load_text, not_in_effect
from engine.plan import ContextKeyPlan, ContextRules, Plan

DEFINITION = """\
id: shop
agents:
  backend: {uses: command, run: [build, "${context.port}"]}
  frontend: {uses: command, run: [build]}
context:
  port: {type: integer, owner: backend, default: 80, description: where the server listens}
  api: object
  notes: {type: list, owner: review}
  client: {type: integer, invariant: "${context.client == context.port}"}
  free:
context_conflicts: {consistency: rerun, max_reruns: 2}
phases:
  - {name: Backend, agents: [backend], parallel: true, context: {read: [port], write: [port, api]}}
  - {name: Frontend, agents: [frontend], parallel: true, context: {read: [api], write: [api, client]}}
  - {name: Review, prompt: "Look at ${context.api}", if: "${context.client is defined}"}
"""


def plan(text: str) -> Plan:
    checked = load_text(dedent(text), file="x.yaml")
    assert checked.ok, [found.text for found in checked.diagnostics]
    return compile_plan(checked, {})


def found(text: str, severity: str = "error") -> list[str]:
    diagnostics = load_text(dedent(text), file="x.yaml").diagnostics
    return [f"{d.line}:{d.column} {d.code} {d.path}: {d.message}" for d in diagnostics if d.severity == severity]


def test_keys_and_what_each_phase_does_with_them_are_in_the_plan() -> None:
    made = plan(DEFINITION)
    assert made.context == {
        "port": ContextKeyPlan(
            type="integer", owner="backend", phase=0, default=80, optional=True, description="where the server listens"
        ),
        "api": ContextKeyPlan(type="object"),
        "notes": ContextKeyPlan(type="list", owner="review", phase=2),
        "client": ContextKeyPlan(type="integer", invariant="context.client == context.port"),
        "free": ContextKeyPlan(),
    }
    assert made.context_rules == ContextRules(consistency="rerun", max_reruns=2)
    backend, frontend, review = made.phases
    assert (backend.context_reads, backend.context_writes) == (("port",), ("port", "api"))
    assert (frontend.context_reads, frontend.context_writes) == (("api",), ("api", "client"))
    assert (review.context_reads, review.context_writes) == (("api",), ("notes",)), "named, and owned"
    assert not_in_effect(made) == []
    assert Plan.from_json(made.to_json()) == made


def test_a_list_may_come_from_a_key_which_its_items_are_not_given() -> None:
    [fleet] = plan('name: x\ncontext: {all: list}\nphases: [{id: a, agents: [b], for_each: "${context.all}"}]\n').phases
    assert (fleet.for_each, fleet.list_reads, fleet.context_reads) == ("context.all", ("context.all",), ())


def test_a_definition_without_keys_has_no_trace_of_them_in_its_plan() -> None:
    written = plan("name: x\nphases: [{name: A, agents: [a]}]\n").to_json()
    assert "context" not in str(written)


HEAD = """\
name: x
agents: {a: {uses: manual}, b: {uses: manual}}
context: {port: {owner: a}, api: {}}
phases:
"""


@pytest.mark.parametrize(
    ("phase", "expected"),
    [
        (
            "{id: one, agents: [b], context: {write: [port]}}",
            "5:46 PL422 phases.one.context.write[0]: 'one' writes the context key 'port', which belongs to a",
        ),
        (
            "{id: one, agents: [b], context: {write: [prot]}}",
            "5:46 PL421 phases.one.context.write[0]: no context key 'prot' is declared",
        ),
        (
            "{id: one, agents: [b], context: {read: [api, apu]}}",
            "5:50 PL421 phases.one.context.read[1]: no context key 'apu' is declared",
        ),
        (
            "{id: one, agents: [b], context_access: read_api_write_nothing}",
            "5:44 PL421 phases.one.context_access: no context key 'nothing' is declared",
        ),
        (
            "{id: one, agents: [b], resource_requirements: {context_access: read_all_write_a}}",
            "5:68 PL422 phases.one.resource_requirements.context_access: 'one' writes the context key 'port', wh…",
        ),
        (
            '{id: one, agents: [b], context: {read: [api]}, prompt: "at ${context.port}"}',
            "5:66 PL423 phases.one.prompt: 'one' does not declare to read the context key 'port'",
        ),
        (
            '{id: one, agents: [b], context: {read: [api]}, if: "${context.port > 1}"}',
            "5:59 PL423 phases.one.if: 'one' does not declare to read the context key 'port'",
        ),
        (
            '{id: one, agents: [b], context: {read: [api]}, prompt: "${context}"}',
            "5:63 PL423 phases.one.prompt: 'one' does not declare to read the context key 'port'",
        ),
        (
            '{id: one, agents: [b], prompt: "${context.prt}"}',
            "5:39 PL421 phases.one.prompt: no context key 'prt' is declared",
        ),
    ],
)
def test_what_a_phase_may_not_do_is_an_error_at_its_place(phase: str, expected: str) -> None:
    [error] = found(f"{HEAD}  - {phase}\n")
    assert error == expected or error.startswith(expected.removesuffix("…"))


def test_hints_say_what_was_meant_and_who_may() -> None:
    texts = [
        d.text
        for d in load_text(HEAD + "  - {id: one, agents: [b], context: {write: [prot, port]}}\n").diagnostics
        if d.severity == "error"
    ]
    assert "(did you mean 'port'?)" in texts[0]
    assert "(let a write it, or leave the owner out)" in texts[1]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("k: {owner: aa}", "3:22 PL424 context.k.owner: 'aa' is neither a role nor a phase of this file"),
        ("k: {type: integer, default: x}", "3:39 PL102 context.k.default: the default is not an integer"),
        ('k: {invariant: "${context.j > 1}"}', "3:29 PL421 context.k.invariant: no context key 'j' is declared"),
        ('k: {invariant: "${inputs.j > 1}"}', "3:29 PL302 context.k.invariant: no name 'inputs' here"),
        ('k: {invariant: "always"}', None),
        ("k: {typ: list}", None),
        ("a-b: {}", None),
    ],
)
def test_a_key_that_makes_no_sense_is_an_error(key: str, expected: str | None) -> None:
    errors = found(
        f"name: x\nagents: {{a: {{uses: manual}}}}\ncontext: {{{key}}}\nphases: [{{id: one, agents: [a]}}]\n"
    )
    assert len(errors) == 1
    if expected is not None:
        assert errors[0].startswith(expected.split(" no name")[0])


def test_a_key_that_is_declared_wrongly_is_told_once() -> None:
    use = '  - {id: one, agents: [a], context: {read: [bad], write: [bad]}, prompt: "${context.bad}"}\n'
    errors = found(HEAD.replace("api: {}", "api: {}, bad: [1]") + use)
    assert [error.split(" ")[1] for error in errors] == ["PL102"]


def test_an_expression_over_a_key_has_the_declared_type() -> None:
    text = HEAD.replace("api: {}", "api: {type: list}") + '  - {id: one, agents: [a], if: "${context.api}"}\n'
    assert [error.split(" ")[1] for error in found(text)] == ["PL304"]


def test_nothing_declared_is_an_error_for_a_phase_in_the_native_format() -> None:
    errors = found("name: x\nphases: [{id: one, context: {write: [k]}}]\n")
    assert len(errors) == 1
    assert "PL421 phases.one.context.write[0]: no context key 'k' is declared" in errors[0]


def test_a_gate_may_look_at_every_key_and_its_commands_at_what_the_phase_may() -> None:
    gates = """\
gates:
  g:
    checks:
      - {name: small, expr: "${context.api == 1}"}
      - {name: sent, run: [look, "${context.WHICH}"]}
"""
    phase = "  - {id: one, agents: [a], gates: [g], context: {read: [port]}}\n"
    assert found(HEAD + phase + gates.replace("WHICH", "port")) == []
    assert ["PL423" in error for error in found(HEAD + phase + gates.replace("WHICH", "api"))] == [True]


FOREIGN = """\
name: x
phases:
  - {id: one, agents: [a], parallel: true, context_requirements: {write: [screens, both]}}
  - {id: two, agents: [b], parallel: true, context_requirements: {read: [screens], write: [both]}}
  - {id: three, agents: [c], context_access: read_multiple_write_c}
  - {id: four, agents: [d], context_access: write_only}
  - {id: five, agents: [e], resource_requirements: {context_access: read_c_write_report}}
  - {id: six, agents: [f], context_access: read_only}
"""


def test_what_phases_of_other_formats_write_is_declared_by_that() -> None:
    made = plan(FOREIGN)
    assert {key: (one.owner, one.phase) for key, one in made.context.items()} == {
        "screens": ("one", 0),
        "both": (None, None),
        "c": ("c", None),
        "d": ("d", None),
        "report": ("five", 4),
    }
    assert [(p.context_reads, p.context_writes) for p in made.phases] == [
        ((), ("screens", "both")),
        (("screens",), ("both",)),
        (("screens", "both", "c", "d", "report"), ("c",)),
        ((), ("d",)),
        (("c",), ("report",)),
        (("screens", "both", "c", "d", "report"), ()),
    ]


def test_ownership_rules_declare_keys_and_forbid_the_others_to_write_them() -> None:
    rules = "conflict_prevention: {ownership_rules: {a: [screens], b: [screens]}, more: 1}\n"
    phases = "phases: [{id: one, agents: [a]}, {id: two, agents: [b], context_requirements: {write: [screens]}}]\n"
    own = "{id: one, agents: [a], context_access: write_wireframes}"
    [one] = plan(f"name: x\nconflict_prevention: {{ownership_rules: {{a: [screens]}}}}\nphases: [{own}]\n").phases
    assert one.context_writes == ("wireframes", "screens")
    errors = found(f"name: x\n{rules}{phases}")
    assert [error.split(" ")[1] for error in errors] == ["PL111", "PL422"]
    made = plan(f"name: x\n{rules.replace(', b: [screens]', '')}{phases.replace('[screens]}}]', '[other]}}]')}")
    assert [phase.context_writes for phase in made.phases] == [("screens",), ("other",)]
    assert not_in_effect(made) == ["conflict_prevention"], "for what else stands there"


def test_a_key_of_another_format_that_nobody_writes_is_a_warning() -> None:
    warnings = found("name: x\nphases: [{id: one, agents: [a], context_requirements: {read: [k]}}]\n", "warning")
    assert any("PL421" in warning for warning in warnings)


@pytest.mark.parametrize("name", ["agent-pipeline"])
def test_the_agents_of_the_catalog_write_their_own_key_and_read_what_they_say(name: str) -> None:
    made = compile_plan(load(Path("definitions/catalog") / f"{name}.yaml"), {})
    writes = {phase.id: phase.context_writes for phase in made.phases}
    assert writes == {
        "analyst": ("analyst",),
        "pm": ("pm",),
        "ux_expert": ("ux",),
        "architect": ("architect",),
        "developer": ("developer",),
        "qa": ("qa",),
    }
    assert made.phases[1].context_reads == ("analyst",)
    assert set(made.phases[5].context_reads) == {"analyst", "pm", "ux", "architect", "developer", "qa"}
