"""One market that all tests of this folder share; each begins with new people."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.services.my_data.people import People
from tests.services.my_data.people import people as open_people
from tongbao.services.my_data.person import Person


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    """A market of a node, a store and an agent, each in a process of its own."""
    with open_people(tmp_path_factory.mktemp("people")) as found:
        yield found


@pytest.fixture
def alice(people: People) -> Iterator[Person]:
    """A person with an account; at the end all folders that a test has opened are closed."""
    yield people.new()
    people.close()
