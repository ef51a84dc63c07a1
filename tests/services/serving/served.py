"""A small service in a thread, on a real socket, to serve to tests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.routing import BaseRoute

from tongbao.services.serving.app import service_app
from tongbao.services.serving.listening import run_service
from tongbao.services.serving.signed import HasKey
from tongbao.services.serving.tls import Tls

START_S = 30


@contextmanager
def serving(app: Starlette, **how: Any) -> Iterator[str]:
    """The address of an application, while it runs; `how` are options of `run_service`."""
    told = threading.Event()
    found: dict[str, Any] = {}

    def ready(url: str) -> None:
        found["url"] = url
        told.set()

    def stopping(stop: Callable[[], None]) -> None:
        found["stop"] = stop

    def run() -> None:
        try:
            run_service(app, ready=ready, stopping=stopping, **how)
        finally:
            told.set()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert told.wait(START_S) and "url" in found
        yield found["url"]
    finally:
        if "stop" in found:
            found["stop"]()
        thread.join(START_S)
        assert not thread.is_alive()


@contextmanager
def served(
    routes: Sequence[BaseRoute],
    *,
    has_key: HasKey | None = None,
    tls: Tls | None = None,
    nonces: Path | None = None,
    origin: str | None = None,
    now_ms: Callable[[], int] | None = None,
) -> Iterator[str]:
    """The address of a service of these routes, while it runs."""
    app = service_app(routes, has_key=has_key)
    with serving(app, tls=tls, origin=origin, nonces=nonces, now_ms=now_ms) as url:
        yield url
