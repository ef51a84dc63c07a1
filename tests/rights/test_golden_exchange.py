"""The frozen bytes of what programs around the market exchange, with all that makes them."""

from __future__ import annotations

import json
from hashlib import sha256

from tests.golden_file import check_golden
from tests.rights.hpke_by_the_book import public_key_of
from tests.rights.material import HALVES, ORDER, batch, fixed, honest
from tests.rights.test_attestation import SEED
from tests.rights.test_copies import BATCH, OWNER, attestation_of, text_of
from tests.rights.test_parcel import READER, by_the_book, parts
from tests.rights.test_requests import REQUEST
from tongbao.modules.data.hashing import data_hash
from tongbao.rights.batch import commitment_of
from tongbao.rights.copies import read_copy
from tongbao.rights.delivered_batch import batch_parcel_text, read_batch_parcel
from tongbao.rights.parcel import Kind, open_parcel
from tongbao.rights.requests import evidence_hash, grant_hash, request_bytes, request_hash

FILE = "rights.json"
RECEIPT = b'{"stands":"for the bytes of a receipt"}'


def test_parcels_of_each_kind_are_frozen() -> None:
    """Given fixed keys, when parcels are made by the book, then head and chunks hold; they open."""
    about: dict[Kind, bytes] = {
        "batch": commitment_of(batch(2).header),
        "copy": commitment_of(batch(2).header),
        "evidence": ORDER + bytes(12),
    }
    found = {}
    for kind, context in about.items():
        parcel = by_the_book(kind, context, b"eggs")
        assert open_parcel(kind, READER, parcel).text == b"eggs"
        head, chunks = parts(parcel)
        root = bytes.fromhex(json.loads(head)["root"])
        found[kind] = {
            "context": context.hex(),
            "text": b"eggs".hex(),
            "reader_secret": READER.hex(),
            "reader_key": public_key_of(READER).hex(),
            "key": fixed("key of a parcel").hex(),
            "ephemeral_secret": fixed("ephemeral").hex(),
            "info": data_hash("parcel", kind.encode(), context, root).hex(),
            "head": head.decode(),
            "first_bytes": parcel[: 4 + len(head) + 64].hex(),
            "bytes": len(parcel),
            "sha256_of_chunks": sha256(chunks).hexdigest(),
            "sha256": sha256(parcel).hexdigest(),
        }
    check_golden(FILE, "parcels", found)


def test_what_a_source_and_a_person_send_is_frozen() -> None:
    """Given a batch and its source's seed, when sent and copied, then the texts hold."""
    one = batch(2)
    delivered = batch_parcel_text(attestation_of(one), one)
    assert read_batch_parcel(delivered)[1] == one
    copied = text_of(one, "day", "eggs")
    assert read_copy(copied).fields == ("day", "eggs")
    found = {
        "seed_of_source": SEED.hex(),
        "commitment": commitment_of(one.header).hex(),
        "delivered": delivered.decode(),
        "batch": BATCH,
        "owner": OWNER,
        "offered": ["day", "eggs"],
        "copy": copied.decode(),
    }
    check_golden(FILE, "sent", found)


def test_hashes_of_documents_beside_the_ledger_are_frozen() -> None:
    """Given a request, a receipt and evidence, when hashed, then the hashes hold."""
    sealed = honest(batch(2), batch(0, "2026-11")).commitments.sealed
    found = {
        "request": {
            "text": request_bytes(REQUEST).decode(),
            "request_hash": request_hash(REQUEST).hex(),
        },
        "receipt": {"text": RECEIPT.decode(), "grant_hash": grant_hash(RECEIPT).hex()},
        "evidence": {
            "order": ORDER.hex(),
            "a": HALVES.a.hex(),
            "package_root": sealed.package_root.hex(),
            "evidence_hash": evidence_hash(ORDER, HALVES.a, sealed.package_root).hex(),
        },
    }
    check_golden(FILE, "documents", found)
