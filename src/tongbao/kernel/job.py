"""What the contexts of one activity share: rows, counters, the sender, ids, events.

A machine has one job for deciding blocks, kept for its whole life and begun anew for each
transaction, and others for queries, each with a meter of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tongbao.kernel.context import Context, View
from tongbao.kernel.identifiers import Address, Count, Id, Time, derived_id
from tongbao.kernel.kernel_module import marks
from tongbao.kernel.module import Announcement, Module, Table
from tongbao.kernel.reasons import KernelWhy, Reason, Refusal
from tongbao.kernel.row_keys import encode_by_value
from tongbao.kernel.schema import Event, Message, Record, wire_name_of
from tongbao.kernel.state import Backing, State

if TYPE_CHECKING:
    from tongbao.kernel.genesis import Genesis
    from tongbao.kernel.registry import Registry

Kind = TypeVar("Kind", bound=View)

Settings = Mapping[str, int]

QUERY_ROWS: Final = 100_000
"""Rows that one query may read."""


class Meter:
    """Counts rows read and written, for one transaction and for a whole block."""

    __slots__ = ("block_limit", "block_used", "limit", "used")

    def __init__(self, limit: int, block_limit: int) -> None:
        """Start at zero with both limits."""
        self.limit = limit
        self.block_limit = block_limit
        self.used = 0
        self.block_used = 0

    def count(self) -> None:
        """Count one row; refuse the transaction when its own work is spent."""
        self.used += 1
        if self.used > self.limit:
            raise Refusal(KernelWhy.TRANSACTION_WORK_IS_SPENT)

    def begin(self) -> None:
        """Start a transaction; refuse it when the block's work is spent."""
        self.block_used += self.used
        self.used = 0
        if self.block_used >= self.block_limit:
            raise Refusal(KernelWhy.BLOCK_WORK_IS_SPENT)

    def take_back(self, used: int) -> None:
        """What was done since `used` was taken back: it counts for the block alone."""
        self.block_used += self.used - used
        self.used = used

    @property
    def has_due_share(self) -> bool:
        """Whether due work may go on: it has half of what a block may do."""
        return self.block_used + self.used < self.block_limit // 2

    def end_due(self) -> None:
        """Due work is done: transactions have the other half, whatever the last item took."""
        self.block_used = min(self.block_used + self.used, self.block_limit // 2)
        self.used = 0


def view_of(
    registry: Registry,
    backing: Backing,
    module: Module,
    at: tuple[Count, Time],
    settings: tuple[Settings, Settings],
) -> View:
    """Reads of one module over rows that `backing` gives, at a height and time.

    For those who have no machine and prove each row; `settings` are parameters and features.
    """
    job = Job(registry, State(backing), Meter(QUERY_ROWS, QUERY_ROWS))
    job.parameters, job.features = settings
    job.set_block(*at)
    return job.context(View, module, None)


class Job:
    """One activity over the state."""

    def __init__(self, registry: Registry, state: State, meter: Meter) -> None:
        """An activity that counts its work on `meter`."""
        self.registry = registry
        self.state = state
        self.meter = meter
        self.time = Time(0)
        self.height = Count(0)
        self.sender: Address | None = None
        self.genesis: Genesis | None = None
        self.ids: list[Id] = []
        self.events: list[Event] = []
        self.parameters: Mapping[str, int] = {}
        self.features: Mapping[str, int] = {}
        self.halts: Mapping[Module, Time] = {}
        self._id_domain = b"id"
        self._id_origin: Callable[..., tuple[bytes, ...]] = tuple
        self._id_given: tuple[Any, ...] = ()
        self._id_count = 0
        self._contexts: dict[tuple[type, Module, Module | None], Any] = {}
        self._acting: dict[type[Message], tuple[Context, Callable[..., object]]] = {}

    def set_block(self, height: Count, time: Time) -> None:
        """Move to a block; contexts are kept and told."""
        self.height = height
        self.time = time
        for context in self._contexts.values():
            context.time = time
            context.height = height

    def begin(self, sender: Address | None) -> None:
        """Start a transaction or due item with nothing said and nothing made."""
        self.sender = sender
        self.ids = []
        self.events = []

    def derive_ids(
        self, domain: bytes, origin: Callable[..., tuple[bytes, ...]], *given: Any
    ) -> None:
        """From now on ids come from what `origin(*given)` gives, and a count from 0.

        It is asked when an id is made: most messages make none.
        """
        self._id_domain = domain
        self._id_origin = origin
        self._id_given = given
        self._id_count = 0

    def new_id(self) -> Id:
        """The next derived id."""
        origin = self._id_origin(*self._id_given)
        made = derived_id(self._id_domain, *origin, self._id_count.to_bytes(4, "big"))
        self._id_count += 1
        self.ids.append(made)
        return made

    def attempt(self, act: Callable[[], object], *, keep: bool) -> Reason | None:
        """Run something in a savepoint; why it refused, or None. See `Work.attempt`."""
        mark, ids, events = len(self.state.journal), len(self.ids), len(self.events)
        used = self.meter.used
        why = None
        try:
            act()
        except Refusal as refusal:
            why = refusal.why
            self.meter.take_back(used)
        if why is not None or not keep:
            self.state.rollback(mark)
            del self.ids[ids:], self.events[events:]
        return why

    def context(self, kind: type[Kind], module: Module, caller: Module | None) -> Kind:
        """The context of a kind for a module and its caller, made once."""
        key = kind, module, caller
        found: Kind | None = self._contexts.get(key)
        if found is None:
            found = self._contexts[key] = kind(self, module, caller)
        return found

    def acting(self, kind: type[Message]) -> tuple[Context, Callable[..., object]]:
        """What carries out a kind of message: the context of its module, and its handler."""
        found = self._acting.get(kind)
        if found is None:
            module, handler = self.registry.handlers[kind]
            if kind.needs_permission and self.registry.permission is not None:
                handler = self._permitted(wire_name_of(kind), handler, *self.registry.permission)
            found = self._acting[kind] = self.context(Context, module, None), handler
        return found

    def _permitted(
        self,
        wire_name: str,
        handler: Callable[..., object],
        module: Module,
        permission: Callable[..., object],
    ) -> Callable[..., object]:
        """A handler that runs where the module that decides on permissions does not refuse."""
        view = self.context(View, module, None)

        def act(ctx: Context, msg: Message) -> object:
            permission(view, ctx.sender, wire_name)
            return handler(ctx, msg)

        return act

    def is_halted(self, module: Module) -> bool:
        """Whether operators have stopped a module, or one that it uses, until later."""
        until = self.halts.get(module)
        return until is not None and self.time < until

    def check_halt(self, module: Module) -> None:
        """Refuse what a halted module would do."""
        if self.halts and self.is_halted(module):
            raise Refusal(KernelWhy.MODULE_IS_HALTED)

    def events_of(self, module: Module) -> frozenset[type[Event]]:
        """The event types that a module may emit."""
        return self.registry.events_of[module]

    def hearers(self, announcement: Announcement[Any]) -> list[tuple[Module, Callable[..., None]]]:
        """Who hears an announcement, in the order of the registry."""
        return self.registry.hearers.get(announcement, [])

    def clear_marks(self, table: Table[Any, Any], row_key: bytes, row: Record | None) -> None:
        """A change of a row that was marked stuck puts it back into its due list."""
        for index in table.indexes:
            if not index.is_due:
                continue
            key: Any = index.module.number, index.number, row_key.hex()
            full_key = marks.full_key(key)
            if self.state.read(marks, full_key) is None:
                continue
            self.state.write(marks, key, full_key, None)
            place = None if row is None else index.by(row)
            if place is not None:
                self.state.put_entry(index.prefix + encode_by_value(place) + row_key, row_key)
