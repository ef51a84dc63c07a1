"""What a transaction, or a block's due work, did: the outcome and its receipt."""

from __future__ import annotations

from enum import Enum
from typing import Generic, TypeVar

from msgspec import Struct

from tongbao.kernel.identifiers import Id
from tongbao.kernel.schema import Event

E = TypeVar("E", bound=Event)


class Outcome(Enum):
    """What became of a transaction in a block."""

    APPLIED = "applied"
    REFUSED = "refused"
    INVALID = "invalid"


class Receipt(
    Struct,
    Generic[E],
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    gc=False,
):
    """The canonical receipt that the receipts root commits to.

    `number` is 0 when applied, else the refusal number (module * 1000 + code); `message` is the
    index of the message that was refused. `ids` are those of things made, in order. A registry's
    `receipt_decoder` reads it with typed events.
    """

    outcome: str
    number: int = 0
    message: int = 0
    ids: tuple[Id, ...] = ()
    events: tuple[E, ...] = ()


class DueReceipt(
    Struct,
    Generic[E],
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    gc=False,
):
    """What a block's due work did: the last leaf of the receipts tree, if there was any."""

    done: int = 0
    stuck: int = 0
    ids: tuple[Id, ...] = ()
    events: tuple[E, ...] = ()


class Result(Struct, frozen=True, gc=False):
    """A transaction's outcome and the bytes of its receipt. `id` is empty when undecodable."""

    id: bytes
    outcome: Outcome
    number: int
    receipt: bytes
