"""What a buyer says when it has deleted what it got."""

from __future__ import annotations

import json

import pytest

from tests.golden_file import check_golden
from tests.rights.receipts import BOB, CHAIN, MADE_AT, ORDER_ID
from tongbao.kernel import Id
from tongbao.rights.deletion import (
    BadDeletion,
    Deletion,
    deletion_bytes,
    deletion_hash,
    read_deletion,
)

DELETION = Deletion(
    account=BOB, chain=CHAIN, deleted_at=MADE_AT, licence=Id("66" * 20), order=ORDER_ID
)


def test_an_attestation_of_a_deletion_is_frozen() -> None:
    """Given a deletion, when written and hashed, then the bytes hold, and it is read again."""
    text = deletion_bytes(DELETION)
    assert read_deletion(text) == DELETION
    found = {"deletion": text.decode(), "attestation_hash": deletion_hash(text).hex()}
    check_golden("receipt.json", "deletion", found)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        deletion_bytes(DELETION) + b"\n",
        json.dumps(json.loads(deletion_bytes(DELETION)), indent=1).encode(),
        deletion_bytes(DELETION).replace(b'"order"', b'"other"'),
        deletion_bytes(DELETION).replace(b'"order":"22', b'"more":1,"order":"22'),
        b'"' + b"x" * 2_000 + b'"',
        b"[" * 1_000,
    ],
)
def test_what_is_no_attestation_is_refused(text: bytes) -> None:
    """Given other bytes, when read, then BadDeletion."""
    with pytest.raises(BadDeletion):
        read_deletion(text)
