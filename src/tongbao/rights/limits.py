"""Every limit of the formats; each is enforced where a text comes in from outside."""

from __future__ import annotations

from typing import Final

CHUNK_BYTES: Final = 65_536
"""Plain bytes of a chunk: 64 KiB."""

TAG_BYTES: Final = 16
"""What AES-GCM adds to each chunk."""

SEALED_CHUNK_BYTES: Final = CHUNK_BYTES + TAG_BYTES

CHUNKS_LIMIT: Final = 65_536
"""A package has at most 4 GiB, as on the ledger."""

LENGTH_BYTES: Final = 8
"""The length of the text, before it."""

TEXT_BYTES_LIMIT: Final = CHUNKS_LIMIT * CHUNK_BYTES - LENGTH_BYTES

LINE_BYTES_LIMIT: Final = 131_072
"""The longest line of a text: 65 cells of 256 characters, each escaped, fit."""

ROWS_LIMIT: Final = 10_000
"""Rows of a batch."""

FIELDS_LIMIT: Final = 64
"""Fields of a schema."""

TEXT_LIMIT: Final = 256
"""Characters of a value that is a text."""

ATTESTATION_BYTES_LIMIT: Final = 4_096
"""Bytes of an attestation with its signature."""

KEY_BYTES: Final = 32
"""Bytes of every key, half of a key, secret and hash."""

ORDER_BYTES: Final = 20
"""Bytes of the id of an order, as of every id on the ledger."""

SALT_BYTES: Final = 16
"""Bytes of every salt."""
