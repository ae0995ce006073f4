"""Graphs as text: who waits for whom, circles, and names that no format may read as its own."""

from __future__ import annotations

import json

import pytest

from definitions import compile_plan, load_text
from definitions.graphs import Graph, dot, graph_of_checked, graph_of_plan, mermaid
from definitions.graphs.extent import extent

CIRCLE = """
phases:
  - {id: first, tool: sh, tasks: [x], depends_on: []}
  - {id: a, tool: sh, tasks: [x], depends_on: [c, first]}
  - {id: b, tool: sh, tasks: [x], depends_on: [a]}
  - {id: c, tool: sh, tasks: [x], depends_on: [b]}
"""


def drawn(text: str) -> Graph:
    graph = graph_of_checked(load_text(text))
    assert graph is not None
    return graph


def phases(*written: str) -> str:
    return "phases:\n" + "".join(f"  - {phase}\n" for phase in written)


def parallel(count: int, start: int = 0) -> list[str]:
    return [f"{{id: m{start + number}, parallel: true}}" for number in range(count)]


def links(graph: Graph) -> set[tuple[tuple[int, ...], tuple[int, ...]]]:
    return {(graph.members(link.source), graph.members(link.target)) for link in graph.links}


def test_groups_that_follow_each_other_are_one_line_and_not_one_for_each_pair() -> None:
    members = [*parallel(40), "{id: between}", *parallel(40, 40), "{id: last, depends_on: [between]}"]
    graph = drawn(phases(*members))
    first, second = tuple(range(40)), tuple(range(41, 81))
    assert links(graph) == {(first, (40,)), ((40,), second), ((40,), (81,))}


def test_needs_on_all_members_of_a_group_are_one_line() -> None:
    graph = drawn(phases(*parallel(3), "{id: end, depends_on: [m0, m1, m2]}"))
    assert links(graph) == {((0, 1, 2), (3,))}


def test_a_need_on_some_members_of_a_group_is_not_one_on_the_group() -> None:
    graph = drawn(phases(*parallel(3), "{id: end, depends_on: [m0, m2]}"))
    assert links(graph) == {((0,), (3,)), ((2,), (3,))}


def test_a_circle_is_marked_and_what_only_leads_to_it_is_not() -> None:
    graph = drawn(CIRCLE)
    assert graph.circles == ((1, 2, 3),)
    assert [node.in_circle for node in graph.nodes] == [False, True, True, True]
    assert {(link.source, link.target) for link in graph.links if link.in_circle} == {(3, 1), (1, 2), (2, 3)}


def test_a_circle_through_a_parallel_group_is_marked() -> None:
    graph = drawn(phases("{id: m0, parallel: true, depends_on: [end]}", "{id: m1, parallel: true}", "{id: end}"))
    assert graph.circles == ((0, 2),)
    assert all(link.in_circle for link in graph.links)


def test_a_circle_is_highlighted_in_dot_and_mermaid() -> None:
    graph = drawn(CIRCLE)
    assert dot(graph).count("peripheries=2") == 3
    assert dot(graph).count("penwidth=3]") == 3
    assert mermaid(graph).count("stroke-width:4px") == 3 + 1
    assert "class p1,p2,p3 circle" in mermaid(graph)


def test_the_kinds_of_needs_look_different() -> None:
    written = "[a, {phase: b, kind: context}, {phase: c, kind: validation}]"
    graph = drawn(phases("{id: a}", "{id: b}", "{id: c}", f"{{id: d, depends_on: {written}}}"))
    assert 'p1 -> p3 [style=dashed, label=" context"]' in dot(graph)
    assert 'p2 -> p3 [style=dotted, label=" validation"]' in dot(graph)
    assert "  p0 -> p3\n" in dot(graph)
    assert "p1 -. context .-> p3" in mermaid(graph)
    assert "p2 -. validation .-> p3" in mermaid(graph)


def test_phases_of_people_have_a_person_in_the_file_and_in_its_plan() -> None:
    text = """
agents:
  builder: {uses: command, run: [make]}
  chief: {uses: manual}
phases:
  - {id: nobody}
  - {id: unbound, agents: [someone]}
  - {id: chief, agents: [builder, chief]}
  - {id: tool, tool: sh, tasks: [x]}
  - {id: tasks, tasks: [x]}
  - {id: bound, agents: [builder]}
"""
    checked = load_text(text)
    graph = graph_of_checked(checked)
    assert graph is not None
    assert [node.people for node in graph.nodes] == [True, True, True, False, False, False]
    assert graph == graph_of_plan(compile_plan(checked, {}))
    assert dot(graph).count("☺") == 3 + 1


@pytest.mark.parametrize(
    ("status", "symbol"),
    [("completed", "√"), ("failed", "×"), ("in_progress", "►"), ("skipped", "»")],  # noqa: RUF001
)
def test_a_status_is_told_by_a_symbol_and_a_word_and_a_colour(status: str, symbol: str) -> None:
    plan = compile_plan(load_text(phases("{id: a}")), {})
    graph = graph_of_plan(plan, {0: status})
    words = f"{symbol} {status.replace('_', ' ')}"
    assert words in dot(graph)
    assert words in mermaid(graph)
    assert f"class p0 {status}" in mermaid(graph)
    assert dot(graph_of_plan(plan, {0: "pending"})) != dot(graph)


HOSTILE = [
    'say "hi"',
    "a & b <script>alert(1)</script>",
    r"back\slash\n",
    "&lt;",
    "1. list",
    "`code` **x**",
    "end; x]",
    "日本 Ünï",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_mermaid_reads_no_part_of_a_name(name: str) -> None:
    text = mermaid(drawn(phases(f"{{id: a, name: {json.dumps(name)}, tool: sh, tasks: [x]}}")))
    line = next(line for line in text.splitlines() if line.startswith("  p0"))
    inside = line.removeprefix('  p0["').removesuffix('"]')
    assert not set(inside.replace("<br/>", "")) & set('"<>&`\\*[]{}|')
    assert "1." not in inside


@pytest.mark.parametrize("name", HOSTILE)
def test_dot_quotes_every_name(name: str) -> None:
    text = dot(drawn(phases(f"{{id: a, name: {json.dumps(name)}}}")))
    line = next(line for line in text.splitlines() if line.startswith("  p0"))
    escaped = name.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")
    assert f'label="☺ {escaped[:8]}' in line


def test_characters_that_xml_forbids_or_that_turn_text_are_left_out() -> None:
    plan = compile_plan(load_text(phases("{id: a}")), {})
    odd = plan.from_json({**plan.to_json(), "name": "a\x00\x1b[31m\nb\u202ec"})
    text = dot(graph_of_plan(odd)) + mermaid(graph_of_plan(odd))
    assert not {"\x00", "\x1b", "\u202e"} & set(text)


def test_a_long_chain_goes_on_in_columns_and_a_wide_group_in_rows() -> None:
    chain = dot(drawn(phases(*(f"{{id: s{number}}}" for number in range(40)))))
    for number in (1, 2, 3):
        assert f'end{number} [label="{number}"]' in chain
        assert f"-> end{number}" in chain
        assert f"top{number} -> " in chain
    assert "end4" not in chain
    group = dot(drawn(phases(*parallel(40))))
    assert group.count("rank=same") > 4


def test_a_definition_without_phases_has_no_graph() -> None:
    assert graph_of_checked(load_text("name: Nothing\n")) is None


def test_ten_thousand_phases_are_written_quickly() -> None:
    plan = compile_plan(load_text(phases("{id: a}")), {}).to_json()
    one = plan["phases"][0]
    many = [
        {**one, "id": f"s{number}", "index": number, "needs": [{"phase": number - 1}] if number else []}
        for number in range(10_000)
    ]
    graph = graph_of_plan(compile_plan(load_text(phases("{id: a}")), {}).from_json({**plan, "phases": many}))
    written = dot(graph)
    assert written.count(" -> p") == 10_000, "9,999 links, some from a number, and an unseen line above the first phase"
    assert written.count(" -> end") > 10
    assert mermaid(graph).count(" --> ") == 9_999


def test_a_box_is_as_wide_as_its_words_whatever_the_letters() -> None:
    def width(text: str) -> float:
        return extent([text], 14)[0]

    assert width("Éditer") == width("Editer")
    assert width("iiii") < width("nnnn") < width("mmmm") < width("設計設計")
    wide, narrow = dot(drawn(phases("{id: a, name: Prüfung}"))), dot(drawn(phases("{id: a, name: Go}")))
    assert f"width={width('☺ Prüfung'):.2f}" in wide
    assert f"width={width('☺ Go'):.2f}" in narrow


def test_a_name_in_letters_that_the_font_lacks_is_followed_by_the_id_where_that_is_wanted() -> None:
    graph = drawn(phases("{id: review, name: 設計レビュー}", "{id: plain, name: Überprüfung, Проверка}"))
    assert "(review)" in dot(graph, identified=True)
    assert "(plain)" not in dot(graph, identified=True)
    assert "(review)" not in dot(graph)
