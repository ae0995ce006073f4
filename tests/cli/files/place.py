"""A project whose files are told of, change, and are compared."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path
from typing import Any

from activities.artifacts import ArtifactStore
from activities.workfiles import Workfiles
from cli.reach.files import files_known, files_since

Json = dict[str, Any]


class Place:
    """A project whose files are told of, change, and are compared."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.store = ArtifactStore(root, durable=False)

    def git(self, *arguments: str) -> str:
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
        command = ["git", "-C", str(self.root), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self) -> str:
        self.git("add", ".")
        self.git("commit", "-q", "--allow-empty", "-m", "it")
        return self.git("rev-parse", "HEAD")

    def write(self, **files: str) -> None:
        for name, text in files.items():
            (self.root / name).write_text(text, encoding="utf-8")

    def told(self) -> Json:
        return asyncio.run(Workfiles(self.root, self.store).told())

    def since(self, told: Json) -> tuple[list[Json], list[Json]]:
        return asyncio.run(files_since(self.root, self.store, told))

    def differences(self, told: Json) -> list[Json]:
        found, unknown = self.since(told)
        assert unknown == []
        return found

    def unknown(self, told: Json) -> str:
        found, unknown = self.since(told)
        assert found == []
        (only,) = unknown
        assert only["kind"] == "files"
        return str(only["text"])

    def known(self, told: Json) -> Json:
        return asyncio.run(files_known(self.root, told))
