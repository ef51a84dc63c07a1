"""A batch on its way from a source to its person: attested, whole, and true to its header."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.rights.hpke_by_the_book import public_key_of
from tests.rights.material import SCHEMA, SOURCE, SUBJECT, batch, fixed
from tests.rights.test_attestation import SEED
from tests.rights.test_copies import attestation_of
from tests.rights.test_properties import changed
from tongbao.kernel.ed25519 import public_key_of as signing_key_of
from tongbao.rights.at_rest import store_batch
from tongbao.rights.attestation import BadAttestation, read_attestation, read_signed
from tongbao.rights.batch import Origin, Period, commitment_of, make_batch
from tongbao.rights.batch_text import NoBatch, batch_text, read_batch_text
from tongbao.rights.chunks import TooLarge
from tongbao.rights.delivered_batch import BadDelivery, batch_parcel_text, read_batch_parcel
from tongbao.rights.limits import BATCH_BYTES_LIMIT, ROWS_LIMIT, TEXT_LIMIT
from tongbao.rights.parcel import open_parcel, seal_parcel
from tongbao.rights.schema import Field, FieldName, Row, Schema, event_hash


def test_a_person_gets_what_the_source_attested() -> None:
    """Given months of none, one and many rows, when sent as parcels, then the same comes out."""
    reader = fixed("person")
    for count in (0, 1, 60, 2_000):
        one = batch(count)
        attestation, about = attestation_of(one), commitment_of(one.header)
        text = batch_parcel_text(attestation, one)
        parcel = seal_parcel("batch", about, public_key_of(reader), text)
        found = open_parcel("batch", reader, parcel)
        assert found.context == about
        assert read_batch_parcel(found.text) == (attestation, one)


def test_one_row_and_sixty_come_in_parcels_of_one_size() -> None:
    """Given a person with 1 row and one with 60, when sent, then parcels of equal length."""
    key = public_key_of(fixed("person"))
    texts = [batch_parcel_text(attestation_of(one), one) for one in (batch(1), batch(60))]
    assert len({len(seal_parcel("batch", fixed("c"), key, text)) for text in texts}) == 1


def test_the_key_that_signed_comes_with_the_attestation() -> None:
    """Given a JWS, when read without knowing whose, then its claims, and the key to ask about."""
    jws = attestation_of(batch())
    key = signing_key_of(SEED)
    assert read_signed(jws) == (read_attestation(jws, key), key)
    for wrong in (b"", b"..", jws[:-9], jws + b"A", b"x" * 5_000):
        with pytest.raises(BadAttestation):
            read_signed(wrong)


def test_what_does_not_belong_together_is_refused() -> None:
    """Given another's attestation, altered rows or another secret, when read, then refused."""
    one, november = batch(3), batch(3, "2026-11")
    altered = replace(one.rows[0], values=("2026-10-01", 99, "", True))
    for jws, given_batch in (
        (attestation_of(november), one),
        (attestation_of(one, period=Period("2026-09")), one),
        (attestation_of(one, version=2), one),
        (attestation_of(one)[:-9], one),
        (attestation_of(one), replace(one, rows=(altered, *one.rows[1:]))),
        (attestation_of(one), replace(one, rows=one.rows[:2])),
        (attestation_of(one), replace(one, secret=fixed("another"))),
    ):
        with pytest.raises(BadDelivery):
            read_batch_parcel(batch_parcel_text(jws, given_batch))


def test_other_spellings_and_texts_are_refused() -> None:
    """Given unknown members, other spellings or no batch, when read, then refused."""
    good = batch_parcel_text(attestation_of(batch(2)), batch(2))
    for wrong in (
        good + b" ",
        good.replace(b'"batch":', b'"batch": ', 1),
        good[:-1] + b',"note":1}',
        good.replace(b'"secret"', b'"note":1,"secret"'),
        good.replace(b'"count":2', b'"count":20000'),
        good.replace(b'"attestation":"ey', b'"attestation":"\\u0065y'),
        batch_text(batch(2)),
        b"",
        b"[]",
        b"[" * 9_000,
        b"\xff",
    ):
        assert wrong != good
        with pytest.raises(BadDelivery):
            read_batch_parcel(wrong)
    with pytest.raises(BadDelivery, match="longer than"):
        read_batch_parcel(bytes(BATCH_BYTES_LIMIT + 9_000))


@given(st.integers(0, 2**64 - 1))
def test_no_damage_goes_unnoticed(seed: int) -> None:
    """Given a delivery with damage anywhere, when read, then refused, or nothing had changed."""
    good = batch_parcel_text(attestation_of(batch(2)), batch(2))
    choose = random.Random(seed)
    text = changed(choose, good)
    try:
        found = read_batch_parcel(text)
    except BadDelivery:
        return
    # Whether a kind is that of the schema, only the ledger's schema tells.
    assert (found[0], found[1].header, found[1].rows) == (
        attestation_of(batch(2)),
        batch(2).header,
        batch(2).rows,
    )


def test_a_batch_that_could_not_be_read_again_is_not_sealed() -> None:
    """Given rows of more than 64 MiB, when written, then refused instead of lost; read, so too."""
    fields = tuple(Field(FieldName(f"f{place}"), "text") for place in range(50))
    values = ("\U0001f95a" * TEXT_LIMIT,) * 50
    rows = [Row(event_hash(b"", str(number).encode()), values) for number in range(ROWS_LIMIT // 7)]
    schema = Schema(SCHEMA.name, fields)
    origin = Origin(period=Period("2026-10"), source=SOURCE, subject=SUBJECT)
    large = make_batch(schema, origin, rows, fixed("secret"), fixed("salt")[:16])
    for write in (
        lambda: batch_text(large),
        lambda: store_batch(large, fixed("owner")),
        lambda: batch_parcel_text(attestation_of(large), large),
    ):
        with pytest.raises(TooLarge, match="a batch has at most"):
            write()
    with pytest.raises(NoBatch, match="a batch has at most"):
        read_batch_text(bytes(BATCH_BYTES_LIMIT + 1))
