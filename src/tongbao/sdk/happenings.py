"""Following a node's events through broken connections and restarts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import httpx2
import msgspec

from tongbao.sdk.answers import Happening
from tongbao.sdk.steps import ATTEMPTS, FIRST_PAUSE_S, LATER, LONGEST_PAUSE_S, Unreachable

QUIET_S: Final = 45.0
"""A node shows life every 15 s: after three times that, the connection is taken for dead."""


class Follower:
    """One stream of events, resumed by the cursor of the last that came."""

    def __init__(
        self,
        client: httpx2.Client,
        after: str,
        filters: Mapping[str, str],
        wait: Callable[[float], object],
    ) -> None:
        """Follow after a cursor."""
        self._client = client
        self._cursor = after
        self._filters = dict(filters)
        self._wait = wait

    def happenings(self) -> Iterator[Happening]:
        """Events without end. Raises Unreachable when the node stays away, NodeError."""
        failures = 0
        while True:
            try:
                for happening in self._connection():
                    failures = 0
                    yield happening
            except httpx2.TransportError as error:
                failures += 1
                if failures >= ATTEMPTS:
                    raise Unreachable(f"the stream broke {failures} times: {error}") from error
            self._wait(min(FIRST_PAUSE_S * 2**failures, LONGEST_PAUSE_S))

    def _connection(self) -> Iterator[Happening]:
        """Events of one connection until it ends."""
        query = {**self._filters, "after": self._cursor}
        timeout = httpx2.Timeout(QUIET_S)
        with self._client.stream("GET", "/v1/events", params=query, timeout=timeout) as answer:
            if answer.status_code in LATER:
                raise httpx2.RemoteProtocolError(f"status {answer.status_code}")
            if answer.is_error:
                raise ValueError(answer.read().decode(errors="replace"))
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    happening = msgspec.json.decode(line[6:], type=Happening)
                    self._cursor = happening.cursor
                    yield happening
