"""How a run begins: with nothing done, where another run was, or with results of another run."""

from __future__ import annotations

from typing import Any

from engine import restoring, reuse
from engine.engine import Engine
from engine.facts import of_files

Json = dict[str, Any]


def begin(engine: Engine, start: Json, at: float, *, name: str, execution: str) -> None:
    """Begin a run by what it was started with.

    `{inputs, env, run, actor, git?, files?, seed?}`: `git` and `files` are what the project's files were, as a result
    tells of them; a seed has `facts`, all of another run's up to a checkpoint, or `reused`, what of its results still
    holds. `name` is the run's id where `run` does not tell it. Where decisions are signed the run's identity is `name`
    and `execution`, which no other run can have, also none that is given the same name later.
    """
    run = start.get("run") or {"id": name, "definition": engine.plan.id}
    if engine.plan.signers:
        run = {**run, "id": name, "execution": execution}
    actor, seed = start.get("actor"), start.get("seed") or {}
    if "facts" in seed:
        restoring.seed(engine, seed, at, run=run, actor=actor)
        engine.advance(at)
        return
    inputs, env = start.get("inputs") or {}, start.get("env") or {}
    files = of_files({name: told for name, told in start.items() if isinstance(told, dict)})
    if "reused" in seed:
        reuse.start(engine, seed, at, inputs=inputs, env=env, run=run, actor=actor, files=files)
        return
    engine.start(at, inputs=inputs, env=env, run=run, actor=actor, files=files)
