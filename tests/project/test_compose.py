"""The compose file: valid, closed to the outside, and in step with the code. (No container engine is needed.)"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.embedded.reader import ATTRIBUTES
from tests.project.markdown import ROOT

COMPOSE = ROOT / "docker-compose.yml"


def services() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
    return loaded


def packaged() -> list[str]:
    data = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    names: list[str] = data["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
    return names


def test_it_is_valid_compose() -> None:
    checker = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    done = subprocess.run(checker, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_nothing_listens_beyond_the_loopback_interface() -> None:
    ports = [port for service in services().values() for port in service.get("ports", [])]
    assert ports
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in ports)


def test_images_are_pinned_and_temporals_parts_are_of_one_version() -> None:
    images = [service["image"] for service in services().values() if "image" in service]
    assert all(re.fullmatch(r"[a-z/-]+:[0-9][0-9.]*", image) for image in images)
    versions = {image.partition(":")[2] for image in images if re.match(r"temporalio/(server|admin-tools):", image)}
    assert len(versions) == 1


def test_every_service_waits_for_what_it_needs() -> None:
    for name, service in services().items():
        for needed, how in service.get("depends_on", {}).items():
            other = services()[needed]
            fits = "healthcheck" in other if how["condition"] == "service_healthy" else "on-failure" in other["restart"]
            assert fits, f"{name} waits for {needed}"


def test_what_it_mounts_and_builds_exists() -> None:
    for service in services().values():
        for volume in service.get("volumes", []):
            if volume.startswith("./"):
                assert (ROOT / volume.partition(":")[0]).is_file()
        if "build" in service:
            dockerfile = ROOT / service["build"]["dockerfile"]
            copied = re.findall(r"^COPY (.+) \S+$", dockerfile.read_text(encoding="utf-8"), re.MULTILINE)
            names = {name for line in copied for name in line.split()}
            assert all((ROOT / name).exists() for name in names)
            assert set(packaged()) <= names
            allowed = (ROOT / "docker" / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
            assert names <= {line.removeprefix("!") for line in allowed}


def variables(address: str, tmp_path: Path) -> dict[str, str]:
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "LANG": "C.UTF-8",
        "TEMPORAL_ADDRESS": address,
        "TEMPORAL_NAMESPACE": "shared",
    }


def test_the_namespace_script_prepares_a_server_and_may_run_again(address: str, tmp_path: Path) -> None:
    def run(*command: str) -> str:
        done = subprocess.run(
            command, env=variables(address, tmp_path), check=False, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    for _ in range(2):
        run("sh", str(ROOT / "docker" / "namespace.sh"))
    listed = run("temporal", "operator", "search-attribute", "list", "--namespace", "shared")
    kinds = {2: "Keyword", 7: "KeywordList"}
    for name, kind in ATTRIBUTES.items():
        assert re.search(rf"^ *{name} +{kinds[kind]} *$", listed, re.MULTILINE), listed


@pytest.mark.timeout(500)
def test_a_worker_serves_a_shared_server_as_the_composed_one_does(address: str, tmp_path: Path) -> None:
    env = variables(address, tmp_path)
    project = tmp_path / "project"
    project.mkdir()
    subprocess.run(["sh", str(ROOT / "docker" / "namespace.sh")], env=env, check=True, capture_output=True, timeout=120)
    with subprocess.Popen(["phaseloom", "worker"], cwd=project, env=env, stdout=subprocess.PIPE, text=True) as worker:
        try:
            assert worker.stdout is not None
            assert address in worker.stdout.readline()
            run = ["phaseloom", "run", "parallel-utilities", "--non-interactive"]
            done = subprocess.run(run, cwd=project, env=env, check=False, capture_output=True, text=True, timeout=150)
        finally:
            worker.terminate()
        assert worker.wait(120) == 0
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✓ All steps complete" in done.stdout
    assert not (project / ".phaseloom" / "server.db").exists()
