"""Fixtures of the audit's tests."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.audit.repository import PROJECT, Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    root = tmp_path / "repository"
    root.mkdir()
    return Repository(root)


@pytest.fixture
def python_without_tools(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """An interpreter with no tool beside it; keyword arguments are scripts to put there under their names."""

    def make(**scripts: str) -> dict[str, str]:
        bin_directory = tmp_path / "bare" / "bin"
        bin_directory.mkdir(parents=True)
        (bin_directory / "python").symlink_to(Path(sys.executable).resolve())
        for name, text in scripts.items():
            (bin_directory / name).write_text(text)
            (bin_directory / name).chmod(0o755)
        packages = Path(json.__file__).parents[1] / "site-packages"
        installed = next((path for path in sys.path if path.endswith("site-packages")), str(packages))
        empty = tmp_path / "bare" / "empty"
        empty.mkdir()
        return {
            "python": str(bin_directory / "python"),
            "PYTHONPATH": os.pathsep.join((str(PROJECT), installed)),
            "PATH": str(empty),
        }

    return make
