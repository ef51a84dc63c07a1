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


class RecallBeside:
    """An index that another process feeds."""

    def __init__(self, folder: Path, chain_id: str, sockets: Path, setting: str) -> None:
        """Ask the index of a chain's folder, which may not be there yet, as the setting says."""
        self.index = Reading.open(place_of(folder, setting), chain_id)
        self._news = sockets / NEWS

    @property
    def height(self) -> int:
        """The last block that it knows, -1 before the first, and where it can't be read."""
        with suppress(*FAILURES):
            return self.index.height
        return -1

    async def reach(self, height: int, seconds: float) -> bool:
        """Wait until the index has a height; False when that takes longer."""
        until = asyncio.get_running_loop().time() + seconds
        while await self._look() < height:
            if asyncio.get_running_loop().time() >= until:
                return False
            await asyncio.sleep(LOOK_S)
        return True

    async def _look(self) -> int:
        """The height; a server is asked in another thread, since it may take its time."""
        if self.index.path is not None:
            return self.height
        return await asyncio.to_thread(lambda: self.height)

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
