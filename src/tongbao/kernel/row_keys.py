"""Row keys: one order-preserving encoding.

| type              | bytes                                   |
|-------------------|-----------------------------------------|
| `Id`, `Address`   | the 20 bytes                            |
| other text        | its ASCII bytes, then one zero byte     |
| integer           | unsigned, 8 bytes, big endian           |
| tuple             | its parts one after the other           |

Texts are printable ASCII and integers not below zero by their types, which are checked here, so
whatever a user may send has an encoding, and one of at most `KeyCodec.longest` bytes.
Each form ends by itself, so parts never run together and the order of keys is the order of tuples.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, get_args, get_origin

from tongbao.kernel.identifiers import ID_BYTES, Address, Id
from tongbao.kernel.schema import check_type, longest_text, metas_of

INTEGER_BYTES: Final = 8
INTEGER_LIMIT: Final = 2**64 - 1

Encode = Callable[[Any], bytes]
Decode = Callable[[bytes, int], tuple[Any, int]]


def encode_text(value: str) -> bytes:
    """ASCII text with its end mark."""
    return value.encode("ascii") + b"\0"


def encode_integer(value: int) -> bytes:
    """An integer of 0 to 2**64 - 1."""
    return value.to_bytes(INTEGER_BYTES, "big")


def _decode_id(data: bytes, at: int) -> tuple[str, int]:
    end = at + ID_BYTES
    return data[at:end].hex(), end


def _decode_text(data: bytes, at: int) -> tuple[str, int]:
    end = data.index(b"\0", at)
    return data[at:end].decode("ascii"), end + 1


def _decode_integer(data: bytes, at: int) -> tuple[int, int]:
    end = at + INTEGER_BYTES
    return int.from_bytes(data[at:end], "big"), end


def encode_by_value(value: object) -> bytes:
    """The encoding chosen by the value itself, for index entries: ids are text there."""
    if isinstance(value, str):
        return encode_text(value)
    if isinstance(value, tuple):
        return b"".join(map(encode_by_value, value))
    assert isinstance(value, int) and 0 <= value <= INTEGER_LIMIT, value
    return encode_integer(value)


class KeyCodec:
    """How the keys of one table are written and read."""

    def __init__(self, kind: Any) -> None:
        """Compile the codec of a key type: Id, Address, a text or integer NewType, or a tuple."""
        self.is_tuple = get_origin(kind) is tuple
        self.kinds: tuple[Any, ...] = get_args(kind) if self.is_tuple else (kind,)
        self.parts: tuple[str, ...] = tuple(map(_form, self.kinds))
        self.longest = sum(map(_longest, self.kinds, self.parts))
        self.encode: Encode = self.encoder_after(b"")
        self.encode_first: Encode = _ENCODE[self.parts[0]]

    def encoder_after(self, prefix: bytes) -> Encode:
        """The encoder of keys with a prefix before each."""
        return _compile(prefix, self.parts, is_tuple=self.is_tuple)

    def decode(self, data: bytes, at: int = 0) -> Any:
        """The key whose encoding is `data[at:]`. Raises ValueError when it is not one."""
        values = []
        for form in self.parts:
            value, at = _DECODE[form](data, at)
            values.append(value)
        if at != len(data):
            raise ValueError("bytes after the end of a row key")
        return tuple(values) if self.is_tuple else values[0]


def _form(kind: Any) -> str:
    """The name of the encoding of one part: "id", "text" or "integer"."""
    if kind is Id or kind is Address:
        return "id"
    base = kind
    while hasattr(base, "__supertype__"):
        base = base.__supertype__
    base = getattr(base, "__origin__", base)
    assert base in (str, int), f"{kind} can't be part of a row key"
    return "text" if base is str else "integer"


def _longest(kind: Any, form: str) -> int:
    """The most bytes of one part; an assertion where a value of its type has no encoding."""
    check_type(kind, f"the key {kind}")
    if form == "id":
        return ID_BYTES
    if form == "text":
        return longest_text(kind) + 1
    lows = [meta.ge for meta in metas_of(kind) if meta.ge is not None]
    assert min(lows) >= 0, f"the key {kind} may be below zero"
    return INTEGER_BYTES


def _compile(prefix: bytes, forms: tuple[str, ...], *, is_tuple: bool) -> Encode:
    """One call for the hot shapes: an id, and pairs of an id with a text (holdings) or a number."""
    if not is_tuple:
        if forms == ("id",):
            return lambda key: prefix + bytes.fromhex(key)
        write = _ENCODE[forms[0]]
        return lambda key: prefix + write(key)
    if forms == ("id", "text"):
        return lambda key: prefix + bytes.fromhex(key[0]) + key[1].encode("ascii") + b"\0"
    if forms == ("id", "integer"):
        return lambda key: prefix + bytes.fromhex(key[0]) + key[1].to_bytes(INTEGER_BYTES, "big")
    encoders = tuple(_ENCODE[form] for form in forms)
    return lambda key: (
        prefix + b"".join([write(part) for write, part in zip(encoders, key, strict=True)])
    )


_ENCODE: dict[str, Encode] = {
    "id": bytes.fromhex,
    "text": encode_text,
    "integer": encode_integer,
}
_DECODE: dict[str, Decode] = {
    "id": _decode_id,
    "text": _decode_text,
    "integer": _decode_integer,
}
