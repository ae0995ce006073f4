"""One project with a running server for all tests of a module: starting it is the slow part."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.cli.program.person import Person, until
from tests.tidying import tidy


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    """A person in a project whose server and worker run."""
    person = Person(tmp_path_factory.mktemp("project"))
    try:
        person.types("runs")
        until(person.has_worker)
        yield person
    finally:
        asyncio.run(tidy(person.root))


@pytest.fixture
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    """A person in a project of the test's own, where nothing runs yet."""
    person = Person(tmp_path_factory.mktemp("alone"))
    try:
        yield person
    finally:
        asyncio.run(tidy(person.root))


@pytest.fixture
def offline(tmp_path_factory: pytest.TempPathFactory) -> Person:
    """A person who only reads and checks files; no server is ever started."""
    return Person(tmp_path_factory.mktemp("offline"))
