"""Ten thousand phases validate and compile in seconds of processor time, whatever depends on what."""

from __future__ import annotations

import time

import pytest

from definitions import compile_plan, load_text

COUNT = 10_000
SECONDS = 12.0
"""Four times the budget, which `make bench` holds: a test must not fail because the machine is slow, or busy."""

HEAD = "inputs: {feature: string}\nagents: {w: {run: [echo, hi], outputs: {x: string}}}\nphases:\n"
PROMPT = "do ${{phases.p{before}.outputs.x}}"
CHAIN = f"  - {{{{id: p{{i}}, agents: [w], depends_on: [p{{before}}], prompt: '{PROMPT}', files_scope: [s{{i}}]}}}}\n"


def chain(i: int) -> str:
    return CHAIN.format(i=i, before=i - 1) if i else "  - {id: p0, agents: [w]}\n"


def group(i: int) -> str:
    return f"  - {{id: p{i}, agents: [w], parallel: {'true' if i % 1000 else 'false'}}}\n"


def far(i: int) -> str:
    """Every phase reads one far before it, and all write to the same file."""
    return (
        f"  - {{id: p{i}, if: \"${{phases.p{i // 2}.status == 'x'}}\", files_scope: [f, 's/**', s/p{i}]}}\n"
        if i
        else chain(0)
    )


@pytest.mark.parametrize("phase", [chain, group, far])
def test_ten_thousand_phases(phase: object) -> None:
    assert callable(phase)
    text = HEAD + "".join(phase(i) for i in range(COUNT))
    start = time.process_time()
    checked = load_text(text)
    plan = compile_plan(checked, {})
    assert time.process_time() - start < SECONDS
    assert len(plan.phases) == COUNT
    assert sum(len(phase.needs) for phase in plan.phases) < COUNT


def test_ten_thousand_wrong_phases() -> None:
    text = "phases:\n" + "".join(
        f"  - {{id: p{i}, agnts: [w], depends_on: [q{i}], prompt: '${{z{i}}}'}}\n" for i in range(COUNT)
    )
    start = time.process_time()
    assert not load_text(text).ok
    assert time.process_time() - start < SECONDS
