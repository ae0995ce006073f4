"""`plan` and `workflow suggest` tell what a run would be like, and start nothing."""

from __future__ import annotations

import pytest

from tests.cli.program.person import Person

AGENTS = "agents: {w: {uses: command, run: [echo, done]}}\n"
SHOP = f"""
name: Shop
{AGENTS}
phases:
  - {{name: Design, agents: [w], estimate: 10m}}
  - {{name: Back, agents: [w], parallel: true, estimate: 20m-30m}}
  - {{name: Front, agents: [w], parallel: true, estimate: 10m}}
  - {{name: Ship, agents: [w], estimate: 10m, depends_on: [back, front]}}
"""


@pytest.fixture
def shop(offline: Person) -> Person:
    offline.write("shop.yaml", SHOP)
    return offline


def test_a_plan_has_groups_times_the_critical_path_and_slack(shop: Person) -> None:
    said = shop.tries("plan", "shop.yaml")
    assert (said.code, said.err) == (0, "")
    rows = [line.split() for line in said.lines]
    assert ["1", "Design", "w", "10m", "00s", "-", "critical"] in rows
    assert ["Front", "w", "10m", "00s", "20m", "00s", "could", "be", "parallel"] in rows
    assert "One after another:  50m 00s-1h 00m" in said.lines
    assert "In parallel:        40m 00s-50m 00s (1.2 times as fast)" in said.lines
    assert "Critical path:      Design → Back → Ship" in said.lines
    assert not (shop.root / ".phaseloom" / "server").exists()


def test_workers_are_compared_and_a_crowd_is_told(shop: Person) -> None:
    said = shop.tries("plan", "shop.yaml", "--workers", "1")
    rows = [" ".join(line.split()) for line in said.lines]
    assert "1 50m 00s-1h 00m this plan" in rows
    assert "2 40m 00s-50m 00s" in rows
    assert any("Worker pool exhausted: group 2 has 2 phases for 1 worker" in line for line in said.lines)
    assert "Worker pool exhausted" not in shop.tries("plan", "shop.yaml", "--workers", "2").out


def test_one_phase_that_unbalances_or_blocks_the_rest_is_named(shop: Person) -> None:
    said = shop.tries("plan", "shop.yaml")
    assert "! Unbalanced load: in group 2 Back takes by far longer than Front" in said.lines
    assert "! One step blocks others: 2 phases wait for Design alone" in said.lines


def test_programs_read_the_same_in_seconds(shop: Person) -> None:
    told = shop.tries("plan", "shop.yaml", "--json").json
    assert told["serial"] == {"low": 3000.0, "high": 3600.0}
    assert told["parallel"] == {"low": 2400.0, "high": 3000.0}
    assert told["groups"] == [["design"], ["back", "front"], ["ship"]]
    assert told["critical_path"] == ["design", "back", "ship"]
    assert [o["phase"] for o in told["opportunities"]] == ["back", "front"]
    assert [row["workers"] for row in told["wall_by_workers"]] == [1, 2, 3]
    assert told["phases"][2]["slack"] == 1200.0


def test_what_reads_another_phase_is_no_opportunity(offline: Person) -> None:
    reading = "{uses: command, run: [echo, '${phases.a.outputs.n}']}"
    making = "{uses: command, run: [echo], outputs: {n: {type: integer, value: '${exit_code}'}}}"
    agents = f"agents: {{m: {making}, r: {reading}}}\n"
    offline.write("r.yaml", f"name: R\n{agents}phases: [{{name: A, agents: [m]}}, {{name: B, agents: [r]}}]\n")
    assert offline.tries("plan", "r.yaml", "--json").json["opportunities"] == []


def test_what_is_not_known_is_said(offline: Person) -> None:
    offline.write("n.yaml", f"name: N\n{AGENTS}phases: [{{name: A, agents: [w]}}, {{name: B, agents: [w]}}]\n")
    said = offline.tries("plan", "n.yaml")
    assert "In parallel:        2 phases (1.0 times as fast)" in said.lines
    assert said.lines[-1].startswith("No phase has an estimate")
    told = offline.tries("plan", "n.yaml", "--json").json
    assert told["parallel"] is None
    assert {each["length_from"] for each in told["phases"]} == {"assumed"}


def test_a_number_of_workers_has_to_be_one(shop: Person) -> None:
    for wrong in ("0", "many", "-1", "1001"):
        assert shop.tries("plan", "shop.yaml", f"--workers={wrong}").code == 2
    assert shop.tries("plan", "shop.yaml", "--workers", "auto").code == 0
    assert shop.tries("plan", "nothing").code == 4


def test_a_large_plan_is_shown_in_short(offline: Person) -> None:
    lines = [f"  - {{name: P{i}, agents: [w], parallel: {str(i % 10 > 0).lower()}}}" for i in range(1_000)]
    offline.write("big.yaml", "\n".join([f"name: Big\n{AGENTS}phases:", *lines]) + "\n")
    said = offline.types("plan", "big.yaml", LANG="C.UTF-8")
    assert len(said.lines) < 80
    assert "… and 980 more phases (--all shows them)" in said.lines
    offline.write("less.yaml", "\n".join([f"name: Less\n{AGENTS}phases:", *lines[:200]]) + "\n")
    assert "… and 180 more phases (--all shows them)" in offline.tries("plan", "less.yaml").lines
    assert len(offline.tries("plan", "less.yaml", "--all").lines) > 200


def test_a_task_finds_a_definition_with_reasons(offline: Person) -> None:
    told = offline.tries("workflow", "suggest", "security review of our code", "--json").json
    assert told["suggestions"][0]["id"] == "comprehensive-audit"
    said = offline.tries("workflow", "suggest", "build", "a", "web", "app", "with", "backend", "and", "frontend")
    assert said.code == 0
    assert said.lines[0].startswith("1. full-stack-parallel: ")
    assert "'backend' in its description" in said.lines[1]


def test_nothing_fits_a_cake(offline: Person) -> None:
    said = offline.tries("workflow", "suggest", "bake a cake")
    assert said.code == 4
    assert said.out.startswith("No definition fits this task.")
    assert offline.tries("workflow", "suggest", "bake a cake", "--json").json["suggestions"] == []
