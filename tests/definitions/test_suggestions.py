"""A task in somebody's own words finds the definition that is meant for it, and nothing where nothing fits."""

from __future__ import annotations

from pathlib import Path

import pytest

from definitions import entries, load
from definitions.suggestions import Candidate, suggestions


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> list[Candidate]:
    found = []
    for entry in entries(tmp_path_factory.mktemp("empty")):
        definition = load(Path(entry.path)).definition
        assert definition is not None
        phases = tuple(phase.name or "" for phase in definition.ordered)
        found.append(Candidate(id=entry.id, name=entry.name, description=entry.description, phases=phases))
    return found


@pytest.mark.parametrize(
    ("task", "best"),
    [
        ("security review of our code", "comprehensive-audit"),
        ("find performance bottlenecks", "comprehensive-audit"),
        ("Check the codebase for vulnerabilities", "comprehensive-audit"),
        ("build a web app with backend and frontend", "full-stack-parallel"),
        ("a React UI on top of a REST API", "full-stack-parallel"),
        ("write some utility functions", "parallel-utilities"),
    ],
)
def test_a_task_finds_its_definition(catalog: list[Candidate], task: str, best: str) -> None:
    found = suggestions(task, catalog)
    assert found
    assert found[0].id == best
    assert found[0].reasons


@pytest.mark.parametrize("task", ["bake a cake", "plan my wedding", "", "and the of", "12345", "book a table"])
def test_nothing_is_suggested_where_nothing_fits(catalog: list[Candidate], task: str) -> None:
    assert suggestions(task, catalog) == ()


def test_the_reasons_name_both_words_and_the_place() -> None:
    (found,) = suggestions("hardening", [Candidate(id="x", name="Checks", phases=("Security scan",))])
    assert found.reasons == (("hardening", "security", "Security scan"),)


def test_other_forms_of_a_word_are_the_same_word() -> None:
    candidate = Candidate(id="x", name="Translate documents")
    assert suggestions("translation of a document", [candidate])[0].score == 1.0


def test_the_name_says_more_than_a_phase() -> None:
    named = Candidate(id="b", name="Invoices")
    beside = Candidate(id="a", name="Month", phases=("Invoices",))
    assert [each.id for each in suggestions("invoices", [beside, named])] == ["b", "a"]


def test_a_rare_word_decides_between_definitions_that_share_a_common_one() -> None:
    many = [Candidate(id=f"r{i}", name=f"Report {word}") for i, word in enumerate(("sales", "stock", "staff"))]
    assert suggestions("report about stock", many)[0].id == "r1"
