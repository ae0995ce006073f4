"""A shell completes definitions, runs and phases: fast, from files alone, silently."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.program.person import PROGRAM, SECONDS, Person

RUN = {"definition": "full-stack-parallel", "phases": ["design-contract", "backend-development"]}
OLDER = {"definition": "shop", "phases": ["list", "load"]}


@pytest.fixture
def shop(offline: Person) -> Person:
    """A project with a definition of its own and two runs that were started here."""
    (offline.root / "definitions").mkdir()
    offline.write("definitions/shop.yaml", "name: A shop\nid: shop-front\nphases: [{name: A}]\n")
    offline.write("definitions/broken.yaml", "phases: [")
    (offline.root / ".phaseloom").mkdir()
    offline.write(".phaseloom/completion.json", json.dumps({"wf_new111": RUN, "wf_old222": OLDER}))
    offline.write(".phaseloom/current", "wf_new111\n")
    return offline


def asked(person: Person, *words: str, shell: str = "bash") -> list[str]:
    """What is offered for the last word."""
    said = person.types(
        _PHASELOOM_COMPLETE=f"complete_{shell}",
        COMP_WORDS="\n".join(("phaseloom", *words)),
        COMP_CWORD=str(len(words)),
        _TYPER_COMPLETE_ARGS=" ".join(("phaseloom", *words)),
        _TYPER_COMPLETE_FISH_ACTION="get-args",
    )
    assert said.err == ""
    return [line for line in said.lines if line]


def test_definitions_runs_and_phases_are_offered(shop: Person) -> None:
    assert asked(shop, "workflow", "start", "sh") == ["shop-front"]
    assert "development-lifecycle" in asked(shop, "run", "")
    assert asked(shop, "validate", "bro") == ["broken"]
    assert asked(shop, "workflow", "complete-phase", "") == RUN["phases"]
    assert asked(shop, "workflow", "why", "--run", "wf_old222", "l") == ["list", "load"]
    assert asked(shop, "workflow", "status", "--run", "wf_") == ["wf_new111", "wf_old222"]
    assert asked(shop, "workflow", "parallel-s") == ["parallel-status"]
    assert asked(shop, "workflow", "restore", "") == ["beginning", "last-checkpoint", *RUN["phases"]]
    assert asked(shop, "workflow", "resume", "--from", "beg") == ["beginning"]
    assert asked(shop, "workflow", "compare", "wf_n") == ["wf_new111"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_every_shell_is_answered_in_its_form(shop: Person, shell: str) -> None:
    assert any("shop-front" in line for line in asked(shop, "workflow", "start", "sh", shell=shell))


def test_paths_are_left_to_the_shell(shop: Person) -> None:
    assert asked(shop, "workflow", "start", "definitions/sh") == []


def test_nothing_is_started_and_nothing_is_said_where_there_is_no_project(offline: Person) -> None:
    assert asked(offline, "workflow", "complete-phase", "") == []
    assert asked(offline, "workflow", "status", "--run", "") == []
    assert not (offline.root / ".phaseloom").exists()


@pytest.mark.parametrize("content", ["{", "[]", '{"wf_new111": 3}', '{"wf_new111": {}}'])
def test_a_damaged_memory_completes_to_nothing(shop: Person, content: str) -> None:
    shop.write(".phaseloom/completion.json", content)
    assert asked(shop, "workflow", "complete-phase", "") == []


def test_a_real_bash_completes_with_the_script_that_is_shown(shop: Person) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash here")
    # Of the shell that it runs in, which it looks for among its ancestors: that of the tests may have none.
    script = """eval "$(phaseloom --show-completion)"
COMP_WORDS=(phaseloom workflow complete-phase back); COMP_CWORD=3
_phaseloom_completion phaseloom
echo "${COMPREPLY[@]}"
"""
    path = f"{Path(PROGRAM).parent}:{shop.environ['PATH']}"
    done = subprocess.run(
        [bash, "--norc", "-c", script],
        cwd=shop.root,
        env={**shop.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("backend-development\n", "")
