"""Protobuf's wire format: numbers of variable length, tags, and how to step over a field.

Only what is needed to read and write messages whose fields are known; what a message means is in
`fields.py`. Everything that reads raises `WireError` and nothing else, whatever the bytes are.
"""

from __future__ import annotations

from typing import Final

VARINT: Final = 0
FIXED64: Final = 1
LENGTH: Final = 2
GROUP: Final = 3
GROUP_END: Final = 4
FIXED32: Final = 5

MASK_32: Final = (1 << 32) - 1
MASK_64: Final = (1 << 64) - 1
TAG_LIMIT: Final = MASK_32
GROUP_DEPTH: Final = 100
"""Groups inside of groups, as many as Google's library follows; nobody has sent one for years."""


class WireError(ValueError):
    """Bytes that are no message, or a message that has no bytes; says which part is wrong."""


def read_varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """The unsigned 64-bit number at a place, and the place after it. Raises WireError.

    Ten bytes have 70 bits; those above 64 are dropped, as Go's and Google's libraries do.
    """
    if at < end:
        byte = data[at]
        if byte < 0x80:
            return byte, at + 1
    value = shift = 0
    while at < end:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & MASK_64, at
        shift += 7
        if shift == 70:
            raise WireError("a number has more than 10 bytes")
    raise WireError("the bytes end within a number")


def write_varint(value: int) -> bytes:
    """An unsigned number of at most 64 bits in its shortest form."""
    if value < 0x80:
        return bytes((value,))
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def signed(value: int, bits: int) -> int:
    """The two's complement meaning of the lowest bits of a number."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def read_tag(data: bytes, at: int, end: int) -> tuple[int, int]:
    """A field's tag (number times 8 and wire type) and the place after it. Raises WireError."""
    tag, at = read_varint(data, at, end)
    if tag > TAG_LIMIT or tag < 8:
        raise WireError(f"no field has the number {tag >> 3}")
    return tag, at


def read_length(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Where a field of a stated length begins and ends. Raises WireError when it goes beyond."""
    length, at = read_varint(data, at, end)
    if length > end - at:
        raise WireError(f"a field of {length} bytes where {end - at} are left")
    return at, at + length


def skip(data: bytes, tag: int, at: int, end: int, depth: int = 0) -> int:
    """The place after a field of another version, whose tag was read. Raises WireError."""
    match tag & 7:
        case 0:
            return read_varint(data, at, end)[1]
        case 1:
            at += 8
        case 2:
            return read_length(data, at, end)[1]
        case 3:
            return _skip_group(data, tag, at, end, depth + 1)
        case 5:
            at += 4
        case wrong:
            raise WireError(f"field {tag >> 3} has the wire type {wrong}, which stands for nothing")
    if at > end:
        raise WireError("the bytes end within a field")
    return at


def _skip_group(data: bytes, tag: int, at: int, end: int, depth: int) -> int:
    if depth > GROUP_DEPTH:
        raise WireError(f"more than {GROUP_DEPTH} groups inside of one another")
    while True:
        inner, at = read_tag(data, at, end)
        if inner & 7 == GROUP_END:
            if inner >> 3 != tag >> 3:
                raise WireError(f"group {tag >> 3} is ended as {inner >> 3}")
            return at
        at = skip(data, inner, at, end, depth)
