"""The header that a node of a network writes into its own log: what a block came to, unsigned.

It is this node's own note. Others believe CometBFT's header with the votes for it; ours names that
header's hash, and the roots that the log's content is checked against.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Final, NewType

import msgspec
from msgspec import Meta

from tongbao.engines.solo.header import Header, HeaderError
from tongbao.kernel import Hash, jcs

DOMAIN: Final = b"tongbao/local-header/1"
BEGIN: Final = b"{"
"""How a local header's bytes begin; a signed one's begin with base64url."""
HEADER_BYTES: Final = 2_048
"""No local header is as long."""

BlockHash = NewType("BlockHash", Annotated[str, Meta(pattern=r"^([0-9a-f]{64})?\Z")])
"""CometBFT's hash of a block in hex; "" for block 0, which it does not have."""


class LocalHeader(Header):
    """What a block came to on this node. `previous` is the local hash of the header before.

    The other members are those of a solo header; `block` is CometBFT's hash of the block.
    """

    block: BlockHash


_decoder: msgspec.json.Decoder[LocalHeader] = jcs.decoder(LocalHeader)


def local_hash(header: LocalHeader) -> Hash:
    """SHA-256("tongbao/local-header/1" || the header's RFC 8785 bytes); the next one names it."""
    return Hash(sha256(DOMAIN + encode_local(header)).hexdigest())


def encode_local(header: LocalHeader) -> bytes:
    """A local header as the log keeps it: RFC 8785 JSON."""
    return jcs.encode(header)


def decode_local(text: bytes) -> LocalHeader:
    """The local header in its one spelling. Raises HeaderError."""
    try:
        if len(text) > HEADER_BYTES:
            raise ValueError(f"{len(text)} bytes")
        return jcs.decode_canonical(_decoder, text)
    except (msgspec.DecodeError, ValueError) as error:
        raise HeaderError(f"not a local header: {error}") from error
