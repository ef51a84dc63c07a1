"""Every limit of the formats; each is enforced where a text comes in from outside."""

from __future__ import annotations

from typing import Final

from tongbao.modules.data import types

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

BATCH_BYTES_LIMIT: Final = 64 * 1024 * 1024
"""A batch's text at rest: the longest that is sealed or read."""

COPY_CHUNKS_LIMIT: Final = 2_048
"""A parcel of a batch or of a copy: 128 MiB, since hashes are longer than what they hide."""

EVIDENCE_CHUNKS_LIMIT: Final = 2 * CHUNKS_LIMIT
"""A parcel of evidence: sealed chunks of the largest package are longer than its text."""

PARCEL_HEAD_BYTES_LIMIT: Final = 512
"""The head of a parcel; one has about 400."""

REQUEST_BYTES_LIMIT: Final = 16_384
"""A request for data."""

WHY_LIMIT: Final = 500
"""Characters of the sentence by which a request tells the person why."""

LINE_BYTES_LIMIT: Final = 131_072
"""The longest line of a text: 65 cells of 256 characters, each escaped, fit."""

ROWS_LIMIT: Final = 10_000
"""Rows of a batch."""

FIELDS_LIMIT: Final = 64
"""Fields of a schema."""

TEXT_LIMIT: Final = 256
"""Characters of a value that is a text."""

ATTESTATION_BYTES_LIMIT: Final = types.ATTESTATION_BYTES_LIMIT
"""Bytes of an attestation with its signature, as on the ledger."""

KEY_BYTES: Final = 32
"""Bytes of every key, half of a key, secret and hash."""

ORDER_BYTES: Final = 20
"""Bytes of the id of an order, as of every id on the ledger."""

SALT_BYTES: Final = 16
"""Bytes of every salt."""

RECEIPT_BYTES_LIMIT: Final = 32_768
"""Bytes of a receipt: 36 batches, 64 fields and a sentence in each language fit several times."""

DELETION_BYTES_LIMIT: Final = 1_024
"""Bytes of an attestation that something was deleted."""
