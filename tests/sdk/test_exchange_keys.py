"""Keys to write to: signed by a key of the account, for one chain, until they end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tests.fixed_chain import key
from tests.sdk.kept_chain import begin
from tongbao.kernel import Key, PublicKey, Small, WeightedKey
from tongbao.modules import account
from tongbao.sdk.exchange_keys import (
    BadExchangeKey,
    ledger_exchange_key,
    read_exchange_key,
    sign_exchange_key,
)
from tongbao.sdk.signed_requests import account_has_key
from tongbao.sdk.signer import SoftwareKey

ACCOUNT, CHAIN, ENDS = "ab" * 20, "demo-0123abcd", 1_000_000
SIGNER = SoftwareKey.from_seed(b"e" * 32)
KEY = X25519PrivateKey.from_private_bytes(b"x" * 32).public_key().public_bytes_raw()
TEXT = sign_exchange_key(SIGNER, ACCOUNT, CHAIN, KEY, ENDS)


def test_a_key_is_read_as_it_was_signed() -> None:
    """Given a signed key.

    When it is read for its account and chain before it ends
    Then it is the key, and who signed it is told
    """
    told, signature = read_exchange_key(TEXT, account=ACCOUNT, chain=CHAIN, now_ms=ENDS - 1)
    assert (told.key, signature.kid) == (KEY.hex(), SIGNER.key_id)


@pytest.mark.parametrize(
    ("text", "asked", "why"),
    [
        (TEXT, {"account": "cd" * 20}, "another account"),
        (TEXT, {"chain": "other-0123abcd"}, "another account or chain"),
        (TEXT, {"now_ms": ENDS}, "has ended"),
        (TEXT[:-8] + b"AAAAAAAA", {}, "not valid"),
        (b"a.b.c", {}, "no compact JWS"),
        (TEXT * 20, {}, "longer"),
    ],
)
def test_a_key_that_is_not_right_is_refused(text: bytes, asked: dict[str, Any], why: str) -> None:
    """Given a key of another account or chain, one that has ended, or an altered one.

    When it is read
    Then it is refused, and the text says why
    """
    usual: dict[str, Any] = {"account": ACCOUNT, "chain": CHAIN, "now_ms": 0}
    with pytest.raises(BadExchangeKey, match=why):
        read_exchange_key(text, **(usual | asked))


def test_a_key_of_small_order_is_never_signed() -> None:
    """Given the point of order 1.

    When somebody would be written to at it
    Then it is not signed
    """
    with pytest.raises(BadExchangeKey, match="make another"):
        sign_exchange_key(SIGNER, ACCOUNT, CHAIN, bytes(32), ENDS)


def test_the_ledger_says_whose_key_signed(tmp_path: Path) -> None:
    """Given an account on a chain, with two keys of which one is too light to sign alone.

    When the keys sign where the account can be written to
    Then only the heavy one is believed
    """
    heavy, light = key("heavy"), key("light")
    chain, operator = begin(tmp_path / "chain")
    with chain:
        keys = tuple(
            WeightedKey(key=Key(algorithm=Small(1), public=PublicKey(one.key_id)), weight=weight)
            for one, weight in ((heavy, Small(2)), (light, Small(1)))
        )
        message = account.Open(keys=keys, ordinary=Small(2), sensitive=Small(2), lanes=Small(1))
        address = operator.send(message, also=(heavy, light)).made
        assert account_has_key(chain, address, heavy.key_id)
        assert not account_has_key(chain, address, light.key_id)
        assert not account_has_key(chain, "00" * 20, heavy.key_id)
        text = sign_exchange_key(heavy, address, chain.id, KEY, ENDS)
        assert ledger_exchange_key(chain, text, address, 0) == KEY
        text = sign_exchange_key(light, address, chain.id, KEY, ENDS)
        with pytest.raises(BadExchangeKey, match="not one of the account's"):
            ledger_exchange_key(chain, text, address, 0)
