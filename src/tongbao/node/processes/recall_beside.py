"""The index as a process asks it that does not feed it: opened when it is asked, again when it was
made anew, and its damage told to the process that feeds it.
"""

from __future__ import annotations

import asyncio
import socket
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from tongbao.index import feeder
from tongbao.index.history import FILE, Index

LOOK_S: Final = 0.01
"""How often the index is asked for its height while somebody waits for one."""
NEWS: Final = "index.sock"
"""Where the process that feeds the index hears of damage, in the node's private folder."""
DAMAGED: Final = b"damaged"


class RecallBeside:
    """An index that another process feeds."""

    def __init__(self, folder: Path, chain_id: str, sockets: Path) -> None:
        """Ask the index in a chain's folder; nothing is opened yet."""
        self._path = folder / FILE
        self._chain = chain_id
        self._news = sockets / NEWS
        self._lock = threading.Lock()
        self._open: tuple[int, Index] | None = None

    @property
    def index(self) -> Index:
        """The index that there is now. Raises sqlite3.Error, OSError."""
        with self._lock:
            number = self._path.stat().st_ino
            if self._open is not None and self._open[0] != number:
                self._close()
            if self._open is None:
                self._open = (number, Index.open(self._path, self._chain))
            return self._open[1]

    @property
    def height(self) -> int:
        """The last block that it knows, -1 before the first, and where it can't be read."""
        with suppress(sqlite3.Error, OSError):
            return self.index.height
        return -1

    async def reach(self, height: int, seconds: float) -> bool:
        """Wait until the index has a height; False when that takes longer."""
        until = asyncio.get_running_loop().time() + seconds
        while self.height < height:
            if asyncio.get_running_loop().time() >= until:
                return False
            await asyncio.sleep(LOOK_S)
        return True

    def tell(self, error: Exception) -> None:
        """Asking has met an error: who feeds the index shall look at it."""
        with self._lock:
            self._close()
        if getattr(error, "sqlite_errorcode", None) not in feeder.DAMAGED:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end, suppress(OSError):
            end.setblocking(False)
            end.sendto(DAMAGED, str(self._news))

    def _close(self) -> None:
        if self._open is not None:
            self._open[1].close()
            self._open = None

    def stop(self) -> None:
        """Close it. May be called again."""
        with self._lock:
            self._close()


class Latest:
    """The index of a recall as pages ask it: the one that there is at that moment."""

    def __init__(self, recall: RecallBeside) -> None:
        """Ask whatever the recall has open."""
        self._recall = recall

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """A question to the index."""
        found: Callable[..., Any] = getattr(self._recall.index, name)
        return found
