"""The docs say what the code does: commands run as printed, files validate, tables and diagrams agree with the code."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import re
from pathlib import Path
from types import ModuleType

import pytest
from pydantic import BaseModel

from activities import scratch
from activities.agent_task import AgentTask
from activities.leftovers import MARKER
from definitions import load_text
from definitions.project import load_config
from definitions.schema import agents, deferred, document, phases
from definitions.schema.deferred import Checkpoints
from engine.agents import AgentPlan
from engine.operations import OPERATIONS
from engine.plan import Retry
from engine.requests import read
from tests.project.markdown import ROOT, Block, blocks, pages
from tests.project.walking import BIN, LONGEST, walk
from tests.project.warm import Warm

REASONS = {"needs Docker", "runs until it is stopped", "installs packages", "sets up a checkout"}
"""Why a command block may be left out of the tests."""

ALL_BLOCKS = [block for page in pages() for block in blocks(page)]
TYPED = {
    "README.md",
    *(f"docs/{name}.md" for name in ("quickstart", "how-to/start-a-project", "how-to/call-python-and-http")),
}
"""Pages whose commands start the console script itself, as a reader's shell does; the others start a warm one."""
RUN_PAGES = sorted(
    (page for page in pages() if any(block.language == "console" for block in blocks(page))),
    key=lambda page: sum(block.text.count("$ ") for block in blocks(page) if block.language == "console"),
    reverse=True,
)
"""The longest first: they are dealt out one by one, and no worker of xdist should be left alone with a long one."""


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


# ---- commands


@pytest.mark.parametrize("page", RUN_PAGES, ids=name_of)
@pytest.mark.timeout(LONGEST + 60)
def test_the_commands_of_a_page_run_and_print_what_it_shows(page: Path, tmp_path: Path, warmed: Warm) -> None:
    if not (BIN / "phaseloom").exists():
        if os.environ.get("CI"):
            pytest.fail("phaseloom is not installed; run: make setup")
        pytest.skip("phaseloom is not installed; run: make setup")
    walk(page, tmp_path, BIN if name_of(page) in TYPED else warmed.folder)


def test_only_what_cannot_run_here_is_left_out() -> None:
    left_out = {block.place: block.options["skip"] for block in ALL_BLOCKS if "skip" in block.options}
    assert set(left_out.values()) <= REASONS
    assert not [block.place for block in ALL_BLOCKS if block.language in {"sh", "bash", "shell"}]


# ---- files


@pytest.mark.parametrize("block", [b for b in ALL_BLOCKS if b.language == "yaml"], ids=lambda block: block.place)
def test_yaml_in_the_docs_validates(block: Block, tmp_path: Path) -> None:
    if Path(block.options.get("file", "")).name == "phaseloom.yaml":
        (tmp_path / "phaseloom.yaml").write_text(block.text, encoding="utf-8")
        _, diagnostics = load_config(tmp_path)
    else:
        diagnostics = load_text(block.text, file=block.place).diagnostics
    wanted = re.findall(r"# (PL\d{3})", block.text)
    assert [d.code for d in diagnostics if d.severity == "error"] == wanted, [d.text for d in diagnostics]


@pytest.mark.parametrize("block", [b for b in ALL_BLOCKS if b.language in {"json", "python"}], ids=lambda b: b.place)
def test_json_and_python_in_the_docs_can_be_read(block: Block) -> None:
    if block.language == "json":
        json.loads(block.text)
    else:
        ast.parse(block.text)


def test_python_in_the_docs_is_a_file_of_a_page_whose_commands_run() -> None:
    """`walk` writes it there before the commands that use it; what is left out says why."""
    for block in ALL_BLOCKS:
        if block.language == "python" and "skip" not in block.options:
            assert block.options.get("file"), f"{block.place}: a Python block needs file=NAME"
            assert block.page in RUN_PAGES, f"{block.place}: no command on this page uses {block.options['file']}"


def test_payloads_in_the_docs_are_accepted() -> None:
    shown = [block for block in ALL_BLOCKS if block.language == "json" and "message" in block.options]
    assert {block.options["message"] for block in shown} == set(OPERATIONS)
    for block in shown:
        operation = OPERATIONS[block.options["message"]]
        read(json.loads(block.text), operation.fields, operation.required)


# ---- agreement with the code


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_parts_are_what_the_code_says(generate: ModuleType) -> None:
    used: set[str] = set()
    for page in sorted((ROOT / "docs").rglob("*.md")):
        text = page.read_text(encoding="utf-8")
        assert generate.rewritten(text) == text, f"{name_of(page)} is out of date; run: make docs"
        used.update(re.findall(r"<!-- generated: ([a-z-]+) -->", text))
    assert used == set(generate.PARTS)


MODELS: dict[str, type[BaseModel]] = {
    "The document": document.Definition,
    "`execution`": document.Execution,
    "A phase": phases.Phase,
    "`retry`": phases.Retry,
    "Checkpoints": Checkpoints,
    "A need": phases.Need,
    "A context key": deferred.ContextKey,
    "An input": document.Input,
    "An output": agents.Output,
    "A step group": document.StepGroup,
    "`uses: manual`": agents.Manual,
    "`uses: command`": agents.Command,
    "`uses: aider`": agents.Aider,
    "`uses: python`": agents.Python,
    "`uses: http`": agents.Http,
    "`phaseloom.yaml`": document.ProjectFile,
}
"""The sections of the reference of the format, and the mapping that each describes."""


@pytest.mark.parametrize("section", MODELS)
def test_the_reference_has_every_key_of_the_format_and_no_other(section: str) -> None:
    text = (ROOT / "docs" / "reference" / "definition-format.md").read_text(encoding="utf-8")
    found = re.search(rf"(?ms)^##+ {re.escape(section)}\n(.*?)(?=^##|\Z)", text)
    assert found is not None, f"no section {section!r}"
    written = set(re.findall(r"(?m)^\| `([^`]+)` \|", found[1]))
    deferred = set(re.findall(r"`([a-z_]+)`", (re.search(r"(?s)<!-- generated.*?<!-- end -->", found[1]) or [""])[0]))
    keys = {field.alias or name for name, field in MODELS[section].model_fields.items()}
    assert written | deferred == keys


def test_the_reference_has_every_variable_of_a_command() -> None:
    task = AgentTask(
        run="r", definition="d", phase_id="p", phase_name="P", phase_index=0, epoch=0, position=0, key="k",
        agent=AgentPlan(role="a"), prompt=None, acceptance_tests=(), files_scope=(), timeout=None, retry=Retry(),
        values={}, earlier=(), failures=(),
    )  # fmt: skip
    ours = {*scratch.variables(ROOT, task, 1, scratch.Scratch(ROOT, task, 1)), MARKER}
    ours |= {*scratch.item_variables({"item": None, "item_index": 0})}
    text = (ROOT / "docs" / "reference" / "agent-environment.md").read_text(encoding="utf-8")
    assert set(re.findall(r"(?m)^\| `(PHASELOOM_[A-Z_]+)` \|", text)) == ours


# ---- the pages themselves


def test_links_between_pages_lead_somewhere() -> None:
    broken = [
        f"{name_of(page)}: {target}"
        for page in [*pages(), ROOT / "CHANGELOG.md"]
        for target in re.findall(
            r"\]\(([^)#\s]+)[^)]*\)", re.sub(r"(?s)```.*?```", "", page.read_text(encoding="utf-8"))
        )
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert broken == []


def test_every_page_can_be_reached_from_the_index() -> None:
    seen, todo = set(), [ROOT / "docs" / "index.md"]
    while todo:
        page = todo.pop().resolve()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        todo += [page.parent / target for target in re.findall(r"\]\(([^)#:\s]+)", page.read_text(encoding="utf-8"))]
    assert {page.resolve() for page in (ROOT / "docs").rglob("*.md")} <= seen


ADRS = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))


@pytest.mark.parametrize("adr", ADRS, ids=lambda adr: adr.name)
def test_a_decision_has_its_four_parts_on_a_page(adr: Path) -> None:
    text = adr.read_text(encoding="utf-8")
    assert re.match(rf"# {adr.name[:4]} [A-Z]", text)
    assert re.findall(r"(?m)^## (.*)$", text) == ["Context", "Decision", "Consequences", "Rejected"]
    assert len(text.split()) <= 700


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [int(adr.name[:4]) for adr in ADRS] == list(range(1, len(ADRS) + 1))


def test_every_dependency_has_its_reason() -> None:
    import tomllib  # noqa: PLC0415 - only here

    from packaging.requirements import Requirement  # noqa: PLC0415 - only here

    data = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    written = [*data["project"]["dependencies"], *data["build-system"]["requires"]]
    for group in (*data["project"]["optional-dependencies"].values(), *data["dependency-groups"].values()):
        written.extend(group)
    text = next(adr for adr in ADRS if "dependencies" in adr.name).read_text(encoding="utf-8")
    reasoned = {name for names in re.findall(r"(?m)^\| (`[^|]+) \|", text) for name in re.findall(r"`([^`]+)`", names)}
    assert reasoned == {Requirement(requirement).name for requirement in written}
