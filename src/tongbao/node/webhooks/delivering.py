"""Delivering: a thread for each endpoint follows the event stream, and posts one thing at a time.

There is no queue: the chain is the queue, and the cursor on disk the place in it. A slow endpoint
delays itself alone. A happening is done with when the endpoint has taken it, or when it lies among
the dead letters; only then the cursor goes on: a restart repeats one at most, and loses none.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Raw

from tongbao.node.webhooks.addresses import Resolve, resolved
from tongbao.node.webhooks.endpoints import (
    Endpoint,
    WebhookError,
    Webhooks,
    context_of,
    secret_of,
    target_of,
)
from tongbao.node.webhooks.kept import FOLDER, Kept, Letter
from tongbao.node.webhooks.posting import NotDelivered, Poster
from tongbao.sdk.answers import Happening
from tongbao.sdk.errors import NodeError, Unreachable
from tongbao.sdk.http import HttpChain
from tongbao.sdk.place import END_OF_BLOCK, Place
from tongbao.store.lock import lock_folder

log = logging.getLogger("tongbao.node.webhooks")

LONGEST_PAUSE_S: Final = 300.0
GRACE_S: Final = 15.0
"""What a message that is under way gets to end when delivering stops."""
AWAY_S: Final = 1.0
"""Before a node that is away is asked again, beyond the patience of its client."""


class Delivery:
    """What goes to one endpoint."""

    def __init__(
        self, endpoint: Endpoint, kept: Kept, poster: Poster, stop: threading.Event
    ) -> None:
        """Nothing is sent yet; `stop` ends it between two attempts."""
        self._endpoint = endpoint
        self._kept = kept
        self._poster = poster
        self._stop = stop

    def run(self, chain: HttpChain) -> None:
        """Follow until told to stop. Raises NodeError, WebhookError, OSError."""
        while not self._stop.is_set():
            try:
                for happening in chain.happenings(self._begin(chain), **self._endpoint.filters):
                    if not self._deliver(happening):
                        return
            except Unreachable as error:
                log.warning("webhooks: the node is away (%s); it is asked again", error.why)
                self._stop.wait(AWAY_S)

    def _begin(self, chain: HttpChain) -> str:
        """After which happening to go on; where a new endpoint begins is kept at once."""
        found = self._kept.cursor
        if found is None:
            found = self._endpoint.after or str(Place(chain.head().height, END_OF_BLOCK))
            self._kept.done(found)
        return found

    def _deliver(self, happening: Happening) -> bool:
        """Post until it is taken or put aside; whether either is so, and not the end."""
        body = msgspec.json.encode(happening)
        pause_s = self._endpoint.first_pause_ms / 1_000
        attempts = 0
        while True:
            attempts += 1
            try:
                self._poster.post(happening.cursor, body)
                break
            except NotDelivered as error:
                log.info("webhooks: %s: %s", self._endpoint.name, error)
                if attempts >= self._endpoint.attempts and self._put_aside(happening, body, error):
                    break
            if self._stop.wait(pause_s):
                return False
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        self._kept.done(happening.cursor)
        return not self._stop.is_set()

    def _put_aside(self, happening: Happening, body: bytes, error: NotDelivered) -> bool:
        """Make a dead letter of it, if there may be one more."""
        if self._kept.is_full:
            log.error("webhooks: %s has too many dead letters: it waits", self._endpoint.name)
            return False
        at = time.time_ns() // 1_000_000
        self._kept.put_aside(Letter(happening.cursor, str(error), at, Raw(body)))
        log.warning("webhooks: %s did not take a message: it was put aside", self._endpoint.name)
        return True


def run_webhooks(
    folder: Path,
    webhooks: Webhooks,
    connect: Callable[[], HttpChain],
    stop: threading.Event,
    resolve: Resolve = resolved,
) -> None:
    """Deliver to all endpoints until told to stop. What is kept is in `folder/webhooks`.

    `connect` says hello to the node, and is called again while that raises Unreachable.
    Raises what ended one of them: NodeError where blocks behind its cursor were pruned,
    WebhookError, OSError; and FolderInUse where another process delivers.
    """
    place = folder / FOLDER
    place.mkdir(mode=0o700, exist_ok=True)  # letters tell what members alone may read
    held = lock_folder(place)
    try:
        chain = _chain(connect, stop)
        if chain is None:
            return
        with chain:
            _run_all(place, webhooks, chain, stop, resolve)
    finally:
        os.close(held)


def _chain(connect: Callable[[], HttpChain], stop: threading.Event) -> HttpChain | None:
    """The chain that a node serves, once it does; None when told to stop before."""
    while not stop.is_set():
        try:
            return connect()
        except Unreachable as error:
            log.warning("webhooks: the node is away (%s); it is asked again", error.why)
            stop.wait(AWAY_S)
    return None


def _run_all(
    place: Path, webhooks: Webhooks, chain: HttpChain, stop: threading.Event, resolve: Resolve
) -> None:
    failures: list[Exception] = []
    finished: set[str] = set()
    posters = [poster_of(one, webhooks, resolve) for one in webhooks.endpoint]

    def guarded(name: str, run: Callable[[HttpChain], None]) -> None:
        try:
            run(chain)
            finished.add(name)
        except (NodeError, WebhookError, OSError) as error:
            failures.append(error)
        finally:
            stop.set()

    threads = []
    for one, poster in zip(webhooks.endpoint, posters, strict=True):
        delivery = Delivery(one, Kept(place, one.name), poster, stop)
        threads.append(
            threading.Thread(
                target=guarded, args=(one.name, delivery.run), name=one.name, daemon=True
            )
        )
    for thread in threads:
        thread.start()
    stop.wait()
    chain.close()
    until = time.monotonic() + GRACE_S
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    for poster in posters:
        poster.close()
    if failures:
        raise failures[0]
    assert all(thread.name in finished or thread.is_alive() for thread in threads), finished


def poster_of(endpoint: Endpoint, webhooks: Webhooks, resolve: Resolve) -> Poster:
    """What posts to an endpoint. Raises WebhookError."""
    target = target_of(endpoint, webhooks.private_hosts)
    return Poster(target, secret_of(endpoint), resolve, context=context_of(endpoint))


def resend(
    folder: Path, webhooks: Webhooks, endpoint: Endpoint, resolve: Resolve = resolved
) -> tuple[int, list[tuple[str, str]]]:
    """Post an endpoint's dead letters again, oldest first, each once.

    How many were taken, which are removed, and the cursors of the others with why not. Raises
    WebhookError.
    """
    kept = Kept(folder / FOLDER, endpoint.name)
    poster = poster_of(endpoint, webhooks, resolve)
    taken, left = 0, []
    for letter in kept.letters():
        try:
            poster.post(letter.cursor, bytes(letter.body))
        except NotDelivered as error:
            left.append((letter.cursor, str(error)))
            continue
        kept.remove(letter)
        taken += 1
    poster.close()
    return taken, left
