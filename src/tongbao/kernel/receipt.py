"""What a transaction, or a block's due work, did: the outcome and its receipt."""

from __future__ import annotations

from enum import Enum
from typing import Any, Final

import msgspec
from msgspec import Struct

from tongbao.kernel import jcs
from tongbao.kernel.identifiers import Id
from tongbao.kernel.registry import Registry
from tongbao.kernel.schema import wire_name_of


class Outcome(Enum):
    """What became of a transaction in a block."""

    APPLIED = "applied"
    REFUSED = "refused"
    INVALID = "invalid"


class Receipt(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, gc=False
):
    """The canonical receipt that the receipts root commits to.

    `number` is 0 when applied, else the refusal number (module * 1000 + code); `message` is the
    index of the message that was refused. `ids` are those of things made, in order.
    """

    outcome: str
    number: int = 0
    message: int = 0
    ids: tuple[Id, ...] = ()
    events: tuple[Any, ...] = ()


class DueReceipt(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, gc=False
):
    """What a block's due work did: the last leaf of the receipts tree, if there was any."""

    done: int = 0
    stuck: int = 0
    ids: tuple[Id, ...] = ()
    events: tuple[Any, ...] = ()


class Result(Struct, frozen=True, gc=False):
    """A transaction's outcome and the bytes of its receipt. `id` is empty when undecodable."""

    id: bytes
    outcome: Outcome
    number: int
    receipt: bytes


APPLIED_NUMBER: Final = 0


def read_receipt(registry: Registry, text: bytes) -> Receipt:
    """A receipt whose events are typed. Raises msgspec.DecodeError."""
    raw: Receipt = jcs.decoder(Receipt).decode(text)
    kinds = {wire_name_of(kind): kind for kind in registry.event_types}
    events = tuple(jcs.convert(event, kinds[event["@type"]]) for event in raw.events)
    return msgspec.structs.replace(raw, events=events)
