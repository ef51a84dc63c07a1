"""Blocks of made-up bytes for tests of the store, and folders compared as wholes."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from tongbao.store.record import BlockRecord, Status

CHAIN = "fixed-01234567"
TOUCHED = ("lock", "lock.mdb")
"""Files that an attempt to open a folder writes without changing what the folder keeps."""


def transaction_id(height: int, index: int = 0) -> bytes:
    """The id of a made-up transaction."""
    return sha256(f"{height}/{index}".encode()).digest()


def block(height: int, size: int = 40) -> BlockRecord:
    """A block that writes a row of its own and a shared one, and removes the row two before."""
    rows: dict[bytes, bytes | None] = {
        b"own/%06d" % height: b"%d" % height * max(1, size // 8),
        b"shared": b"%d" % height,
    }
    if height > 1:
        rows[b"own/%06d" % (height - 2)] = None
    return BlockRecord(
        height=height,
        time=1_790_000_000_000 + height,
        header=b"header %d" % height,
        transactions=(b"transaction %d" % height, bytes(size)),
        receipts=(b"receipt %d" % height, b""),
        rows=tuple(sorted(rows.items())),
        outbox=((transaction_id(height), 0), (transaction_id(height, 1), 1001)),
    )


def rows_after(height: int, size: int = 40) -> list[tuple[bytes, bytes]]:
    """Every row after the blocks up to a height."""
    rows: dict[bytes, bytes] = {}
    for made in range(height + 1):
        for key, value in block(made, size).rows:
            if value is None:
                rows.pop(key, None)
            else:
                rows[key] = value
    return sorted(rows.items())


def status_of(height: int, index: int = 0) -> Status:
    """What the store says of a made-up transaction."""
    return Status(height, index, 1001 if index else 0)


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder that keeps something, with its bytes."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in TOUCHED
    }


def flip(path: Path, offset: int) -> None:
    """Change one bit of a file."""
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(data)
