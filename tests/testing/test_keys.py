"""Keys for tests: the same each time, and one kind that signs well and is refused."""

from __future__ import annotations

from tongbao.kernel import ed25519
from tongbao.testing import MixedOrderKey, ledger_key, named_key


def test_a_name_is_always_the_same_key() -> None:
    """
    Given two names,
    when their keys are asked for twice,
    then each name has one key, and they are two.
    """
    assert ledger_key(named_key("alice")) == ledger_key(named_key("alice"))
    assert ledger_key(named_key("alice")) != ledger_key(named_key("bob"))


def test_a_key_of_mixed_order_signs_and_is_no_account_key() -> None:
    """
    Given a key with a part of order two,
    when it signs a hundred messages,
    then every signature satisfies the equations, another message's does not, and yet the key is
    not one that an account may have.
    """
    key = MixedOrderKey("first")
    texts = [str(count).encode() for count in range(100)]
    signatures = [key.sign(text) for text in texts]

    pairs = zip(texts, signatures, strict=True)
    assert all(ed25519.verify(key.public_key, text, signed) for text, signed in pairs)
    assert not ed25519.verify(key.public_key, texts[0], signatures[1])
    assert not ed25519.public_key_is_acceptable(key.public_key)
