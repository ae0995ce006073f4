"""What the artifact store costs beside the least that it could: a plain copy of the file and one sha256 of it."""

from __future__ import annotations

import hashlib
import os
import shutil
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from activities.artifacts import ArtifactStore
from bench.report import Row

SIZE = 200 * 1024 * 1024
ROUNDS = 5


def store_throughput(folder: Path) -> list[Row]:
    """Store a file of 200 MB and copy it out again, against copying and hashing it by hand."""
    source = folder / "source"
    source.write_bytes(os.urandom(1024 * 1024) * (SIZE // (1024 * 1024)))
    store = ArtifactStore(folder, durable=False)
    digest = store.put_file(source).sha256  # the first round warms up
    puts, gets, hands = [], [], []
    by_hand, out = folder / "by-hand", folder / "out"
    for _ in range(ROUNDS):
        hands.append(_seconds(lambda: _by_hand(source, by_hand), new=by_hand))
        puts.append(_seconds(lambda: store.put_file(source), new=store.path(digest)))
        gets.append(_seconds(lambda: store.copy(digest, out), new=out))
    hand = statistics.median(hands)
    rate = f"{SIZE / hand / 1e6:.0f} MB/s by hand"
    return [
        Row(what="store 200 MB / copy + sha256 by hand", value=statistics.median(puts) / hand, budget=1.5, note=rate),
        Row(what="get 200 MB, checked / copy + sha256 by hand", value=statistics.median(gets) / hand, budget=2.5),
    ]


def _by_hand(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    with source.open("rb") as file:
        hashlib.file_digest(file, "sha256")


def _seconds(work: Callable[[], object], *, new: Path) -> float:
    """How long it takes to write a `new` file, on a disk that is quiet.

    Where a file replaces another one, some file systems write it out at once: what was written before is paid for then.
    """
    new.unlink(missing_ok=True)
    os.sync()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
