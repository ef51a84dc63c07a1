"""The rows of one moment, kept in sight while the writer goes on, to be copied by another thread.

LMDB keeps every page that a read transaction may still see, so the file grows by what is written
meanwhile: whoever pins copies at once. Blocks don't wait for it; only a map that must grow does,
and the end of the environment.
"""

from __future__ import annotations

from pathlib import Path
from threading import Lock

import lmdb

from tongbao.store.closable import Closable
from tongbao.store.errors import DiskFull, StoreError
from tongbao.store.log import FULL


class Pin(Closable):
    """A read transaction that one thread begins and another may use."""

    def __init__(self, environment: lmdb.Environment, folder: Path, height: int) -> None:
        """Begin it: from here on the rows are those of `height`."""
        self.height = height
        self._environment = environment
        self._folder = folder
        self._transaction = environment.begin()
        self._lock = Lock()
        self._is_open = True

    def copy_to(self, descriptor: int) -> None:
        """Write the rows into an open file as LMDB keeps them, without pages that nothing uses.

        Other threads run meanwhile. Raises DiskFull, StoreError, also where it was closed before.
        """
        with self._lock:
            if not self._is_open:
                raise StoreError(f"{self._folder} was closed before its rows were copied")
            try:
                self._environment.copyfd(descriptor, compact=True, txn=self._transaction)
            except lmdb.Error as error:
                if error.code in FULL:
                    raise DiskFull(f"there is no space for a copy of {self._folder}") from error
                raise StoreError(f"{self._folder} can't be copied ({error})") from error

    def close(self) -> None:
        """Give the pages free, once a copy that is being made is done. May be called again."""
        with self._lock:
            if self._is_open:
                self._is_open = False
                self._transaction.abort()
