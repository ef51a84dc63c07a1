"""Taking a snapshot while blocks go on: pinned at once, copied by a thread, cut by a process."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from tongbao.engines.cometbft.statesync.cutting import COPY, DONE, WORK, Order
from tongbao.engines.cometbft.statesync.kept import Kept, snapshot_name
from tongbao.engines.cometbft.statesync.writing import Writing
from tongbao.store.errors import StoreError
from tongbao.store.helper import Helper
from tongbao.store.pinned import Pin

log = logging.getLogger("tongbao.engines.cometbft")

CUTTING: Final = "tongbao.engines.cometbft.statesync.cutting"


class Taker:
    """At most one snapshot at a time is being taken."""

    def __init__(self, kept: Kept) -> None:
        """Take snapshots for a folder of them."""
        self._kept = kept
        self._writing = Writing()
        self._thread: threading.Thread | None = None
        self._helper: Helper | None = None
        self._lock = threading.Lock()
        self._is_closed = False

    @property
    def is_busy(self) -> bool:
        """Whether one is being taken."""
        return self._thread is not None and self._thread.is_alive()

    def take(self, pin: Pin, order: Order) -> None:
        """Begin to take one of the pinned rows; it ends by itself, and is added to those kept."""
        assert not self.is_busy
        self._thread = threading.Thread(target=self._run, args=(pin, order), name="snapshot")
        self._thread.start()

    def wait(self) -> None:
        """Wait for the one that is being taken."""
        if self._thread is not None:
            self._thread.join()

    def close(self) -> None:
        """End the one that is being taken; what there is of it is removed at the next start."""
        with self._lock:
            self._is_closed = True
            if self._helper is not None:
                self._helper.process.kill()
        self.wait()

    def _run(self, pin: Pin, order: Order) -> None:
        """Whatever goes wrong is told; the chain goes on without this snapshot."""
        new = self._kept.folder / f"{snapshot_name(order.height)}.new"
        try:
            with pin:
                self._copy(pin, new)
            why = self._cut(new, order)
            if why is None:
                self._kept.add(new, order.height)
        except (StoreError, OSError) as error:
            why = str(error)
        if why is None:
            log.info("snapshot of block %d is kept", order.height)
            return
        with suppress(OSError):  # the next start removes it
            self._writing.remove(new)
        if not self._is_closed:
            log.warning("no snapshot of block %d: %s", order.height, why)

    def _copy(self, pin: Pin, new: Path) -> None:
        self._writing.remove(new)
        copy = new / WORK / COPY
        self._writing.folder(copy)
        with (copy / "data.mdb").open("wb") as file:
            pin.copy_to(file.fileno())

    def _cut(self, new: Path, order: Order) -> str | None:
        """Why the helper process made none; None where it did."""
        with self._lock:
            if self._is_closed:
                return "the node ends"
            self._helper = Helper(CUTTING, str(new))
        try:
            self._helper.ask(msgspec.json.encode(order))
            said = self._helper.answer()
        finally:
            with self._lock:
                self._helper.close()
                self._helper = None
        return None if said == DONE else said.decode("utf-8", "replace") or "its helper was ended"
