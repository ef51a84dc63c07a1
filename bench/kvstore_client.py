"""Sends transactions to CometBFT's kvstore as our engine sends payments; sees when each is final.

The same RPC client, the same batches of at most 500, as many outstanding. What is final is learned
from the headers, which are asked for again and again: blocks hold transactions in the order in
which they were sent, so their number says which ones.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import Final

from tongbao.engines.cometbft.engine import BATCH, Options
from tongbao.engines.cometbft.rpc import Rpc, RpcError, RpcUnreachable
from tongbao.store.closable import Closable

POLL_S: Final = 0.004
HEADERS: Final = 20
"""The most that CometBFT gives at once."""
OUTSTANDING: Final = Options().offered_transactions


class KvstoreClient(Closable):
    """One client, with a thread that offers and one that watches."""

    def __init__(self, rpc: Path) -> None:
        """Send to a node's RPC."""
        self._rpc = Rpc(rpc)
        self._changed = threading.Condition()
        self._queue: deque[bytes] = deque()
        self._sent = 0
        self._seen = 0
        self._height = 0
        self._closing = False
        self._failure: Exception | None = None
        self.final: list[float] = []
        """When each was final, in their order, since somebody emptied it."""
        self._threads = [
            threading.Thread(target=self._run, args=(one,), daemon=True)
            for one in (self._offer, self._watch)
        ]
        for thread in self._threads:
            thread.start()

    def put(self, wire: bytes) -> None:
        """Queue one."""
        with self._changed:
            self._queue.append(wire)
            if len(self._queue) == 1:
                self._changed.notify_all()

    def wait(self, seconds: float) -> None:
        """Wait until all are final. Raises TimeoutError, and whatever ended a thread."""
        with self._changed:
            is_done = self._changed.wait_for(
                lambda: self._failure or not (self._queue or self._sent > self._seen), seconds
            )
        if self._failure is not None:
            raise self._failure
        if not is_done:
            raise TimeoutError(f"{self._sent - self._seen} of the kvstore's are not final")

    def close(self) -> None:
        """End both threads."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        self._rpc.close()

    def _run(self, work: Callable[[], None]) -> None:
        try:
            while not self._closing:
                work()
        except (RpcError, RpcUnreachable, AssertionError) as error:
            with self._changed:
                self._failure = error
                self._changed.notify_all()

    def _offer(self) -> None:
        """Send the next batch, as soon as there is one and few enough are outstanding."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._closing or (self._queue and self._sent - self._seen < OUTSTANDING)
            )
            batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
            self._sent += len(batch)
            self._changed.notify_all()
        answers = self._rpc.broadcast(batch, "broadcast_tx_async")
        assert not any(isinstance(answer, RpcError) for answer in answers), answers

    def _watch(self) -> None:
        """Count what the next blocks hold; rest while nothing is outstanding."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing or self._sent > self._seen)
            self._changed.wait(POLL_S)
        first = str(self._height + 1)
        last = str(self._height + HEADERS)
        with suppress(RpcError):  # there is no such block yet
            found = self._rpc.call("blockchain", minHeight=first, maxHeight=last)
            now = perf_counter()
            count = sum(int(each["num_txs"]) for each in found["block_metas"])
            with self._changed:
                self._height += len(found["block_metas"])
                self._seen += count
                self.final += [now] * count
                self._changed.notify_all()
