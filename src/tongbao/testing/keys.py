"""Keys for tests: out of a name, the same in every run, and one kind that accounts must refuse."""

from __future__ import annotations

from functools import cache
from hashlib import sha512
from typing import Final

from nacl.bindings import (
    crypto_core_ed25519_add,
    crypto_core_ed25519_scalar_add,
    crypto_core_ed25519_scalar_mul,
    crypto_core_ed25519_scalar_reduce,
    crypto_scalarmult_ed25519_base_noclamp,
)

from tongbao.kernel import Key, PublicKey, Small
from tongbao.kernel.envelope import encode_base64url
from tongbao.sdk.signer import Signer, SoftwareKey

_SEED: Final = bytes(32)
_ORDER_TWO: Final = b"\xec" + b"\xff" * 30 + b"\x7f"
"""The point (0, -1), which added to itself is the neutral one."""


@cache
def named_key(name: str) -> SoftwareKey:
    """The key that tests know by a name."""
    return SoftwareKey.derive(_SEED, name)


def ledger_key(signer: Signer) -> Key:
    """The public key of a signer as messages carry it."""
    return Key(algorithm=Small(1), public=PublicKey(signer.key_id))


class MixedOrderKey:
    """A key whose signatures are valid and which no account may have.

    To a point of large order the point of order two is added. A signature holds when its hash is
    even, so that this part vanishes; `sign` draws nonces until it does.
    """

    algorithm: Final = "Ed25519"

    def __init__(self, name: str) -> None:
        """Make the key that belongs to a name."""
        self._secret = _scalar(b"secret", name.encode())
        large = crypto_scalarmult_ed25519_base_noclamp(self._secret)
        self.public_key: bytes = crypto_core_ed25519_add(large, _ORDER_TWO)
        self.key_id: str = encode_base64url(self.public_key)

    def sign(self, message: bytes) -> bytes:
        """A signature that satisfies every equation of `kernel/ed25519.py`."""
        count = 0
        while True:
            nonce = _scalar(b"nonce", self._secret, count.to_bytes(4, "big"), message)
            point: bytes = crypto_scalarmult_ed25519_base_noclamp(nonce)
            challenge: bytes = crypto_core_ed25519_scalar_reduce(
                sha512(point + self.public_key + message).digest()
            )
            if challenge[0] % 2 == 0:
                product = crypto_core_ed25519_scalar_mul(challenge, self._secret)
                return point + crypto_core_ed25519_scalar_add(nonce, product)
            count += 1


def _scalar(*parts: bytes) -> bytes:
    """A scalar of the group that depends on the parts alone."""
    reduced: bytes = crypto_core_ed25519_scalar_reduce(sha512(b"tests" + b"".join(parts)).digest())
    return reduced
