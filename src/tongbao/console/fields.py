"""Forms out of declared types: a field for each member of an action or order, read and checked.

A form is sent by GET, and its page is a function of its address: nothing is stored, nothing is
signed. What comes out of a whole form is a value of the declared type.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, NewType, get_type_hints

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import fields as fields_of

from tongbao.console.site import Site
from tongbao.console.words import is_known
from tongbao.kernel import Address, Amount, AssetId, Name, PublicKey
from tongbao.kernel.kernel_module import NodeId, SettingName
from tongbao.modules.asset import GROUNDS, Scope
from tongbao.modules.governance import Delay, Duration
from tongbao.modules.member import Accounts, Lei, MemberName, PermissionName, Role, Roles, is_lei

LONGEST: Final = 1_000
"""Characters of one field that are read."""

UNITS_MS: Final = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
DURATION: Final = re.compile(r"([0-9]{1,9})([smhd])\Z")
NUMBER: Final = re.compile(r"[0-9]{1,16}\Z")
SCOPES: Final = ("both", "debits", "credits")

Ground = NewType("Ground", Annotated[int, Meta(ge=min(GROUNDS), le=max(GROUNDS))])
"""The number of a ground on which somebody acts on a holding."""

KINDS: Final[Mapping[Any, str]] = {
    Address: "address",
    AssetId: "asset",
    Amount: "amount",
    Lei: "lei",
    MemberName: "name",
    Role: "role",
    Roles: "roles",
    Accounts: "accounts",
    Duration: "duration",
    Delay: "duration",
    PublicKey: "key",
    NodeId: "node",
    Name: "module",
    SettingName: "parameter",
    PermissionName: "permission",
    Scope: "scope",
    Ground: "ground",
}
"""How a field of a type is filled in; one of another type is a number."""


class Field(Struct, frozen=True):
    """A field as its page shows it: `choices` where it is one of few, `is_wrong` once it was read.

    `label` names the text beside it, `kind` the one that says what is expected. A field of several
    words has `choices` to name some of; any other with choices is one of them.
    """

    name: str
    label: str
    kind: str
    text: str
    choices: tuple[str, ...]
    is_wrong: bool
    is_required: bool


class Form(Struct, frozen=True):
    """The fields of a declared type, and its value where all of them are well filled in."""

    fields: tuple[Field, ...]
    value: Any


class Wrong(Exception):
    """A field has not the form that its kind has."""


def form(site: Site, declared: type[Struct], given: Mapping[str, str], is_sent: bool) -> Form:
    """A form for a declared type, filled with a query; only one that was sent can be wrong."""
    hints = get_type_hints(declared, include_extras=True)
    values: dict[str, Any] = {}
    made = []
    for each in fields_of(declared):
        text = given.get(each.name, "").strip()[:LONGEST]
        hint = hints[each.name]
        kind = KINDS.get(hint, "number")
        is_wrong = False
        if text or each.required:
            try:
                values[each.name] = _value(site, kind, text, hint)
            except (Wrong, msgspec.ValidationError):
                is_wrong = is_sent
        label, choices = _label(each.name, kind), _choices(site, kind)
        made.append(Field(each.name, label, kind, text, choices, is_wrong, each.required))
    is_whole = is_sent and not any(field.is_wrong for field in made)
    return Form(tuple(made), declared(**values) if is_whole else None)


def _value(site: Site, kind: str, text: str, hint: Any) -> Any:
    """What a field says, of its type, and one of its choices. Raises Wrong, ValidationError."""
    found = msgspec.convert(_read(kind, text), hint)
    choices = _choices(site, kind)
    named = found if kind == "roles" else (text,)
    if choices and not set(named) <= set(choices):
        raise Wrong
    return found


def _label(name: str, kind: str) -> str:
    """The text of a name; one of its kind where the name is in use for several."""
    special = f"{name}_{kind}"
    return special if is_known(f"field.{special}") else name


def _number(text: str) -> int:
    if NUMBER.match(text) is None:
        raise Wrong
    return int(text)


def _duration(text: str) -> int:
    found = DURATION.match(text)
    if found is None:
        raise Wrong
    return int(found[1]) * UNITS_MS[found[2]]


def _amount(text: str) -> Amount:
    try:
        return Amount(text)
    except ValueError:
        raise Wrong from None


def _lei(text: str) -> str:
    """With its check digits: a mistyped one is noticed here, before it is voted on."""
    checked: str = msgspec.convert(text.upper(), Lei)
    if not is_lei(checked):
        raise Wrong
    return checked


def _words(text: str) -> list[str]:
    return sorted(dict.fromkeys(text.replace(",", " ").split()))


READS: Final[Mapping[str, Callable[[str], Any]]] = {
    "number": _number,
    "ground": _number,
    "duration": _duration,
    "amount": _amount,
    "lei": _lei,
    "roles": _words,
    "accounts": _words,
}
"""How a kind of field is read; the others are as they stand."""


def _read(kind: str, text: str) -> Any:
    """The JSON value of a field, or its value. Raises Wrong, ValidationError."""
    return READS.get(kind, str)(text)


def _choices(site: Site, kind: str) -> tuple[str, ...]:
    """What a field may be, where that is one of few."""
    registry = site.chain.registry
    known: dict[str, Callable[[], Any]] = {
        "role": lambda: registry.roles,
        "roles": lambda: registry.roles,
        "permission": lambda: sorted(registry.permissions),
        "parameter": lambda: sorted(registry.parameters),
        "module": lambda: (one.name for one in registry.modules if one.is_haltable),
        "scope": lambda: SCOPES,
        "ground": lambda: map(str, GROUNDS),
    }
    return tuple(known[kind]()) if kind in known else ()
