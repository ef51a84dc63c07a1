"""Names, kinds and limits of what a store keeps."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct

from tongbao.rights.limits import CHUNKS_LIMIT, SEALED_CHUNK_BYTES
from tongbao.services.serving.problems import bad_request

NAME: Final = re.compile(r"[0-9a-f]{64}\Z")
"""32 bytes in lowercase hex: spaces, blobs, parcels and the hashes of tokens."""
WRAPPED_KEY_BYTES: Final = 40
BLOB_BYTES_LIMIT: Final = CHUNKS_LIMIT * SEALED_CHUNK_BYTES
PARCEL_BYTES_LIMIT: Final = 2_048 * SEALED_CHUNK_BYTES + 8_192
"""A parcel with a batch of 64 MiB, padded."""
PAGE: Final = 1_000
"""Names of one answer."""
DROPS_LIMIT: Final = 1_000
"""Tokens of a space at once."""
INBOX_LIMIT: Final = 1_000
"""Parcels that wait in a space at once; in bytes, half of its quota."""
ERASED_LIMIT: Final = 1_000_000
"""Names of a space of which it is known for good that they were erased."""
SPACES_LIMIT: Final = 100_000

GIB: Final = 1_073_741_824


class Kind(StrEnum):
    """What lies in a space, each in a folder of its own."""

    BLOB = "blobs"
    KEY = "keys"
    DROP = "drops"
    PARCEL = "inbox"


class Quota(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How much a space may keep: bytes of blobs and parcels, and names of blobs and keys."""

    bytes: Annotated[int, Meta(ge=0, le=2**50)] = GIB
    names: Annotated[int, Meta(ge=0, le=10_000_000)] = 10_000


class Kept(Struct, frozen=True):
    """One thing of a space."""

    name: str
    size: int


class Receipt(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """That something was erased for good, and when (ms UTC)."""

    erased_at: int
    name: str
    space: str


def check_name(text: str, what: str = "a name") -> str:
    """A text that is 32 bytes in lowercase hex. Raises Problem."""
    if not NAME.match(text):
        raise bad_request(f"{what} is 64 hex digits, in lowercase")
    return text
