"""The page of a person's, served on a real socket by a thread of the test."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Queue

import httpx2
from msgspec import Struct

from tongbao.services.my_data.page.program import serve_page
from tongbao.services.my_data.person import Person


class Page(Struct, frozen=True):
    """Where the page is, and the address that lets one browser in."""

    origin: str
    entrance: str

    def browser(self) -> httpx2.Client:
        """Somebody who has not come in yet; a redirect is followed as browsers do."""
        return httpx2.Client(base_url=self.origin, follow_redirects=True, timeout=60)

    @contextmanager
    def inside(self) -> Iterator[httpx2.Client]:
        """Somebody who has come in by the address."""
        with self.browser() as client:
            assert client.get(self.entrance).status_code == 200
            client.headers["origin"] = self.origin
            yield client


@contextmanager
def serving(person: Person) -> Iterator[Page]:
    """The page of a person's until the `with` statement ends."""
    told: Queue[str] = Queue()
    stops: Queue[Callable[[], None]] = Queue()
    thread = threading.Thread(target=serve_page, args=(person, 0, told.put, stops.put))
    thread.start()
    try:
        entrance = told.get(timeout=60)
        yield Page(origin=entrance.partition("/enter")[0], entrance=entrance)
    finally:
        stops.get(timeout=60)()
        thread.join()
