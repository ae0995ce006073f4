from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from activities.audit.advice import topic_of
from activities.audit.document import Bars
from activities.audit.finding import Outcome, stage_outputs
from activities.audit.markdown import as_markdown
from activities.audit.page import as_page
from activities.audit.priorities import prioritised
from activities.audit.report import compose
from activities.audit.results import Results, collect
from activities.audit.slow_patterns import RULES
from tests.audit.repository import Repository, run_audit

Json = dict[str, Any]

APP = '''import subprocess


def run(name):
    """Runs."""
    subprocess.call("ls " + name, shell=True)


def unused(rows):
    seen = []
    for row in rows:
        if row not in seen:
            seen.append(row)
    return missing
'''
TOKEN = "glpat-" + "x8Kq2Lw9Zr4Nv7Tb5Mp3"


def written(repository: Repository, *args: str) -> tuple[str, str]:
    output = repository.root.parent / "report"
    done = run_audit("all", "--root", str(repository.root), "--output", str(output), *args)
    assert done.returncode == 0, done.stderr
    return (output / "report.md").read_text(), (output / "report.html").read_text()


class _Page(HTMLParser):
    """What a page loads and which tags stay open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loaded += [str(value) for name, value in attrs if name in ("src", "href", "srcset", "action")]
        if tag not in ("meta", "link", "img", "br", "wbr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_report_has_numbers_the_worst_places_and_a_plan(repository: Repository) -> None:
    repository.write({"app.py": APP, "README.md": f"token {TOKEN}\n", "b.py": "x = 1\n"})
    repository.commit()
    markdown, page = written(repository)
    for text in (markdown, page.replace("<wbr>", "")):
        assert TOKEN not in text
        for expected in (
            "app.py:6",
            "README.md:1",
            "app.py:14",
            "app.py:12",
            "B602",
            "list-lookup-in-loop",
            "1 commit by 1 author",
        ):
            assert expected in text, expected
    sections = [
        "Summary",
        "Plan",
        "Worst files",
        "Security",
        "Performance",
        "Code quality",
        "Inventory",
        "How this was made",
    ]
    assert re.findall(r"^## (.*)$", markdown, re.MULTILINE) == sections
    plan = re.findall(r"^\| (\d+) \| (\w+)", markdown, re.MULTILINE)
    assert [number for number, _ in plan] == [str(n) for n in range(1, len(plan) + 1)]
    assert [when for _, when in plan][:3] == ["First"] * 3


def test_the_page_is_whole_and_needs_nothing_from_anywhere(repository: Repository) -> None:
    repository.write({"app.py": APP})
    _, page = written(repository)
    parsed = _Page(page)
    assert parsed.open == []
    assert all(target.startswith("#") for target in parsed.loaded)
    assert not re.search(r"@import|url\(|<script|https?://", page)
    assert "prefers-color-scheme: dark" in page
    assert 'class="track"' in page


def test_names_from_the_tree_stay_text_in_both_formats(repository: Repository) -> None:
    name = "<img src=x onerror=alert(1)>`|](x) **b**.py"
    repository.write({name: "import os\n"})
    markdown, page = written(repository)
    assert "<img" not in page
    assert "&lt;img src=x" in page
    row = next(line for line in markdown.splitlines() if line.startswith("| **low** |") and "onerror" in line)
    assert "``<img src=x onerror=alert(1)>`\\|](x) **b**.py:1``" in row
    assert row.replace("\\|", "").count("|") == 4


def test_without_python_the_report_is_short_and_says_so(repository: Repository) -> None:
    repository.write({"main.go": "package main\n", "notes.md": f"deploy with {TOKEN}\n"})
    markdown, _ = written(repository)
    assert "There is no Python in this tree" in markdown
    assert "notes.md:1" in markdown
    assert re.findall(r"^## (.*)$", markdown, re.MULTILINE) == [
        *("Summary", "Plan", "Worst files", "Security", "Inventory", "How this was made")
    ]


def test_tools_that_are_not_installed_are_named_and_never_count_as_clean(
    repository: Repository, python_without_tools: Callable[..., dict[str, str]]
) -> None:
    repository.write({"app.py": APP, "a.py": "def f(:\n"})
    env = python_without_tools()
    python = env.pop("python")
    output = repository.root.parent / "report"
    done = run_audit("all", "--root", str(repository.root), "--output", str(output), python=python, env=env)
    assert done.returncode == 0, done.stderr
    markdown = (output / "report.md").read_text()
    assert "## Not run or incomplete" in markdown
    for tool in ("bandit", "radon", "ruff", "vulture"):
        assert f"{tool}: not run: {tool} is not installed" in markdown
        assert f"{tool}: 0 findings" not in markdown
        assert f"{tool}: not run: {tool} is not installed" in done.stdout
    assert "History: not run: git is not installed" in markdown
    assert "Nothing was found" not in markdown
    assert "counted by Phaseloom's own count" in markdown


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo nonsense", "bandit gave no JSON"),
        ("echo 'no such plug-in' >&2; exit 3", "bandit ended with exit code 3: no such plug-in"),
        ("kill -9 $$", "bandit ended with signal 9"),
    ],
)
def test_a_tool_that_fails_is_not_run_with_its_reason(
    repository: Repository, python_without_tools: Callable[..., dict[str, str]], script: str, reason: str
) -> None:
    repository.write({"app.py": APP})
    env = python_without_tools(bandit=f"#!/bin/sh\n{script}\n")
    python = env.pop("python")
    done = run_audit("security", "--root", str(repository.root), "--json", python=python, env=env)
    assert f'"bandit": "not run: {reason}"' in done.stdout
    assert '"complete": false' in done.stdout


def test_a_phase_without_results_is_missing_in_the_report_not_empty() -> None:
    ok = stage_outputs([Outcome("bandit")])
    phases: Json = {
        "preparation": {"status": "skipped", "outputs": {}},
        "security-audit": {"status": "completed", "outputs": ok},
        "performance-audit": {"status": "completed", "outputs": {"findings": {"$artifact": "sha256:0"}}},
    }
    stages = {"preparation": "preparation", "security-audit": "security", "performance-audit": "performance"}
    results = collect(phases, stages)
    assert results.missing == {
        "preparation": "its phase is skipped",
        "performance": "its phase delivered no results",
        "quality": "no phase delivered it",
    }
    document, _ = compose(results, name="x", date="2026-01-01")
    text = as_markdown(document)
    assert "- Performance: not run: its phase delivered no results" in text
    assert "Nothing was found" not in text
    assert as_page(document)


def finding(tool: str, rule: str, severity: str, file: str = "a.py", line: int = 1) -> Json:
    return {"tool": tool, "rule": rule, "severity": severity, "file": file, "line": line, "message": "m", "symbol": ""}


def stage(*findings: Json) -> Json:
    rows: dict[tuple[str, str], Json] = {}
    for f in findings:
        row = rows.setdefault(
            (f["tool"], f["rule"]), {"tool": f["tool"], "rule": f["rule"], "high": 0, "medium": 0, "low": 0}
        )
        row[f["severity"]] += 1
    return {"by_rule": [*rows.values()], "findings": [*findings]}


def test_the_plan_puts_leaks_first_and_many_small_things_last() -> None:
    plan = prioritised(
        {
            "quality": stage(*(finding("ruff", "F401", "low", line=n) for n in range(500))),
            "performance": stage(finding("sizes", "complex-function", "high"), finding("sizes", "large-file", "low")),
            "security": stage(finding("secrets", "aws-access-key", "high"), finding("bandit", "B324", "medium")),
        }
    )
    assert [(item.when, item.topic.key) for item in plan] == [
        ("first", "secrets"),
        ("next", "complexity"),
        ("next", "crypto"),
        ("later", "unused"),
        ("later", "size"),
    ]
    assert (plan[0].effort, plan[3].hours > 8) == ("small", True)


def test_what_changes_often_comes_before_what_does_not() -> None:
    hot = stage(finding("sizes", "complex-function", "medium", "hot.py"))
    cold = stage(finding("duplication", "duplicate-code", "medium", "cold.py"))
    quiet = prioritised({"a": hot, "b": cold})
    busy = prioritised({"a": hot, "b": cold}, [{"file": "hot.py", "commits": 9}])
    assert [item.topic.key for item in quiet] == ["copies", "complexity"]
    assert [item.topic.key for item in busy] == ["complexity", "copies"]


@pytest.mark.parametrize("rule", [*RULES, "complex-function", "large-function", "deep-nesting", "large-file"])
def test_every_own_rule_has_advice(rule: str) -> None:
    assert topic_of("sizes", rule).advice


@pytest.mark.parametrize(
    ("tool", "rule", "topic"),
    [
        ("bandit", "B602", "injection"),
        ("bandit", "B006", "security-other"),
        ("ruff", "B006", "bugs"),
        ("ruff", "B602", "simplify"),
        ("ruff", "F821", "broken"),
        ("ruff", "F401", "unused"),
        ("ruff", "C400", "simplify"),
        ("vulture", "unused-function", "dead-code"),
        ("secrets", "private-key", "secrets"),
    ],
)
def test_rules_of_different_tools_do_not_mix(tool: str, rule: str, topic: str) -> None:
    assert topic_of(tool, rule).key == topic


def test_bars_keep_their_order_after_the_outputs_have_travelled_as_json(repository: Repository) -> None:
    branches = "".join(f"    if x == {n}:\n        x += 1\n" for n in range(7))
    suffixes = ("c", "cpp", "css", "go", "html", "java", "js", "json", "md", "php", "rb")
    small = {f"small.{suffix}": "one\n" for suffix in suffixes}
    repository.write({**small, "app.py": f"def f(x):\n{branches}    return x\n", "unknown.abc": "x\n" * 99})
    stages = {name: repository.audit(name) for name in ("preparation", "security", "performance", "quality")}
    travelled = json.loads(json.dumps(stages, sort_keys=True))
    document, _ = compose(Results(stages=travelled), name="x", date="2026-01-01")
    blocks = [block for section in document.sections for block in section.blocks]
    bars = {block.title: [label for label, _ in block.bars] for block in blocks if isinstance(block, Bars)}
    assert bars["Functions by complexity"] == ["1-5", "6-10", "11-20", "21-30", "31-40", "over 40"]
    assert bars["Lines by language"][0] == "Python (1 file)"
    assert len(bars["Lines by language"]) == 10


def test_results_know_what_is_hot_and_how_much_there_is(tmp_path: Path) -> None:
    outputs = stage_outputs([Outcome("ruff")]) | {"total": 3, "high": 1, "medium": 1, "low": 1}
    results = Results(
        stages={"quality": outputs, "preparation": {"history": {"available": False, "reason": str(tmp_path)}}}
    )
    assert (results.total(), results.total("high")) == (3, 1)
    assert results.commits_of == {}
