"""The artifacts of this project, wherever it keeps them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from activities.artifacts import ArtifactStore


def project_store(root: Path) -> ArtifactStore:
    """The store of the project at `root`; nobody is asked before something is wanted of it."""
    from activities.artifacts import ArtifactStore  # noqa: PLC0415 - only where it is needed
    from definitions.storage import store_url  # noqa: PLC0415

    return ArtifactStore(root, url=store_url(root, os.environ))
