"""A run through time, asked by somebody at a shell."""

from __future__ import annotations

from engine.timeline import standing
from tests.cli.program.person import Person, until

DEFINITION = """
name: Timed
agents:
  builder: {uses: command, run: [sh, -c, "sleep 0.2"]}
phases:
  - {name: Build, agents: [builder]}
  - {name: Review, agents: [lead]}
"""


def test_a_timeline_is_shown_saved_and_printed_of_an_open_run_and_of_an_ended_one(person: Person) -> None:
    person.write("timed.yaml", DEFINITION)
    person.types("workflow", "start", "timed.yaml")
    until(lambda: person.view()["phases"][1]["status"] == "in_progress")
    run = person.current
    told = person.types("workflow", "timeline", "--json").json
    assert standing(told, told["length"])["lanes"] == [["completed", ""], ["in_progress", "waits for lead"]]
    lines = person.types("workflow", "timeline").lines
    assert lines[0].startswith(f"Timed ({run}): running")
    assert lines[2].split()[1] == "review"
    assert "~" in lines[2] or "▒" in lines[2]
    person.types("workflow", "next")
    until(lambda: person.view()["ended_at"] is not None)
    assert person.types("workflow", "timeline", "--run", run, "--html").lines == [f"Wrote {run}.html"]
    assert "Timed" in (person.root / f"{run}.html").read_text(encoding="utf-8")
    said = person.types("workflow", "timeline", "--run", run, "-o", "pages/run.html", "--json").json
    assert said == {"run": run, "output": "pages/run.html"}
    assert (person.root / "pages" / "run.html").exists()
    assert person.tries("workflow", "timeline", "--run", run, "-o", "run.txt").code == 2
