"""Projects of two files, with git and without."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.files.place import Place


@pytest.fixture
def plain(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.write(a="a", b="b")
    return place


@pytest.fixture
def repository(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.write(a="a", b="b")
    (tmp_path / ".gitignore").write_text(".phaseloom\n*.log\n")
    place.git("init", "-q")
    place.commit()
    return place


@pytest.fixture
def inner(repository: Place) -> Place:
    """A project in a folder of the repository."""
    place = Place(repository.root / "inner")
    place.root.mkdir()
    place.write(mine="1")
    return place
