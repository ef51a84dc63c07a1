"""The headers in a chain's log, whichever engine has written them.

A solo header is signed by an authority. A network's node writes its own note, which nobody signs:
who did not decide the block believes CometBFT's header instead, and never this one.
"""

from __future__ import annotations

from tongbao.engines.cometbft.header import BEGIN, LocalHeader, decode_local, local_hash
from tongbao.engines.solo.header import Header, HeaderError, tree_root
from tongbao.engines.solo.header import decode_header as decode_signed
from tongbao.engines.solo.header import header_hash as signed_hash
from tongbao.engines.solo.header import read_header as read_signed
from tongbao.kernel import Genesis, Hash

SOLO = "solo"
COMETBFT = "cometbft"


def read_header(text: bytes) -> tuple[Header, str | None]:
    """A header and the key that signed it, whose signature is right; None for a local one.

    Whether that key may sign, or nobody need to, is for the caller to ask. Raises HeaderError.
    """
    return (decode_local(text), None) if text.startswith(BEGIN) else read_signed(text)


def decode_header(text: bytes) -> tuple[Header, str | None]:
    """A header and the key that is said to have signed it, whose signature is not checked.

    Raises HeaderError.
    """
    if text.startswith(BEGIN):
        return decode_local(text), None
    header, signature = decode_signed(text)
    return header, signature.kid


def header_hash(header: Header) -> Hash:
    """The hash by which the next block's header of the same chain names this one."""
    return local_hash(header) if isinstance(header, LocalHeader) else signed_hash(header)


def is_network(genesis: Genesis) -> bool:
    """Whether a chain's blocks are ordered by CometBFT, and its headers local."""
    return genesis.engine.name == COMETBFT


__all__ = [
    "COMETBFT",
    "SOLO",
    "Header",
    "HeaderError",
    "LocalHeader",
    "decode_header",
    "header_hash",
    "is_network",
    "read_header",
    "tree_root",
]
