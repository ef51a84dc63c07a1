"""How a field of a message is written: its number, name and kind."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from tongbao.engines.cometbft.messages import Message


class Kind(Enum):
    """The scalar types of protobuf that ABCI uses. Enumerations are written as INT32."""

    INT32 = "int32"
    INT64 = "int64"
    UINT32 = "uint32"
    UINT64 = "uint64"
    BOOL = "bool"
    STRING = "string"
    BYTES = "bytes"


class Field(NamedTuple):
    """One field of a message; `kind` is a scalar type or the message that it holds."""

    number: int
    name: str
    kind: Kind | type[Message]
    repeated: bool = False
    choice: bool = False
    """One of several of which exactly one is there: None for those that are not."""


def many(number: int, name: str, kind: Kind | type[Message]) -> Field:
    """A field that holds any count of values."""
    return Field(number, name, kind, repeated=True)


def choice(number: int, name: str, kind: Kind) -> Field:
    """One of the fields of a `oneof`."""
    return Field(number, name, kind, choice=True)
