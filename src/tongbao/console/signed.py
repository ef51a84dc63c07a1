"""What a transaction said and did, member by member, with the kinds that its module declared."""

from __future__ import annotations

from typing import Any, Final, get_args, get_type_hints

import msgspec
from msgspec import Struct

from tongbao.kernel import Address, Amount, AssetId, Hash, Id, PublicKey, Registry, Time
from tongbao.kernel.schema import wire_name_of

KINDS: Final[dict[Any, str]] = {
    Address: "address",
    AssetId: "asset",
    Amount: "amount",
    Time: "time",
    Hash: "code",
    Id: "code",
    PublicKey: "code",
}
"""Declared types that pages show in a way of their own; everything else is text."""


class Member(Struct, frozen=True):
    """One member of a message or event, by name."""

    name: str
    kind: str
    value: Any


class Said(Struct, frozen=True):
    """A message or an event: its wire name and its members in the order of the JSON."""

    type: str
    members: tuple[Member, ...]


class Reader:
    """Knows what the modules of a chain declare."""

    def __init__(self, registry: Registry) -> None:
        """Look at every message and event."""
        events = [event for found in registry.events_of.values() for event in found]
        self._kinds = {
            wire_name_of(declared): _kinds_of(declared)
            for declared in (*registry.messages, *events)
        }

    def said(self, members: dict[str, Any]) -> Said:
        """A message or event out of its JSON members."""
        name = str(members["@type"])
        kinds = self._kinds.get(name, {})
        return Said(
            name,
            tuple(
                Member(member, kinds.get(member, "text"), value)
                if isinstance(value, str | int)
                else Member(member, "text", msgspec.json.encode(value).decode())
                for member, value in members.items()
                if member != "@type"
            ),
        )


def _kinds_of(declared: type) -> dict[str, str]:
    """The kind of each member of a declared type; `Address | None` is an address too."""
    found = {}
    for name, hint in get_type_hints(declared).items():
        for part in (hint, *get_args(hint)):
            if part in KINDS:
                found[name] = KINDS[part]
    return found
