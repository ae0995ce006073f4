"""Advice names bad candidates for parallel, and good ones with the time saved; and it does not cry wolf."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from definitions import Diagnostic, advise, load, load_config, load_text

HEAD = "agents: {w: {uses: command, run: [echo, hi], outputs: {x: string}}}\nphases:\n"


def advice(phases: str, head: str = HEAD) -> list[Diagnostic]:
    checked = load_text(head + dedent(phases), file="x.yaml")
    assert checked.ok, [finding.text for finding in checked.diagnostics]
    given = list(advise(checked))
    assert all(finding.severity in {"warning", "note"} and finding.file == "x.yaml" for finding in given)
    return given


def only(phases: str, code: str, head: str = HEAD) -> Diagnostic:
    given = advice(phases, head)
    assert [finding.code for finding in given] == [code], [finding.text for finding in given]
    return given[0]


def group(*members: str) -> str:
    """A parallel group; each member is a phase in flow style without braces. It begins in line 3."""
    return "".join(f"  - {{{member}, parallel: true}}\n" for member in members)


def row(*members: str) -> str:
    return "".join(f"  - {{{member}}}\n" for member in members)


def test_a_phase_whose_commands_name_what_another_of_its_group_makes() -> None:
    given = only(
        group(
            "name: One, agents: [w], files_create: [dist/one.tar]",
            "name: Two, tool: sh, tasks: [ls, tar xf ./dist/one.tar]",
        ),
        "PL501",
    )
    assert (given.line, given.column, given.path) == (4, 37, "phases.two.tasks[1]")
    assert "made by 'one'" in given.message
    assert given.hint == "let 'two' depend on 'one'"


def test_a_phase_that_reads_another_of_its_group_as_context() -> None:
    given = only(group("name: One, agents: [w]", "name: Two, agents: [w], context: {read: [one.x]}"), "PL501")
    assert given.path == "phases.two.context"
    given = only(
        group("name: One, agents: [w]", "name: Two, agents: [w], depends_on: [{phase: one, kind: context}]"), "PL501"
    )
    assert given.path == "phases.two.depends_on"


def test_a_phase_that_is_marked_parallel_and_waits_for_the_one_beside_it() -> None:
    given = only(group("name: One, agents: [w]", "name: Two, agents: [w], depends_on: [one]"), "PL501")
    assert (given.line, "has no effect" in given.message) == (4, True)


def test_approvals_in_one_group() -> None:
    given = only(
        group("name: Legal approval", "name: Docs, agents: [w]", "name: Finance sign-off, approval: {by: [ana]}"),
        "PL502",
    )
    assert (given.line, given.path) == (5, "phases.finance-sign-off")
    assert "'legal-approval' and 'finance-sign-off'" in given.message


def test_a_migration_beside_others_unless_it_is_marked_independent() -> None:
    given = only(group("name: Migrate users, agents: [w]", "name: Frontend, agents: [w]"), "PL503")
    assert (given.line, given.path) == (3, "phases.migrate-users")
    assert "independent: true" in given.hint
    assert not advice(group("name: Migrate users, agents: [w], independent: true", "name: Frontend, agents: [w]"))
    assert not advice(group("name: Migration guide, agents: [w]", "name: Frontend, agents: [w]"))


def test_links_of_one_build_chain_but_not_of_two() -> None:
    given = only(group("name: Test api, agents: [w]", "name: Build api, agents: [w]"), "PL504")
    assert (given.line, given.hint.split(",")[0]) == (3, "write 'depends_on: [build-api]'")
    assert only(group("name: Build, agents: [w]", "name: Package, agents: [w]"), "PL504").line == 4
    assert not advice(group("name: Build api, agents: [w]", "name: Test web, agents: [w]"))
    assert not advice(group("name: Build api, agents: [w]", "name: Build web, agents: [w]"))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Loads the rows in order", "in order"),
        ("Applies them in the given sequence.", "in the given sequence"),
        ("Strictly sequential", "sequential"),
        ("one at a time", "one at a time"),
        ("Then deploy", "then"),
        ("In order to win", ""),
        ("in no particular order", ""),
        ("not sequential", ""),
        ("reads the inventory, then writes", ""),
    ],
)
def test_work_whose_order_matters(text: str, word: str) -> None:
    members = group(f"name: One, agents: [w], description: '{text}'", "name: Two, agents: [w]")
    if word:
        given = only(members, "PL505")
        assert (given.path, f"'{word}'" in given.message) == ("phases.one.description", True)
    else:
        assert not advice(members)


def test_phases_in_sequence_that_could_run_at_once_with_the_time_saved() -> None:
    phases = row(
        "name: Lint, agents: [w], estimate: 10-20m",
        "name: Docs, agents: [w], estimate: 20m",
        "name: Types, agents: [w], estimate: 15m",
    )
    given = only(phases, "PL506")
    assert (given.severity, given.line, given.path) == ("note", 4, "phases.docs")
    assert given.message == (
        "'lint', 'docs' and 'types' run one after the other and need nothing of each other: "
        "at once they take 20m instead of 45m to 55m, 25m to 35m less"
    )


def test_the_time_saved_knows_the_workers() -> None:
    phases = row(*(f"name: {name}, agents: [w], estimate: 10m" for name in ("Ants", "Bees", "Cats", "Dogs")))
    head = "execution: {max_workers: 2}\n" + HEAD
    assert "at once they take 20m instead of 40m" in only(phases, "PL506", head).message
    assert not advice(phases, "execution: {max_workers: 1}\n" + HEAD)
    assert not advice(phases, "execution: {parallel: false}\n" + HEAD)


def test_file_scopes_that_do_not_meet_are_a_sign_too() -> None:
    apart = row("name: Ants, agents: [w], files_scope: [a/**]", "name: Bees, agents: [w], files_scope: [b/**]")
    assert "less" not in only(apart, "PL506").message
    meeting = row("name: Ants, agents: [w], files_scope: [a/**]", "name: Bees, agents: [w], files_scope: [a/b.py]")
    assert not advice(meeting)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("name: Ants, agents: [w]", "name: Bees, agents: [w], prompt: 'use ${phases.ants.outputs.x}'"),
        ("name: Ants, agents: [w]", "name: Bees, agents: [w], inputs: [ants.x]"),
        ("name: Ants, agents: [w]", "name: Bees, agents: [w], depends_on: [ants]"),
        ("name: Ants, agents: [w]", "name: Data migration, agents: [w]"),
        ("name: Ants, agents: [w]", "name: Bees, agents: [w], approval: {by: [ana]}"),
        ("name: Compile, agents: [w]", "name: Test, agents: [w]"),
        ("name: Parser, agents: [w]", "name: Test parser, agents: [w]"),
        ("name: Design, agents: [w]", "name: Ants, agents: [w]"),
        ("name: Ants, agents: [w]", "name: Report, agents: [w]"),
        ("name: Ants, agents: [ana]", "name: Bees, agents: [ana]"),
        ("name: Ants, agents: [w], context_access: write_x", "name: Bees, agents: [w], context_access: read_x"),
        ("name: Ants, agents: [w], files_create: [dist/ants.txt]", "name: Bees, tool: sh, tasks: [wc dist/ants.txt]"),
    ],
)
def test_what_has_a_reason_to_be_in_sequence_is_left_alone(first: str, second: str) -> None:
    given = advice(row(f"{first}, estimate: 1m", f"{second}, estimate: 1m"))
    assert not [finding.text for finding in given if finding.code == "PL506"]


def test_phases_of_which_nothing_is_said_are_left_alone() -> None:
    assert not advice(row("name: Ants, agents: [w]", "name: Bees, agents: [w]"))


def test_a_long_run_is_advised_to_be_split_watched_and_checkpointed() -> None:
    long = row(
        "name: Ants, agents: [w], estimate: 30-50m", "name: Bees, agents: [w], depends_on: [ants], estimate: 20m"
    )
    given = only(long, "PL507")
    assert (given.severity, given.line, given.column) == ("note", 2, 1)
    assert given.message == ("by its estimates a run takes 50m to 1h 10m; the longest phase is 'ants' with 30m to 50m")
    assert all(word in given.hint for word in ("split", "checkpoints", "notifications"))
    assert "not in effect" not in given.hint
    assert "notifications" not in only(long, "PL507", "notifications: https://hook.example/long\n" + HEAD).hint
    side_by_side = group("name: Ants, agents: [w], estimate: 50m", "name: Bees, agents: [w], estimate: 50m")
    assert not advice(side_by_side)
    assert only(side_by_side, "PL507", "execution: {max_workers: 1}\n" + HEAD).message.startswith(
        "by its estimates a run takes 1h 40m"
    )


def test_the_projects_settings_count(tmp_path: Path) -> None:
    (tmp_path / "phaseloom.yaml").write_text(
        "execution: {max_workers: 1}\nnotifications: [https://hook.example/long]\n", encoding="utf-8"
    )
    config, found = load_config(tmp_path)
    assert not [finding for finding in found if finding.severity == "error"]
    phases = row("name: Ants, agents: [w], estimate: 40m", "name: Bees, agents: [w], estimate: 40m")
    (given,) = advise(load_text(HEAD + phases, project=config))
    assert (given.code, "notifications" in given.hint, "checkpoints" in given.hint) == ("PL507", False, True)


def test_a_definition_with_errors_gets_no_advice() -> None:
    assert advise(load_text(HEAD + row("name: A, agnts: [w], estimate: 5h"))) == ()
    assert advise(load_text("")) == ()


@pytest.mark.parametrize("name", ["comprehensive-audit", "full-stack-parallel", "parallel-utilities"])
def test_the_catalog_gets_no_advice(name: str) -> None:
    checked = load(Path("definitions") / "catalog" / f"{name}.yaml")
    assert [finding.text for finding in advise(checked)] == []
