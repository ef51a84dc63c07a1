"""What `doctor` knows of a folder before it judges: everything read once, nothing changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from tongbao.index.history import FILE as INDEX
from tongbao.index.looking import Seen, look
from tongbao.kernel import Genesis, GenesisError, Registry
from tongbao.kernel.code import kept_upgrades
from tongbao.kernel.genesis import chain_id
from tongbao.kernel.kernel_module import upgrades
from tongbao.sdk.announced import ModuleError
from tongbao.sdk.bases import base_under
from tongbao.sdk.choosing import choose_modules
from tongbao.sdk.doctor_finding import (
    Finding,
    Severity,
)
from tongbao.sdk.folder import Folder, FolderError
from tongbao.sdk.keystore_errors import KeystoreError
from tongbao.store.base import Base
from tongbao.store.disk import RealDisk
from tongbao.store.errors import StoreError, WrongChain, WrongVersion
from tongbao.store.foreign import ForeignRows, RowsHead
from tongbao.store.headers import Headers
from tongbao.store.looking import records_of
from tongbao.store.record import BlockRecord, HeaderLine, line_of
from tongbao.store.recovery import Found, scan
from tongbao.store.state import FORMAT, check_pages

T = TypeVar("T")

ROWS: Final = "rows"
HEADERS: Final = "headers"
INDEX_REPAIR: Final = "index"
LEFTOVERS: Final = "leftovers"

TROUBLE: Final = (StoreError, FolderError, GenesisError, KeystoreError, ModuleError, OSError)
"""What a check may end in that a person can do something about."""


class Case:
    """One folder, and what its files say of themselves; `close` it.

    What can't be read is kept as the error that says why. The order is such that nothing a node
    writes meanwhile looks like loss: what follows the log is read before it.
    """

    def __init__(self, place: Folder, holder: str, *, is_deep: bool) -> None:
        """Read it. `holder` is the process that has it open, "" while nobody can."""
        self.place = place
        self.holder = holder
        self.is_deep = is_deep
        self.disk = RealDisk()
        self.genesis = _tried(place.genesis)
        self.chain = chain_id(self.genesis) if isinstance(self.genesis, Genesis) else ""
        self.rows: ForeignRows | None = None
        if not self.chain:
            return
        self.index = _tried(self._read_index)
        self.base = _tried(self._find_base)
        self.rows_head = _tried(self._read_rows)
        self.headers = _tried(self._read_headers)
        self.log = _tried(self._scan_log)

    def file(self, name: str) -> Path:
        """A file or folder of the chain."""
        return self.place.path / name

    @cached_property
    def base_counts(self) -> tuple[int, int] | Exception:
        """How many rows and outcomes the base has, or why it can't be used; all of it is read."""
        return _tried(self._count_base)

    def _count_base(self) -> tuple[int, int]:
        base = self.base
        if not isinstance(base, Base):
            return 0, 0
        base.lines(base.height, base.height)
        return sum(1 for _ in base.rows()), sum(1 for _ in base.statuses())

    @property
    def blocks(self) -> int:
        """How many blocks the chain has, those before its base too; 0 without a whole log."""
        return self.log.stop if isinstance(self.log, Found) else 0

    def close(self) -> None:
        """Give the rows free."""
        if self.rows is not None:
            self.rows.close()

    # Files that follow the log

    def _read_index(self) -> Seen | None:
        path = self.file(INDEX)
        return look(path, self.chain, is_alone=not self.holder) if path.exists() else None

    def _read_rows(self) -> RowsHead | None:
        """What the rows say, once their pages are known to be what LMDB takes them for."""
        folder = self.file("state")
        if not folder.exists():
            return None
        if not self.holder:
            check_pages(folder)
        self.rows = ForeignRows(folder, is_alone=not self.holder)
        head = self.rows.head()
        if head.format != FORMAT.decode():
            raise WrongVersion(f"{folder} was written by another version of tongbao")
        if head.chain != self.chain:
            raise WrongChain(f"{folder} is of chain {head.chain}, not {self.chain}")
        return head

    def _find_base(self) -> Base | None:
        assert isinstance(self.genesis, Genesis)
        return base_under(self.place.path, self.genesis)

    def _read_headers(self) -> Headers | None:
        path = self.file("headers")
        begins = self.base.begins if isinstance(self.base, Base) else 0
        return Headers(self.disk, path, self.chain, begins) if path.exists() else None

    # The log

    def _scan_log(self) -> Found:
        head, headers = self.rows_head, self.headers
        known = max(
            head.height + 1 if isinstance(head, RowsHead) else 0,
            headers.stop if isinstance(headers, Headers) else 0,
        )
        if isinstance(self.base, Exception):
            raise StoreError(f"the log can't be judged without its base ({self.base})")
        if self.base is None:
            return scan(self.disk, self.file("log"), self.chain, known)
        height, wanted = self.base.height, self.base.keep_from
        return scan(self.disk, self.file("log"), self.chain, known, height, wanted)

    def records(self, first: int) -> Iterator[BlockRecord]:
        """The blocks from a height on, none where the log is not whole. Raises DamagedLog."""
        if isinstance(self.log, Found):
            yield from records_of(self.disk, self.log, first)

    def record(self, height: int) -> BlockRecord | None:
        """The block of a height, if the log had it when it was read. Raises DamagedLog."""
        if isinstance(self.log, Found) and height < self.log.first:
            return None
        return next(self.records(height), None)

    def header_line(self, height: int) -> HeaderLine | None:
        """The header of a height out of the log, or of the base. Raises DamagedLog, BadSnapshot."""
        record = self.record(height)
        if record is not None:
            return line_of(record)
        lines = self.base.lines(height, height) if isinstance(self.base, Base) else []
        return lines[0] if lines else None

    # Rows and the code over them

    def settled(self, prefix: bytes = b"") -> Rows:
        """The rows as the next start makes them: those there are, and what later blocks wrote.

        Only those under `prefix` are true. Beside a running node they are what it has flushed.
        Raises StoreError.
        """
        head = self.rows_head
        if not isinstance(head, RowsHead):
            return self._made_anew(prefix)
        if isinstance(self.log, Found) and head.height + 1 < self.log.first:
            return self._made_anew(prefix)
        return Rows(self.rows, () if self.holder else self.records(head.height + 1), prefix)

    def _made_anew(self, prefix: bytes) -> Rows:
        """The rows that a start would make where it finds none."""
        if not isinstance(self.base, Base):
            return Rows(None, self.records(0), prefix)
        return Rows(None, self.records(self.base.height + 1), prefix, self.base.rows())

    def registry(self, *, to_write: bool) -> tuple[Registry, bool]:
        """The modules that are to decide, and whether only the log names them any more.

        Rows that have lost an upgrade are made again by a start. Raises GenesisError, ModuleError,
        StoreError.
        """
        try:
            return self._chosen(self.settled(upgrades.prefix), to_write), False
        except (GenesisError, ModuleError, StoreError):
            if self.holder or not isinstance(self.rows_head, RowsHead):
                raise
        return self._chosen(self._made_anew(upgrades.prefix), to_write), True

    def _chosen(self, rows: Rows, to_write: bool) -> Registry:
        assert isinstance(self.genesis, Genesis)
        try:
            known = kept_upgrades(rows)
        except msgspec.DecodeError as error:
            raise StoreError(f"a row of an upgrade can't be read ({error})") from error
        return choose_modules(self.genesis, known, self.blocks - 1, to_write=to_write)


class Rows:
    """Rows of `state/` with those of newer blocks over them; what is asked for is held in memory.

    `heights` are those at which pages were true: several when a node has written meanwhile.
    """

    def __init__(
        self,
        kept: ForeignRows | None,
        newer: Iterable[BlockRecord],
        prefix: bytes,
        base: Iterable[tuple[bytes, bytes]] = (),
    ) -> None:
        """Stand on rows, on those of a base, or on none, and on blocks."""
        self._kept = kept
        self._newer: dict[bytes, bytes | None] = {
            key: value for key, value in base if key.startswith(prefix)
        }
        self._newer |= {
            key: value for record in newer for key, value in record.rows if key.startswith(prefix)
        }
        self.heights: set[int] = set()

    def get(self, key: bytes) -> bytes | None:
        """The value under a full key. Raises StoreError."""
        if key in self._newer or self._kept is None:
            return self._newer.get(key)
        return self._kept.get(key)

    def scan(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Pairs from `start` on and before `stop`, ascending. Raises StoreError."""
        found: dict[bytes, bytes | None] = {}
        following: bytes | None = start
        while self._kept is not None and following is not None:
            page = self._kept.page(following, stop)
            self.heights.add(page.height)
            found.update(page.rows)
            following = page.following
        found |= {key: value for key, value in self._newer.items() if start <= key < stop}
        for key, value in sorted(found.items()):
            if value is not None:
                yield key, value


def _tried(read: Callable[[], T]) -> T | Exception:
    """What was read, or the error that says why it was not."""
    try:
        return read()
    except TROUBLE as error:
        return error


def removable(case: Case, repair: str, text: str, check: str = "") -> Finding:
    """Damage that a start mends, and that can be removed before, since the log is whole."""
    names = {
        ROWS: ("state",),
        HEADERS: ("headers",),
        INDEX_REPAIR: (INDEX, f"{INDEX}-wal", f"{INDEX}-shm", f"{INDEX}-journal"),
    }[repair]
    is_safe = isinstance(case.log, Found) and bool(case.blocks) and not case.holder
    return Finding(
        check=check or repair,
        severity=Severity.MENDS,
        text=text,
        repair=repair if is_safe else "",
        paths=tuple(str(case.file(name)) for name in names) if is_safe else (),
    )
