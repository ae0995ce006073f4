"""A run through time, in letters and as a page."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

from cli.pictures.timeline import BARS, timeline_page
from cli.words.bars import Canvas
from cli.words.timeline import timeline_lines
from engine.timeline import timeline
from tests.engine.test_timeline import repeated, story
from tests.engine.world import PERSON, World, phase, plan_of

Json = dict[str, Any]

HOSTILE = '</script><script>alert("x")</script><!-- & \u2028 ${{title}} {{data}}'


def shown() -> Json:
    world = story()
    return timeline(world.plan, world.engine.ledger, world.now, run="wf_abc123")


class Page(HTMLParser):
    """What a browser finds in a page: its elements, and the text of its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def all(self, tag: str, **attrs: str) -> list[dict[str, str | None]]:
        return [found for name, found in self.elements if name == tag and attrs.items() <= found.items()]


def embedded(text: str) -> Json:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    data: Json = json.loads(found[1])
    return data


def test_lanes_in_letters_tell_work_checks_people_and_waits_apart() -> None:
    lines = timeline_lines(shown(), Canvas(width=68))
    assert lines[0] == "Plan (wf_abc123): completed, 50s"
    assert lines[1:4] == [
        "  ✓ p0  ████                                                4s",
        "  ✓ p1  ····█████▓▓▓▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒                      26s",
        "  ✓ p2                                ▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒  20s",
    ]
    plain = timeline_lines(shown(), Canvas(width=66, unicode=False))
    assert all(line.isascii() for line in plain)


def test_a_page_has_a_lane_per_phase_a_slider_and_every_moment() -> None:
    data = shown()
    text = timeline_page(data)
    page = Page(text)
    assert [each["class"] for each in page.all("div") if (each.get("class") or "").startswith("lane")] == ["lane"] * 3
    bars = [each for each in page.all("span") if (each.get("class") or "").startswith("bar ") and each.get("style")]
    assert [(each["class"], each["style"]) for each in bars][:2] == [
        ("bar agent completed", "left:0.0000%;width:8.0000%"),
        ("bar queue", "left:0.0000%;width:8.0000%"),
    ]
    assert any(each["title"] == "waits at the gate release, 18s, passed" for each in bars)
    (slider,) = page.all("input", type="range")
    assert (slider["min"], slider["max"]) == ("0", "50.0")
    told = embedded(text)
    assert [moment["t"] for moment in told["moments"]] == [moment["t"] for moment in data["moments"]]
    assert sum(moment["lines"] for moment in told["moments"]) == len(page.all("li")) - len(BARS)


def test_a_page_needs_nothing_else_and_no_name_can_add_to_it() -> None:
    plan = plan_of(replace(phase(0, agents=(replace(PERSON, role=HOSTILE),)), name=HOSTILE, id=HOSTILE))
    world = World(replace(plan, name=HOSTILE))
    world.operate("pause", actor=HOSTILE, note=HOSTILE)
    text = timeline_page(timeline(world.plan, world.engine.ledger, world.now + 5, run="wf_abc123"))
    page = Page(text)
    assert len(page.all("script")) == 2
    assert text.count("</script>") == 2
    assert not [found for _, found in page.elements if {"src", "href", "onclick"} & found.keys()]
    assert "url(" not in text
    assert "@import" not in text
    assert "http" not in re.sub(r"http-equiv", "", text)
    (policy,) = page.all("meta", **{"http-equiv": "Content-Security-Policy"})
    assert (policy["content"] or "").startswith("default-src 'none';")
    assert embedded(text)["names"] == [" ".join(HOSTILE.replace("\u2028", " ").split())]


def test_earlier_attempts_are_told_apart_from_the_last() -> None:
    world = repeated()
    text = timeline_page(timeline(world.plan, world.engine.ledger, world.now))
    assert 'retried" style="left:0.0000%;width:60.0000%" title="2 earlier attempts, 6s"' in text


def test_a_run_that_took_no_time_has_a_page_too() -> None:
    world = World(plan_of(phase(0)))
    world.finish(0)
    assert embedded(timeline_page(timeline(world.plan, world.engine.ledger, world.now)))["length"] == 0
