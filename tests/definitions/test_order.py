"""One rule of order: without `depends_on` a phase comes after the group before it."""

from __future__ import annotations

from textwrap import dedent

from definitions import compile_plan, load_text
from engine.plan import Need, Plan


def plan(text: str) -> Plan:
    checked = load_text(dedent(text))
    assert checked.ok, checked.diagnostics
    return compile_plan(checked, {})


def after(phase: int) -> tuple[Need, ...]:
    return (Need(phase=phase, implicit=True),)


def test_phases_come_one_after_another() -> None:
    phases = plan("phases: [{name: A}, {name: B}, {name: C}]").phases
    assert [phase.needs for phase in phases] == [(), after(0), after(1)]
    assert [phase.group for phase in phases] == [None, None, None]
    assert [phase.index for phase in phases] == [0, 1, 2]


def test_adjacent_parallel_phases_are_one_group() -> None:
    phases = plan(
        """
        phases:
          - name: A
          - {name: B, parallel: true}
          - {name: C, parallel: true}
          - name: D
          - {name: E, parallel: true}
          - name: F
          - {name: G, parallel: true}
          - {name: H, parallel: true}
        """
    ).phases
    assert [phase.group for phase in phases] == [None, 0, 0, None, None, None, 1, 1]
    assert [phase.needs for phase in phases] == [(), after(0), after(0), (), after(3), after(4), after(5), after(5)]
    assert [phase.after_group for phase in phases] == [None, None, None, 0, None, None, None, None]


def test_a_group_after_a_group_stays_linear() -> None:
    text = "phases:\n" + "".join(
        f"  - {{id: p{i}, parallel: {'true' if i % 1001 else 'false'}}}\n" for i in range(3003)
    )
    phases = plan(text).phases
    assert sum(len(phase.needs) for phase in phases) < 3003
    assert phases[1001].after_group == 0
    assert phases[1001].needs == ()


def test_a_written_need_replaces_the_rule_and_keeps_the_group() -> None:
    phases = plan(
        """
        phases:
          - name: A
          - name: B
          - {name: C, parallel: true}
          - {name: D, parallel: true, depends_on: [a]}
          - {name: E, depends_on: []}
          - name: F
        """
    ).phases
    assert [phase.group for phase in phases] == [None, None, 0, 0, None, None]
    assert phases[2].needs == after(1)
    assert phases[3].needs == (Need(phase=0),)
    assert (phases[4].needs, phases[4].after_group) == ((), None)
    assert phases[5].needs == after(4)


def test_needs_by_id_by_name_and_with_a_kind() -> None:
    phases = plan(
        """
        phases:
          - {id: a, name: First Phase}
          - {id: b, depends_on: First Phase}
          - {id: c, depends_on: [a, {phase: b, kind: context}, {phase: a, kind: validation}, a]}
        """
    ).phases
    assert phases[1].needs == (Need(phase=0),)
    assert phases[2].needs == (Need(phase=0), Need(phase=1, kind="context"))


def test_only_data_needs_can_be_a_cycle() -> None:
    text = "phases: [{id: a, depends_on: [{phase: b, kind: context}]}, {id: b, depends_on: [a]}]"
    assert load_text(text).ok


def test_an_id_wins_over_a_name() -> None:
    phases = plan("phases: [{id: build, name: X}, {id: b, name: build}, {id: c, depends_on: [build]}]").phases
    assert phases[2].needs == (Need(phase=0),)


def test_a_parallel_phase_that_waits_for_a_member_of_the_group_begins_the_next_group() -> None:
    phases = plan(
        """
        phases:
          - {name: A, parallel: true}
          - {name: B, parallel: true}
          - {name: C, parallel: true, depends_on: [a, b]}
          - {name: D, parallel: true, depends_on: [A]}
          - name: E
        """
    ).phases
    assert [phase.group for phase in phases] == [0, 0, 1, 1, None]
    assert phases[4].after_group == 1
