"""Small repositories, written anew for each test, and the audit run on them as its own process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]

PROJECT = Path(__file__).parents[2]
RUN = "import sys; from activities.audit.main import main; sys.exit(main(sys.argv[1:]))"


@dataclass(frozen=True)
class Repository:
    """A directory to audit."""

    root: Path

    def write(self, files: Mapping[str, str | bytes]) -> Repository:
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return self

    def git(self, *args: str) -> str:
        identity = ("-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
        done = subprocess.run(["git", *identity, *args], cwd=self.root, check=True, capture_output=True, text=True)
        return done.stdout

    def commit(self, message: str = "change") -> None:
        if not (self.root / ".git").exists():
            self.git("init", "-q")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)

    def snapshot(self) -> dict[str, tuple[int, bytes]]:
        """Every file outside .git with its mode and content."""
        return {
            str(path.relative_to(self.root)): (path.lstat().st_mode, path.read_bytes())
            for path in self.root.rglob("*")
            if path.is_file() and not path.is_symlink() and ".git" not in path.relative_to(self.root).parts
        }

    def audit(self, stage: str, *args: str, env: Mapping[str, str] | None = None) -> Json:
        """The outputs of a stage, by hand."""
        done = run_audit(stage, "--root", str(self.root), "--json", *args, env=env)
        assert done.returncode == 0, done.stderr
        outputs: Json = json.loads(done.stdout)
        return outputs

    def rules(self, stage: str, tool: str = "") -> set[tuple[str, int, str]]:
        """(file, line, rule) of a stage's findings."""
        findings = self.audit(stage)["findings"]
        return {(f["file"], f["line"], f["rule"]) for f in findings if f["tool"] == (tool or f["tool"])}


def run_audit(
    *args: str, env: Mapping[str, str] | None = None, python: str = sys.executable, cwd: Path = PROJECT
) -> subprocess.CompletedProcess[str]:
    """`phaseloom audit ARGS` in a process of its own, with nothing of a surrounding run in its environment."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PHASELOOM_")}
    environment = kept | {"PYTHONPATH": str(PROJECT)} | dict(env or {})
    return subprocess.run(
        [python, "-B", "-c", RUN, *args], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
