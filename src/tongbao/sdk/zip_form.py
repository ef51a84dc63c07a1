"""Archives in the one form that a bundle has: a zip file (PKWARE APPNOTE 6.3) that stores.

Members stand one after the other without compression, all dated 1 January 1980, none with extra
fields. So the bytes follow from names and contents alone, on every machine; they can be written
while they are made; and nothing in the file is larger than the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from struct import Struct
from typing import Final
from zlib import crc32

NAME: Final = re.compile(r"(?:[a-z]{1,16}/)?[a-z0-9]{1,64}[.][a-z]{1,8}")
"""No name leads out of the folder that somebody unpacks into."""
MEMBERS_LIMIT: Final = 20_000
MEMBER_BYTES_LIMIT: Final = 33_554_432
"""32 MiB."""
BYTES_LIMIT: Final = 268_435_456
"""256 MiB of the whole file."""

_LOCAL: Final = Struct("<4s5H3I2H")
_CENTRAL: Final = Struct("<4s6H3I5H2I")
_END: Final = Struct("<4s4H2IH")
_LOCAL_MARK: Final = b"PK\x03\x04"
_CENTRAL_MARK: Final = b"PK\x01\x02"
_END_MARK: Final = b"PK\x05\x06"
_VERSION: Final = 10
_FIRST_DAY: Final = 0x21

Members = dict[str, bytes]


class ZipError(ValueError):
    """The bytes are no archive of this form; the text says where."""


def zip_pieces(members: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """The bytes of an archive, piece by piece; each member is asked for once it is its turn.

    Raises ZipError where a limit is passed.
    """
    directory: list[bytes] = []
    place = 0
    for name, content in members:
        if len(directory) == MEMBERS_LIMIT or len(content) > MEMBER_BYTES_LIMIT:
            raise ZipError("an archive has at most 20,000 members of at most 32 MiB")
        encoded, size, check = name.encode("ascii"), len(content), crc32(content)
        fields = (_VERSION, 0, 0, 0, _FIRST_DAY, check, size, size, len(encoded), 0)
        central = (_CENTRAL_MARK, _VERSION, *fields, 0, 0, 0, 0, place)
        directory.append(_CENTRAL.pack(*central) + encoded)
        piece = _LOCAL.pack(_LOCAL_MARK, *fields) + encoded + content
        place += len(piece)
        if place > BYTES_LIMIT:
            raise ZipError("an archive has at most 256 MiB")
        yield piece
    listed = b"".join(directory)
    count = len(directory)
    yield listed + _END.pack(_END_MARK, 0, 0, count, count, len(listed), place, 0)


def read_zip(archive: bytes) -> Members:
    """The members of an archive, in their order. Raises ZipError for any other bytes."""
    if len(archive) > BYTES_LIMIT:
        raise ZipError("more than 256 MiB")
    members: Members = {}
    place = 0
    while archive[place : place + len(_LOCAL_MARK)] == _LOCAL_MARK:
        name, content, place = _member(archive, place)
        if name in members:
            raise ZipError(f"{name} stands in it twice")
        if len(members) == MEMBERS_LIMIT:
            raise ZipError("more than 20,000 members")
        members[name] = content
    if b"".join(zip_pieces(members.items())) != archive:
        raise ZipError("not in the one form: it was packed again, cut short or added to")
    return members


def _member(archive: bytes, place: int) -> tuple[str, bytes, int]:
    """Name and content of the member at a place, and where the next one begins."""
    if len(archive) < place + _LOCAL.size:
        raise ZipError("it is cut short")
    size, length = _LOCAL.unpack_from(archive, place)[-3:-1]
    begin = place + _LOCAL.size + length
    if size > MEMBER_BYTES_LIMIT or len(archive) < begin + size:
        raise ZipError("a member is longer than 32 MiB, or cut short")
    name = archive[place + _LOCAL.size : begin].decode("latin-1")
    if NAME.fullmatch(name) is None:
        raise ZipError(f"a member has the name {name[:64]!a}")
    return name, archive[begin : begin + size], begin + size
