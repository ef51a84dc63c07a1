"""Serve the page: to the browser of this machine, behind an address that works once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from tongbao.services.my_data.collecting import nothing, tidy
from tongbao.services.my_data.page.site import TROUBLE, Site
from tongbao.services.my_data.person import Person
from tongbao.services.serving.app import service_app
from tongbao.services.serving.listening import run_service


def serve_page(
    person: Person,
    port: int,
    told: Callable[[str], None],
    stopping: Callable[[Callable[[], None]], None] | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM; `told` gets the address to open. Raises ListenError.

    First what was left to be erased and settled is gone on with, as far as others answer.
    """
    with suppress(*TROUBLE):
        tidy(person, nothing())
    site = Site(person)
    app = service_app(site.routes())

    def ready(url: str) -> None:
        told(site.door.open_at(url))

    run_service(app, "127.0.0.1", port, ready=ready, stopping=stopping)
