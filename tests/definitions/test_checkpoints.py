"""Which checkpoints are made and kept: a phase's word, its definition's, the project's, in this order."""

from __future__ import annotations

from pathlib import Path

from definitions import compile_plan, effective_settings, load_config, load_text

DEFINITION = """\
checkpoints: {after: [two]}
phases:
  - {id: one}
  - {id: two, checkpoints: {keep: 2}}
  - {id: three, checkpoints: {after: group}}
"""


def test_the_nearest_word_holds_and_says_where_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "phaseloom.yaml").write_text("checkpoints: {after: never, keep: 5}\n", encoding="utf-8")
    config, problems = load_config(tmp_path)
    assert problems == ()
    checked = load_text(DEFINITION, file="d.yaml", project=config)
    plan = compile_plan(checked, {})
    assert plan.keep_checkpoints == 5
    assert [(p.checkpoint, p.keep_checkpoints) for p in plan.phases] == [("never", None), ("phase", 2), ("group", None)]
    told = {s.name: (s.value, s.origin, s.line) for s in effective_settings(checked, {})[0] if "checkpoints" in s.name}
    assert told == {
        "checkpoints.keep": (5, "project", 1),
        "phases.one.checkpoints.after": ("never", "definition", 1),
        "phases.two.checkpoints.after": ("phase", "definition", 1),
        "phases.two.checkpoints.keep": (2, "phase", 4),
        "phases.three.checkpoints.after": ("group", "phase", 5),
    }
    bare = compile_plan(load_text("phases: [{id: one}]", project=config), {})
    assert bare.phases[0].checkpoint == "never"


def test_what_nobody_says_costs_no_bytes_of_the_plan() -> None:
    written = str(compile_plan(load_text("phases: [{id: one}]"), {}).to_json())
    assert "checkpoint" not in written


def test_unknown_phases_and_lists_in_a_phase_are_errors() -> None:
    found = load_text("checkpoints: {after: [twoo]}\nphases: [{id: two, checkpoints: {after: [two]}}]").diagnostics
    assert [(each.code, each.line) for each in found if each.severity == "error"] == [("PL103", 1), ("PL102", 2)]
    assert "did you mean 'two'" in found[0].text
