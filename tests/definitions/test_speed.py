"""The work for a phase does not grow with their number, whatever depends on what. `make bench` tells the times."""

from __future__ import annotations

from functools import partial

import pytest

from bench import shapes
from definitions import compile_plan, load_text
from definitions.advice import advise
from engine.plan import Plan
from tests.counting import calls

FEW, MANY = 400, 1600
GROWTH = 1.5
"""What sorting may add to four times as much; work that grows with the plan would make it four times."""


def compiled(shape: shapes.Shape, count: int) -> Plan:
    return compile_plan(load_text(shapes.text(shape, count)), {})


@pytest.mark.parametrize("shape", shapes.NEEDY, ids=lambda shape: shape.__name__)
def test_compiling(shape: shapes.Shape) -> None:
    compiled(shape, FEW)
    assert calls(partial(compiled, shape, MANY)) / MANY < GROWTH * calls(partial(compiled, shape, FEW)) / FEW
    plan = compiled(shape, MANY)
    assert len(plan.phases) == MANY
    assert sum(len(phase.needs) for phase in plan.phases) < MANY


def test_finding_what_is_wrong() -> None:
    few, many = (partial(load_text, shapes.text(shapes.wrong, count)) for count in (FEW, MANY))
    assert not few().ok
    assert calls(many) / MANY < GROWTH * calls(few) / FEW


@pytest.mark.parametrize("shape", shapes.ADVISED, ids=lambda shape: shape.__name__)
def test_advice(shape: shapes.Shape) -> None:
    few, many = (partial(advise, load_text(shapes.text(shape, count))) for count in (FEW, MANY))
    assert few()
    assert calls(many) / MANY < GROWTH * calls(few) / FEW
