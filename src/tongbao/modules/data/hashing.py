"""The one hash rule of the data market: what the ledger, a store, an agent and a buyer compute."""

from hashlib import sha256

__all__ = ["data_hash"]


def data_hash(tag: str, *parts: bytes) -> bytes:
    """SHA-256("tongbao/data/" || tag || "/1" || 0x00 || each part after its 4-byte length).

    Lengths are big-endian. Ids and addresses are their raw bytes.
    """
    digest = sha256(b"tongbao/data/" + tag.encode("ascii") + b"/1\x00")
    for part in parts:
        digest.update(len(part).to_bytes(4, "big"))
        digest.update(part)
    return digest.digest()
