"""All modules of a chain together: who handles what, and whether they fit.

The platform derives everything else from a registry: decoders, API routes, commands, permission
names, reference pages, random workloads. What a single declaration can't show is checked here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any, Union, get_type_hints

import msgspec

from tongbao.kernel import jcs, kernel_module
from tongbao.kernel.context import Cursor, Page, View
from tongbao.kernel.identifiers import ROLES_LIMIT
from tongbao.kernel.module import Announcement, Feature, Index, Module, Parameter, Table
from tongbao.kernel.reasons import NUMBERS_PER_MODULE, Invalid, Reason
from tongbao.kernel.receipt import Receipt
from tongbao.kernel.schema import (
    Event,
    Message,
    check_fields,
    check_type,
    package_of,
    wire_name_of,
)
from tongbao.kernel.transaction import Payload

PAYLOAD_DEPTH = 2
"""Levels of JSON around a message: the payload and its `messages`."""

_OF_QUERIES: Any = (View, Cursor, Cursor | None)
"""What a query takes besides declared types."""


class Registry:
    """An ordered choice of modules, each after those that it uses."""

    def __init__(self, modules: tuple[Module, ...]) -> None:
        """Check the modules and derive the tables below; an assertion where they don't fit."""
        self.modules = (kernel_module.module, *modules)
        _check_order(self.modules)
        self.handlers: dict[type[Message], tuple[Module, Callable[..., object]]] = {}
        self.tables: dict[bytes, Table[Any, Any]] = {}
        self.indexes: dict[bytes, Index[Any, Any, Any]] = {}
        self.events_of: dict[Module, frozenset[type[Event]]] = {}
        self.hearers: dict[Announcement[Any], list[tuple[Module, Callable[..., None]]]] = {}
        self.reasons: dict[int, Reason] = {reason.number: reason for reason in Invalid}
        self.dues: list[tuple[Index[Any, Any, Any], Callable[..., None]]] = []
        self.parameters: dict[str, Parameter] = {}
        self.features: dict[str, Feature] = {}
        self.roles: dict[str, str] = {}
        self.permission: tuple[Module, Callable[..., object]] | None = None
        for module in self.modules:
            self._add(module)
        self.permissions = frozenset(
            wire_name_of(message) for message in self.handlers if message.needs_permission
        )
        assert self.handlers, "no module has a message"
        self.messages: tuple[type[Message], ...] = tuple(self.handlers)
        self.json_depth = PAYLOAD_DEPTH + max(map(check_fields, self.messages))
        kinds = Union[self.messages]  # type: ignore[name-defined]
        self.payload_decoder: msgspec.json.Decoder[Payload[Any]] = jcs.decoder(Payload[kinds])
        events: Any = Union[tuple(self._events())]
        self.receipt_decoder: msgspec.json.Decoder[Receipt[Any]] = jcs.decoder(Receipt[events])

    def _events(self) -> Iterator[type[Event]]:
        for events in self.events_of.values():
            yield from sorted(events, key=lambda event: event.wire_tag)

    def _add(self, module: Module) -> None:
        files = _files_of(module)
        _check_declared(module, files)
        self.events_of[module] = frozenset(_subclasses(Event, files))
        for event in self.events_of[module]:
            check_fields(event)
        for message, function in module.handlers.items():
            self.handlers[message] = module, function
        for table in module.tables:
            assert table.prefix not in self.tables, f"{module}: table number used twice"
            self.tables[table.prefix] = table
        for index in module.indexes:
            taken = index.prefix in self.tables or index.prefix in self.indexes
            assert not taken, f"{module}: index number used twice"
            self.indexes[index.prefix] = index
        for announcement, function in module.hearings:
            self.hearers.setdefault(announcement, []).append((module, function))
        for reason in module.reasons or ():
            self.reasons[reason.number] = reason
        self.dues += module.dues
        self.parameters |= {parameter.name: parameter for parameter in module.parameters}
        self.features |= {feature.name: feature for feature in module.features}
        doubled = self.roles.keys() & module.roles.keys()
        assert not doubled, f"{module}: another module has the role {sorted(doubled)}"
        self.roles |= module.roles
        assert len(self.roles) <= ROLES_LIMIT, f"{module}: a chain has at most {ROLES_LIMIT} roles"
        if module.permission is not None:
            assert self.permission is None, f"{module} is the second to decide on permissions"
            self.permission = module, module.permission

    def module(self, name: str) -> Module:
        """The module of this name. Raises KeyError."""
        for module in self.modules:
            if module.name == name:
                return module
        raise KeyError(name)

    def table(self, name: str) -> Table[Any, Any]:
        """The table of a name such as `asset.holdings`. Raises KeyError."""
        for table in self.tables.values():
            if f"{table.module.name}.{table.name}" == name:
                return table
        raise KeyError(name)

    def bounds_of(self, parameter: str) -> tuple[int, int] | None:
        """The least and the greatest value that a parameter can have; None for an unknown name."""
        known = self.parameters.get(parameter)
        if known is None:
            return None
        least = self.json_depth if known is kernel_module.JSON_DEPTH else known.low
        return max(known.low, least), known.high

    def stopped_with(self, name: str) -> list[Module]:
        """The module of a name and those above that use it, of those that can be halted."""
        stopped: list[Module] = []
        for module in self.modules[1:]:
            uses_one = not set(module.uses).isdisjoint(stopped)
            if module.is_haltable and (module.name == name or uses_one):
                stopped.append(module)
        return stopped

    def stopped_by(self, name: str) -> list[str]:
        """The names of the modules whose halt stops a module: its own, and of those it uses."""
        return [
            below.name
            for below in self.modules
            if any(each.name == name for each in self.stopped_with(below.name))
        ]

    def message(self, wire_name: str) -> type[Message]:
        """The message type of a wire name such as `hold.place`. Raises KeyError."""
        for message in self.messages:
            if wire_name_of(message) == wire_name:
                return message
        raise KeyError(wire_name)


def _check_order(modules: tuple[Module, ...]) -> None:
    """Numbers and names are unique; a module stands after all that it uses, so no cycle."""
    keepers = [module for module in modules if module.keeps_mandates]
    assert len(keepers) <= 1, f"one module keeps mandates, not {keepers}"
    seen: set[Module] = set()
    for module in modules:
        assert module.number not in {other.number for other in seen}, f"{module}: number taken"
        assert module.name not in {other.name for other in seen}, f"{module}: name taken"
        assert set(module.uses) <= seen, f"{module} stands before a module that it uses"
        late = set(module.may_use).intersection(modules) - seen
        assert not late, f"{module} stands before a module that it may use"
        seen.add(module)


def package_name(module: Module) -> str:
    """The package that a module's functions are in."""
    if not module.package:
        functions = [*module.handlers.values(), *module.invariants, *module.queries.values()]
        assert functions, f"{module} does nothing"
        path = functions[0].__module__
        module.package = path.rpartition(".")[0] or path
    return module.package


def _files_of(module: Module) -> list[ModuleType]:
    """The imported Python files of a module's package, by name; they name tables on the way."""
    inside = package_name(module) + "."
    names = sorted(
        name for name in sys.modules if name == module.package or name[: len(inside)] == inside
    )
    files = [sys.modules[name] for name in names]
    if module.number == 0:
        return files
    for file in files:
        for name, value in vars(file).items():
            if isinstance(value, Table | Index) and value.module is module:
                value.name = name
    return files


def _check_declared(module: Module, files: list[ModuleType]) -> None:
    """Nothing half-declared: handlers, reasons, tags, queries."""
    if module.number == 0:
        for name, value in vars(kernel_module).items():
            if isinstance(value, Table):
                value.name = name
        return
    messages = _subclasses(Message, files)
    for kind in (*messages, *_subclasses(Event, files)):
        assert kind.wire_tag is not None, f"{module}: {kind.__name__} has no tag"
    tags = [message.wire_tag for message in messages]
    assert len(set(tags)) == len(tags), f"{module}: a message's tag is used twice"
    events = [event.wire_tag for event in _subclasses(Event, files)]
    assert len(set(events)) == len(events), f"{module}: an event's tag is used twice"
    for message in messages:
        assert message in module.handlers, f"{module}: {message.__name__} has no handler"
        assert package_of(message.__module__) == module.name, f"{message} is named for another"
    names = {name for file in files for name in _names_in(file)}
    for reason in module.reasons or ():
        assert reason.name in names, f"{module}: {reason.name} is never given"
    for name, query in module.queries.items():
        _check_query(module, name, query)


def _check_query(module: Module, name: str, query: Callable[..., object]) -> None:
    """A query takes bounded types; one that gives pages walks an index or a table's keys."""
    assert isinstance(query, FunctionType)
    hints = get_type_hints(query, include_extras=True)
    returned = hints.pop("return")
    for parameter, kind in hints.items():
        if kind not in _OF_QUERIES:
            check_type(kind, f"{module}: {name}({parameter})")
    if getattr(returned, "__origin__", returned) is Page:
        used = [query.__globals__.get(word) for word in query.__code__.co_names]
        walks = any(isinstance(value, Index | Table) for value in used)
        assert walks, f"{module}: query {name} has no index"


def _subclasses(base: type, files: list[ModuleType]) -> list[Any]:
    """The classes under `base` that these files define, in order of definition."""
    return [
        value
        for file in files
        for value in vars(file).values()
        if isinstance(value, type)
        and issubclass(value, base)
        and value is not base
        and value.__module__ == file.__name__
    ]


def _names_in(file: ModuleType) -> Iterator[str]:
    """Every name that the functions of a file mention, and the methods of its classes."""
    values = list(vars(file).values())
    kinds = [value for value in values if isinstance(value, type)]
    methods = [method for kind in kinds for method in vars(kind).values()]
    for value in (*values, *methods):
        inner = getattr(value, "fget", None) or getattr(value, "__wrapped__", value)
        if isinstance(inner, FunctionType) and inner.__module__ == file.__name__:
            yield from _names_of_code(inner.__code__)


def _names_of_code(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names_of_code(constant)


def number_parts(number: int) -> tuple[int, int]:
    """The module and the code of a refusal number."""
    return divmod(number, NUMBERS_PER_MODULE)
