"""The envelope of `a`: RFC 9180, bound to what is on the ledger; and which keys may be had."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.rights.hpke_by_the_book import public_key_of, seal
from tests.rights.material import HALVES, ORDER, batch, fixed, honest
from tongbao.modules.data.keys import LOW_ORDER, PRIME
from tongbao.rights.envelope import (
    ENVELOPE_BYTES,
    BadEnvelope,
    envelope_info,
    put_into_envelope,
    take_out_of_envelope,
)
from tongbao.rights.exchange_key import exchange_key_is_acceptable

BUYER = fixed("buyer")
GRANT = fixed("grant")
SEALED = honest(batch()).commitments.sealed


def bytes_of(number: int) -> bytes:
    """A number u in its 32 bytes."""
    return number.to_bytes(32, "little")


def test_the_book_s_hpke_gives_the_vector_of_the_rfc() -> None:
    """Given the keys of RFC 9180 A.1.1, when its first text is sealed, then as it is printed."""
    ephemeral = "52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736"
    receiver = "3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d"
    sealed = seal(
        bytes.fromhex(receiver),
        b"Beauty is truth, truth beauty",
        b"Ode on a Grecian Urn",
        bytes.fromhex(ephemeral),
        aad=b"Count-0",
        bits=128,
    )
    assert sealed.hex() == (
        "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431"
        "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a9"
        "6d8770ac83d07bea87e13c512a"
    )


def test_the_buyer_takes_the_half_out_that_the_seller_put_in() -> None:
    """Given an envelope by the library, and one by the book, when taken out, then it is `a`."""
    info = envelope_info(ORDER, GRANT, SEALED)
    ours = put_into_envelope(public_key_of(BUYER), HALVES.a, info)
    by_the_book = seal(public_key_of(BUYER), HALVES.a, info, fixed("ephemeral"))
    for envelope in (ours, by_the_book):
        assert len(envelope) == ENVELOPE_BYTES
        assert take_out_of_envelope(BUYER, envelope, ORDER, GRANT, SEALED) == HALVES.a


def test_an_envelope_of_another_order_grant_or_package_does_not_open() -> None:
    """Given an envelope, when anything that it is bound to differs, then it is refused."""
    info = envelope_info(ORDER, GRANT, SEALED)
    envelope = put_into_envelope(public_key_of(BUYER), HALVES.a, info)
    other = fixed("other")
    wrong = (
        (BUYER, envelope, other[:20], GRANT, SEALED),
        (BUYER, envelope, ORDER, other, SEALED),
        (BUYER, envelope, ORDER, GRANT, replace(SEALED, package_root=other)),
        (BUYER, envelope, ORDER, GRANT, replace(SEALED, a_commit=other)),
        (BUYER, envelope, ORDER, GRANT, replace(SEALED, b_lock=other)),
        (fixed("stranger"), envelope, ORDER, GRANT, SEALED),
        (BUYER, bytes([envelope[0] ^ 1]) + envelope[1:], ORDER, GRANT, SEALED),
        (BUYER, bytes(32) + envelope[32:], ORDER, GRANT, SEALED),
        (BUYER, envelope[:-1], ORDER, GRANT, SEALED),
    )
    for arguments in wrong:
        with pytest.raises(BadEnvelope):
            take_out_of_envelope(*arguments)


def test_a_wrong_half_in_a_good_envelope_is_not_confirmed() -> None:
    """Given an envelope with another half, when taken out, then refused before anything is owed."""
    info = envelope_info(ORDER, GRANT, SEALED)
    envelope = put_into_envelope(public_key_of(BUYER), fixed("not a"), info)
    with pytest.raises(BadEnvelope, match="not the one that was committed to"):
        take_out_of_envelope(BUYER, envelope, ORDER, GRANT, SEALED)


def test_keys_of_small_order_give_everybody_the_same_secret_and_are_refused() -> None:
    """Given each point of small order, when exchanged, then it gives zero, and we refuse it."""
    secret = X25519PrivateKey.from_private_bytes(BUYER)
    for number in LOW_ORDER:
        with pytest.raises(ValueError, match="Error computing shared key"):
            secret.exchange(X25519PublicKey.from_public_bytes(bytes_of(number)))
        assert not exchange_key_is_acceptable(bytes_of(number))
        with pytest.raises(BadEnvelope, match="not one that the ledger takes"):
            put_into_envelope(bytes_of(number), HALVES.a, b"")


def test_a_second_spelling_of_a_key_and_other_lengths_are_refused() -> None:
    """Given u of p and above, or not 32 bytes, when asked, then not acceptable."""
    key = public_key_of(BUYER)
    assert exchange_key_is_acceptable(key)
    assert exchange_key_is_acceptable(bytes_of(PRIME - 2)) and exchange_key_is_acceptable(
        bytes_of(9)
    )
    spelled_again = int.from_bytes(key, "little") | 1 << 255
    for wrong in (
        bytes_of(spelled_again),
        bytes_of(PRIME),
        bytes_of(PRIME + 9),
        b"",
        key + b"\x00",
    ):
        assert not exchange_key_is_acceptable(wrong)


@given(st.binary(min_size=32, max_size=32))
def test_every_key_that_is_made_from_a_secret_is_acceptable(secret: bytes) -> None:
    """Given any secret, when its public key is asked about, then it is acceptable."""
    assert exchange_key_is_acceptable(public_key_of(secret))


@given(st.binary(max_size=200))
def test_any_bytes_instead_of_an_envelope_are_refused(text: bytes) -> None:
    """Given hostile bytes, when taken for an envelope, then BadEnvelope and nothing else."""
    with pytest.raises(BadEnvelope):
        take_out_of_envelope(BUYER, text, ORDER, GRANT, SEALED)
