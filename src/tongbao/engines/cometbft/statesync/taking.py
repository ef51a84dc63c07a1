"""Taking a snapshot while blocks go on: pinned at once, copied by a thread, cut by a process."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

import msgspec

from tongbao.engines.cometbft.statesync.cutting import COPY, WORK, Order
from tongbao.engines.cometbft.statesync.kept import Kept, snapshot_name
from tongbao.engines.cometbft.statesync.writing import Writing
from tongbao.store.errors import StoreError
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
        self._process: subprocess.Popen[bytes] | None = None
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
            if self._process is not None:
                self._process.kill()
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
                log.info("snapshot of block %d is kept", order.height)
                return
            self._writing.remove(new)
        except (StoreError, OSError) as error:
            why = str(error)
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
            self._process = subprocess.Popen(
                [sys.executable, "-m", CUTTING, str(new)],
                stdin=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is for the node, which ends this one
            )
        _, said = self._process.communicate(msgspec.json.encode(order))
        with self._lock:
            code, self._process = self._process.returncode, None
        return None if code == 0 else said.decode("utf-8", "replace").strip() or f"code {code}"
