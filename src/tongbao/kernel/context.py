"""What a module's function may do: read (`View`), scan (`Audit`), write (`Work`), act for a sender.

A context is bound to one module: it opens that module's tables and no others. A public function of
another module runs in a context of its own that knows the caller. Only the kernel makes contexts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final, Generic, NewType, TypeVar, overload

from msgspec import Struct

from tongbao.kernel.identifiers import Address, Count, Id, Time, is_vault
from tongbao.kernel.kernel_module import Upgrade, upgrades
from tongbao.kernel.module import (
    Announcement,
    Derived,
    Feature,
    Index,
    Module,
    Parameter,
    Table,
)
from tongbao.kernel.reasons import KernelWhy, Reason, Refusal
from tongbao.kernel.row_keys import encode_by_value
from tongbao.kernel.schema import Event, Record
from tongbao.kernel.state import PREFIX_BYTES, Written, after_prefix

if TYPE_CHECKING:
    from tongbao.kernel.genesis import Genesis
    from tongbao.kernel.job import Job

K = TypeVar("K")
V = TypeVar("V", bound=Record)
W = TypeVar("W", bound=Record)
B = TypeVar("B")
A = TypeVar("A")
O = TypeVar("O")  # noqa: E741
T = TypeVar("T")
Kind = TypeVar("Kind", bound="View")

PAGE_ROWS: Final = 100

Cursor = NewType("Cursor", str)
"""Where a page ended: hex of the last entry's key. Opaque to clients."""


class Page(Struct, Generic[K, V], frozen=True):
    """Some rows with their keys, and where to go on; `after` is None on the last page."""

    rows: tuple[tuple[K, V], ...]
    after: Cursor | None


class Rows(Generic[K, V]):
    """The rows of one table, to read."""

    __slots__ = ("_encode", "_full_key", "_key", "_meter", "_read", "_state", "_table")

    def __init__(self, job: Job, table: Table[K, V]) -> None:
        """Made by a context."""
        self._table = table
        self._state = job.state
        self._read = job.state.read
        self._meter = job.meter
        self._encode = table.full_key
        # The key that was read last, and its encoding: what is read is often written next.
        self._key: K | None = None
        self._full_key = b""

    def get(self, key: K) -> V | None:
        """The row under `key`, or None."""
        # `Meter.count`, spelled out: this runs a dozen times a payment.
        meter = self._meter
        meter.used += 1
        if meter.used > meter.limit:
            raise Refusal(KernelWhy.TRANSACTION_WORK_IS_SPENT)
        if key == self._key:
            full_key = self._full_key
        else:
            full_key = self._full_key = self._encode(key)
            self._key = key
        row: V | None = self._read(self._table, full_key)
        return row

    def one(self, key: K, why: Reason) -> V:
        """The row under `key`, which must exist: else the transaction is refused with `why`."""
        row = self.get(key)
        if row is None:
            raise Refusal(why)
        return row

    def __contains__(self, key: K) -> bool:
        """Whether there is a row under `key`."""
        return self.get(key) is not None


class ScannedRows(Rows[K, V]):
    """The rows of one table, to read whole: for invariants."""

    __slots__ = ()

    def items(self) -> Iterator[tuple[K, V]]:
        """Every key and row, in key order."""
        return self._state.items(self._table)

    def values(self) -> Iterator[V]:
        """Every row, in key order."""
        return (row for _, row in self.items())


class WrittenRows(Rows[K, V]):
    """The rows of one table, to read and write."""

    __slots__ = ("_job",)

    def __init__(self, job: Job, table: Table[K, V]) -> None:
        """Made by a context."""
        super().__init__(job, table)
        self._job = job

    def __setitem__(self, key: K, row: V) -> None:
        """Put a row under `key`, whether or not there was one."""
        assert type(row) is self._table.value
        self._write(key, row)

    def __delitem__(self, key: K) -> None:
        """Remove the row under `key`, which must exist."""
        assert self.get(key) is not None, f"no row to remove in {self._table.name}"
        self._write(key, None)

    def add(self: WrittenRows[Id, W], row: W) -> Id:
        """Put a row under a new derived id, and give the id."""
        assert self._table.has_derived_ids, f"{self._table.name} is not keyed by Id"
        key = self._job.new_id()
        if self.get(key) is not None:
            raise Refusal(KernelWhy.ID_IS_TAKEN)
        self[key] = row
        return key

    def _write(self, key: K, row: V | None) -> None:
        meter = self._meter
        meter.used += 1
        if meter.used > meter.limit:
            raise Refusal(KernelWhy.TRANSACTION_WORK_IS_SPENT)
        table, state = self._table, self._state
        full_key = self._full_key if key == self._key else self._encode(key)
        state.replace(table, key, full_key, self._read(table, full_key), row)
        if table.indexes and table.has_due_work:
            self._job.clear_marks(table, full_key[PREFIX_BYTES:], row)


class View:
    """Reads of one module at one height."""

    __slots__ = ("_caller", "_entered", "_job", "_module", "_rows", "height", "time")
    time: Time
    height: Count

    def __init__(self, job: Job, module: Module, caller: Module | None) -> None:
        """Made by the kernel, once per kind, module and caller."""
        self._job = job
        self._module = module
        self._caller = caller
        self._rows: dict[object, Any] = {}
        self._entered: dict[Module, Any] = {module: self}
        self.time = job.time
        self.height = job.height

    def __getitem__(self, table: Table[K, V]) -> Rows[K, V]:
        """The rows of a table of this module."""
        rows: Rows[K, V] | None = self._rows.get(table)
        return rows if rows is not None else self._open(table, Rows)

    def _open(self, table: Table[K, V], kind: Any) -> Any:
        rows = self._rows.get(table)
        if rows is None:
            assert table.module is self._module, f"{self._module} opened {table.module}'s table"
            rows = self._rows[table] = kind(self._job, table)
        return rows

    def structure(self, derived: Derived[T]) -> T:
        """A derived structure of this module; reading it must not change it."""
        assert derived.of.module is self._module
        structure: T = self._job.state.structures[derived]
        return structure

    @overload
    def page(
        self, source: Index[B, K, V], of: B, after: Cursor | None, limit: int = ...
    ) -> Page[K, V]: ...

    @overload
    def page(
        self, source: Table[tuple[A, O], V], of: A, after: Cursor | None, limit: int = ...
    ) -> Page[tuple[A, O], V]: ...

    def page(
        self, source: Any, of: Any, after: Cursor | None, limit: int = PAGE_ROWS
    ) -> Page[Any, Any]:
        """The rows that an index lists under `of`, or whose key begins with `of`, in order.

        Raises ValueError for a cursor that is not of this query.
        """
        assert source.module is self._module
        is_index = isinstance(source, Index)
        table = source.of if is_index else source
        written = encode_by_value(of) if is_index else table.codec.encode_first(of)
        prefix = source.prefix + written
        start = prefix
        if after is not None:
            start = bytes.fromhex(after) + b"\0"
            if not start.startswith(prefix):
                raise ValueError("the cursor belongs to another query")
        rows: list[tuple[Any, Any]] = []
        last = None
        for full_key, value in self._job.state.scan(start, after_prefix(prefix)):
            if len(rows) == limit:
                assert last is not None
                return Page(tuple(rows), Cursor(last.hex()))
            self._job.meter.count()
            row_key = table.prefix + value if is_index else full_key
            rows.append((table.key_of(row_key), self._job.state.read(table, row_key)))
            last = full_key
        return Page(tuple(rows), None)

    def parameter(self, parameter: Parameter) -> int:
        """The value of a parameter on this chain."""
        return self._job.parameters[parameter.name]

    def has(self, module: Module) -> bool:
        """Whether this chain has a module that `may_use` names."""
        return module in self._job.registry.modules

    def active(self, feature: Feature) -> bool:
        """Whether a feature has begun at this height."""
        begins = self._job.features.get(feature.name)
        return begins is not None and self.height >= begins

    @property
    def vaults(self) -> tuple[Address, ...]:
        """The vault of every module of the chain, in the order of their registry."""
        return tuple(module.vault for module in self._job.registry.modules)

    def enter(self: Kind, module: Module) -> Kind:
        """The context in which `module`'s public function runs when this one calls it."""
        entered: Kind | None = self._entered.get(module)
        if entered is None:
            declared = module in self._module.uses or module in self._module.may_use
            assert declared, f"{self._module} does not declare {module}"
            entered = self._job.context(type(self), module, self._module)
            self._entered[module] = entered
        return entered


class Audit(View):
    """Reads that may scan whole tables: for invariants alone."""

    __slots__ = ()

    def __getitem__(self, table: Table[K, V]) -> ScannedRows[K, V]:
        """The rows of a table of this module."""
        rows: ScannedRows[K, V] = self._open(table, ScannedRows)
        return rows


class Work(View):
    """Reads and writes without a sender: due work, genesis, answers to announcements."""

    __slots__ = ()

    def __getitem__(self, table: Table[K, V]) -> WrittenRows[K, V]:
        """The rows of a table of this module."""
        rows: WrittenRows[K, V] | None = self._rows.get(table)
        return rows if rows is not None else self._open(table, WrittenRows)

    @property
    def genesis(self) -> Genesis:
        """What the parties of the chain have agreed on before its first block."""
        genesis = self._job.genesis
        assert genesis is not None
        return genesis

    @property
    def upgrades(self) -> dict[Count, Upgrade]:
        """Every upgrade by its height, those to come too. They are few, and not counted as work."""
        return dict(self._job.state.items(upgrades))

    def bounds_of(self, parameter: str) -> tuple[int, int] | None:
        """The least and the greatest value that a parameter can have; None for an unknown name."""
        return self._job.registry.bounds_of(parameter)

    @property
    def roles(self) -> Iterable[str]:
        """The roles that the modules of this chain declare."""
        return self._job.registry.roles

    def is_reservable(self, wire_name: str) -> bool:
        """Whether a message of this name needs a permission where a chain reserves it."""
        return wire_name in self._job.registry.permissions

    def can_halt(self, name: str) -> bool:
        """Whether a module of this chain has the name and can be halted."""
        return bool(self._job.registry.stopped_with(name))

    def stopped_by(self, name: str) -> list[str]:
        """The names of the modules whose halt stops the module of a name."""
        return self._job.registry.stopped_by(name)

    def attempt(
        self, act: Callable[[Work, T], object], given: T, *, keep: bool = True
    ) -> Reason | None:
        """Run `act(self, given)` in a savepoint; why it refused, or None when it has not.

        What was refused is taken back, and what was only tried (not `keep`) as well. The work of
        what was refused counts for the block: the caller goes on with as much as it had before.
        """
        return self._job.attempt(lambda: act(self, given), keep=keep)

    def new_id(self) -> Id:
        """A derived id that nothing has had or will have."""
        return self._job.new_id()

    def emit(self, event: Event) -> None:
        """Add an event to the receipt."""
        assert type(event) in self._job.events_of(self._module)
        self._job.events.append(event)

    def announce(self, announcement: Announcement[T], said: T) -> None:
        """Let the modules above hear; any of them may refuse the transaction."""
        assert announcement.module is self._module
        for module, hear in self._job.hearers(announcement):
            self._job.check_halt(module)
            hear(self._job.context(type(self), module, self._module), said)

    def may_debit(self, payer: Address) -> bool:
        """Whether the calling module may take value from `payer`: the sender or its own vault.

        The module that keeps mandates may take it from any account, and asks its mandates.
        """
        job, caller = self._job, self._caller
        if payer == job.sender:
            return True
        if caller is None:
            return False
        return payer == caller.vault or (caller.keeps_mandates and not is_vault(payer))

    def may_credit(self, payee: Address) -> bool:
        """Whether the calling module may give value to `payee`: a vault only by its owner."""
        caller = self._caller
        return not is_vault(payee) or (caller is not None and payee == caller.vault)


class Context(Work):
    """One message of a sender who has signed."""

    __slots__ = ()

    @property
    def sender(self) -> Address:
        """The account that sent the transaction."""
        sender = self._job.sender
        assert sender is not None
        return sender


class Changes:
    """What one transaction or due item wrote, net, for `@module.conserves`."""

    __slots__ = ("_net", "modules")

    def __init__(self, journal: list[Written], mark: int) -> None:
        """Made by the kernel from the journal since `mark`; `modules` are those to be asked."""
        net: dict[Table[Any, Any], dict[bytes, tuple[Any, Any, Any]]] = {}
        modules: dict[Module, None] = {}
        for full_key, _, old, new, table, key in journal[mark:]:
            if table is None or not table.module.conservations:
                continue
            rows = net.get(table)
            if rows is None:
                rows = net[table] = {}
                modules[table.module] = None
            first = rows.get(full_key)
            rows[full_key] = (key, old if first is None else first[1], new)
        self._net = net
        self.modules = modules

    def __getitem__(self, table: Table[K, V]) -> Iterable[tuple[K, V | None, V | None]]:
        """(key, old row, new row) of each row of `table` that was written."""
        rows = self._net.get(table)
        return () if rows is None else rows.values()
