"""Links between members, by a small TCP proxy of ours: they can be cut, and made slow.

Each member reaches each other one through a link of its own, on the loopback address. A cut link
keeps its connections and lets nothing pass, as a partition does; nothing is lost when it heals.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterable, Sequence
from contextlib import suppress
from typing import Any, Final, TypeVar

from msgspec.structs import replace

from tongbao.localnet.plan import Member, Plan
from tongbao.localnet.ports import HOST, free_ports
from tongbao.simulation.network.fabric import Pair, dies_with_us
from tongbao.store.closable import Closable

CHUNK: Final = 65_536
CALL_SECONDS: Final = 30
Found = TypeVar("Found")


class Link:
    """One way of connecting: whoever connects here is connected to another address."""

    def __init__(self, host: str, port: int) -> None:
        """Lead to an address; `open` listens."""
        self._target = (host, port)
        self._passes = asyncio.Event()
        self._passes.set()
        self.seconds = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    async def open(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._connected, HOST, 0)
        self.port = int(self._server.sockets[0].getsockname()[1])

    def let(self, *, pass_through: bool) -> None:
        """Let bytes pass, or hold them."""
        if pass_through:
            self._passes.set()
        else:
            self._passes.clear()

    async def close(self) -> None:
        """Cut every connection, and listen no more."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            await self._passes.wait()
            there = await asyncio.open_connection(*self._target)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, there[1]))
                group.create_task(self._pump(there[0], writer))
        except* OSError:
            pass  # one side is gone, and so the other is closed
        finally:
            writer.close()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        """Pass bytes on, each chunk so much later; the order is kept."""
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(maxsize=256)

        async def deliver() -> None:
            while True:
                due, data = await queue.get()
                await asyncio.sleep(max(0.0, due - loop.time()))
                await self._passes.wait()
                if not data:
                    sink.close()
                    return
                sink.write(data)
                await sink.drain()

        delivering = asyncio.create_task(deliver())
        try:
            while data := await source.read(CHUNK):
                await queue.put((loop.time() + self.seconds, data))
                if delivering.done():
                    return
            await queue.put((loop.time() + self.seconds, b""))
            await delivering
        finally:
            delivering.cancel()
            with suppress(asyncio.CancelledError, OSError):
                await delivering
            sink.close()


class Links(Closable):
    """A link for each ordered pair of members, in one event loop in a thread."""

    name = "links of our own on the loopback address"

    def __init__(self) -> None:
        """Start the loop."""
        self._links: dict[Pair, Link] = {}
        self._known: dict[str, Member] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="links", daemon=True)
        self._thread.start()

    def _call(self, step: Coroutine[Any, Any, Found]) -> Found:
        return asyncio.run_coroutine_threadsafe(step, self._loop).result(CALL_SECONDS)

    def placed(self, plan: Plan) -> Plan:
        """The plan as it is, with free ports, and a link from each member to each other."""
        for member in plan.members:
            if member.name not in self._known:
                http, p2p, rpc = free_ports(3)
                self._known[member.name] = replace(
                    member, http_port=http, p2p_port=p2p, rpc_port=rpc
                )
        for one in self._known:
            for other, target in self._known.items():
                if one != other and (one, other) not in self._links:
                    self._links[one, other] = self._call(_opened(target))
        members = tuple(
            replace(
                each,
                http_port=self._known[each.name].http_port,
                p2p_port=self._known[each.name].p2p_port,
                rpc_port=self._known[each.name].rpc_port,
            )
            for each in plan.members
        )
        return replace(plan, members=members)

    def prefix(self, member: Member) -> tuple[str, ...]:
        """Only what makes it die with us."""
        return dies_with_us()

    def peers(self, member: Member, others: Iterable[Member]) -> tuple[str, ...]:
        """The others, through links."""
        return tuple(
            f"{each.node_id}@{HOST}:{self._links[member.name, each.name].port}" for each in others
        )

    def cut(self, pairs: Sequence[Pair]) -> None:
        """Hold what passes, both ways."""
        self._call(self._let(pairs, pass_through=False))

    def slow(self, name: str, seconds: float) -> None:
        """Delay everything to and from a member."""
        for pair, link in self._links.items():
            if name in pair:
                link.seconds = seconds

    def heal(self) -> None:
        """Let everything pass, at once."""
        for link in self._links.values():
            link.seconds = 0.0
        self._call(self._let(tuple(self._links), pass_through=True))

    async def _let(self, pairs: Sequence[Pair], *, pass_through: bool) -> None:
        for one, other in pairs:
            for pair in ((one, other), (other, one)):
                self._links[pair].let(pass_through=pass_through)

    def close(self) -> None:
        """Close every link, and end the thread."""
        if not self._thread.is_alive():
            return
        for link in self._links.values():
            self._call(link.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _opened(target: Member) -> Link:
    link = Link(target.host, target.p2p_port)
    await link.open()
    return link
