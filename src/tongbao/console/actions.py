"""What a proposal would do, action by action, as sentences of the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, reduce
from typing import Any, Final, get_type_hints

import msgspec
from markupsafe import Markup, escape
from msgspec import Struct

from tongbao.console.words import Words, is_known
from tongbao.kernel import Address, Name, PublicKey
from tongbao.kernel.kernel_module import (
    FeatureNames,
    ModuleLines,
    NodeId,
    RowCount,
    SettingName,
)
from tongbao.kernel.schema import wire_name_of
from tongbao.modules.governance import AdmitMember, Delay, Duration
from tongbao.modules.member import Accounts, Lei, MemberName, PermissionName, Role, Roles

UNITS: Final = (("days", 86_400_000), ("hours", 3_600_000), ("minutes", 60_000), ("seconds", 1_000))
"""Units of time and their milliseconds, the largest first."""

Write = Callable[[Words, Any], object]


def sentence(words: Words, action: Struct) -> Markup:
    """What one action does. One that has no text of its own is shown as it was signed."""
    name = wire_name_of(type(action)).partition(".")[2]
    key = f"action.{name}"
    if not is_known(key):
        return Markup("<code>{}</code>").format(msgspec.json.encode(action).decode())
    writes = writers_of(type(action))
    values = {field: writes[field](words, getattr(action, field)) for field in writes}
    return words(key, **values)


def duration(words: Words, ms: int) -> Markup:
    """A time that passes, in the largest unit in which it is a whole number."""
    if ms == 0:
        return words("duration.none")
    for unit, size in UNITS:
        if ms % size == 0:
            return words(f"duration.{unit}", count=f"{ms // size:,}")
    return words("duration.ms", count=f"{ms:,}")


def role(words: Words, name: str) -> Markup:
    """A role in words; one that a module of others declares has its own name alone."""
    key = f"role.{name}"
    return words(key) if is_known(key) else escape(name)


def _link(path: str, text: str, kind: str) -> Markup:
    shown = Markup('<a class="{}" href="{}" title="{}">{}</a>')
    return shown.format(kind, f"{path}{text}", text, text)


def _account(words: Words, value: str) -> Markup:
    return _link("/accounts/", value, "id")


def _lei(words: Words, value: str) -> Markup:
    return _link("/members/", value, "whole")


def _code(words: Words, value: str) -> Markup:
    return Markup('<code class="whole">{}</code>').format(value)


def _name(words: Words, value: str) -> Markup:
    return Markup('<q class="text">{}</q>').format(value)


def _several(one: Write) -> Write:
    """Write every one of several, or that there is none."""

    def write(words: Words, values: tuple[Any, ...]) -> object:
        if not values:
            return words("site.none")
        written = [one(words, value) for value in values]
        return reduce(lambda before, after: words("site.pair", before=before, after=after), written)

    return write


def _rows(words: Words, value: int | None) -> object:
    return words("allowance.common_rows") if value is None else f"{value:,}"


def _module_line(words: Words, line: Any) -> Markup:
    shown = Markup("{} {} <code>{}</code>")
    return shown.format(line.name, line.version, line.hash[:16])


WRITES: Final[Mapping[Any, Write]] = {
    Address: _account,
    Lei: _lei,
    MemberName: _name,
    Role: role,
    Roles: _several(role),
    Accounts: _several(_account),
    Duration: duration,
    Delay: duration,
    PublicKey: _code,
    NodeId: _code,
    Name: _code,
    SettingName: _code,
    PermissionName: _code,
    ModuleLines: _several(_module_line),
    FeatureNames: _several(_code),
    RowCount | None: _rows,
}
"""How a value of a type is written; one of another type is a number or a text."""


def _number(words: Words, value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


@cache
def writers_of(kind: type) -> dict[str, Write]:
    """How each member of an action is written."""
    hints = get_type_hints(kind, include_extras=True)
    written = {name: WRITES.get(hint, _number) for name, hint in hints.items()}
    if kind is AdmitMember:
        written["member"] = _code  # there is no page of a member that is not there yet
    return written
