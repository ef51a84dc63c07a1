"""Running a module's query at home, over rows that were proven one and all at one height."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NoReturn

import msgspec
from msgspec import Struct

from tongbao.kernel import Count, Page, Registry, Time, View, jcs
from tongbao.kernel.job import view_of
from tongbao.kernel.kernel_module import features, parameters
from tongbao.kernel.module import Module, Table
from tongbao.kernel.row_keys import encode_by_value
from tongbao.kernel.state import PREFIX_BYTES
from tongbao.sdk.believed import Believed
from tongbao.sdk.proofs import RowProof
from tongbao.sdk.verification import Finding, VerificationError

ROWS_LIMIT: Final = 256
"""Rows that one query may have proven, and that one request may ask proofs of."""


def unprovable(what: str) -> NoReturn:
    """Refuse what no proof exists for."""
    raise VerificationError(Finding.CANNOT_BE_PROVEN, what)


class Asked(Struct, frozen=True):
    """A query: its function and arguments, and how a node is asked the same."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    path: str
    names: Sequence[str]
    values: Sequence[Any]


class Wanted(Exception):
    """A query reads a row that is not proven yet."""

    def __init__(self, full_key: bytes) -> None:
        """Name the row."""
        super().__init__(full_key.hex())
        self.full_key = full_key


class WantedPage(Exception):
    """A query lists rows of a table, in the order of its keys or of an index."""

    def __init__(self, prefix: bytes, table: Table[Any, Any]) -> None:
        """Name what is listed, and whose rows those are."""
        super().__init__(prefix.hex())
        self.prefix = prefix
        self.table = table


class Listing(Struct, frozen=True):
    """What a node says a query lists: its rows are proven, but not that none is missing."""

    height: int
    prefix: bytes
    page: Page[Any, Any]
    full_keys: tuple[bytes, ...]


class Proven:
    """The rows that were proven at one height, as a backing of a view."""

    def __init__(self, registry: Registry) -> None:
        """Nothing is proven yet."""
        self.registry = registry
        self.header: Believed | None = None
        self.listing: Listing | None = None
        self._rows: dict[bytes, bytes | None] = {}

    def take(self, header: Believed, proofs: Iterable[tuple[bytes, RowProof]]) -> None:
        """Take rows in, all of the height that the others have, or the first."""
        assert self.header in (None, header)
        self.header = header
        for full_key, proof in proofs:
            raw = bytes(proof.value)
            # The one spelling that was hashed, however the node spelled it.
            self._rows[full_key] = jcs.encode(msgspec.json.decode(raw)) if raw else None
        if len(self._rows) > ROWS_LIMIT:
            unprovable(f"a query of more than {ROWS_LIMIT} rows")

    def full_keys(self) -> tuple[bytes, ...]:
        """Everything that was proven, so that it can be proven at another height."""
        return tuple(self._rows)

    def get(self, key: bytes) -> bytes | None:
        """A proven row. Raises Wanted."""
        try:
            return self._rows[key]
        except KeyError:
            raise Wanted(key) from None

    def scan(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        """What of the listing lies there, out of its proven rows. Raises WantedPage."""
        prefix = start[:PREFIX_BYTES]
        if self.listing is None:
            table = self.registry.tables.get(prefix)
            raise WantedPage(prefix, table or self.registry.indexes[prefix].of)
        if prefix != self.listing.prefix:
            unprovable("a query that lists twice")
        entries = sorted(self._entries(self.listing))
        return ((key, value) for key, value in entries if start <= key < stop)

    def _entries(self, listing: Listing) -> Iterator[tuple[bytes, bytes]]:
        """Keys and values as the store has them: rows, or entries of an index made anew of rows."""
        index = self.registry.indexes.get(listing.prefix)
        for full_key in listing.full_keys:
            raw = self.get(full_key)
            if raw is None:
                continue
            if index is None:
                yield full_key, raw
                continue
            by = index.by(index.of.decode(raw))
            if by is not None:
                row_key = full_key[PREFIX_BYTES:]
                yield index.prefix + encode_by_value(by) + row_key, row_key

    def run(self, module: Module, asked: Asked) -> Any:
        """What a query gives over the proven rows. Raises Wanted, WantedPage."""
        header = self.header
        at = (Count(0), Time(0)) if header is None else (Count(header.height), Time(header.time))
        settings = _Parameters(self), _Features(self)
        view: View = view_of(self.registry, self, module, at, settings)
        found = asked.function(view, *asked.args, **asked.kwargs)
        if header is None:
            unprovable("a query that reads no row")
        return found


class _Settings(Mapping[str, int]):
    """Settings that are read by name out of proven rows."""

    def __init__(self, proven: Proven) -> None:
        self._proven = proven

    def __iter__(self) -> Iterator[str]:
        unprovable("all settings")

    def __len__(self) -> int:
        return unprovable("all settings")


class _Parameters(_Settings):
    """A parameter without a row has its declared default."""

    def __getitem__(self, name: str) -> int:
        key: Any = name
        raw = self._proven.get(parameters.full_key(key))
        if raw is None:
            return self._proven.registry.parameters[name].default
        return parameters.decode(raw).value


class _Features(_Settings):
    """A feature without a row never begins."""

    def __getitem__(self, name: str) -> int:
        key: Any = name
        raw = self._proven.get(features.full_key(key))
        if raw is None:
            raise KeyError(name)
        return features.decode(raw).height
