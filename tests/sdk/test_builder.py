"""Making transactions: the bytes that everybody signs, their id, and signatures put together."""

from __future__ import annotations

import json
from hashlib import sha256
from itertools import permutations
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from tests.fixed_chain import BEGIN, HOUR, FixedChain, key
from tongbao.kernel import (
    Address,
    Amount,
    ChainId,
    Invalid,
    InvalidTransaction,
    Message,
    Time,
    TransactionReference,
)
from tongbao.kernel.envelope import SIGNATURES_LIMIT, decode_envelope
from tongbao.modules import asset
from tongbao.modules.registry import registry
from tongbao.sdk.builder import combine, payload_bytes, sign, transaction_id
from tongbao.sdk.client import DryRun
from tongbao.testing.strategies import messages, values

FIXED = FixedChain()
CHAIN = FIXED.producer.machine.chain
EXPIRES = Time(BEGIN + HOUR)
PAYMENT = asset.Transfer(asset=FIXED.cny, amount=Amount("1.50"), payee=FIXED.shop)


def payment(nonce: int = 1) -> bytes:
    """Alice's payment to the shop, as it is signed."""
    return payload_bytes(CHAIN, FIXED.alice, nonce, EXPIRES, (PAYMENT,))


def test_a_payload_says_what_was_given_and_nothing_else() -> None:
    """
    Given a payment with the fewest members, and with all,
    when its payload is made,
    then it has just those members, and their bytes are RFC 8785's.
    """
    fewest: dict[str, Any] = {
        "chain": CHAIN,
        "sender": FIXED.alice,
        "nonce": 1,
        "expires": EXPIRES,
        "messages": [
            {
                "@type": "asset.transfer",
                "asset": FIXED.cny,
                "amount": "1.50",
                "payee": FIXED.shop,
            }
        ],
    }
    assert payment() == rfc8785.dumps(fewest)
    all_members = payload_bytes(
        CHAIN,
        FIXED.alice,
        1,
        EXPIRES,
        (PAYMENT, PAYMENT),
        lane=3,
        sponsor=FIXED.bank,
        reference=TransactionReference("order-7"),
    )
    more: dict[str, Any] = {"lane": 3, "sponsor": FIXED.bank, "reference": "order-7"}
    assert json.loads(all_members) == fewest | more | {"messages": fewest["messages"] * 2}
    assert all_members == rfc8785.dumps(json.loads(all_members))


def test_the_id_is_known_before_anybody_signs() -> None:
    """
    Given a payload,
    when its id is computed, and the ledger reads it signed by one key or by several,
    then the id is the hash in its description, and all of them say the same.
    """
    payload = payment()
    wanted = sha256(b"tongbao/tx/1" + payload).hexdigest()
    assert transaction_id(payload) == wanted
    for names in (("alice",), ("alice", "bank"), ("bank",)):
        signed = sign(payload, [key(name) for name in names])
        assert FIXED.producer.machine.parse(signed).id.hex() == wanted
    assert transaction_id(payment(2)) != wanted


def test_the_order_of_signers_changes_no_byte() -> None:
    """
    Given three keys,
    when they sign in every order, together or apart, and one of them twice,
    then the transaction is the same bytes, and each signature is there once.
    """
    payload = payment()
    keys = [key(name) for name in ("alice", "bank", "shop")]
    together = sign(payload, keys)
    for order in permutations(keys):
        assert sign(payload, order) == together
        assert sign(payload, (*order, order[0])) == together
        assert combine([sign(payload, [one]) for one in order]) == together
        assert combine([sign(payload, order[:2]), sign(payload, order[2:])]) == together
    signatures = decode_envelope(together).signatures
    assert sorted(each.kid for each in signatures) == sorted(one.key_id for one in keys)


def test_one_signature_alone_is_combined_to_itself() -> None:
    """
    Given a transaction with one signature, and one with two,
    when each is combined with nothing else,
    then it is what it was.
    """
    for names in (("alice",), ("alice", "bank")):
        signed = sign(payment(), [key(name) for name in names])
        assert combine([signed]) == signed


@pytest.mark.parametrize("count", [0, SIGNATURES_LIMIT + 1])
def test_no_signature_and_too_many_make_no_transaction(count: int) -> None:
    """
    Given a payload and no key, or one key more than a transaction may have,
    when it is signed,
    then it is invalid at once; with the most it may have it is made.
    """
    keys = [key(f"signer-{at}") for at in range(count)]
    with pytest.raises(InvalidTransaction) as caught:
        sign(payment(), keys)
    assert caught.value.why is Invalid.ENVELOPE_IS_MALFORMED
    most = sign(payment(), [key(f"signer-{at}") for at in range(SIGNATURES_LIMIT)])
    assert len(decode_envelope(most).signatures) == SIGNATURES_LIMIT


def test_what_does_not_belong_together_is_not_combined() -> None:
    """
    Given transactions with other payloads, nothing at all, and junk,
    when they are combined,
    then that is an error, not a transaction.
    """
    first = sign(payment(), [key("alice")])
    with pytest.raises(ValueError, match="same payload"):
        combine([first, sign(payment(2), [key("bank")])])
    with pytest.raises(ValueError, match="same payload"):
        combine([])
    for junk in (b"", b"junk", b"a.b", b"{}", b'{"payload":"AA","signatures":[]}'):
        with pytest.raises((InvalidTransaction, ValueError)):
            combine([first, junk])


def test_a_payload_is_tried_without_a_signature() -> None:
    """
    Given a payload that nobody has signed,
    when the chain tries it,
    then it says what would happen.
    """
    with FIXED.reading() as chain:
        tried = chain.dry_run(payment())
    assert isinstance(tried, DryRun)
    assert (tried.outcome.value, tried.number, tried.why) == ("applied", 0, "applied")


@given(
    chain=values(ChainId),
    sender=values(Address),
    nonce=st.integers(1, 2**53 - 1),
    expires=values(Time),
    message=messages(registry()),
    lane=st.integers(0, 15),
    sponsor=st.none() | values(Address),
    reference=st.none() | values(TransactionReference),
)
def test_the_ledger_reads_every_transaction_as_it_was_built(
    chain: ChainId,
    sender: Address,
    nonce: int,
    expires: Time,
    message: Message,
    lane: int,
    sponsor: Address | None,
    reference: TransactionReference | None,
) -> None:
    """
    Given any declared message and any members,
    when a transaction is built and signed, and its payload is decoded as the ledger does,
    then every member is what was given, and the bytes are RFC 8785's.
    """
    payload = payload_bytes(
        chain,
        sender,
        nonce,
        expires,
        (message,),
        lane=lane,
        sponsor=sponsor,
        reference=reference,
    )
    assert payload == rfc8785.dumps(json.loads(payload))
    read = registry().payload_decoder.decode(decode_envelope(sign(payload, [key("alice")])).payload)
    assert (read.chain, read.sender, read.nonce, read.expires) == (chain, sender, nonce, expires)
    assert (read.messages, read.lane) == ((message,), lane)
    assert (read.sponsor, read.reference) == (sponsor, reference)
