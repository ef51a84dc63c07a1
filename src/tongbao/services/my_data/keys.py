"""Every key of a person, out of one secret: whoever has that has all of them, and nobody else.

HKDF-SHA256 (RFC 5869) of the root, without salt, info = "tongbao/mydata/1/" and a label:

    account    seed of the Ed25519 key that signs for the account
    owner      what batches' keys are wrapped with
    space      seed of the Ed25519 key that is the space at the store
    exchange   the X25519 secret to which sources and others write
    drop/...   the token that lets a source leave parcels; one for each consent
    subject/.. the salt of the source's pseudonym for the person

No label's key tells anything of another's, so a source that is given its token learns no more.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tongbao.kernel import Address
from tongbao.kernel.identifiers import Hash
from tongbao.rights.batch import subject_of
from tongbao.rights.limits import KEY_BYTES, SALT_BYTES
from tongbao.sdk.signer import SoftwareKey

INFO: Final = b"tongbao/mydata/1/"


class PersonKeys:
    """The keys of one person. Its repr shows none."""

    def __init__(self, root: bytes) -> None:
        """Take the 32 random bytes that all keys come from. Raises ValueError for another size."""
        if len(root) != KEY_BYTES:
            raise ValueError(f"a root secret has {KEY_BYTES} bytes")
        self.root = root

    def __repr__(self) -> str:
        """No secret."""
        return "PersonKeys()"

    @cached_property
    def signer(self) -> SoftwareKey:
        """What signs for the account."""
        return SoftwareKey(self._derived("account"))

    @cached_property
    def owner_key(self) -> bytes:
        """What wraps the keys of batches."""
        return self._derived("owner")

    @cached_property
    def space(self) -> SoftwareKey:
        """What signs requests to the store; its public key is the space."""
        return SoftwareKey(self._derived("space"))

    @cached_property
    def exchange_secret(self) -> bytes:
        """What opens parcels."""
        return self._derived("exchange")

    @cached_property
    def exchange_key(self) -> bytes:
        """The X25519 public key to write to."""
        secret = X25519PrivateKey.from_private_bytes(self.exchange_secret)
        return secret.public_key().public_bytes_raw()

    def drop_token(self, source: str, schema: str, ends: int) -> bytes:
        """With this a source leaves parcels until a consent ends, and can do nothing else."""
        return self._derived(f"drop/{source}/{schema}/{ends}")

    def subject_salt(self, source: str, schema: str) -> bytes:
        """The salt that makes the source's pseudonym for this person."""
        return self._derived(f"subject/{source}/{schema}")[:SALT_BYTES]

    def subject(self, source: str, schema: str) -> Hash:
        """What a source calls this person, about rows of a schema."""
        return subject_of(
            Address(source), self.signer.public_key, self.subject_salt(source, schema)
        )

    def note_key(self, name: bytes) -> bytes:
        """The key of one state of the notebook at the store, which has a random name."""
        return self._derived(f"notebook/{name.hex()}")

    def _derived(self, label: str) -> bytes:
        info = INFO + label.encode()
        return HKDF(SHA256(), KEY_BYTES, salt=None, info=info).derive(self.root)
