"""Large definitions of different shapes: how long checking, compiling, advising and forecasting take."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from bench.report import Row
from definitions import compile_plan, load_text
from definitions.advice import advise
from engine.forecast import forecast
from engine.plan import Execution, PhasePlan, Plan

LARGE = 10_000
BUDGET = 3.0
"""Times what ten thousand phases take of which none says anything of another one."""

HEAD = "inputs: {feature: string}\nagents: {w: {run: [echo, hi], outputs: {x: string}}}\nphases:\n"

Shape = Callable[[int], str]
"""A phase of a definition, as YAML, by its number."""


def chain(i: int) -> str:
    """Every phase needs the one before it."""
    if not i:
        return "  - {id: p0, agents: [w]}\n"
    prompt = f"do ${{phases.p{i - 1}.outputs.x}}"
    return f"  - {{id: p{i}, agents: [w], depends_on: [p{i - 1}], prompt: '{prompt}', files_scope: [s{i}]}}\n"


def group(i: int) -> str:
    """Groups of a thousand phases that run in parallel."""
    return f"  - {{id: p{i}, agents: [w], parallel: {'true' if i % 1000 else 'false'}}}\n"


def far(i: int) -> str:
    """Every phase reads one far before it, and all write to the same file."""
    if not i:
        return chain(0)
    return f"  - {{id: p{i}, if: \"${{phases.p{i // 2}.status == 'x'}}\", files_scope: [f, 's/**', s/p{i}]}}\n"


def wrong(i: int) -> str:
    """Every phase has three faults."""
    return f"  - {{id: p{i}, agnts: [w], depends_on: [q{i}], prompt: '${{z{i}}}'}}\n"


def rows(i: int) -> str:
    """Phases in a row that could run in parallel."""
    return f"  - {{id: p{i}, agents: [w], estimate: 10s, files_scope: [s{i}/**]}}\n"


def migrations(i: int) -> str:
    """Phases that make and read files in parallel."""
    return f"  - {{id: migration{i}, agents: [w], parallel: true, tasks: [cat s{i}], files_create: [s{i}]}}\n"


def approved(i: int) -> str:
    """Phases that all wait for one person."""
    return f"  - {{id: build{i}, agents: [w], approval: {{by: [ana]}}, parallel: true, estimate: 10s}}\n"


NEEDY: tuple[Shape, ...] = (chain, group, far)
ADVISED: tuple[Shape, ...] = (rows, migrations, approved)


def text(shape: Shape, count: int) -> str:
    """A definition of so many phases."""
    return HEAD + "".join(map(shape, range(count)))


def measured() -> list[Row]:
    """Each shape, and the forecast of ten thousand phases in a hundred groups, against checking plain phases."""
    plain = text(rows, LARGE)
    baseline = _seconds(partial(_compiled, plain))

    def row(what: str, work: Callable[[], object]) -> Row:
        took = _seconds(work)
        return Row(what=f"{what} / plain", value=took / baseline, unit="x", budget=BUDGET, note=f"{took:.2f}s")

    advised = {each: load_text(text(each, LARGE)) for each in ADVISED}
    lengths = {index: (float(index % 7), float(index % 11)) for index in range(LARGE)}
    return [
        Row(what=f"validate + compile {LARGE} plain phases", value=baseline, unit="s"),
        *(row(f"validate + compile {LARGE}: {each.__name__}", partial(_compiled, text(each, LARGE))) for each in NEEDY),
        row(f"{3 * LARGE} faults are found", partial(load_text, text(wrong, LARGE))),
        *(row(f"advice for {LARGE}: {each.__name__}", partial(advise, it)) for each, it in advised.items()),
        row(f"forecast of {LARGE}", partial(forecast, _grouped(), lengths)),
    ]


def _compiled(large: str) -> Plan:
    return compile_plan(load_text(large), {})


def _grouped() -> Plan:
    phases = tuple(
        PhasePlan(
            id=f"p{i}",
            name=f"P {i}",
            index=i,
            agents=(),
            group=i // 100,
            after_group=i // 100 - 1 if i >= 100 else None,
        )
        for i in range(LARGE)
    )
    return Plan(id="large", name="Large", phases=phases, execution=Execution(max_workers=8))


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
