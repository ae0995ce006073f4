"""How a process is told from others while it is becoming another program. Its files lie in a directory, as in /proc."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from activities.leftovers import _settled


@pytest.fixture
def process(tmp_path: Path) -> Path:
    """One that has neither environment nor words, and runs a program."""
    for name in ("environ", "cmdline"):
        (tmp_path / name).touch()
    (tmp_path / "exe").symlink_to("/bin/true")
    return tmp_path


def test_one_between_two_programs_is_waited_for(process: Path) -> None:
    becoming = threading.Timer(0.05, (process / "environ").write_bytes, [b"A=b\0"])
    becoming.start()
    assert _settled(process, time.monotonic() + 60) == b"A=b\0"
    becoming.join()


def test_one_that_has_words_has_no_environment_indeed(process: Path) -> None:
    (process / "cmdline").write_bytes(b"sleep\0")
    assert _settled(process, time.monotonic() + 60) == b""


def test_one_that_has_wiped_out_both_is_not_waited_for_beyond_the_moment(process: Path) -> None:
    assert _settled(process, time.monotonic()) == b""


def test_what_runs_no_program_is_not_waited_for(process: Path) -> None:
    (process / "exe").unlink()
    with pytest.raises(FileNotFoundError):
        _settled(process, time.monotonic() + 60)
