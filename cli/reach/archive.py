"""One zip file, for its owner's eyes, and never in the place of something that is there already."""

from __future__ import annotations

import contextlib
import io
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

from engine.errors import RefusedError, WorkspaceError

PRIVATE = 0o600


def write_zip(path: Path, files: Mapping[str, bytes], *, force: bool) -> None:
    """Write the files as a zip that only its owner can read; links are replaced, never followed.

    Raises:
        RefusedError: something is there, and `force` is not given.
        WorkspaceError: it cannot be written.
    """
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    if not force and os.path.lexists(path):
        raise RefusedError(f"'{path}' exists already", hint="replace it with --force, or write elsewhere with --output")
    partial = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content.getvalue())
            if force:
                partial.replace(path)
            else:
                os.link(partial, path)  # unlike a rename it fails where somebody has been quicker
        finally:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
    except FileExistsError:
        raise RefusedError(f"'{path}' exists already", hint="replace it with --force") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise WorkspaceError(f"'{path}' cannot be written: {reason}", hint="name another file with --output") from error
