"""The ABCI server in a thread of its own, for programs that are not built around an event loop."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from tongbao.engines.cometbft.server import Server

START_SECONDS: Final = 60
TURN_SECONDS: Final = 0.000_5
"""How long a thread of this process computes while another one waits for its turn.

Python's 5 ms are long for a thread that reads a socket, and waits for its turn after each read,
while a block is carried out: CometBFT's client of the socket, when it can't write, does not rest
but asks a timer of 20 ns again and again, on a core that the other processes need.
"""

Found = TypeVar("Found")


class Serving:
    """A server and the event loop that it belongs to, from `start` to `close`."""

    def __init__(self, server: Server, failed: Callable[[BaseException], None]) -> None:
        """Serve, and tell by `failed`, in the server's thread, what the application has raised."""
        self._server = server
        self._failed = failed
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="tongbao-abci", daemon=True)

    def start(self) -> None:
        """Listen, and let threads take short turns from now on. Raises SocketError."""
        sys.setswitchinterval(min(TURN_SECONDS, sys.getswitchinterval()))
        self._thread.start()
        try:
            self._call(self._server.start())
        except BaseException:
            self._end()
            raise
        asyncio.run_coroutine_threadsafe(self._watch(), self._loop)

    def close(self) -> None:
        """Cut what is connected, wait for calls that run, and end the thread. May come again."""
        if self._thread.is_alive():
            self._call(self._server.close())
            self._end()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    async def _watch(self) -> None:
        self._failed(await self._server.failure())

    def _call(self, step: Coroutine[Any, Any, Found]) -> Found:
        return asyncio.run_coroutine_threadsafe(step, self._loop).result(START_SECONDS)

    def _end(self) -> None:
        self._call(_cancelled())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _cancelled() -> None:
    """End what still waits in this loop."""
    own = asyncio.current_task()
    waiting = [task for task in asyncio.all_tasks() if task is not own]
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
