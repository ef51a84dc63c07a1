"""Where the tests' indexes are: in a file, and in a database of a real PostgreSQL server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.postgresql_server import Server, running_server

NewPlace = Callable[[], Path | str]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A server for all tests of the session."""
    with running_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def new_place(request: pytest.FixtureRequest, tmp_path: Path) -> NewPlace:
    """Makes a place for a new index, each time another one."""
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("postgresql")
        return server.database
    names = iter(range(1_000))
    return lambda: tmp_path / f"index-{next(names)}.sqlite"


@pytest.fixture
def place(new_place: NewPlace) -> Path | str:
    """A place for a new index."""
    return new_place()
