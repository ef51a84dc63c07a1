"""The ABCI server: CometBFT's four connections on a unix socket, and a thread for each lane."""

from __future__ import annotations

import asyncio
import logging
import socket
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

from tongbao.engines.cometbft.calls import Application, Lane, calls_of
from tongbao.engines.cometbft.connection import Batch, Connection, Limits

log = logging.getLogger("tongbao.engines.cometbft")

PATH_BYTES: Final = 107
"""The longest name that a socket can have on Linux."""


class SocketError(Exception):
    """Why the socket can't be opened, with what to do."""


class Server:
    """Answers CometBFT for an application, from `start` to `close`. Belongs to one event loop."""

    def __init__(self, application: Application, path: Path, limits: Limits | None = None) -> None:
        """Prepare to answer at a path."""
        self.limits = limits or Limits()
        self.calls = calls_of(application)
        self._path = path
        self._connections: set[Connection] = set()
        self._consensus: dict[Batch, Connection] = {}
        """The calls of the consensus lane that run or wait, and who waits for them."""
        self._lanes: dict[Lane, ThreadPoolExecutor] = {}
        self._listener: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen. Raises SocketError, when the path can't be used or somebody answers there."""
        _check_path(self._path)
        self._loop = asyncio.get_running_loop()
        self._failure: asyncio.Future[BaseException] = self._loop.create_future()
        try:  # what an earlier process left there is replaced
            self._listener = await self._loop.create_unix_server(self._connection, str(self._path))
            self._path.chmod(0o600)
        except OSError as error:
            raise SocketError(f"{self._path} can't be a socket: {error.strerror}") from error
        self._lanes = {lane: ThreadPoolExecutor(1, f"abci-{lane.value}") for lane in Lane}

    async def failure(self) -> BaseException:
        """Wait for what the application raises: a bug, after which it is not called again."""
        return await asyncio.shield(self._failure)

    async def close(self) -> None:
        """Cut all connections, wait for the calls that run, and remove the socket."""
        if self._listener is None:
            return
        self._stop()
        await self._listener.wait_closed()
        for lane in self._lanes.values():
            await self._loop.run_in_executor(None, lane.shutdown)
        self._path.unlink(missing_ok=True)
        self._listener = None

    @property
    def held_bytes(self) -> int:
        """What all peers make this process hold: requests in flight and answers not taken."""
        return sum(connection.held_bytes for connection in self._connections)

    def opened(self, connection: Connection, /) -> None:
        """A connection has come.

        While a call of one that is gone still runs, the new one waits: a CometBFT that begins again
        must not be told of block 6 by Info, and find that the old one's Commit has made it 7.
        """
        self._connections.add(connection)
        if self._failure.done():
            connection.abort()
        elif self._has_orphans():
            connection.hold(True)

    def closed(self, connection: Connection, /) -> None:
        """A connection has gone."""
        self._connections.discard(connection)

    def submit(self, connection: Connection, batch: Batch, /) -> None:
        """Run a batch in its lane, then tell the connection."""
        assert batch.lane is not None

        def tell(ended: Future[None]) -> None:
            self._loop.call_soon_threadsafe(self._ended, connection, batch, ended.exception())

        if batch.lane is Lane.CONSENSUS:
            self._consensus[batch] = connection
        ran = self._lanes[batch.lane].submit(batch.run, lambda: self._wanted(connection))
        ran.add_done_callback(tell)

    def _connection(self) -> Connection:
        return Connection(self)

    def _wanted(self, connection: Connection) -> bool:
        """Whether a call is still to be made. Asked in the lanes' threads."""
        return not (connection.lost or self._failure.done())

    def _has_orphans(self) -> bool:
        return any(connection.lost for connection in self._consensus.values())

    def _ended(self, connection: Connection, batch: Batch, error: BaseException | None) -> None:
        self._consensus.pop(batch, None)
        if connection.lost and not self._has_orphans():
            for waiting in self._connections:
                waiting.hold(False)
        if error is not None:
            self._fail(connection, error)
        if connection.lost:
            return
        if error is not None:
            connection.failed(batch, error)
        elif not self._failure.done():
            connection.finished(batch)

    def _fail(self, connection: Connection, error: BaseException) -> None:
        log.critical("the application failed; it is not called again", exc_info=error)
        if not self._failure.done():
            self._failure.set_result(error)
        self._stop(but=connection)

    def _stop(self, but: Connection | None = None) -> None:
        """Take no connection more, and cut those that there are."""
        if self._listener is not None:
            self._listener.close()
        for connection in tuple(self._connections):
            if connection is not but:
                connection.abort()


def _check_path(path: Path) -> None:
    """Raises SocketError for a name that is too long, or where a living process answers."""
    length = len(bytes(path))
    if length > PATH_BYTES:
        raise SocketError(
            f"{path} has {length} bytes; a socket's path has {PATH_BYTES} at most: "
            "use a folder with a shorter path"
        )
    with socket.socket(socket.AF_UNIX) as trial:
        if trial.connect_ex(str(path)) == 0:
            raise SocketError(f"another process answers at {path}: stop it first")
