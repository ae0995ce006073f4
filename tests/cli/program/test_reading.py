"""A run on a terminal: lanes while it is open, its measures at the end; and nothing of that in a pipe."""

from __future__ import annotations

import re
import sys

import pytest

from tests.cli.program.person import Person, until

TWO = """
name: Two at once
execution: {max_workers: 2}
agents:
  short: {uses: command, run: [sleep, "0.6"]}
  writer: {uses: command, run: [sh, -c, "echo x > made; sleep 1.2"]}
phases:
  - {name: Short, agents: [short], parallel: true}
  - {name: Writer, agents: [writer], parallel: true}
  - {name: Last, agents: [short]}
"""

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.mark.skipif(sys.platform != "linux", reason="terminals differ in what is read after their end")
def test_a_run_on_a_terminal_has_lanes_and_ends_with_its_measures(person: Person) -> None:
    person.write("two.yaml", TWO.replace("sleep 1.2", "sleep 1.2; until test -e seen; do sleep 0.05; done"))

    def see(shown: str) -> None:
        if re.search(r"⟳ writer\*? +[█░]+ +\d+s", CONTROL.sub("", shown)):
            (person.root / "seen").touch()

    shown = person.on_terminal("run", "two.yaml", columns=60, seeing=see, NO_COLOR="1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", shown), "NO_COLOR is obeyed"
    lines = [line.rstrip() for line in CONTROL.sub("", shown).splitlines()]
    assert any(re.match(r"  ⟳ writer\*? +[█░]+ +\d+s", line) for line in lines), lines
    assert any(line.startswith("  elapsed ") and "/3 done" in line for line in lines)
    end = max(number for number, line in enumerate(lines) if line.startswith("✓ Workflow complete in"))
    told = lines[end:]
    assert max(map(len, told)) < 60
    assert any(re.match(r"  Total +\d+s +\d+s +\d+%", line) for line in told)
    assert any(line.split()[:1] == ["writer"] and line.count("█") > 2 for line in told)


def test_a_pipe_gets_the_promised_lines_only_and_status_the_measures(person: Person) -> None:
    person.write("two.yaml", TWO)
    said = person.types("run", "two.yaml")
    assert said.lines[-1].startswith(("✓ Workflow complete in", "  (Sequential would have taken"))
    view = person.view()
    assert view["totals"]["calls"] == 3
    assert view["totals"]["sequential"] >= 0.6 + 1.2 + 0.6
    assert view["totals"]["parallel"] >= 1.2 + 0.6
    assert all(row["usage"]["memory_peak"] > 0 for row in view["phases"])
    lines = person.types("workflow", "status").lines
    assert any(line.split()[:1] == ["Total"] for line in lines)
    assert any("Sequential" in line and "Improvement" in line for line in lines)


FAILING = """
name: Failing
agents: {tests: {uses: command, run: ["false"]}}
phases:
  - {name: Testing, agents: [tests]}
  - {name: Release, agents: [lead]}
"""


@pytest.mark.skipif(sys.platform != "linux", reason="terminals differ in what is read after their end")
def test_intervene_without_a_number_asks_on_a_terminal(person: Person) -> None:
    person.write("failing.yaml", FAILING)
    person.types("workflow", "start", "failing.yaml")
    until(lambda: person.view()["pause"] is not None)
    numbers = {option["action"]: option["number"] for option in person.view()["pause"]["options"]}
    assert person.tries("workflow", "intervene").code == 2, "nobody can be asked in a pipe"
    shown = person.on_terminal("workflow", "intervene", columns=80, typed=f"99\n{numbers['skip']}\nflaky host\n")
    assert "Skip the testing phase (not recommended)" in shown
    assert "Why it is skipped" in shown
    view = person.view()
    assert [phase["status"] for phase in view["phases"]] == ["skipped", "in_progress"]
