"""A machine that decides nothing: what the rows of one snapshot answer, beside whoever writes them.

It has no trie, no journal and no derived structure, so that it is made in microseconds for each
request: proofs, dry runs and queries of derived structures are for the process that decides.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final, NoReturn

from msgspec import Struct

from tongbao.engines.headers import decode_header
from tongbao.kernel import ChainId, Genesis, Module, Registry, Time, View
from tongbao.kernel.code import kept_upgrades, lines_at
from tongbao.kernel.genesis import chain_id
from tongbao.kernel.identifiers import Count
from tongbao.kernel.job import view_of
from tongbao.kernel.kernel_module import ModuleLine, features, parameters
from tongbao.kernel.module import Table
from tongbao.kernel.state import State, after_prefix
from tongbao.sdk.prover import NotProven
from tongbao.store.record import HeaderLine
from tongbao.store.store_beside import AnyRows, StoreBeside

EMPTY: Final = bytes(32)
"""The root of no rows."""
ELSEWHERE: Final = "this process only reads: ask the one that decides"


class Stale(NotProven):
    """The process that decides was started anew on other rows or code: this one must be as well."""


class Settled(Struct, frozen=True):
    """What rows say that seldom changes, as of one height."""

    height: int
    parameters: dict[str, int]
    features: dict[str, int]
    lines: tuple[ModuleLine, ...]


class Common:
    """What all snapshots of one chain share."""

    def __init__(self, store: StoreBeside, genesis: Genesis, registry: Registry) -> None:
        """Read a store with the modules that decide; what genesis does not say is declared."""
        self.store = store
        self.genesis = genesis
        self.registry = registry
        self.chain = chain_id(genesis)
        self.tables = sorted(registry.tables)
        self._defaults = {name: each.default for name, each in registry.parameters.items()}
        self._settled: Settled | None = None
        self._lines: tuple[ModuleLine, ...] | None = None
        self._counted = (-1, 0)

    def settled(self, rows: AnyRows) -> Settled:
        """What the rows of a snapshot say. Raises Stale when other modules decide from now on."""
        found = self._settled
        if found is None or found.height != rows.height:
            state = State(rows)
            known = {name: row.value for name, row in state.items(parameters)}
            found = Settled(
                rows.height,
                self._defaults | known,
                {name: row.height for name, row in state.items(features)},
                lines_at(self.genesis, kept_upgrades(rows), rows.height + 1),
            )
            if self._lines is None:
                self._lines = found.lines
            if found.lines != self._lines:
                raise Stale("other modules decide from now on")
            self._settled = found
        return found

    def count(self, rows: AnyRows) -> int:
        """How many rows are under the root: said by whoever wrote them, else counted, once."""
        said = rows.hashed_rows
        if said is not None:
            return said
        if self._counted[0] != rows.height:
            count = sum(
                1 for prefix in self.tables for _ in rows.scan(prefix, after_prefix(prefix))
            )
            self._counted = (rows.height, count)
        return self._counted[1]


class MachineAt:
    """The rows of one snapshot as a machine; use it as long as the snapshot lives."""

    def __init__(self, common: Common, rows: AnyRows) -> None:
        """Stand on the rows of a snapshot."""
        self._common = common
        self._rows = rows
        self.registry: Registry = common.registry
        self.chain: ChainId = common.chain
        self.height = rows.height

    @cached_property
    def _line(self) -> HeaderLine:
        """The last block's header; a network's node has none before its network has begun."""
        if self.height < 0:
            return HeaderLine(-1, 0, b"")
        return self._common.store.headers(self.height, self.height)[0]

    @property
    def time(self) -> int:
        """The time of the last block, ms UTC."""
        return self._line.time

    @property
    def state_root(self) -> bytes:
        """The root of all rows, as the header says it."""
        if self.height < 0:
            return EMPTY
        return bytes.fromhex(decode_header(self._line.header)[0].state)

    @property
    def row_count(self) -> int:
        """How many rows are under the root."""
        return self._common.count(self._rows)

    def lines(self, height: int) -> tuple[ModuleLine, ...]:
        """The modules that the block of a height needs, as far as is known today."""
        return lines_at(self._common.genesis, kept_upgrades(self._rows), height)

    def view(self, module: Module) -> View:
        """Reads of one module as its queries see it."""
        settled = self._common.settled(self._rows)
        at = (Count(self.height), Time(self.time))
        return view_of(
            self.registry, self._rows, module, at, (settled.parameters, settled.features)
        )

    def row(self, table: Table[Any, Any], key: Any, height: int | None = None) -> bytes | None:
        """The bytes of a row. Raises LookupError for another height than that of the snapshot."""
        if height not in (None, self.height):
            raise LookupError(f"rows are of block {self.height} here")
        return self._rows.get(table.full_key(key))

    def prove(self, table: Table[Any, Any], key: Any, height: int | None = None) -> NoReturn:
        """Raises NotProven."""
        raise NotProven(ELSEWHERE)

    def dry_run(self, payload_bytes: bytes, time: Time) -> NoReturn:
        """Raises NotProven."""
        raise NotProven(ELSEWHERE)

    def broken_invariants(self) -> NoReturn:
        """Raises NotProven."""
        raise NotProven(ELSEWHERE)


class StandingAt(Struct, frozen=True):
    """A machine on a snapshot, and the store under it."""

    machine: MachineAt
    store: StoreBeside
