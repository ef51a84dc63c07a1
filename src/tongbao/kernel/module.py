"""How a business module declares itself: tables, indexes, handlers, due work, rules that must hold.

Everything is declared once, while the module is imported, and checked there; `registry.py` checks
what needs all modules together. A declaration is immutable schema: rows exist only in a context.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Final,
    Generic,
    ParamSpec,
    TypeVar,
    Union,
    get_type_hints,
)

from tongbao.kernel import jcs
from tongbao.kernel.identifiers import ROLE_NAME, SETTING_NAME, Address, Id, Time, vault_of
from tongbao.kernel.reasons import NUMBERS_PER_MODULE, Reason
from tongbao.kernel.row_keys import KeyCodec
from tongbao.kernel.schema import Message, Record, check_fields, versions_of

if TYPE_CHECKING:
    from tongbao.kernel.context import Audit, Changes, Context, View, Work

K = TypeVar("K")
V = TypeVar("V", bound=Record)
B = TypeVar("B")
T = TypeVar("T")
R = TypeVar("R")
C = TypeVar("C", bound="View")
M = TypeVar("M", bound=Message)
P = ParamSpec("P")
F = TypeVar("F", bound=Callable[..., object])
Owner = Callable[[K, V], Address]

MODULES_LIMIT: Final = 65_535
TABLES_LIMIT: Final = 65_535
ROW_KEY_LIMIT: Final = 240
"""Bytes of a row's key in a business module: what a mark of the kernel's can name."""


def prefix_of(module: int, table: int) -> bytes:
    """The four bytes before every key of a table or index: both numbers, big endian."""
    assert 0 <= table <= TABLES_LIMIT, f"{table} is no table number: 0 to {TABLES_LIMIT}"
    return module.to_bytes(2, "big") + table.to_bytes(2, "big")


def _documented(function: Callable[..., object]) -> None:
    """Assert that a declared function says what it does: the reference is made of it."""
    assert function.__doc__, f"{function.__name__} has no docstring"


class Table(Generic[K, V]):
    """Rows of one record type under keys of one type."""

    def __init__(
        self, module: Module, number: int, key: Any, value: type[V], owner: Owner[K, V] | None
    ) -> None:
        """Declared through `Module.table`."""
        self.module = module
        self.number = number
        self.owner = owner
        self.name = ""
        self.prefix = prefix_of(module.number, number)
        self.codec = KeyCodec(key)
        longest = self.codec.longest
        fits = longest <= ROW_KEY_LIMIT or module.number == 0
        assert fits, f"the key {key} may have {longest} bytes, more than {ROW_KEY_LIMIT}"
        self.has_derived_ids = key is Id
        self.value = value
        self.indexes: list[Index[Any, K, V]] = []
        self.structures: list[Derived[Any]] = []
        versions = versions_of(value)
        for version in versions:
            check_fields(version)
        self._decoder = jcs.decoder(Union[tuple(versions)])
        self._older = list(reversed(versions))[1:]
        self.migrates = value.previous_version is not None
        self.full_key: Callable[[K], bytes] = self.codec.encoder_after(self.prefix)

    def key_of(self, full_key: bytes) -> K:
        """The key of a full key."""
        key: K = self.codec.decode(full_key, len(self.prefix))
        return key

    def decode(self, raw: bytes) -> V:
        """The row that `raw` holds, brought to the newest version of its record."""
        row = self._decoder.decode(raw)
        for newer in self._older:
            if row.record_version < newer.record_version:
                row = newer.migrate(row)
        assert type(row) is self.value
        return row

    @property
    def has_due_work(self) -> bool:
        """Whether one of its indexes drives due work."""
        return any(index.is_due for index in self.indexes)


class Index(Generic[B, K, V]):
    """The keys of a table's rows in the order of something about each row.

    Local and unhashed. `by` returns None for a row that the index leaves out.
    """

    def __init__(
        self, module: Module, number: int, of: Table[K, V], by: Callable[[V], B | None]
    ) -> None:
        """Declared through `Module.index`."""
        self.module = module
        self.number = number
        self.name = ""
        self.prefix = prefix_of(module.number, number)
        self.of = of
        self.by = by
        self.is_due = False


class Derived(Generic[T]):
    """An in-memory structure that is a function of the *set* of a table's rows.

    `build` makes it from (key, row) pairs; `on_write(structure, key, new, old)` follows one write
    and, with new and old exchanged, takes it back.
    """

    def __init__(
        self,
        of: Table[Any, Any],
        build: Callable[[Iterable[tuple[Any, Any]]], T],
        on_write: Callable[[T, Any, Any, Any], None],
    ) -> None:
        """Declared through `Module.derived`."""
        self.of = of
        self.build = build
        self.on_write = on_write


class Announcement(Generic[T]):
    """Something a module tells the modules above it, which it must not import."""

    def __init__(self, module: Module) -> None:
        """Declared through `Module.announcement`."""
        self.module = module


class Parameter:
    """A number that genesis fixes within bounds and that rules read."""

    def __init__(self, name: str, default: int, low: int, high: int, meaning: str) -> None:
        """Declared through `Module.parameter`; `name` includes the module's."""
        assert re.search(SETTING_NAME, name), f"{name!r} can't stand in a genesis file"
        assert low <= default <= high, f"{name}: the default is not within its bounds"
        self.name = name
        self.default = default
        self.low = low
        self.high = high
        self.meaning = meaning


class Feature:
    """A change of behaviour that begins at a height: `ctx.active(FEATURE)`."""

    def __init__(self, name: str, meaning: str) -> None:
        """Declared through `Module.feature`; `name` includes the module's."""
        self.name = name
        self.meaning = meaning


class Module:
    """One business capability: `module = Module(7, "hold", uses=(asset.module,), reasons=Why)`."""

    def __init__(
        self,
        number: int,
        name: str,
        *,
        uses: tuple[Module, ...] = (),
        may_use: tuple[Module, ...] = (),
        reasons: type[Reason] | None = None,
        version: int = 1,
        haltable: bool = True,
        keeps_mandates: bool = False,
    ) -> None:
        """Numbers from 1000 belong to third parties and, like names, are never used again.

        `may_use` names modules that a chain older than they are does not have: their tables are
        empty there. What decides on halts is not `haltable` itself.
        `keeps_mandates`: this module may take value from any account, and does so within what the
        account's owner has agreed to, which it keeps. There is one such module at most.
        """
        assert 0 <= number <= MODULES_LIMIT, f"{name}: the number is not 0 to {MODULES_LIMIT}"
        self.number = number
        self.name = name
        self.uses = uses
        self.may_use = may_use
        self.is_haltable = haltable
        self.reasons = reasons
        self.version = version
        self.keeps_mandates = keeps_mandates
        self.vault: Address = vault_of(number)
        self.package = ""
        self.tables: list[Table[Any, Any]] = []
        self.indexes: list[Index[Any, Any, Any]] = []
        self.handlers: dict[type[Message], Callable[..., object]] = {}
        self.dues: list[tuple[Index[Any, Any, Any], Callable[..., None]]] = []
        self.queries: dict[str, Callable[..., object]] = {}
        self.invariants: list[Callable[[Audit], bool]] = []
        self.conservations: list[Callable[[Changes], bool]] = []
        self.hearings: list[tuple[Announcement[Any], Callable[..., None]]] = []
        self.parameters: list[Parameter] = []
        self.features: list[Feature] = []
        self.structures: list[Derived[Any]] = []
        self.roles: dict[str, str] = {}
        self.permission: Callable[..., object] | None = None
        self.begin: tuple[Callable[..., None], Any] | None = None
        self.keys_of: Callable[..., object] | None = None
        if reasons is not None:
            self._adopt(reasons)

    def _adopt(self, reasons: type[Reason]) -> None:
        """Number the reasons of this module."""
        assert vars(reasons).get("__doc__"), f"{reasons.__name__} has no docstring"
        # With the second names of a reason, which are no members of their own.
        codes = [reason.code for reason in reasons.__members__.values()]
        assert len(set(codes)) == len(codes), f"{self.name}: a reason's code is used twice"
        wrong = [code for code in codes if not 0 < code < NUMBERS_PER_MODULE]
        assert not wrong, f"{self.name}: a reason's code is 1 to 999, not {wrong}"
        reasons.module_number = self.number
        reasons.module_name = self.name

    def table(
        self, number: int, *, key: type[K], value: type[V], owner: Owner[K, V] | None = None
    ) -> Table[K, V]:
        """Declare a table; `number` is unique among the module's tables and indexes.

        `owner` says whose quota of rows a row counts against; for one row it never changes.
        """
        made: Table[K, V] = Table(self, number, key, value, owner)
        self.tables.append(made)
        return made

    def index(self, number: int, *, of: Table[K, V], by: Callable[[V], B | None]) -> Index[B, K, V]:
        """Declare an index over a table of this module."""
        assert of.module is self, f"{self.name} can't index another module's table"
        made = Index(self, number, of, by)
        of.indexes.append(made)
        self.indexes.append(made)
        return made

    def derived(
        self,
        *,
        of: Table[K, V],
        build: Callable[[Iterable[tuple[K, V]]], T],
        on_write: Callable[[T, K, V | None, V | None], None],
    ) -> Derived[T]:
        """Declare an in-memory structure over a table of this module. Prefer an index."""
        assert of.module is self, f"{self.name} can't follow another module's table"
        made: Derived[T] = Derived(of, build, on_write)
        of.structures.append(made)
        self.structures.append(made)
        return made

    def announcement(self, kind: type[T]) -> Announcement[T]:
        """Declare something that this module tells those above it."""
        assert kind.__doc__, f"{kind.__name__} has no docstring"
        return Announcement(self)

    def parameter(self, name: str, *, default: int, low: int, high: int, meaning: str) -> Parameter:
        """Declare a parameter that genesis may set within its bounds."""
        made = Parameter(f"{self.name}.{name}", default, low, high, meaning)
        taken = {other.name for other in self.parameters}
        assert made.name not in taken, f"{made.name} is declared twice"
        self.parameters.append(made)
        return made

    def feature(self, name: str, meaning: str) -> Feature:
        """Declare a feature that begins at the height that genesis or an upgrade names."""
        made = Feature(f"{self.name}.{name}", meaning)
        taken = {other.name for other in self.features}
        assert made.name not in taken, f"{made.name} is declared twice"
        self.features.append(made)
        return made

    def role(self, name: str, meaning: str) -> str:
        """Declare a role that members of a consortium can have; its name, unique on a chain."""
        assert re.search(ROLE_NAME, name), f"{name!r} is no name of a role"
        assert meaning and name not in self.roles, f"{name} is declared twice, or means nothing"
        self.roles[name] = meaning
        return name

    def handler(self, function: Callable[[Context, M], R]) -> Callable[[Context, M], R]:
        """Bind a function to the message type of its second parameter."""
        _documented(function)
        message = get_type_hints(function).get("msg")
        names = function.__code__.co_varnames[: function.__code__.co_argcount]
        assert message is not None, f"{function.__name__} takes {names}, not `ctx` and `msg`"
        assert issubclass(message, Message), f"{function.__name__}: {message} is no message"
        assert message not in self.handlers, f"{message.__name__} has two handlers"
        self.handlers[message] = function
        return function

    def function(self, function: Callable[Concatenate[C, P], R]) -> Callable[Concatenate[C, P], R]:
        """Make a function public: it runs as this module and knows which module called."""
        _documented(function)

        def call(ctx: C, /, *args: P.args, **kwargs: P.kwargs) -> R:
            return function(ctx.enter(self), *args, **kwargs)

        call.__doc__ = function.__doc__
        call.__name__ = function.__name__
        call.__wrapped__ = function  # type: ignore[attr-defined]
        return call

    def due(
        self, index: Index[Time, K, V]
    ) -> Callable[[Callable[[Work, K, V], None]], Callable[[Work, K, V], None]]:
        """Run the function for each row whose indexed time has come, before transactions."""
        assert index.module is self, f"{self.name} can't work off a list of {index.module.name}"
        assert not index.is_due, f"{self.name} works off index {index.number} twice"
        index.is_due = True

        def bind(function: Callable[[Work, K, V], None]) -> Callable[[Work, K, V], None]:
            _documented(function)
            self.dues.append((index, function))
            return function

        return bind

    def query(self, function: F) -> F:
        """Offer a read to clients: API route, command and SDK method are derived from it."""
        _documented(function)
        assert function.__name__ not in self.queries, f"{function.__name__} is declared twice"
        self.queries[function.__name__] = function
        return function

    def invariant(self, function: Callable[[Audit], bool]) -> Callable[[Audit], bool]:
        """A truth about the whole state, checked in tests, simulation and `tongbao audit`."""
        _documented(function)
        self.invariants.append(function)
        return function

    def conserves(self, function: Callable[[Changes], bool]) -> Callable[[Changes], bool]:
        """A truth about what one transaction wrote, checked whenever it touched this module."""
        _documented(function)
        self.conservations.append(function)
        return function

    def hears(
        self, announcement: Announcement[T]
    ) -> Callable[[Callable[[Work, T], None]], Callable[[Work, T], None]]:
        """Run the function when a lower module makes the announcement; it may refuse."""
        below = announcement.module
        assert below in (*self.uses, *self.may_use), (
            f"{self.name} does not declare that it uses {below.name}"
        )

        def bind(function: Callable[[Work, T], None]) -> Callable[[Work, T], None]:
            _documented(function)
            self.hearings.append((announcement, function))
            return function

        return bind

    def genesis(self, function: Callable[[Work, T], None]) -> Callable[[Work, T], None]:
        """Write the first rows out of this module's section of the genesis file."""
        assert self.begin is None, f"{self.name} has two functions for genesis"
        _documented(function)
        self.begin = function, get_type_hints(function)["start"]
        return function

    def authenticates(self, function: F) -> F:
        """Offer `keys_of(view, address)` for genesis to name."""
        _documented(function)
        self.keys_of = function
        return function

    def permits(self, function: F) -> F:
        """Ask `function(view, sender, wire_name)` before each message that needs a permission.

        It refuses, or lets the message's handler run. One module of a chain has it.
        """
        _documented(function)
        assert self.permission is None, f"{self.name} decides on permissions twice"
        self.permission = function
        return function

    def __repr__(self) -> str:
        """As people name it."""
        return f"Module({self.number}, {self.name!r})"
