"""The frozen bytes of the formats, each with all that another language needs to make them."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from msgspec.structs import replace

from tests.golden_file import check_golden
from tests.rights.hpke_by_the_book import public_key_of, seal
from tests.rights.material import (
    FIELDS,
    HALVES,
    ORDER,
    SCHEMA,
    SOURCE,
    Case,
    batch,
    fixed,
    honest,
    order_of,
    sealed_text,
    told_batch,
)
from tests.rights.test_attestation import ATTESTATION, SEED
from tongbao.kernel import Address, jcs
from tongbao.modules.data.hashing import data_hash
from tongbao.rights.at_rest import load_batch, store_batch, wrap_key
from tongbao.rights.attestation import sign_attestation
from tongbao.rights.batch import commitment_of
from tongbao.rights.cells import cell_hash, cells_of, leaf_of, salt_of
from tongbao.rights.chunks import open_chunks
from tongbao.rights.envelope import envelope_info, take_out_of_envelope
from tongbao.rights.halves import package_key
from tongbao.rights.judge import Order, Verdict
from tongbao.rights.package_text import package_lines
from tongbao.rights.schema import event_hash

FILE = "rights.json"


def test_the_hashes_of_a_batch_are_frozen() -> None:
    """Given a batch of two rows, when hashed, then each cell, leaf, root and commitment holds."""
    one = batch(2)
    found: dict[str, Any] = {
        "H": {
            "tag": "cell",
            "parts": ["65676773", "", "31"],
            "hash": data_hash("cell", b"eggs", b"", b"1").hex(),
        },
        "event": {
            "source_key": fixed("source").hex(),
            "event_id": b"0".hex(),
            "hash": event_hash(fixed("source"), b"0"),
        },
        "subject": {
            "source": SOURCE,
            "owner_key": fixed("owner").hex(),
            "salt": fixed("pseudonym")[:16].hex(),
            "hash": one.header.subject,
        },
        "batch": {
            "schema": json.loads(jcs.encode(SCHEMA)),
            "secret": one.secret.hex(),
            "rows": [[row.event, *row.values] for row in one.rows],
            "salts": [
                [salt_of(one.secret, number, name).hex() for name in SCHEMA.cells]
                for number in range(2)
            ],
            "cells": [
                [cell.hex() for cell in cells_of(SCHEMA, one.secret, number, row)]
                for number, row in enumerate(one.rows)
            ],
            "leaves": [
                leaf_of(number, cells_of(SCHEMA, one.secret, number, row)).hex()
                for number, row in enumerate(one.rows)
            ],
            "header": jcs.encode(one.header).decode(),
            "commitment": commitment_of(one.header).hex(),
        },
        "empty": {
            "header": jcs.encode(batch(0).header).decode(),
            "commitment": commitment_of(batch(0).header).hex(),
        },
        "cells": [
            {"value": value, "hash": cell_hash("note", fixed("salt")[:16], value).hex()}
            for value in ("", '蛋 \u20ac \u2028 \x07 \\ "', 0, -(2**53) + 1, True, False)
        ],
    }
    check_golden(FILE, "hashes", found)


def test_a_sealed_package_is_frozen() -> None:
    """Given halves, order and batches, when sealed, then text, key, chunks and hashes hold."""
    months = (batch(2), batch(0, "2026-11"))
    case = honest(*months)
    sealed = case.commitments.sealed
    found = {
        "order": ORDER.hex(),
        "fields": list(FIELDS),
        "batches": [one.commitment.hex() for one in case.order.batches],
        "a": HALVES.a.hex(),
        "b": HALVES.b.hex(),
        "key": package_key(ORDER, HALVES.a, HALVES.b).hex(),
        "text": b"".join(package_lines(months, FIELDS)).decode(),
        "sha256_of_chunks": [sha256(chunk).hexdigest() for chunk in case.chunks],
        "first_bytes_of_chunks": [chunk[:64].hex() for chunk in case.chunks],
        "chunk_count": sealed.chunk_count,
        "package_root": sealed.package_root.hex(),
        "a_commit": sealed.a_commit.hex(),
        "b_lock": sealed.b_lock.hex(),
    }
    check_golden(FILE, "package", found)


def test_an_envelope_is_frozen() -> None:
    """Given a fixed ephemeral key, when `a` is sealed, then the envelope holds, and it opens."""
    sealed = honest(batch(2), batch(0, "2026-11")).commitments.sealed
    grant, buyer = fixed("grant"), fixed("buyer")
    info = envelope_info(ORDER, grant, sealed)
    envelope = seal(public_key_of(buyer), HALVES.a, info, fixed("ephemeral"))
    assert take_out_of_envelope(buyer, envelope, ORDER, grant, sealed) == HALVES.a
    found = {
        "buyer_secret": buyer.hex(),
        "buyer_key": public_key_of(buyer).hex(),
        "ephemeral_secret": fixed("ephemeral").hex(),
        "grant_hash": grant.hex(),
        "info": info.hex(),
        "envelope": envelope.hex(),
    }
    check_golden(FILE, "envelope", found)


def test_a_batch_at_rest_is_frozen() -> None:
    """Given a batch's key and its owner's, when wrapped, then 40 bytes hold; the text too."""
    one, owner, key = batch(2), fixed("owner's key"), fixed("batch key")
    commitment = commitment_of(one.header)
    stored = store_batch(one, owner)
    assert load_batch(stored, owner) == one
    found = {
        "owner_key": owner.hex(),
        "batch_key": key.hex(),
        "commitment": commitment.hex(),
        "wrapped_key": wrap_key(owner, commitment, key).hex(),
        "text": jcs.encode(
            {
                "header": one.header,
                "rows": [[row.event, row.values] for row in one.rows],
                "schema": SCHEMA,
                "secret": one.secret.hex(),
            }
        ).decode(),
    }
    check_golden(FILE, "at_rest", found)


def test_an_attestation_is_frozen() -> None:
    """Given a source's seed, when it attests, then the JWS holds (Ed25519 draws nothing)."""
    found = {"seed": SEED.hex(), "jws": sign_attestation(ATTESTATION, SEED).decode()}
    check_golden(FILE, "attestation", found)


def of_another_source(order: Order) -> Order:
    """The same, where the ledger has the first batch of another source than its header says."""
    first, *rest = order.batches
    return replace(order, batches=(replace(first, source=Address("33" * 20)), *rest))


def verdicts() -> dict[str, Case]:
    """A case for each verdict, with a committed text but for one."""
    five, november = batch(2), batch(1, "2026-11")
    order = order_of(five, november)

    def text(*batches: Any, fields: tuple[str, ...] = FIELDS) -> bytes:
        return b"".join(package_lines(batches, fields))

    good = text(five, november)
    return {
        "honest": sealed_text(order, good),
        "surplus field": sealed_text(order, text(five, november, fields=(*FIELDS, "note"))),
        "another half": replace(sealed_text(order, good), a=fixed("another")),
        "cut short": sealed_text(order, good[:-2]),
        "another spelling": sealed_text(order, good.replace(b'"count":', b'"count": ')),
        "a header of another source": sealed_text(of_another_source(order), good),
        "months in another order": sealed_text(order, text(november, five)),
        "a month is left out": sealed_text(order, text(five)),
        "a row is left out": sealed_text(order, text(replace(five, rows=five.rows[:1]), november)),
        "eggs are hidden": sealed_text(order, text(five, november, fields=("day",))),
        "a value is altered": sealed_text(order, good.replace(b",1],", b",2],")),
        "a value of another kind": sealed_text(order, good.replace(b",1],", b',"1"],')),
    }


def test_verdicts_on_committed_texts_are_frozen() -> None:
    """Given texts sealed as in `package`, when judged, then each verdict holds; all occur."""
    cases = verdicts()
    key = package_key(ORDER, HALVES.a, HALVES.b)
    found = {
        name: {
            "a": case.a.hex(),
            "fields": list(case.order.fields),
            "batches": [told_batch(one) for one in case.order.batches],
            "text": b"".join(open_chunks(key, ORDER, case.chunks)).decode(),
            "verdict": case.verdict().name,
        }
        for name, case in cases.items()
    }
    assert {case.verdict() for case in cases.values()} == set(Verdict)
    check_golden(FILE, "verdicts", found)
