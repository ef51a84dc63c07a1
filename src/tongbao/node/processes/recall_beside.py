"""Chain and index as a process has them that writes neither; who does is told of damage."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from tongbao.index.address import place_of
from tongbao.index.database import FAILURES
from tongbao.index.feeder import DAMAGED
from tongbao.index.reading import Reading
from tongbao.kernel import Registry
from tongbao.node.processes.child import Child
from tongbao.sdk.beside import ChainBeside, Submitting, no_submitting, open_beside
from tongbao.store.errors import StoreError

log = logging.getLogger("tongbao.node")

LOOK_S: Final = 0.01
"""How often the index is asked for its height while somebody waits for one."""
NEWS: Final = "index.sock"
"""Where the process that feeds the index hears of damage, in the node's private folder."""
IS_DAMAGED: Final = b"damaged"


def opened_beside(
    child: Child, submitting: Callable[[Registry], Submitting] = no_submitting
) -> ChainBeside:
    """The chain of a node, which its core writes. Where that is being mended, this process ends.

    Raises what says that no other start would do better: FolderError, GenesisError, ModuleError.
    """
    try:
        return open_beside(Path(child.orders.folder), submitting, child.begin_anew)
    except (StoreError, OSError) as error:
        log.warning("the chain can't be read now: %s", error)
        child.begin_anew()


def recalled_beside(child: Child, chain_id: str) -> RecallBeside | None:
    """The index of a node, where it has one. Raises StoreError."""
    orders = child.orders
    if orders.settings.index == "none":
        return None
    place = place_of(Path(orders.folder), orders.settings.index)
    return RecallBeside(place, chain_id, Path(orders.sockets))


class RecallBeside:
    """An index that another process feeds."""

    def __init__(self, place: Path | str, chain_id: str, sockets: Path) -> None:
        """Ask the index at a place, which may not be there yet."""
        self.index = Reading.open(place, chain_id)
        self.height = -1
        self._news = sockets / NEWS

    async def look(self) -> int:
        """The last block that it knows now; -1 where it can't be read.

        A server is asked in another thread, since it may take its time.
        """
        is_file = self.index.path is not None
        self.height = self._asked() if is_file else await asyncio.to_thread(self._asked)
        return self.height

    def _asked(self) -> int:
        try:
            return self.index.height
        except FAILURES:
            return -1

    async def reach(self, height: int, seconds: float) -> bool:
        """Wait until the index has a height; False when that takes longer."""
        until = asyncio.get_running_loop().time() + seconds
        while await self.look() < height:
            if asyncio.get_running_loop().time() >= until:
                return False
            await asyncio.sleep(LOOK_S)
        return True

    def tell(self, error: Exception) -> None:
        """Asking has met an error: who feeds the index mends it where it is damaged."""
        if getattr(error, "sqlite_errorcode", None) not in DAMAGED:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end, suppress(OSError):
            end.setblocking(False)
            end.sendto(IS_DAMAGED, str(self._news))

    def stop(self) -> None:
        """Close it. May be called again."""
        self.index.close()
