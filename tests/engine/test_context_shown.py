"""The shared context as it is shown: keys and versions at any moment, and the journal."""

from __future__ import annotations

from typing import Any

import pytest

from engine.context import showing
from engine.errors import RefusedError
from engine.journal import lines
from engine.plan import ContextKeyPlan
from tests.engine.sharing import conflicting, side_by_side
from tests.engine.world import World, phase, plan_of


def test_keys_and_history_are_shown_at_any_version_and_fact() -> None:
    world = World(side_by_side())
    world.write(0, api={"a": 1}, port=80)
    written = len(world.engine.ledger)
    world.write(1, notes=["x"])
    now = showing.shown(world.engine, {})
    assert [(row["key"], row["version"]) for row in now["keys"]] == [
        ("api", 1),
        ("notes", 2),
        ("port", 1),
        ("server", 0),
        ("client", 0),
    ]
    [before] = showing.shown(world.engine, {"key": "notes", "at": f"@{written}"})["keys"]
    assert (before["version"], before["value"]) == (0, [])
    assert showing.shown(world.engine, {"at": 2})["version"] == 2
    told = showing.history(world.engine, {"key": "notes"})
    assert [(one["version"], one["by"], list(one["keys"])) for one in told["versions"]] == [(2, "frontend", ["notes"])]
    first = showing.history(world.engine, {"limit": 1})
    assert first["more"]
    assert showing.history(world.engine, {"since": first["next"]})["versions"][0]["version"] == 2


@pytest.mark.parametrize("which", [{"key": "ap"}, {"at": 9}, {"at": "soon"}, {"key": 3}])
def test_what_is_not_there_is_refused(which: dict[str, Any]) -> None:
    with pytest.raises(RefusedError):
        showing.shown(World(side_by_side()).engine, which)


def test_a_value_without_room_is_left_out_of_an_answer_and_told() -> None:
    keys = {"a": ContextKeyPlan(default="x" * showing.BYTES, optional=True)}
    [row] = showing.shown(World(plan_of(phase(0), context=keys)).engine, {})["keys"]
    assert "value" not in row
    assert row["bytes"] > showing.BYTES


def test_the_journal_tells_of_versions_and_conflicts() -> None:
    world = conflicting()
    text = "\n".join(lines(world.engine.state.plans, "wf_x", world.engine.ledger))
    assert "[INFO] Context: version 1 by backend in p0: server" in text
    assert "[WARN] Context: frontend in p1 - Not written, others have changed it since: server (version 1)" in text
    assert "[INFO] Context: Merging what p1 wrote" in text
